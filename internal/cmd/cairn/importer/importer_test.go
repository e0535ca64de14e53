package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func options(l *fakeLRS) Options {
	return Options{
		Endpoint: l.URL + "/xapi/", Key: "key", Secret: "secret", Version: "1.0.3",
		Concurrency: 3, Batch: 10, Patience: time.Minute, Progress: &notes{}, Stdin: strings.NewReader(""),
	}
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zip(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lines makes n statements, of which those that verb names by number differ.
func lines(n int, verb map[int]string) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		v := verb[i]
		if v == "" {
			v = "good"
		}
		fmt.Fprintf(&b, `{"id":"%08d-0000-4000-8000-000000000000","verb":%q}`+"\n", i, v)
	}
	return b.String()
}

func TestImportReadsEveryLayout(t *testing.T) {
	array := func(text string) string {
		return "[" + strings.TrimSuffix(strings.ReplaceAll(text, "\n", ",\n"), ",\n") + "]"
	}
	pretty := "{\n  \"verb\": \"good\"\n}\n{\n  \"verb\": \"good\"\n}\n"
	tests := []struct {
		name    string
		content string
		want    map[string]int
		refused int64
	}{
		{name: "lines", content: lines(35, nil), want: map[string]int{"good": 35}},
		{name: "lines without the last line end", content: strings.TrimSpace(lines(3, nil)), want: map[string]int{"good": 3}},
		{name: "blank lines and carriage returns", content: "\n\r\n" + strings.ReplaceAll(lines(3, nil), "\n", "\r\n\n"), want: map[string]int{"good": 3}},
		{name: "byte order mark", content: "\ufeff" + lines(3, nil), want: map[string]int{"good": 3}},
		{name: "an array", content: array(lines(35, nil)), want: map[string]int{"good": 35}},
		{name: "an array on every line", content: array(lines(2, nil)) + "\n" + array(lines(4, nil)), want: map[string]int{"good": 4}},
		{name: "empty array", content: "[]", want: map[string]int{}},
		{name: "nothing", content: "", want: map[string]int{}},
		{name: "pretty-printed objects", content: pretty, want: map[string]int{"good": 2}},
		{name: "like statements without ids stay two", content: strings.Repeat(`{"verb":"good"}`+"\n", 2), want: map[string]int{"good": 2}},
		{name: "an empty object gets an id too", content: "{}\n{ }\n", want: map[string]int{"": 2}},
		{name: "a line that is cut off", content: lines(2, nil) + `{"verb":` + "\n" + `"good"}` + "\n" + lines(4, nil)[len(lines(2, nil)):], want: map[string]int{"good": 4}, refused: 2},
		{name: "the first line is broken", content: "{]\n" + lines(2, nil), want: map[string]int{"good": 2}, refused: 1},
		{name: "values that are no statements", content: lines(2, nil) + "7\nnull\n\"text\"\n", want: map[string]int{"good": 2}, refused: 3},
		{name: "one id twice in a batch", content: lines(2, nil) + lines(2, nil), want: map[string]int{"good": 2}},
		{name: "a line that is too long", content: lines(1, nil) + `{"verb":"` + strings.Repeat("x", maxValueBytes) + "\"}\n" + `{"verb":"good"}`, want: map[string]int{"good": 2}, refused: 1},
	}
	for _, test := range tests {
		for packing, content := range map[string][]byte{"plain": []byte(test.content), "gzip": zip(t, test.content)} {
			t.Run(test.name+"/"+packing, func(t *testing.T) {
				lrs := newFakeLRS(t)
				summary, err := Import(t.Context(), write(t, content), options(lrs))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, lrs.verbs(t)); diff != "" {
					t.Errorf("stored (-want +got):\n%s", diff)
				}
				if summary.Refused != test.refused {
					t.Errorf("%d refused, want %d", summary.Refused, test.refused)
				}
			})
		}
	}
}

