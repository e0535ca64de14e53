package front

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// process is what the path /process answers.
type process struct {
	PID     int    `json:"pid"`
	Seconds int    `json:"seconds"`
	Prefix  string `json:"prefix"`
	Level   string `json:"level"`
}

func (w *world) process(t *testing.T) process {
	t.Helper()
	response, body := w.ask(t, http.MethodGet, "/process", nil)
	var p process
	if err := json.Unmarshal([]byte(body), &p); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", response.StatusCode, body)
	}
	return p
}

func TestFunctionRunsInAProcessOfItsOwnAsTheTemplateSays(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 0)
	response, _ := w.ask(t, http.MethodGet, "/process", nil)
	line := w.log.find(t, "serving "+response.Header.Get(RequestIDHeader))
	got := w.process(t)
	want := process{PID: line.PID, Seconds: 2, Prefix: "test-", Level: "WARN"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("function (-want +got):\n%s", diff)
	}
	if line.Source != "TestFunction" || line.PID == os.Getpid() {
		t.Errorf("line %+v of process %d", line, os.Getpid())
	}
	access := w.log.find(t, response.Header.Get(RequestIDHeader)+`","route"`)
	if access.Source != Gateway || !strings.HasSuffix(access.Text, `"route":"$default","status":"200","handler":"200","error":"-","ip":"-"}`) {
		t.Errorf("access log: %+v", access)
	}
}

func TestRoutes(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 0)
	for _, test := range []struct{ method, path, route string }{
		{"GET", "/echo", "$default"},
		{"POST", "/process", "POST /process"},
		{"GET", "/process", "$default"},
		{"PATCH", "/other", "ANY /other"},
		{"GET", "/other/", "$default"},
		{"GET", "//other", "$default"},
		{"GET", "/%6fther", "ANY /other"},
	} {
		response, body := w.ask(t, test.method, test.path, nil)
		w.log.find(t, `"id":"`+response.Header.Get(RequestIDHeader)+`","route":"`+test.route+`"`)
		if response.StatusCode >= 400 {
			t.Errorf("%s %s: %d %s", test.method, test.path, response.StatusCode, body)
		}
	}
}

// TestEachAPIIsAnOrigin with routes and an access log of its own.
func TestEachAPIIsAnOrigin(t *testing.T) {
	second := `
  SecondApi: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default, AccessLogSettings: {Format: '"second $context.routeKey"'}}}
  SecondFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Other: {Type: HttpApi, Properties: {ApiId: !Ref SecondApi, Path: /other, Method: ANY, PayloadFormatVersion: "2.0"}}
`
	w := newWorld(t, testTemplate+second, "serve", 0)
	server := httptest.NewServer(w.front.API("SecondApi"))
	defer server.Close()
	first := w.url
	for _, test := range []struct {
		origin, path string
		status       int
		line         string // of the access log
	}{
		{first, "/other", 200, `"route":"ANY /other"`},
		{server.URL, "/other", 200, `"second ANY /other"`},
		{server.URL, "/process", 404, `"second -"`},
	} {
		w.url = test.origin
		if response, body := w.ask(t, http.MethodGet, test.path, nil); response.StatusCode != test.status {
			t.Errorf("%s%s: %d %s", test.origin, test.path, response.StatusCode, body)
		}
		w.log.find(t, test.line)
	}
	if w.front.API("ThirdApi") != nil {
		t.Error("there is a third API")
	}
}

func TestWithoutADefaultRouteTheGatewayAnswers(t *testing.T) {
	w := newWorld(t, strings.Replace(testTemplate, `Default: {Type: HttpApi, Properties: {`, `Default: {Type: HttpApi, Properties: {Path: /only, Method: GET, `, 1), "serve", 0)
	response, body := w.ask(t, http.MethodGet, "/elsewhere", nil)
	if response.StatusCode != http.StatusNotFound || body != `{"message":"Not Found"}` || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %v", response.StatusCode, body, response.Header)
	}
	w.log.find(t, `"route":"-","status":"404","handler":"-"`)
}

