# `make help` lists the commands. The README names the same ones, which a test in internal/archtest holds.

export GOTOOLCHAIN := auto
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# Flags for `make run` (ARGS="-addr 127.0.0.1:9000") and `make mutants`, and the packages of `make test` (PKG=./internal/lrs/...).
ARGS ?=
PKG  ?= ./...
# Tests of the cloud road: `make e2e` runs them, `make test` does not.
CLOUD_ROAD := ./internal/e2e/cloud ./internal/cmd/cloudroad
GO_FOLDERS := $(wildcard functions internal)
# The parameters of samconfig.toml that `make deploy` takes: dev or prod.
STAGE ?= dev
# cfn-lint and SAM, from PyPI at the versions of infra/lint.
LINT_TOOLS := bin/lint
SAM := $(LINT_TOOLS)/bin/sam
# AWS's runtime interface emulator comes with SAM; a test holds it beside the front, once `make lint-template` has installed it.
export CAIRN_RIE = $(abspath $(firstword $(wildcard $(LINT_TOOLS)/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$(subst aarch64,arm64,$(shell uname -m)))))
export SAM_CLI_TELEMETRY := 0
# SAM knows the region by this name only, unlike the AWS CLI and Cairn.
ifdef AWS_REGION
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif
# Where `make bench` leaves its results.
OUT ?= bin/bench

# Packages whose tests run under the race detector, which costs about five times the time: those that share state
# between goroutines. The detector needs a C compiler. Nothing is taken from the test cache, which cannot know what
# a test starts.
RACY := blob table lrs document auth position httpapi app
RACE := $(if $(shell command -v gcc),-race)

# The map of requirements, which a run of all packages has to prove; the files with tests that say so, beside the HTTP scripts.
MAP := internal/requirements/MAP.md
PROVING = $(shell grep -rl --include=*_test.go -e 'requirements[.]Met' -e 'meets.t, v' internal)

# Without cgo nothing waits for a C compiler, which has a zstd to build that the engine would use and Cairn does not.
CAIRN_BUILD := CGO_ENABLED=0 go build -ldflags "-s -w"

.DEFAULT_GOAL := help
.PHONY: help run cairn-stack test check fmt lint lint-template e2e bench cost build package deploy verify-deployed undeploy

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build Cairn and serve it at http://127.0.0.1:8080/xapi, data in ./cairn-data
	$(CAIRN_BUILD) -o bin/cairn ./internal/cmd/cairn && exec bin/cairn serve $(ARGS)

cairn-stack: ## build bin/cairn and bin/cairn-stack, which its commands with -stack need for a deployed stack
	$(CAIRN_BUILD) -o bin/ ./internal/cmd/cairn ./internal/cmd/cairn-stack

test: lint ## run every check and test but those of `make e2e`; says which road could not run, and why
ifeq ($(RACE),)
	@echo "the race detector did not run: there is no C compiler (gcc)"
endif
	@go build -o bin/ ./internal/cmd/withcloud ./internal/cmd/testreport
	@bin/withcloud bash -eu -o pipefail -c ' \
	  all=$$(go list $(PKG) | grep -vFx "$$(go list $(CLOUD_ROAD))"); \
	  racy=$$(grep -E "/internal/($(subst $() ,|,$(RACY)))(/|$$)" <<<"$$all" || true); \
	  other=$$(grep -vE "/internal/($(subst $() ,|,$(RACY)))(/|$$)" <<<"$$all" || true); \
	  { code=0; \
	    [ -z "$$other" ] || go test -json -count=1 -timeout 25m $$other || code=1; \
	    [ -z "$$racy" ] || go test -json -count=1 -timeout 25m $(RACE) $$racy || code=1; \
	    exit $$code; } | bin/testreport $(if $(filter ./...,$(PKG)),-map $(MAP))'

check: fmt test lint-template ## what to run before a commit: format, lint, test

fmt: ## format the Go files
	gofmt -w $(GO_FOLDERS)

lint: ## formatting, go vet, staticcheck
	@unformatted=$$(gofmt -l $(GO_FOLDERS)); [ -z "$$unformatted" ] || { echo "not formatted, make fmt mends it:" $$unformatted; exit 1; }
	go vet $(PKG)
	go tool staticcheck $(PKG)

lint-template: $(LINT_TOOLS)/requirements.txt ## check template.yaml: cfn-lint, sam validate, rules of our own; and that planted faults are reported
	go run ./internal/cmd/lintstack -cfn-lint $(LINT_TOOLS)/bin/cfn-lint
	$(SAM) validate --lint --region us-east-1

