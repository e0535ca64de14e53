package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/config"
	"github.com/cairn-lrs/cairn/internal/lambdaio/front"
)

// undoTimeout bounds the removal of what a road leaves behind.
const undoTimeout = time.Minute

// stack is what `make deploy` makes of template.yaml, as far as the road needs it.
type stack struct {
	name    string
	servers *cloudtest.Servers
	cairn   *cloud.Cairn
	folder  string // of the built functions

	root      string   // of the module, once functions are built
	functions []string // logical ids
	built     int      // how often they were built
	wires     *wires   // once there is a front
	notes     io.Writer
}

// deploy makes tables and bucket under a name that nobody else has: the servers may be shared.
func deploy(ctx context.Context, servers *cloudtest.Servers) (*stack, error) {
	st := &stack{name: "road-" + strings.ToLower(rand.Text()[:12]), servers: servers, notes: io.Discard}
	var err error
	st.cairn, err = cloud.New(config.Config{
		TablePrefix: st.name + "-", Bucket: st.name, DynamoDBEndpoint: servers.DynamoDB, S3Endpoint: servers.S3,
		AWS: config.AWS{Region: cloudtest.Region, AccessKeyID: cloudtest.AccessKey, Secret: cloudtest.SecretKey},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if st.folder, err = os.MkdirTemp("", "cairn-functions-"); err != nil {
		return nil, fmt.Errorf("make folder of functions: %w", err)
	}
	if err := st.cairn.Tables.CreateTables(ctx); err != nil {
		return nil, errors.Join(err, st.undo())
	}
	if err := st.cairn.Blobs.CreateBucket(ctx); err != nil {
		return nil, errors.Join(err, st.undo())
	}
	return st, nil
}

// undo removes tables and built functions. The bucket stays: its server forgets it when it ends.
func (st *stack) undo() error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	errs := []error{st.cairn.Tables.DropTables(ctx), os.RemoveAll(st.folder)}
	if st.wires != nil {
		errs = append(errs, st.wires.close())
	}
	return errors.Join(errs...)
}

// front builds the functions and makes the front for them, with wires of their own to the stores, which undo closes.
func (st *stack) front(ctx context.Context, s settings, log func(front.Line)) (*front.Front, error) {
	var err error
	st.root, err = output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/cairn-lrs/cairn")
	if err != nil {
		return nil, fmt.Errorf("find the module's root: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(st.root, "template.yaml"))
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	values := map[string]string{"AWS::StackName": st.name, "Bucket": st.name}
	template, err := front.ReadTemplate(text, values)
	if err != nil {
		return nil, err
	}
	rights, err := front.ReadRights(text, values)
	if err != nil {
		return nil, err
	}
	st.wires = newWires(rights, st.notes, &faultFile{path: s.faults})
	stores := make(map[string]map[string]string)
	for _, function := range template.Functions {
		st.functions = append(st.functions, function.Name)
		if stores[function.Name], err = st.wires.open(function.Name, st.servers); err != nil {
			return nil, err
		}
	}
	if err := st.build(ctx); err != nil {
		return nil, err
	}
	return front.New(front.Options{
		Template: template, Binary: st.binary, Concurrency: s.concurrency, Log: log,
		Streams: front.Server{Endpoint: st.servers.DynamoDB, Region: cloudtest.Region, AccessKey: cloudtest.AccessKey},
		Environment: map[string]string{
			"AWS_REGION":            cloudtest.Region,
			"AWS_ACCESS_KEY_ID":     cloudtest.AccessKey,
			"AWS_SECRET_ACCESS_KEY": cloudtest.SecretKey,
			"CAIRN_INDEX_LAG":       s.indexLag.String(),
			"CAIRN_CLOCK_SKEW":      s.clockSkew.String(),
		},
		EnvironmentOf: func(function string) map[string]string { return stores[function] },
	})
}

// folder is where the Makefile, too, looks for a function's main: StatementsFunction is functions/statements.
func folder(function string) string { return strings.ToLower(strings.TrimSuffix(function, "Function")) }

// binary is where a function lies that was built last.
func (st *stack) binary(function string) string {
	return filepath.Join(st.folder, strconv.Itoa(st.built), folder(function), "bootstrap")
}

// build compiles the functions as the Makefile does, for this machine instead of Lambda's.
func (st *stack) build(ctx context.Context) error {
	st.built++
	for _, function := range st.functions {
		pkg := "./functions/" + folder(function)
		_, err := output(ctx, st.root, "env", "CGO_ENABLED=0", "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", st.binary(function), pkg)
		if err != nil {
			return fmt.Errorf("build %s: %w", pkg, err)
		}
	}
	return nil
}

// upgrade deploys the functions again, as the source is now, whenever it is asked to, until ctx ends. Those that cannot be built
// leave the old ones where they are.
func (st *stack) upgrade(ctx context.Context, gateway *front.Front, asked <-chan os.Signal, out io.Writer) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		err := st.build(ctx)
		if err == nil {
			err = gateway.Replace(st.binary)
		}
		if err != nil {
			fmt.Fprintf(out, "  problem   not upgraded: %v\n", err)
			continue
		}
		fmt.Fprintf(out, "  upgraded  %s\n", time.Now().UTC().Format(time.RFC3339))
	}
}

// output runs a command in a folder and returns what it printed, without the line end.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	var problems strings.Builder
	command.Stderr = &problems
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w: %s", name, err, &problems)
	}
	return strings.TrimSpace(string(printed)), nil
}