func TestImportOfBrokenInputsSendsWhatCameBefore(t *testing.T) {
	whole := zip(t, lines(2000, nil))
	tests := []struct {
		name    string
		content []byte
		least   int
	}{
		{"array that ends early", []byte("[" + strings.TrimSpace(strings.ReplaceAll(lines(20, nil), "}\n", "},"))), 20},
		{"array that is broken", []byte("[" + strings.ReplaceAll(lines(20, nil), "}\n", "},") + "}"), 20},
		{"gzip that ends early", whole[:len(whole)/2], 500},
		{"a value without an end", append([]byte("[{\"verb\":\"good\"},\""), bytes.Repeat([]byte("x"), maxValueBytes+1<<20)...), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lrs := newFakeLRS(t)
			summary, err := Import(t.Context(), write(t, test.content), options(lrs))
			if err == nil || !strings.Contains(err.Error(), "the input cannot be read") {
				t.Errorf("error is %v", err)
			}
			if got := lrs.verbs(t)["good"]; got < test.least || int64(got) != summary.Stored {
				t.Errorf("%d stored, %d in the summary, want at least %d", got, summary.Stored, test.least)
			}
		})
	}
}

func TestImportFindsTheRefusedOnes(t *testing.T) {
	lrs := newFakeLRS(t)
	lrs.stored["00000007-0000-4000-8000-000000000000"] = `{"verb":"other"}`
	path := write(t, []byte(lines(40, map[int]string{3: "bad", 25: "large", 26: "bad"})+"broken\n"))
	summary, err := Import(t.Context(), path, options(lrs))
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{Stored: 36, Refused: 5, RefusedFile: path + ".refused.ndjson"}
	if diff := cmp.Diff(want, summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	var got []refusal
	if info, err := os.Stat(summary.RefusedFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read what learners sent: %v, %v", info.Mode(), err)
	}
	for line := range bytes.Lines(read(t, summary.RefusedFile)) {
		var r refusal
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("line %s: %v", line, err)
		}
		r.Statement = nil
		got = append(got, r)
	}
	wantLines := []refusal{
		{Number: 3, Place: "line 3", Status: 400, Reason: "the verb is bad"},
		{Number: 7, Place: "line 7", Status: 409, Reason: "another statement has this id"},
		{Number: 25, Place: "line 25", Status: 413, Reason: "the statement is too large"},
		{Number: 26, Place: "line 26", Status: 400, Reason: "the verb is bad"},
		{Number: 41, Place: "line 41", Reason: "the line is not one JSON value"},
	}
	if diff := cmp.Diff(wantLines, got); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(path + ".import-state"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state file is still there: %v", err)
	}
}

func TestImportTwiceStoresNothingTwice(t *testing.T) {
	lrs := newFakeLRS(t)
	path := write(t, []byte(strings.Repeat(`{"verb":"good"}`+"\n", 25)))
	for range 2 {
		if _, err := Import(t.Context(), path, options(lrs)); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(lrs.stored); got != 25 {
		t.Errorf("%d statements after two imports of 25", got)
	}
}

func TestImportRetries(t *testing.T) {
	fails := func(status int, times int) func(int, http.ResponseWriter) bool {
		return func(post int, w http.ResponseWriter) bool {
			if post > times {
				return false
			}
			w.WriteHeader(status)
			return true
		}
	}
	hangUp := func(post int, w http.ResponseWriter) bool {
		if post > 2 {
			return false
		}
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return false
		}
		connection.Close()
		return true
	}
	tests := []struct {
		name  string
		apply func(*fakeLRS)
		takes time.Duration // at least
	}{
		{name: "503", apply: func(l *fakeLRS) { l.before = fails(503, 2) }},
		{name: "500", apply: func(l *fakeLRS) { l.before = fails(500, 1) }},
		{name: "429", apply: func(l *fakeLRS) { l.before = fails(429, 1) }},
		{name: "429 that names a time", takes: time.Second, apply: func(l *fakeLRS) {
			l.before = func(post int, w http.ResponseWriter) bool {
				w.Header().Set("Retry-After", "1")
				return fails(429, 1)(post, w)
			}
		}},
		{name: "the connection breaks before the write", apply: func(l *fakeLRS) { l.before = hangUp }},
		{name: "the connection breaks after the write", apply: func(l *fakeLRS) { l.after = hangUp }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lrs := newFakeLRS(t)
			test.apply(lrs)
			begin := time.Now()
			summary, err := Import(t.Context(), write(t, []byte(lines(35, nil))), options(lrs))
			if err != nil {
				t.Fatal(err)
			}
			if len(lrs.stored) != 35 || summary.Stored != 35 || summary.Refused != 0 {
				t.Errorf("%d stored, summary %+v", len(lrs.stored), summary)
			}
			if took := time.Since(begin); took < test.takes {
				t.Errorf("took %v, want at least %v", took, test.takes)
			}
		})
	}
}

