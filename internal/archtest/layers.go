package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// layer says what the packages in and below a folder may import of the project. The innermost folder that holds a
// package decides.
type layer struct {
	folder string
	may    []string // folders; each stands for what is below it too, unless that has a line of its own in drivers
	why    string
}

// Folders that several lines below name.
var (
	ports = []string{"internal/table", "internal/blob", "internal/position"}
	rules = slices.Concat(ports, []string{"internal/xapi", "internal/signature", "internal/schema", "internal/auth", "internal/transfer", "internal/lrs"})
	edge  = slices.Concat(rules, []string{"internal/document", "internal/httpapi", "internal/config", "internal/report"})
)

// drivers are never meant by the folder of their port: who may import one names it.
var drivers = []string{
	"internal/table/dynamo", "internal/table/pebble", "internal/table/tabletest",
	"internal/blob/s3", "internal/blob/disk", "internal/blob/blobtest",
	"internal/app/cloud", "internal/app/local",
}

var layers = []layer{
	{"internal/xapi", nil, "the language is pure: it must be usable, tested and fuzzed without anything around it"},
	{"internal/signature", []string{"internal/xapi"}, "signed statements are the language and the JOSE library, nothing else"},
	{"internal/position", nil, "positions depend on a clock that is given"},
	{"internal/table", nil, "a port describes what its users need; it knows no user and no engine"},
	{"internal/table/dynamo", []string{"internal/table"}, "a driver keeps the port's promises and knows no rule of xAPI, so that every rule is written once"},
	{"internal/table/dynamo/dynamotest", []string{"internal/table", "internal/table/dynamo", "internal/cloudtest"}, "it opens the driver on a test server for tests of the code above"},
	{"internal/table/pebble", []string{"internal/table"}, "a driver keeps the port's promises and knows no rule of xAPI, so that every rule is written once"},
	{"internal/table/pebble/pebbletest", []string{"internal/table", "internal/table/pebble"}, "it opens the engine in memory for tests of the code above"},
	{"internal/table/tabletest", []string{"internal/table"}, "the suite knows the port only, or it could not judge drivers"},
	{"internal/blob", nil, "a port describes what its users need; it knows no user and no engine"},
	{"internal/blob/s3", []string{"internal/blob"}, "a driver keeps the port's promises and knows no rule of xAPI"},
	{"internal/blob/disk", []string{"internal/blob"}, "a driver keeps the port's promises and knows no rule of xAPI"},
	{"internal/blob/blobtest", []string{"internal/blob"}, "the suite knows the port only, or it could not judge drivers"},
	{"internal/schema", []string{"internal/table"}, "the schema is data in the port's terms"},
	{"internal/auth", slices.Concat(ports, []string{"internal/xapi", "internal/schema"}), "who asks is known before any rule of statements is"},
	{"internal/lrs", rules, "the rules stand above the ports and below HTTP: they are the same on every road"},
	{"internal/transfer", []string{"internal/blob", "internal/auth"}, "what comes and goes past the limits is bytes of a store; what they become is known above"},
	{"internal/document", slices.Concat(ports, []string{"internal/xapi", "internal/schema", "internal/auth", "internal/transfer"}), "documents know nothing of statements: neither waits for the other"},
	{"internal/report/fact", []string{"internal/xapi"}, "a fact is a pure function of one statement"},
	{"internal/report/measure", []string{"internal/report/fact"}, "figures are pure functions of facts, so that their definitions can be read and tested alone"},
	{"internal/report/rollup", slices.Concat(ports, []string{"internal/xapi", "internal/schema", "internal/auth", "internal/report/fact", "internal/report/measure"}), "rows of sums know nothing of how statements are kept: they meet only through the change stream"},
	{"internal/report", slices.Concat(ports, []string{"internal/xapi", "internal/schema", "internal/auth", "internal/report"}), "reports read rollups, never statements"},
	{"internal/config", nil, "settings are read before anything that they set exists"},
	{"internal/httpapi", slices.Concat(rules, []string{"internal/document", "internal/report"}), "the edge translates between HTTP and the rules, whatever engine is below"},
	{"internal/lambdaio", []string{"internal/table", "internal/config"}, "Lambda's events become requests for any http.Handler, or changes of the port for any consumer"},
	{"internal/app", edge, "the application is wired from ports; only its two halves know engines"},
	{"internal/app/cloud", slices.Concat(edge, []string{"internal/app", "internal/table/dynamo", "internal/blob/s3"}), "the half that runs on AWS"},
	{"internal/app/cloud/stack", []string{"internal/app", "internal/app/cloud", "internal/auth", "internal/config"}, "what only an operator's machine links"},
	{"internal/app/cloud/stacktest", []string{"internal/app/cloud", "internal/config", "internal/cloudtest"}, "it makes stacks for tests"},
	{"internal/app/local", slices.Concat(edge, []string{"internal/app", "internal/table/pebble", "internal/blob/disk"}), "the half that runs in one process"},
	{"functions", []string{"internal/app/cloud", "internal/lambdaio"}, "a deployed main is a sentence: open the cloud half, start Lambda"},
	{"internal/cmd/cairn", slices.Concat(edge, []string{"internal/app", "internal/app/local", "internal/cmd/cairn"}), "one machine: who runs it need not compile the AWS SDK, which takes longer than all the rest"},
	{"internal/cmd/cairn-stack", []string{"internal/app", "internal/app/cloud", "internal/cmd/cairn/operator", "internal/cmd/cairn/fsck", "internal/config"}, "it opens the cloud half for the operator's commands, which stand in cairn"},
	{"internal/cmd/cloudroad", []string{"internal/app/cloud", "internal/auth", "internal/config", "internal/cloudtest", "internal/lambdaio"}, "it deploys the cloud half in front of the test servers"},
	{"internal/cmd/withcloud", []string{"internal/cloudtest"}, "it starts the test servers around a command"},
	{"internal/cmd/cost", slices.Concat(edge, []string{"internal/app", "internal/table/pebble", "internal/blob/disk"}), "it counts what the whole consumes, over the embedded engine"},
	{"internal/cmd/verify", []string{"internal/config", "internal/e2e"}, "it plays the black-box tests against somebody's stack"},
	{"internal/cmd/lintstack", nil, "it reads the template"},
	{"internal/cmd/testreport", []string{"internal/requirements"}, "it reads what go test prints, and holds it against the map of requirements"},
	{"internal/cmd/mutants", nil, "it runs tests, and knows them by name"},
	{"internal/requirements", nil, "the map knows ids and names of tests, and nothing of what they test"},
	{"internal/cloudtest", nil, "test servers are started the same way for whoever asks"},
	{"internal/oracle", nil, "it shares nothing with what it judges"},
	{"internal/e2e", []string{"internal/cloudtest", "internal/e2e", "internal/oracle", "internal/requirements"}, "black-box tests know the project by its binaries and its HTTP"},
	{"internal/bench", []string{"internal/bench"}, "yardsticks share no code with what they measure"},
	{"internal/archtest", nil, "this package reads files"},
}

