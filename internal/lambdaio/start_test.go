package lambdaio

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/table"
)

// asFunction makes the test binary a Lambda function, which TestStart runs as a process of its own.
const asFunction = "LAMBDAIO_TEST_FUNCTION"

func TestMain(m *testing.M) {
	switch os.Getenv(asFunction) {
	case "":
		os.Exit(m.Run())
	case "stream":
		StartStream(samplePrefix, func(_ context.Context, changes []table.Change) (int, error) {
			if changes[0].Sequence == "13" {
				panic("consumer")
			}
			return 1, nil
		})
	}
	Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("handler")
		}
		fmt.Fprintf(w, "%s from %d", r.URL.Path, os.Getpid())
	}), func() {
		fmt.Println("shut down")
		os.Exit(0)
	})
}

// runtimeAPI is the part of Lambda that a function process talks to.
// Source: AWS Lambda developer guide, "Using the Lambda runtime API".
type runtimeAPI struct {
	events  chan []byte
	answers chan string // the body of each answer; failures begin with "error: "
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/extension/register"):
		w.Header().Set("Lambda-Extension-Identifier", "extension-1")
	case strings.HasSuffix(r.URL.Path, "/extension/event/next"):
		<-r.Context().Done() // nothing ever comes for an extension without events
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		select {
		case payload := <-a.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "invocation-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_, _ = w.Write(payload)
		case <-r.Context().Done():
		}
	default:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.WriteHeader(http.StatusAccepted)
		if strings.HasSuffix(r.URL.Path, "/response") {
			a.answers <- string(body)
		} else {
			a.answers <- "error: " + string(body)
		}
	}
}

// functionProcess is this test binary as a Lambda function.
type functionProcess struct {
	*exec.Cmd
	api    *runtimeAPI
	output bytes.Buffer
}

func startFunction(t *testing.T, conduct string, environment ...string) *functionProcess {
	t.Helper()
	f := &functionProcess{Cmd: exec.Command(os.Args[0]), api: &runtimeAPI{events: make(chan []byte), answers: make(chan string, 1)}}
	server := httptest.NewServer(f.api)
	f.Env = append(append(os.Environ(), environment...), asFunction+"="+conduct, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	f.Stdout, f.Stderr = &f.output, &f.output
	if err := f.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.Process.Kill() // it may have ended
		_ = f.Wait()
		server.Close()
	})
	return f
}

// ask gives the process an event and expects a part of its answer.
func (f *functionProcess) ask(t *testing.T, payload, want string) {
	t.Helper()
	select {
	case f.api.events <- []byte(payload):
	case <-time.After(time.Minute): // which no machine is too busy for
		t.Fatal("the function asks for no event")
	}
	select {
	case got := <-f.api.answers:
		if !strings.Contains(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", payload, got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no answer to %s", payload)
	}
}

func TestStart(t *testing.T) {
	f := startFunction(t, "gateway")
	f.ask(t, `{"version":"2.0","rawPath":"/one","requestContext":{"http":{"method":"GET"}}}`, fmt.Sprintf(`"body":"/one from %d"`, f.Process.Pid))
	f.ask(t, `{"version":"2.0","rawPath":"/panic","requestContext":{"http":{"method":"GET"}}}`, `"statusCode":500`)
	f.ask(t, `{}`, "error: ")
	f.ask(t, `{"version":"2.0","rawPath":"/two","requestContext":{"http":{"method":"GET"}}}`, fmt.Sprintf(`"body":"/two from %d"`, f.Process.Pid))
	if err := f.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(); err != nil || !strings.Contains(f.output.String(), "shut down") {
		t.Errorf("after SIGTERM: %v, %s", err, f.output.String())
	}
}

// TestStartStream: neither a panic nor a wrong payload ends the process, and all that it prints is JSON, with metrics where the
// environment asks for them.
func TestStartStream(t *testing.T) {
	for metrics, want := range map[string]int{"on": 4, "off": 0} {
		t.Run("metrics "+metrics, func(t *testing.T) {
			f := startFunction(t, "stream", "CAIRN_METRICS="+metrics, "AWS_LAMBDA_LOG_FORMAT=JSON")
			f.ask(t, string(payloadOf(record("11"), record("12"))), `{"batchItemFailures":[{"itemIdentifier":"12"}]}`)
			f.ask(t, string(payloadOf(record("13"))), "error: ")
			f.ask(t, `{}`, "error: ")
			f.ask(t, string(payloadOf(record("14"))), `{"batchItemFailures":[]}`)
			_ = f.Process.Kill() // it waits for an event
			_ = f.Wait()
			measured := 0
			for line := range strings.Lines(f.output.String()) {
				var members map[string]any
				if err := json.Unmarshal([]byte(line), &members); err != nil {
					t.Errorf("line %q: %v", line, err)
				}
				if members["_aws"] != nil {
					measured++
				}
			}
			if measured != want {
				t.Errorf("%d lines are metrics, want %d:\n%s", measured, want, f.output.String())
			}
		})
	}
}