func TestImportStopsWhereNothingHelps(t *testing.T) {
	tests := []struct {
		name   string
		change func(*fakeLRS, *Options)
		want   string
	}{
		{"wrong secret", func(_ *fakeLRS, o *Options) { o.Secret = "wrong" }, "does not accept key and secret"},
		{"wrong endpoint", func(l *fakeLRS, o *Options) { o.Endpoint = l.URL + "/lrs" }, "no xAPI endpoint"},
		{"nobody there", func(l *fakeLRS, o *Options) { l.Close() }, "did not take a request"},
		{"503 for ever", func(l *fakeLRS, o *Options) {
			l.before = func(_ int, w http.ResponseWriter) bool { w.WriteHeader(503); return true }
		}, "did not take a request"},
		{"403", func(l *fakeLRS, o *Options) {
			l.before = func(_ int, w http.ResponseWriter) bool { w.WriteHeader(403); return true }
		}, "may not do this"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lrs := newFakeLRS(t)
			o := options(lrs)
			o.Patience = 200 * time.Millisecond
			test.change(lrs, &o)
			_, err := Import(t.Context(), write(t, []byte(lines(35, nil))), o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), o.Secret) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestImportSendsTheVersionOfItsStatements(t *testing.T) {
	lrs := newFakeLRS(t)
	o := options(lrs)
	o.Concurrency = 1
	content := `{"verb":"a"}` + "\n" + `{"verb":"b","version":"1.0.1"}` + "\n" + `{"verb":"c","version":"2.0.0"}` + "\n" + `{"verb":"d"}` + "\n"
	if _, err := Import(t.Context(), write(t, []byte(content)), o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1.0.3", "2.0.0", "1.0.3"}, lrs.versions); diff != "" {
		t.Errorf("versions of the requests (-want +got):\n%s", diff)
	}
}

func TestImportKeepsToTheLimits(t *testing.T) {
	lrs := newFakeLRS(t)
	large := `{"verb":"` + strings.Repeat("g", maxBatchBytes/3) + `"}` + "\n"
	if _, err := Import(t.Context(), write(t, []byte(strings.Repeat(large, 9))), options(lrs)); err != nil {
		t.Fatal(err)
	}
	if lrs.largest != 2 || len(lrs.stored) != 9 {
		t.Errorf("%d statements in one request, %d stored", lrs.largest, len(lrs.stored))
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// interrupt runs an import until something has been settled, and returns after the interruption.
func interrupt(t *testing.T, path string, o Options) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = &notes{onTurn: func(s Summary) {
		if s.Stored >= 30 {
			cancel()
		}
	}}
	if _, err := Import(ctx, path, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted import: %v", err)
	}
}

func TestImportGoesOnAfterAnInterruption(t *testing.T) {
	const statements = 500
	const elsewhere = "beginning anew: the interrupted import went to another endpoint or credential"
	content := lines(statements, map[int]string{2: "bad", 400: "bad"})
	tests := []struct {
		name   string
		change func(t *testing.T, l *fakeLRS, path string)
		resume bool // the second run begins where the first ended
		note   string
	}{
		{name: "nothing changed", change: func(*testing.T, *fakeLRS, string) {}, resume: true},
		{name: "the file grew", resume: true, change: func(t *testing.T, _ *fakeLRS, path string) {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteString("\n"); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "refusals were written that no state knows", resume: true, change: func(t *testing.T, _ *fakeLRS, path string) {
			f, err := os.OpenFile(path+".refused.ndjson", os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteString(strings.Repeat(`{"number":77}`+"\n", 100) + "{half"); err != nil { // more than what comes after it
				t.Fatal(err)
			}
		}},
		{
			name: "the LRS was emptied", note: "beginning anew: the LRS does not have what the interrupted import stored",
			change: func(_ *testing.T, l *fakeLRS, _ string) { l.forget() },
		},
		{
			name: "the file is another", note: "beginning anew: the file is not what it was when the import was interrupted",
			change: func(t *testing.T, l *fakeLRS, path string) {
				other := strings.Replace(content, "00000001", "99999999", 1)
				if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
					t.Fatal(err)
				}
				l.forget("00000001-0000-4000-8000-000000000000")
			},
		},
		{
			name: "the endpoint was another", note: elsewhere,
			change: func(t *testing.T, l *fakeLRS, path string) {
				restate(t, path, func(s *state) { s.Endpoint += "/other" })
				l.forget("00000001-0000-4000-8000-000000000000")
			},
		},
		{
			name: "the credential was another", note: elsewhere,
			change: func(t *testing.T, l *fakeLRS, path string) {
				restate(t, path, func(s *state) { s.Key = "other" })
				l.forget("00000001-0000-4000-8000-000000000000")
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lrs := newFakeLRS(t)
			path := write(t, []byte(content))
			o := options(lrs)
			interrupt(t, path, o)
			test.change(t, lrs, path)
			said := &notes{}
			o.Progress = said
			summary, err := Import(t.Context(), path, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := lrs.verbs(t)["good"]; got != statements-2 {
				t.Errorf("%d stored, want %d", got, statements-2)
			}
			if summary.Before+summary.Stored != statements-2 || summary.Refused != 2 {
				t.Errorf("summary %+v", summary)
			}
			if (summary.Before > 0) != test.resume {
				t.Errorf("%d settled before, want some: %v", summary.Before, test.resume)
			}
			if test.note != "" && !said.said(test.note) {
				t.Errorf("said %q, want %q among it", said.lines, test.note)
			}
			if got := bytes.Count(read(t, summary.RefusedFile), []byte("\n")); got != 2 {
				t.Errorf("%d refused statements in the file, want 2", got)
			}
			if _, err := os.Stat(path + ".import-state"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the state is still there: %v", err)
			}
		})
	}
}

// restate changes the state that an interrupted import has left.
func restate(t *testing.T, path string, change func(*state)) {
	t.Helper()
	s, err := readState(path + ".import-state")
	if err != nil || s.Read == 0 {
		t.Fatalf("state %+v, %v", s, err)
	}
	change(&s)
	if err := s.write(path + ".import-state"); err != nil {
		t.Fatal(err)
	}
}

// Where an interrupted import cannot be gone on with, and begun anew neither, it says so.
func TestImportThatCannotGoOn(t *testing.T) {
	t.Run("refusals are gone from their file", func(t *testing.T) {
		lrs := newFakeLRS(t)
		path := write(t, []byte(lines(500, map[int]string{2: "bad"})))
		interrupt(t, path, options(lrs))
		if err := os.Truncate(path+".refused.ndjson", 1); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(t.Context(), path, options(lrs)); err == nil || !strings.Contains(err.Error(), "shorter than it was") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("standard input", func(t *testing.T) {
		t.Chdir(t.TempDir())
		lrs := newFakeLRS(t)
		o := options(lrs)
		o.Statefile = "state"
		from := func(text string) Options { o.Stdin = strings.NewReader(text); return o }
		interrupt(t, "-", from(lines(500, nil)))
		posts := lrs.posts
		if _, err := Import(t.Context(), "-", from("{}\n"+lines(500, nil))); err == nil || !strings.Contains(err.Error(), "delete that file to begin anew") {
			t.Errorf("another input: %v", err)
		}
		if lrs.posts != posts {
			t.Error("another input was sent")
		}
		summary, err := Import(t.Context(), "-", from(lines(500, nil)))
		if err != nil || summary.Before == 0 || summary.Before+summary.Stored != 500 {
			t.Errorf("the same input: %+v, %v", summary, err)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", 0}, {"7", 7 * time.Second}, {"-1", 0}, {"soon", 0}, {"9999999", time.Hour},
		{now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{now.Add(-90 * time.Second).Format(http.TimeFormat), 0},
	}
	for _, test := range tests {
		if got := retryAfter(test.header, now); got != test.want {
			t.Errorf("retryAfter(%q) = %v, want %v", test.header, got, test.want)
		}
	}
}