// fence says who alone may import a library, directly.
type fence struct {
	library string
	only    []string
	tests   bool // tests anywhere may import it too
	why     string
}

var fences = []fence{
	{"github.com/aws/aws-sdk-go-v2", awsClients, false, "AWS is behind the ports; the SDK is large and changes often"},
	{"github.com/aws/smithy-go", awsClients, false, "it belongs to the SDK"},
	{"github.com/aws/aws-lambda-go", []string{"internal/lambdaio"}, false, "nothing else may know that it runs on Lambda"},
	{"github.com/awslabs/aws-lambda-go-api-proxy", []string{"internal/lambdaio"}, false, "dormant since 2024 and full of traps that lambdaio closes"},
	{"github.com/cockroachdb/pebble", []string{"internal/table/pebble", "internal/bench"}, true, "the engine is behind the port; the floor of the benchmark is the bare engine, and tests give it a file system in memory"},
	{"github.com/go-jose/go-jose", []string{"internal/signature"}, true, "one place decides which algorithms are taken; tests sign"},
	{"math/rand", nil, false, "version 1 has one global state; ids and secrets come from crypto/rand, jitter from math/rand/v2"},
	{"encoding/json", nil, false, "version 1 takes duplicate names, wrong case and bad UTF-8; use encoding/json/v2 and jsontext"},
}

var awsClients = []string{"internal/app/cloud", "internal/table/dynamo", "internal/blob/s3", "internal/cloudtest"}

// exact names the fenced packages whose path is the beginning of their successor's.
var exact = []string{"math/rand", "encoding/json"}

// CheckImports returns one sentence for each import that a rule forbids. Tests may import anything of the project, since
// they put together what the layers keep apart; most fences hold for them too.
func CheckImports(files []File) []string {
	var faults []string
	for _, f := range files {
		l, ok := layerOf(f.Folder)
		if !ok {
			faults = append(faults, fmt.Sprintf("%s: the folder has no line in archtest's layers: add one that says what it may import, and why", f.Path))
			continue
		}
		for _, i := range f.Imports {
			if i.Own != "" && !f.Test && i.Own != f.Folder && !l.allows(i.Own) {
				faults = append(faults, fmt.Sprintf("%s imports %s: %s", f.Path, i.Own, l.why))
			}
			if fenced, ok := fenceOf(i.Path); ok && !fenced.admits(f) {
				faults = append(faults, fmt.Sprintf("%s imports %s: %s", f.Path, i.Path, fenced.why))
			}
		}
	}
	return faults
}

// layerOf finds the line of the innermost folder.
func layerOf(folder string) (layer, bool) {
	var found layer
	for _, l := range layers {
		if within(folder, l.folder) && len(l.folder) > len(found.folder) {
			found = l
		}
	}
	return found, found.folder != ""
}

func (l layer) allows(own string) bool {
	if slices.ContainsFunc(drivers, func(d string) bool { return within(own, d) }) {
		return slices.ContainsFunc(l.may, func(folder string) bool { return slices.Contains(drivers, folder) && within(own, folder) })
	}
	return within(own, l.folder) || slices.ContainsFunc(l.may, func(folder string) bool { return within(own, folder) })
}

func fenceOf(imported string) (fence, bool) {
	for _, f := range fences {
		if imported == f.library || strings.HasPrefix(imported, f.library+"/") && !slices.Contains(exact, f.library) {
			return f, true
		}
	}
	return fence{}, false
}

func (f fence) admits(file File) bool {
	return f.tests && file.Test || slices.ContainsFunc(f.only, func(folder string) bool { return within(file.Folder, folder) })
}

// Reached returns every import that a folder's binary links through the project's own packages, sorted. Imports of
// libraries by libraries are not followed.
func Reached(files []File, folder string) []string {
	seen := map[string]bool{}
	queue := []string{folder}
	for len(queue) > 0 {
		folder, queue = queue[0], queue[1:]
		for _, f := range files {
			if f.Folder != folder || f.Test {
				continue
			}
			for _, i := range f.Imports {
				if !seen[i.Path] {
					seen[i.Path] = true
					if i.Own != "" {
						queue = append(queue, i.Own)
					}
				}
			}
		}
	}
	reached := make([]string, 0, len(seen))
	for imported := range seen {
		reached = append(reached, imported)
	}
	slices.Sort(reached)
	return reached
}