// TestFailures: each way in which a function fails is a 500, and the next request is served by a process that lives.
func TestFailures(t *testing.T) {
	tests := []struct {
		path    string
		problem string // in the access log
		lives   bool   // the process serves the next request
	}{
		{"/panic", "handler", false},
		{"/exit", "the process ended: exit status 7", false},
		{"/error", "it did not work", true},
		{"/large", "the answer is larger than 6291456 bytes", false},
		{"/hang", "it took longer than 2s", false},
		{"/greedy", "MB of memory and has 128", false},
		{"/text", "it is not JSON", true},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testTemplate, "serve", 1)
			before := w.process(t)
			response, body := w.ask(t, http.MethodGet, test.path, nil)
			if response.StatusCode != http.StatusInternalServerError || body != `{"message":"Internal Server Error"}` {
				t.Errorf("%d %s", response.StatusCode, body)
			}
			w.log.find(t, test.problem)
			if after := w.process(t); (after.PID == before.PID) != test.lives {
				t.Errorf("process %d before, %d after", before.PID, after.PID)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 0)
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name, path string
		body       string
		status     int
	}{
		{"request line within the limit", "/other?" + long(9900), "", 200},
		{"request line beyond it", "/other?" + long(10240), "", 431},
		{"binary body that fits an event", "/other", long(4 << 20), 200},
		{"binary body that does not, in base64", "/other", long(5 << 20), 413},
		{"body beyond the gateway's limit", "/other", long(10<<20 + 1), 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response, body := w.ask(t, http.MethodPut, test.path, strings.NewReader(test.body))
			if response.StatusCode != test.status {
				t.Errorf("%d %s, want %d", response.StatusCode, body, test.status)
			}
			// What never comes to a function has nothing of Cairn's on it.
			if test.status == 413 && (body != `{"message":"Request Entity Too Large"}` || response.Header.Get("Content-Type") != "application/json" || response.Header.Get(RequestIDHeader) == "" || response.Header.Get("Access-Control-Allow-Origin") != "") {
				t.Errorf("%s with %v", body, response.Header)
			}
		})
	}
}

// TestTheGatewayStopsWaiting for a function before that has used up its own time: it answers 503, the function works on, and
// the next request gets another environment.
func TestTheGatewayStopsWaiting(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 2)
	for _, g := range w.front.gateways {
		if g.wait != maxWait {
			t.Fatalf("the gateway waits %v", g.wait)
		}
	}
	before := w.process(t)
	for _, g := range w.front.gateways {
		g.wait = 500 * time.Millisecond
	}
	begun := time.Now()
	response, body := w.ask(t, http.MethodGet, "/hang", nil)
	if took := time.Since(begun); response.StatusCode != http.StatusServiceUnavailable || body != `{"message":"Service Unavailable"}` || took > 1500*time.Millisecond {
		t.Errorf("%d %s after %v", response.StatusCode, body, took)
	}
	if response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Retry-After") != "" {
		t.Errorf("headers %v", response.Header)
	}
	w.log.find(t, `"status":"503","handler":"-"`)
	for _, g := range w.front.gateways {
		g.wait = maxWait
	}
	if after := w.process(t); after.PID == before.PID {
		t.Error("the environment that is busy served another request")
	}
	if err := w.front.Close(); err != nil { // the function's own limit is 2 s
		t.Error(err)
	}
}

func TestConcurrency(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 3)
	pids := make(map[string]int)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 9 {
		all.Go(func() {
			_, body := w.ask(t, http.MethodGet, "/slow", nil)
			mu.Lock()
			defer mu.Unlock()
			pids[body]++
		})
	}
	all.Wait()
	served := 0
	for _, n := range pids {
		served += n
	}
	if len(pids) != 3 || served != 9 {
		t.Errorf("9 requests were served by the processes %v, want 3", pids)
	}
}

