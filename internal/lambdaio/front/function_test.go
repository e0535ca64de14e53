package front

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/cairn-lrs/cairn/internal/lambdaio"
	"github.com/cairn-lrs/cairn/internal/table"
)

// asFunction makes the test binary a Lambda function, whose conduct the path of a request decides.
const asFunction = "FRONT_TEST_FUNCTION"

func TestMain(m *testing.M) {
	switch os.Getenv(asFunction) {
	case "":
		os.Exit(m.Run())
	case "never ready":
		time.Sleep(time.Hour)
	case "ends at once":
		fmt.Println("no configuration")
		os.Exit(3)
	case "consume":
		lambdaio.StartStream(os.Getenv("PREFIX"), consumeChanges)
	case "told to end":
		lambda.StartWithOptions(testFunction{}, lambda.WithEnableSIGTERM(func() {
			fmt.Println("told")
			os.Exit(0)
		}))
	default:
		lambda.Start(testFunction{})
	}
}

// testFunction is the function of these tests. A path that has to wait is given a folder as its query, in which test and function
// meet: the function leaves a file named after the request there, and goes on when it finds the one that is named goOn.
type testFunction struct{}

const goOn = "go-on"

// left is closed when the work that the path /later leaves undone is done.
var left = make(chan struct{})

func (testFunction) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	switch e.RawPath {
	case "/echo": // the event, as it came
		return json.Marshal(answer{StatusCode: http.StatusCreated, Body: string(payload)})
	case "/process":
		deadline, _ := ctx.Deadline()
		fmt.Println("serving", e.RequestContext.RequestID)
		return fmt.Appendf(nil, `{"pid":%d,"deadline":%d,"prefix":%q,"level":%q}`, os.Getpid(),
			deadline.UnixMilli(), os.Getenv("PREFIX"), os.Getenv("AWS_LAMBDA_LOG_LEVEL")), nil
	case "/meet":
		if err := os.WriteFile(filepath.Join(e.RawQueryString, e.RequestContext.RequestID), nil, 0o600); err != nil {
			return nil, err
		}
		waitToGoOn(e.RawQueryString)
		return fmt.Appendf(nil, `%d`, os.Getpid()), nil
	case "/later":
		go func() {
			waitToGoOn(e.RawQueryString)
			fmt.Println("done after the answer")
			close(left)
		}()
	case "/finish":
		<-left
	case "/hang":
		time.Sleep(time.Hour)
	case "/panic":
		panic("handler")
	case "/exit":
		os.Exit(7)
	case "/error":
		return nil, errors.New("it did not work")
	case "/large":
		return bytes.Repeat([]byte(" "), maxPayload+1), nil
	case "/greedy":
		memory := make([]byte, 256<<20)
		for i := 0; i < len(memory); i += 4096 {
			memory[i] = 1
		}
		return fmt.Appendf(nil, `%d`, memory[4096]), nil
	case "/text":
		return []byte("not JSON"), nil
	}
	return []byte(`{}`), nil
}

// waitToGoOn waits until the test lets the function go on.
func waitToGoOn(folder string) {
	for ; ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(folder, goOn)); err == nil {
			return
		}
	}
}

// letGoOn lets the requests go on that have met in a folder, and those that still come.
func letGoOn(t *testing.T, folder string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, goOn), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something is so. No machine is so busy that it takes a minute.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for begun := time.Now(); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("after a minute it is still not so that %s", what)
		}
	}
}

// awaitMeeting waits until so many requests wait in a folder.
func awaitMeeting(t *testing.T, folder string, requests int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d requests are under way", requests), func() bool {
		waiting, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(waiting) >= requests
	})
}

// consumeChanges is the consumer of these tests. What it does with a change, the change itself says.
func consumeChanges(_ context.Context, changes []table.Change) (done int, err error) {
	for i, c := range changes {
		conduct, marker, _ := strings.Cut(c.New["do"].S, ":")
		switch conduct {
		case "poison":
			return i, errors.New("poison")
		case "exit": // the first time
			if _, err := os.Stat(marker); err != nil {
				if err := os.WriteFile(marker, nil, 0o600); err != nil {
					return i, err
				}
				os.Exit(7)
			}
		}
		fmt.Printf("took %s %d.\n", c.Key.Partition, c.New["n"].N)
	}
	return len(changes), nil
}

// journal collects lines.
type journal struct {
	mu    sync.Mutex
	lines []Line
}

func (j *journal) add(l Line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, l)
}

func (j *journal) has(text string) bool {
	_, found := j.search(text)
	return found
}

func (j *journal) search(text string) (Line, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.IndexFunc(j.lines, func(l Line) bool { return strings.Contains(l.Text, text) })
	if i < 0 {
		return Line{}, false
	}
	return j.lines[i], true
}

// find waits for a line with a text.
func (j *journal) find(t *testing.T, text string) (line Line) {
	t.Helper()
	eventually(t, fmt.Sprintf("a line has %q", text), func() (found bool) {
		line, found = j.search(text)
		return found
	})
	return line
}

const testTemplate = `
Parameters:
  Level: {Type: String, Default: WARN}
Globals:
  Function: {MemorySize: 128, Timeout: 29}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: $default
      AccessLogSettings:
        Format: '{"id":"$context.requestId","route":"$context.routeKey","status":"$context.status","handler":"$context.integration.status","error":"$context.error.message","ip":"$context.identity.sourceIp"}'
  TestFunction:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          PREFIX: !Sub "${AWS::StackName}-"
      LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: !Ref Level}
      Events:
        Default: {Type: HttpApi, Properties: {ApiId: !Ref Api, PayloadFormatVersion: "2.0"}}
  OtherFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Post: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /process, Method: POST, PayloadFormatVersion: "2.0"}}
        Any: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /other, Method: ANY, PayloadFormatVersion: "2.0"}}
`

// world is a front over test functions.
type world struct {
	front *Front
	url   string
	log   *journal
}

func newWorld(t *testing.T, template, conduct string, concurrency int) *world {
	t.Helper()
	return newStack(t, "test", template, conduct, concurrency, nil)
}

func newStack(t *testing.T, name, template, conduct string, concurrency int, streams Streams) *world {
	t.Helper()
	read, err := ReadTemplate([]byte(template), map[string]string{"AWS::StackName": name})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{log: &journal{}}
	w.front, err = New(Options{
		Template: read, Binary: func(string) string { return os.Args[0] }, Concurrency: concurrency,
		Environment: map[string]string{asFunction: conduct}, Log: w.log.add, Streams: streams,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.front.API("Api"))
	w.url = server.URL
	t.Cleanup(func() {
		server.Close()
		if err := w.front.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the log: %+v", w.log.lines)
		}
	})
	return w
}

// ask sends a request and returns the status and the body.
func (w *world) ask(t *testing.T, method, path string, body io.Reader) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(got)
}

// buildFunction compiles a function as the Makefile does, for this machine.
func buildFunction(t testing.TB, pkg string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", binary, pkg)
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if printed, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", pkg, err, printed)
	}
	return binary
}
