package front

import (
	"bytes"
	"encoding/json/v2"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/app/cloud/stacktest"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// emulator names the file of AWS's runtime interface emulator, which comes with SAM.
const emulator = "CAIRN_RIE"

// TestEmulatorAnswersAlike runs the statements function, as it is built, under AWS's own runtime interface emulator and in the
// front: a cold and a warm invocation have the same answers.
func TestEmulatorAnswersAlike(t *testing.T) {
	program := os.Getenv(emulator)
	if program == "" {
		if os.Getenv(cloudtest.Require) != "" {
			t.Fatalf("%s is not set, and %s forbids to go without: `make lint-template` installs the emulator, `make test` finds it", emulator, cloudtest.Require)
		}
		t.Logf("AWS's emulator did not run beside the front: %s is not set; `make lint-template` installs it", emulator)
		return
	}
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	stack, cairn := stacktest.Open(t, servers, slog.New(slog.DiscardHandler))
	if err := cairn.Directory.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := cairn.Directory.UpsertDefault(t.Context(), "sample-key", "sample-secret"); err != nil {
		t.Fatal(err)
	}
	binary := buildFunction(t, "../../../functions/statements")
	environment := map[string]string{
		"AWS_REGION": cloudtest.Region, "AWS_ACCESS_KEY_ID": cloudtest.AccessKey, "AWS_SECRET_ACCESS_KEY": cloudtest.SecretKey,
		"CAIRN_TABLE_PREFIX": stack + "-", "CAIRN_BUCKET": stack,
		"CAIRN_DYNAMODB_ENDPOINT": servers.DynamoDB, "CAIRN_S3_ENDPOINT": servers.S3,
	}
	front, err := New(Options{
		Template: &Template{Functions: []Function{{Name: "StatementsFunction", Memory: 512, Timeout: 5 * time.Minute}}},
		Binary:   func(string) string { return binary }, Environment: environment,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	}()
	rie := startEmulator(t, program, binary, environment)
	for _, name := range []string{"statements-post", "statements-get"} {
		event, err := os.ReadFile("../../../events/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		theirs := rie.invoke(t, event)
		ours, err := front.Invoke(t.Context(), "StatementsFunction", event)
		if err != nil {
			t.Fatal(err)
		}
		want, got := timeless(t, theirs), timeless(t, ours)
		if want["statusCode"] != 200.0 {
			t.Errorf("%s: the emulator's answer is %s", name, theirs)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: answer (-emulator +front):\n%s", name, diff)
		}
	}
	if printed := rie.stop(t); strings.Count(printed, "REPORT") != 2 || strings.Count(printed, "Init Duration") != 1 {
		t.Errorf("want one cold and one warm invocation:\n%s", printed)
	}
}

// timeless leaves out of an answer what depends on the moment.
func timeless(t *testing.T, answer []byte) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(answer, &members); err != nil {
		t.Fatalf("answer %.300s: %v", answer, err)
	}
	if headers, ok := members["headers"].(map[string]any); ok {
		delete(headers, "X-Experience-Api-Consistent-Through")
	}
	return members
}

// emulation is the emulator with a function.
type emulation struct {
	*exec.Cmd
	address string
	printed bytes.Buffer
}

func startEmulator(t *testing.T, program, binary string, environment map[string]string) *emulation {
	t.Helper()
	address, _, err := cloudtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	runtimeAPI, _, err := cloudtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	e := &emulation{address: address}
	e.Cmd = exec.Command(program, "--runtime-interface-emulator-address", address, "--runtime-api-address", runtimeAPI, "--log-level", "warn", binary)
	e.Env = []string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_FUNCTION_TIMEOUT=300", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512"}
	for name, value := range environment {
		e.Env = append(e.Env, name+"="+value)
	}
	e.Stdout, e.Stderr = &e.printed, &e.printed
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Process.Kill() }) // unless it has been stopped
	eventually(t, "the emulator listens", func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})
	return e
}

func (e *emulation) invoke(t *testing.T, event []byte) []byte {
	t.Helper()
	url := fmt.Sprintf("http://%s/2015-03-31/functions/function/invocations", e.address)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // it was read
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// stop ends the emulator and its function, and returns what both printed.
func (e *emulation) stop(t *testing.T) string {
	t.Helper()
	if err := e.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = e.Wait() // it ends by the signal
	return e.printed.String()
}