func TestInit(t *testing.T) {
	tests := []struct {
		conduct, problem string
		least, most      time.Duration
	}{
		{"ends at once", "the process ended before it was ready: exit status 3", 0, time.Second},
		{"never ready", "the process was not ready within 2s", 2 * time.Second, 5 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.conduct, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testTemplate, test.conduct, 1)
			for _, p := range w.front.functions {
				p.initTimeout = 100 * time.Millisecond
			}
			begun := time.Now()
			response, _ := w.ask(t, http.MethodGet, "/process", nil)
			took := time.Since(begun)
			if response.StatusCode != http.StatusInternalServerError || took < test.least || took > test.most {
				t.Errorf("status %d after %v", response.StatusCode, took)
			}
			w.log.find(t, test.problem)
		})
	}
}

// TestWorkAfterTheAnswerIsNotDone until the process is asked again.
func TestWorkAfterTheAnswerIsNotDone(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 1)
	w.ask(t, http.MethodGet, "/later", nil)
	time.Sleep(400 * time.Millisecond)
	if done := w.log.has("done after"); done == canFreeze {
		t.Errorf("done after the answer: %v, freezes: %v", done, canFreeze)
	}
	w.ask(t, http.MethodGet, "/slow", nil)
	w.log.find(t, "done after")
}

func TestExtensionIsToldTheEnd(t *testing.T) {
	w := newWorld(t, testTemplate, "told to end", 1)
	w.front.functions["TestFunction"].termTimeout = time.Minute // a busy machine may need more than Lambda gives
	w.process(t)
	if err := w.front.Close(); err != nil {
		t.Fatal(err)
	}
	w.log.find(t, "told")
}

// TestReplace: requests that come while the binary of a function is replaced are all answered, those under way by the process that has them.
func TestReplace(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 4)
	old := map[string]bool{}
	var slow sync.WaitGroup
	var mu sync.Mutex
	ask := func() string {
		response, body := w.ask(t, http.MethodGet, "/slow", nil)
		if response.StatusCode != http.StatusOK {
			t.Errorf("status %d: %s", response.StatusCode, body)
		}
		return body
	}
	for range 3 {
		slow.Go(func() {
			for range 3 {
				pid := ask()
				mu.Lock()
				old[pid] = true
				mu.Unlock()
			}
		})
	}
	slow.Wait()
	answered := 0
	for range 3 {
		slow.Go(func() {
			if pid := ask(); old[pid] {
				mu.Lock()
				answered++
				mu.Unlock()
			}
		})
	}
	time.Sleep(100 * time.Millisecond) // they take three times as long
	folder := t.TempDir()
	next := filepath.Join(folder, "bootstrap")
	if err := os.Symlink(os.Args[0], next); err != nil {
		t.Fatal(err)
	}
	if err := w.front.Replace(func(string) string { return next }); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if pid := ask(); old[pid] {
			t.Errorf("process %s serves after its binary was replaced", pid)
		}
	}
	slow.Wait()
	if answered == 0 {
		t.Error("no process of the old binary had anything under way")
	}
	for pid := range old {
		if _, err := os.Stat("/proc/" + pid); canFreeze && err == nil {
			t.Errorf("process %s of the old binary is still there", pid)
		}
	}
}

func TestInvoke(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 1)
	got, err := w.front.Invoke(t.Context(), "TestFunction", []byte(`{"Records":[]}`))
	if err != nil || string(got) != "{}" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := w.front.Invoke(t.Context(), "TestFunction", []byte(`[`)); !errors.Is(err, ErrFunction) {
		t.Errorf("error %v", err)
	}
	if _, err := w.front.Invoke(t.Context(), "TestFunction", bytes.Repeat([]byte("1"), maxPayload+1)); !errors.Is(err, errPayloadTooLarge) {
		t.Errorf("error %v", err)
	}
	if _, err := w.front.Invoke(t.Context(), "NoFunction", nil); err == nil || !strings.Contains(err.Error(), "OtherFunction") {
		t.Errorf("error %v", err)
	}
}
