package main

import (
	"bufio"
	"encoding/json/v2"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A request whose first half has arrived when the signal comes is stored and answered, and nobody new gets in.
func TestSignalsFinishWhatIsInFlight(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := t.TempDir()
			s := serverFor(t, dir)
			endpoint, err := url.Parse(s.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			connection, err := net.Dial("tcp", endpoint.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			body := string(statementLines(1))
			head := fmt.Sprintf("POST /xapi/statements HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nX-Experience-API-Version: 1.0.3\r\n"+
				"Authorization: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", endpoint.Host, basic(s), len(body))
			if _, err := io.WriteString(connection, head+body[:20]); err != nil {
				t.Fatal(err)
			}
			// The server asks for the body when it begins to read it.
			answers := bufio.NewReader(connection)
			for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
				if line, err := answers.ReadString('\n'); err != nil || line != want {
					t.Fatalf("%q, %v, want %q", line, err, want)
				}
			}
			if err := s.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the server closes its door", func() bool {
				c, err := net.Dial("tcp", endpoint.Host)
				if err == nil {
					c.Close()
				}
				return err != nil
			})
			if s.hasEnded() {
				t.Fatal("the server ended with a request in flight")
			}
			if _, err := io.WriteString(connection, body[20:]); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("answer %s", resp.Status)
			}
			waitFor(t, "the server ends", s.hasEnded)
			if code := s.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit code %d: %s", code, s.printed("err.txt"))
			}
			again := serverFor(t, dir)
			again.key, again.secret = s.key, s.secret
			if got := countStatements(t, again); got != 1 {
				t.Errorf("%d statements are stored, want 1", got)
			}
		})
	}
}

// An import that is killed goes on where it ended, and every statement is there once.
func TestImportGoesOnAfterAKill(t *testing.T) {
	const statements, allowed = 4000, 300
	dir := t.TempDir()
	s := serverFor(t, dir, "-quiet")
	file := filepath.Join(dir, "many.ndjson")
	if err := os.WriteFile(file, statementLines(statements), 0o600); err != nil {
		t.Fatal(err)
	}
	turnstile := newTurnstile(t, s.endpoint, allowed) // no import is so fast that it ends before it is killed
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command("cairn", append(append([]string{"import", "-endpoint", turnstile.URL + "/xapi"}, args...), file)...)
		cmd.Env = append(os.Environ(), "CAIRN_CREDENTIAL="+s.key+":"+s.secret)
		return cmd
	}
	slow := run("-concurrency", "1", "-batch", "1")
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the import has kept its state", func() bool {
		_, err := os.Stat(file + ".import-state")
		return err == nil && turnstile.asked.Load() > allowed
	})
	slow.Process.Kill()
	if err := slow.Wait(); err == nil {
		t.Fatal("the import ended before it was killed")
	}
	if before := countStatements(t, s); before != allowed {
		t.Fatalf("%d statements were stored before the kill, want %d", before, allowed)
	}
	close(turnstile.open)
	out, err := run().CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"many.ndjson: 4000 stored, 0 refused", "of the stored by the import before", "going on after statement"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the import said %q, want %q in it", out, want)
		}
	}
	if got := countStatements(t, s); got != statements {
		t.Errorf("%d statements are stored, want %d", got, statements)
	}
}

// turnstile stands before a server and lets so many requests through, and the others once it is open.
type turnstile struct {
	*httptest.Server
	asked atomic.Int64
	open  chan struct{}
}

func newTurnstile(t *testing.T, endpoint string, allowed int64) *turnstile {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	server := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: to.Scheme, Host: to.Host})
	ts := &turnstile{open: make(chan struct{})}
	ts.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ts.asked.Add(1) > allowed {
			select {
			case <-ts.open:
			case <-r.Context().Done():
				return
			}
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	return ts
}

// A rebuild that is killed with its server is gone on with by the next one, and reports are right then.
func TestServeGoesOnWithARebuildAfterAKill(t *testing.T) {
	dir := t.TempDir()
	s := serverFor(t, dir)
	credential := "CAIRN_CREDENTIAL=" + s.key + ":" + s.secret
	file := filepath.Join(dir, "many.ndjson")
	if err := os.WriteFile(file, statementLines(2000), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command("cairn", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), credential)
		return cmd
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := run(args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	must("import", "-endpoint", s.endpoint, file)
	must("store", "set", "-test-data", "-k", "1")
	// What is not counted a while after the rebuild has begun is a difference.
	reports := first(reportsLine, s.printed("out.txt"))
	waitFor(t, "each statement is counted", func() bool {
		return strings.Contains(must("report", "overview", "-range", "all", "-endpoint", reports, "-format", "csv"), "\nstore,2000,")
	})
	rebuild := run("rebuild")
	if err := rebuild.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the rebuild has begun", func() bool { return strings.Contains(s.printed("err.txt"), "msg=rebuild") })
	s.kill()
	if err := rebuild.Wait(); err == nil {
		t.Fatal("the rebuild was done before the kill")
	}
	s = serverFor(t, dir)
	waitFor(t, "the rebuild is done", func() bool { return strings.Contains(s.printed("err.txt"), `msg="the rebuild is done"`) })
	if log := s.printed("err.txt"); !strings.Contains(log, "going on with a rebuild that was not finished") || !strings.Contains(log, "differences=0") {
		t.Errorf("the server logged:\n%s", log)
	}
	if _, err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if out, err := run("fsck").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// An interrupted import says what to do, and has exit code 1.
func TestImportIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	s := serverFor(t, dir, "-quiet")
	reader, writer := io.Pipe()
	defer writer.Close()
	cmd := exec.Command("cairn", "import", "-endpoint", s.endpoint, "-state", filepath.Join(dir, "state"), "-batch", "1", "-")
	cmd.Dir, cmd.Stdin = dir, reader
	cmd.Env = append(os.Environ(), "CAIRN_CREDENTIAL="+s.key+":"+s.secret)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(statementLines(500)); err != nil { // more than what is looked at first
		t.Fatal(err)
	}
	waitFor(t, "the import has begun", func() bool { return countStatements(t, s) > 0 })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	go io.Copy(writer, strings.NewReader(string(statementLines(500)))) // exec.Cmd waits for its copy of stdin to end
	cmd.Wait()
	writer.Close()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "the same command goes on where this one ended") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

// patience bounds every wait for something that does come: no machine is so busy that it takes longer.
const patience = 2 * time.Minute

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not happen that %s", what)
		}
	}
}

func basic(s *server) string {
	var r http.Request
	r.Header = http.Header{}
	r.SetBasicAuth(s.key, s.secret)
	return r.Header.Get("Authorization")
}

// countStatements pages through all statements and fails when one comes twice.
func countStatements(t *testing.T, s *server) int {
	t.Helper()
	origin := strings.TrimSuffix(s.endpoint, "/xapi")
	seen := map[string]bool{}
	for next := "/xapi/statements?limit=500&format=ids"; next != ""; {
		req, err := http.NewRequest(http.MethodGet, origin+next, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", basic(s))
		req.Header.Set("X-Experience-API-Version", "1.0.3")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Statements []struct {
				ID string `json:"id"`
			} `json:"statements"`
			More string `json:"more"`
		}
		err = json.UnmarshalRead(resp.Body, &page)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v", resp.Status, err)
		}
		for _, statement := range page.Statements {
			if seen[statement.ID] {
				t.Errorf("statement %s is listed twice", statement.ID)
			}
			seen[statement.ID] = true
		}
		next = page.More
	}
	return len(seen)
}