$(LINT_TOOLS)/requirements.txt: infra/lint/requirements.txt
	python3 -m venv $(LINT_TOOLS) && $(LINT_TOOLS)/bin/pip install -q --disable-pip-version-check -r $<
	cp $< $@

# The scripts spend most of their time waiting for what is promised to come: many run at once.
e2e: ## the black-box tests over the cloud road: the functions in processes of their own, DynamoDB Local, an S3 server
	@go build -o bin/ ./internal/cmd/testreport
	@go test -json -count=1 -timeout 40m -parallel 12 $(CLOUD_ROAD) | bin/testreport

requirements: ## write the map from each requirement of xAPI to the tests that prove it
	@go build -o bin/ ./internal/cmd/testreport
	@tests=$$(awk '/^func /{test=$$2; sub(/\(.*/, "", test)} test ~ /^Test/ && /requirements[.]Met|meets.t, /{print test}' $(PROVING) | sort -u | paste -sd'|'); \
	  go test -json -count=1 -run "^($$tests|TestScripts)$$" $(addprefix ./,$(sort $(dir $(PROVING)))) ./internal/e2e | bin/testreport -map $(MAP) -write

mutants: ## break one promise at a time: the test that holds it must fail (ARGS="-only void" takes some); takes minutes
	@go run ./internal/cmd/mutants $(ARGS)

bench: ## measure: Go benchmarks, then floor, Cairn and ceiling under the load generator at CAIRN_LOAD
	go test -run '^$$' -bench . -benchmem ./internal/...
ifdef CAIRN_LOAD
	$(CAIRN_BUILD) -o bin/cairn ./internal/cmd/cairn
	go run ./internal/bench/benchload -load "$(CAIRN_LOAD)" -cairn bin/cairn -out $(OUT)
else
	@echo "floor, Cairn and ceiling were not measured: CAIRN_LOAD does not name the load generator's folder"
endif

cost: ## count what flows of requests consume, and write infra/COST.md
	go run ./internal/cmd/cost

build: $(patsubst functions/%/main.go,bin/functions/%/bootstrap,$(wildcard functions/*/main.go)) ## build the Lambda binaries into bin/functions and weigh them
	@$(MAKE) --no-print-directory weigh BINARIES="$^"

# Built in place: SAM would copy the whole tree, bin and all, for each function. Nothing is asked of AWS.
package: $(LINT_TOOLS)/requirements.txt ## build what is deployed into .aws-sam, with SAM, and weigh it
	$(SAM) build
	@$(MAKE) --no-print-directory weigh BINARIES="$$(echo .aws-sam/build/*/bootstrap)"

deploy: package ## deploy the stack (STAGE=dev or prod); needs an AWS account
	$(SAM) deploy --config-env $(STAGE)

verify-deployed: $(if $(STACK),cairn-stack) ## check a live stack from outside: URL=https://…/xapi, CAIRN_CREDENTIAL, and STACK=NAME if you may make stores
	@[ -n "$(URL)" ] || { echo "URL is not set: it is the stack's output Endpoint" >&2; exit 1; }
	@go run ./internal/cmd/verify -url "$(URL)" -other "$(OTHER)" -stack "$(STACK)"

undeploy: $(LINT_TOOLS)/requirements.txt ## delete the stack (STAGE=dev or prod); tables and bucket stay, infra/README.md says how to delete them
	$(SAM) delete --config-env $(STAGE)

# ---- Lambda binaries -----------------------------------------------------------------------------------------
# arm64 is a fifth cheaper than x86. lambda.norpc leaves out the RPC of the retired go1.x runtime; -s -w drop
# symbols, since a cold start reads the whole file.
MAX_BINARY := 15000000
LAMBDA_BUILD = CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -tags lambda.norpc -trimpath -ldflags "-s -w"

.PHONY: FORCE weigh
weigh:
	@for binary in $(BINARIES); do \
	  size=$$(wc -c <$$binary); echo "$$binary: $$size bytes of $(MAX_BINARY)"; \
	  [ $$size -le $(MAX_BINARY) ] || { echo "$$binary is too large: a cold start reads the whole file" >&2; exit 1; }; done

bin/functions/%/bootstrap: FORCE
	$(LAMBDA_BUILD) -o $@ ./functions/$*

# `sam build` calls these: build-StatementsFunction builds functions/statements into the folder that SAM names.
build-%Function:
	$(LAMBDA_BUILD) -o $(ARTIFACTS_DIR)/bootstrap ./functions/$(shell tr A-Z a-z <<<$*)
