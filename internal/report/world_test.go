package report_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/pebble/pebbletest"
)

// world is a store whose statements are folded into rollups, and the reports over it.
type world struct {
	t       testing.TB
	store   auth.Store
	tables  *pebble.DB
	folders []*rollup.Folder // of each lane
	reports *report.Service
	now     time.Time
	n       int
	feed    feed
}

// today is when reports are asked for.
var today = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, bound int) *world {
	t.Helper()
	return newWorldOn(t, pebbletest.Open(t, schema.Tables, pebble.Options{CacheBytes: 8 << 20}), bound)
}

func newWorldOn(t testing.TB, db *pebble.DB, bound int) *world {
	t.Helper()
	w := &world{t: t, tables: db, now: today,
		store: auth.Store{ID: "store", Shards: 1, WriteShards: 1, TimeZone: "UTC", TermKey: bytes.Repeat([]byte("k"), 32)}}
	stores := &rollup.Stores{Now: time.Now, Read: func(context.Context, string) (auth.Store, error) { return w.store, nil }}
	for lane := range uint8(rollup.Lanes) {
		w.folders = append(w.folders, rollup.NewFolder(rollup.Folder{Tables: db, Stores: stores, Lane: lane, Now: func() time.Time { return w.now }}))
	}
	w.reports = report.New(report.Config{
		Rows: &rollup.Reader{Tables: db}, Definitions: noDefinitions{}, Feed: &w.feed, Tables: db, Bound: bound, Now: func() time.Time { return w.now },
	})
	return w
}

type noDefinitions struct{}

func (noDefinitions) Definitions(context.Context, auth.Store, []string) (map[string][]byte, error) {
	return nil, nil
}

// feed gives the statements that it holds.
type feed struct{ statements []report.Stored }

func (f *feed) Newest(_ context.Context, _ auth.Store, after time.Time, limit int) ([]report.Stored, int, error) {
	var found []report.Stored
	for i := len(f.statements) - 1; i >= 0 && len(found) < limit; i-- {
		if f.statements[i].At.After(after) {
			found = append(found, f.statements[i])
		}
	}
	return found, len(found), nil
}

// said is a statement in a test.
type said struct {
	learner  int
	verb     string // last segment of an ADL verb
	content  string // last segment of an id
	parent   string
	at       time.Time
	platform string
	team     string // local part of a group's address
	result   string // JSON members
}

const contents = "http://example.com/"

func (s said) json() string {
	context := ""
	if s.parent != "" {
		context = fmt.Sprintf(`"contextActivities":{"parent":[{"id":"%s%s"}]}`, contents, s.parent)
	}
	if s.platform != "" {
		if context != "" {
			context += ","
		}
		context += fmt.Sprintf(`"platform":%q`, s.platform)
	}
	if s.team != "" {
		if context != "" {
			context += ","
		}
		context += fmt.Sprintf(`"team":{"objectType":"Group","mbox":"mailto:%s@example.com"}`, s.team)
	}
	return fmt.Sprintf(`{"actor":{"name":"Person %d","mbox":"mailto:p%d@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/%s"},"object":{"id":"%s%s"},"context":{%s},"result":{%s},"timestamp":%q}`,
		s.learner, s.learner, s.verb, contents, s.content, context, s.result, s.at.Format(time.RFC3339Nano))
}

// fold stores and folds statements, 500 at a time, in the lanes by turns.
func (w *world) fold(statements ...said) {
	w.t.Helper()
	for start := 0; start < len(statements); start += 500 {
		var events []rollup.Event
		for _, s := range statements[start:min(start+500, len(statements))] {
			w.n++
			id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", w.n)
			stored := s.at.Add(time.Second)
			events = append(events, rollup.Event{Store: w.store.ID, StatementID: id, Stored: stored, Statement: []byte(s.json()), Live: true})
			w.feed.statements = append(w.feed.statements, report.Stored{ID: id, At: stored, JSON: []byte(s.json())})
		}
		if err := w.folders[start/500%len(w.folders)].Fold(context.Background(), events); err != nil {
			w.t.Fatal(err)
		}
	}
}

// ask answers a question of parameters.
func (w *world) ask(id string, params map[string]string) *report.Answer {
	w.t.Helper()
	a, err := w.try(id, params)
	if err != nil {
		w.t.Fatalf("%s %v: %v", id, params, err)
	}
	return a
}

func (w *world) try(id string, params map[string]string) (*report.Answer, error) {
	r, err := report.ReportOf(id, w.store)
	if err != nil {
		return nil, err
	}
	q, err := r.QuestionOf(params)
	if err != nil {
		return nil, err
	}
	return w.reports.Answer(context.Background(), w.store, q)
}

// csv are the rows of an answer, as CSV has them, by column.
func csv(a *report.Answer) []map[string]string {
	header := a.Table.Header()
	var rows []map[string]string
	for _, row := range a.Table.Rows {
		fields := map[string]string{}
		for i, field := range a.Table.Record(row) {
			fields[header[i]] = field
		}
		rows = append(rows, fields)
	}
	return rows
}
