package front

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// process is what the path /process answers.
type process struct {
	PID      int    `json:"pid"`
	Deadline int64  `json:"deadline"` // Unix milliseconds
	Prefix   string `json:"prefix"`
	Level    string `json:"level"`
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
	before := time.Now()
	got := w.process(t)
	const limit = 29 * time.Second // in the template
	if earliest, latest := before.Add(limit).UnixMilli(), time.Now().Add(limit).UnixMilli(); got.Deadline < earliest || got.Deadline > latest {
		t.Errorf("the deadline is %d, want %d to %d", got.Deadline, earliest, latest)
	}
	want := process{PID: line.PID, Deadline: got.Deadline, Prefix: "test-", Level: "WARN"}
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
		{"/hang", "it took longer than 100ms", false},
		{"/greedy", "MB of memory and has 128", false},
		{"/text", "it is not JSON", true},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testTemplate, "serve", 1)
			before := w.process(t)
			if test.path == "/hang" { // all others have the time that the template gives them
				w.front.functions["TestFunction"].idle[0].function.Timeout = 100 * time.Millisecond
			}
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
		g.wait = 100 * time.Millisecond
	}
	response, body := w.ask(t, http.MethodGet, "/hang", nil)
	if response.StatusCode != http.StatusServiceUnavailable || body != `{"message":"Service Unavailable"}` {
		t.Errorf("%d %s", response.StatusCode, body)
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
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil { // Close waits for it
		t.Errorf("the function did not work on: %v", err)
	}
}

func TestConcurrency(t *testing.T) {
	w, folder := newWorld(t, testTemplate, "serve", 3), t.TempDir()
	pids := make(map[string]int)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 9 {
		all.Go(func() {
			_, body := w.ask(t, http.MethodGet, "/meet?"+folder, nil)
			mu.Lock()
			defer mu.Unlock()
			pids[body]++
		})
	}
	awaitMeeting(t, folder, 3)
	time.Sleep(100 * time.Millisecond) // a fourth would have the time to come
	letGoOn(t, folder)
	all.Wait()
	served := 0
	for _, n := range pids {
		served += n
	}
	if len(pids) != 3 || served != 9 {
		t.Errorf("9 requests were served by the processes %v, want 3", pids)
	}
}

// TestInit: a process that does not become ready has a second chance, as long as an invocation. For one that ends nobody waits.
func TestInit(t *testing.T) {
	tests := []struct {
		conduct, problem string
		first, second    time.Duration // the limits
		least            time.Duration // that it takes
	}{
		{"ends at once", "the process ended before it was ready: exit status 3", time.Hour, time.Hour, 0},
		{"never ready", "the process was not ready within 200ms", 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.conduct, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testTemplate, test.conduct, 1)
			for _, p := range w.front.functions {
				p.initTimeout, p.function.Timeout = test.first, test.second
			}
			begun := time.Now()
			response, _ := w.ask(t, http.MethodGet, "/process", nil)
			if took := time.Since(begun); response.StatusCode != http.StatusInternalServerError || took < test.least {
				t.Errorf("status %d after %v", response.StatusCode, took)
			}
			w.log.find(t, test.problem)
		})
	}
}

// TestWorkAfterTheAnswerIsNotDone until the process is asked again.
func TestWorkAfterTheAnswerIsNotDone(t *testing.T) {
	w, folder := newWorld(t, testTemplate, "serve", 1), t.TempDir()
	pid := w.process(t).PID
	w.ask(t, http.MethodGet, "/later?"+folder, nil)
	if canFreeze {
		eventually(t, "the process is stopped", func() bool { return stopped(t, pid) })
		letGoOn(t, folder)
		time.Sleep(100 * time.Millisecond) // it would have the time to go on
		if w.log.has("done after") {
			t.Error("a process that is frozen goes on")
		}
	} else {
		letGoOn(t, folder)
		w.log.find(t, "done after")
	}
	w.ask(t, http.MethodGet, "/finish", nil)
	w.log.find(t, "done after")
}

// stopped reads the state of a process. Source: proc(5), /proc/PID/stat.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "T")
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

// TestReplace: requests that come while the binary of a function is replaced are all answered, those under way by the process
// that has them.
func TestReplace(t *testing.T) {
	w := newWorld(t, testTemplate, "serve", 4)
	// meet lets requests meet in a folder, and returns what waits for their answers: the ids of the processes that gave them.
	meet := func(folder string, requests int) (answers func() (pids []string)) {
		var pids []string
		var mu sync.Mutex
		var all sync.WaitGroup
		for range requests {
			all.Go(func() {
				response, pid := w.ask(t, http.MethodGet, "/meet?"+folder, nil)
				if response.StatusCode != http.StatusOK {
					t.Errorf("status %d: %s", response.StatusCode, pid)
				}
				mu.Lock()
				defer mu.Unlock()
				pids = append(pids, pid)
			})
		}
		awaitMeeting(t, folder, requests)
		return func() []string {
			letGoOn(t, folder)
			all.Wait()
			return pids
		}
	}
	old := meet(t.TempDir(), 4)()
	underWay := meet(t.TempDir(), 3) // and the fourth process is idle
	next := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.Symlink(os.Args[0], next); err != nil {
		t.Fatal(err)
	}
	if err := w.front.Replace(func(string) string { return next }); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if pids := meet(t.TempDir(), 1)(); slices.Contains(old, pids[0]) {
			t.Errorf("process %s serves after its binary was replaced", pids[0])
		}
	}
	for _, pid := range underWay() {
		if !slices.Contains(old, pid) {
			t.Errorf("process %s answered what one of the old binary had under way", pid)
		}
	}
	for _, pid := range old {
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
