package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestChecks holds each kind of check against an answer that fits and one that does not: a check that cannot fail is
// worth nothing.
func TestChecks(t *testing.T) {
	const body = `{"id":"a","n":1.0,"list":[{"id":"x"},{"id":"y"}],"http://e/x":null, "o": {"b":2,"a":"\u00e4"}}`
	for _, tt := range []struct {
		name, check string
		want        string // part of the error; "" when the check holds
	}{
		{"equal", `json $.id = "a"`, ""},
		{"equal but for escapes and order", `json $.o = {"a":"ä","b":2}`, ""},
		{"not equal", `json $.id = "b"`, `want "b"`},
		{"a number is what was written", `json $.n = 1`, "want 1"},
		{"not equal as wanted", `json $.id != "b"`, ""},
		{"equal though not wanted", `json $.id != "a"`, "want anything else"},
		{"each", `json $.list[*].id = ["x","y"]`, ""},
		{"order counts", `json $.list[*].id = ["y","x"]`, "want"},
		{"order does not count", `json $.list[*].id is set ["y","x"]`, ""},
		{"a set with one missing", `json $.list[*].id is set ["y"]`, "want"},
		{"last", `json $.list[-1].id = "y"`, ""},
		{"behind the last", `json $.list[2].id = "y"`, "nothing is there"},
		{"count", `json $.list count 2`, ""},
		{"wrong count", `json $.list count 3`, "want 3"},
		{"a name that is an IRI", `json $['http://e/x'] = null`, ""},
		{"present", `json $.o.a present`, ""},
		{"not present", `json $.o.c present`, "nothing is there"},
		{"absent", `json $.o.c absent`, ""},
		{"not absent", `json $.o.a absent`, "want nothing"},
		{"pattern", `json $.id ~ ^[a-z]$`, ""},
		{"wrong pattern", `json $.id ~ ^[0-9]$`, "does not match"},
		{"contains", `json $.list contains "x"`, ""},
		{"does not contain", `json $.list contains "z"`, "does not hold"},
		{"raw", `raw $.o = {"b":2,"a":"\u00e4"}`, ""},
		{"raw is bytes", `raw $.o = {"a":"ä","b":2}`, "want"},
		{"raw nothing", `raw $.q = 1`, "nothing is there"},
		{"header", `header ETag = "e"`, ""},
		{"wrong header", `header ETag = "f"`, "want"},
		{"header pattern", `header ETag ~ ^"`, ""},
		{"wrong header pattern", `header ETag ~ ^e`, "does not match"},
		{"no such header", `header X present`, "stands 0 times"},
		{"no such header as wanted", `header X absent`, ""},
		{"header though not wanted", `header ETag absent`, "want none"},
		{"a header twice", `header Twice present`, "stands 2 times"},
		{"body contains", `body contains "id"`, ""},
		{"body does not contain", `body contains zzz`, "does not hold"},
		{"body lacks", `body lacks zzz`, ""},
		{"body does not lack", `body lacks "id"`, "holds"},
		{"body empty", `body empty`, "want"},
		{"body equal", `body = x`, "want x"},
		{"body pattern", `body ~ ^\{`, ""},
		{"not multipart", `parts 1`, "not multipart/mixed"},
		{"unknown value", `json $.id = "{{nothing}}"`, "no such value"},
		{"save nothing", `save x = json $.q`, "nothing is there"},
		{"save no header", `save x = header X`, "no header X"},
		{"save", `save x = raw $.n`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script, err := Parse("x", "GET /\nexpect 200\n"+tt.check+"\n")
			if err != nil {
				t.Fatal(err)
			}
			a := answer{status: 200, body: []byte(body), header: http.Header{
				"Etag": {`"e"`}, "Twice": {"1", "2"}, "Content-Type": {"application/json"},
			}}
			err = script.Sections[0].Steps[0].Request.checkAll(1, a, newValues())
			fits(t, err, tt.want)
		})
	}
}

func TestChecksOfAnswer(t *testing.T) {
	request := Request{Method: "GET", Path: "/", Status: []int{200, 204}}
	for _, tt := range []struct {
		name   string
		answer answer
		want   string
	}{
		{"first status", answer{status: 200}, ""},
		{"second status", answer{status: 204}, ""},
		{"other status", answer{status: 404}, "status 404, want [200 204]"},
	} {
		t.Run(tt.name, func(t *testing.T) { fits(t, request.checkAll(1, tt.answer, newValues()), tt.want) })
	}
}

func TestChecksOfParts(t *testing.T) {
	a := answer{status: 200, header: http.Header{"Content-Type": {"multipart/mixed; boundary=b"}}, body: []byte(strings.ReplaceAll(
		"--b\nContent-Type: application/json\n\n{\"id\":1}\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\na=3Db\n--b--\n", "\n", "\r\n"))}
	for _, tt := range []struct{ name, checks, want string }{
		{"both", "parts 2\npart 0\njson $.id = 1\npart 1\nheader Content-Type = text/plain\nbody = a=3Db\n", ""},
		{"wrong number", "parts 3\n", "want 3"},
		{"wrong part", "part 1\njson $.id = 1\n", "json"},
		{"no such part", "part 2\n", "there are 2 parts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script, err := Parse("x", "GET /\nexpect 200\n"+tt.checks)
			if err != nil {
				t.Fatal(err)
			}
			fits(t, script.Sections[0].Steps[0].Request.checkAll(1, a, newValues()), tt.want)
		})
	}
}

func TestHolds(t *testing.T) {
	for _, tt := range []struct {
		check string
		want  bool
	}{
		{"1 < 2", true}, {"10 < 9", false}, {"a < b", true}, {"b <= b", true}, {"b = b", true}, {"b != b", false},
		{"2026-01-01T00:00:00Z < 2026-01-01T00:00:00.001Z", true},
		{"2026-01-01T02:00:00+02:00 = 2026-01-01T00:00:00Z", true},
	} {
		if got, err := holds(tt.check); err != nil || got != tt.want {
			t.Errorf("holds(%q) = %v, %v, want %v", tt.check, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "a b", "a > b", "a < b c"} {
		if _, err := holds(bad); err == nil {
			t.Errorf("holds(%q) is no error", bad)
		}
	}
}

func newValues() *values {
	return &values{now: time.Now, text: map[string]string{}, secrets: map[string]bool{}}
}

func fits(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got error: %v, want one with %q", err, want)
	}
}
