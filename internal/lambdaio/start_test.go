package lambdaio

import (
	"bytes"
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
)

// asFunction makes the test binary a Lambda function, which TestStart runs as a process of its own.
const asFunction = "LAMBDAIO_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) == "" {
		os.Exit(m.Run())
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
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(10*time.Second).UnixMilli()))
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

func TestStart(t *testing.T) {
	api := &runtimeAPI{events: make(chan []byte), answers: make(chan string, 1)}
	server := httptest.NewServer(api)
	defer server.Close()

	var output bytes.Buffer
	function := exec.Command(os.Args[0])
	function.Env = append(os.Environ(), asFunction+"=1", "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	function.Stdout, function.Stderr = &output, &output
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = function.Process.Kill() }()

	for _, step := range []struct{ payload, want string }{
		{`{"version":"2.0","rawPath":"/one","requestContext":{"http":{"method":"GET"}}}`, fmt.Sprintf(`"body":"/one from %d"`, function.Process.Pid)},
		{`{"version":"2.0","rawPath":"/panic","requestContext":{"http":{"method":"GET"}}}`, `"statusCode":500`},
		{`{}`, "error: "},
		{`{"version":"2.0","rawPath":"/two","requestContext":{"http":{"method":"GET"}}}`, fmt.Sprintf(`"body":"/two from %d"`, function.Process.Pid)},
	} {
		select {
		case api.events <- []byte(step.payload):
		case <-time.After(10 * time.Second):
			t.Fatalf("the function asks for no event: %s", output.String())
		}
		select {
		case got := <-api.answers:
			if !strings.Contains(got, step.want) {
				t.Errorf("%s\ngot  %s\nwant %s", step.payload, got, step.want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no answer to %s: %s", step.payload, output.String())
		}
	}

	if err := function.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := function.Wait(); err != nil || !strings.Contains(output.String(), "shut down") {
		t.Errorf("after SIGTERM: %v, %s", err, output.String())
	}
}
