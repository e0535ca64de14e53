package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary stand in for `cairn` in scripts and in exec.Command, and for as much of `curl` as the
// lines need that the server prints.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cairn": main, "curl": curl})
}

func curl() {
	f := flag.NewFlagSet("curl", flag.ExitOnError)
	user := f.String("u", "", "")
	data := f.String("d", "", "")
	header := http.Header{}
	f.Func("H", "", func(line string) error {
		name, value, _ := strings.Cut(line, ": ")
		header.Set(name, value)
		return nil
	})
	f.Parse(os.Args[1:])
	method := http.MethodGet
	if *data != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, f.Arg(0), strings.NewReader(*data))
	if err != nil {
		log.Fatal(err)
	}
	req.Header = header
	key, secret, _ := strings.Cut(*user, ":")
	req.SetBasicAuth(key, secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n%s\n", resp.Status, body)
}

// TestScripts runs the conversations in testdata/script. Beside testscript's own commands they have:
//
//	serve [flags]            starts `cairn serve` on a free port; ENDPOINT, KEY and SECRET are what it prints
//	signal SIGNAL CODE       signals it, waits, and wants this exit code (-1: killed); output is in out.txt and err.txt
//	http STATUS METHOD PATH [FILE]
//	                         sends FILE to ENDPOINT with KEY and SECRET and wants the status; the answer is in answer.txt
//	exit CODE COMMAND...     runs a command and wants this exit code
//	until REGEXP COMMAND...  runs a command again and again until it prints a match; the output is in until.txt
//	take NAME REGEXP FILE    sets NAME to the first group of the first match
//	statements N FILE        writes N statements, one a line
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": scriptServe, "signal": scriptSignal, "http": scriptHTTP,
			"exit": scriptExit, "until": scriptUntil, "take": scriptTake, "statements": scriptStatements,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[current{}] = &current{}
			return nil
		},
		RequireExplicitExec: true,
	})
}

// current is the server of a script.
type current struct{ server *server }

func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	env := append(os.Environ(), "CAIRN_CREDENTIAL="+ts.Getenv("CAIRN_CREDENTIAL"))
	s, err := startServer(ts.Getenv("WORK"), env, args...)
	ts.Check(err)
	ts.Defer(s.kill)
	ts.Value(current{}).(*current).server = s
	ts.Setenv("ENDPOINT", s.endpoint)
	ts.Setenv("KEY", s.key)
	if s.secret != "" {
		ts.Setenv("SECRET", s.secret)
	}
}

func scriptSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}
	code, err := ts.Value(current{}).(*current).server.stop(signals[args[0]])
	ts.Check(err)
	if strconv.Itoa(code) != args[1] {
		ts.Fatalf("the server ended with %d, want %s: %s", code, args[1], ts.ReadFile("err.txt"))
	}
}

func scriptHTTP(ts *testscript.TestScript, _ bool, args []string) {
	var body io.Reader
	if len(args) > 3 {
		body = strings.NewReader(ts.ReadFile(args[3]))
	}
	req, err := http.NewRequest(args[1], ts.Getenv("ENDPOINT")+args[2], body)
	ts.Check(err)
	req.SetBasicAuth(ts.Getenv("KEY"), ts.Getenv("SECRET"))
	req.Header.Set("X-Experience-API-Version", "1.0.3")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer.txt"), answer, 0o600))
	if strconv.Itoa(resp.StatusCode) != args[0] {
		ts.Fatalf("%s %s: %s, want %s: %s", args[1], args[2], resp.Status, args[0], answer)
	}
}

func scriptExit(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func scriptUntil(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		said := ts.ReadFile("stdout")
		if err == nil && want.MatchString(said) {
			ts.Check(os.WriteFile(ts.MkAbs("until.txt"), []byte(said), 0o600))
			return
		}
		if time.Since(begun) > patience {
			ts.Fatalf("%v, and it printed no %s: %s", err, args[0], said)
		}
	}
}

func scriptTake(ts *testscript.TestScript, _ bool, args []string) {
	match := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile(args[2]))
	if match == nil {
		ts.Fatalf("%s does not match %s", args[2], args[1])
	}
	ts.Setenv(args[0], match[1])
}

func scriptStatements(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), statementLines(n), 0o600))
}

// statementLines makes n statements, one a line, every other one without an id.
func statementLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		id := ""
		if i%2 == 0 {
			id = fmt.Sprintf(`"id":"%08x-0000-4000-8000-000000000000",`, i)
		}
		fmt.Fprintf(&b, `{%s"actor":{"mbox":"mailto:ada@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},`+
			`"object":{"id":"http://example.com/questions/%d"}}`+"\n", id, i)
	}
	return b.Bytes()
}
