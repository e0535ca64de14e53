// Package tabletest is the suite that every driver of package table passes. It tests each sentence of the port's
// contracts, and nothing that only one engine does.
package tabletest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Open opens a database with the given tables and closes it when the test ends. The tables may be empty or not: the
// suite uses keys of its own.
type Open func(t *testing.T, schemas []table.Schema) table.DB

// Names of the suite's tables and indexes. Records has everything that a table can have, plain has a partition key
// only.
const (
	records = "TabletestRecords"
	plain   = "TabletestPlain"
	byTime  = "byTime"
	byColor = "byColor"
)

// Schemas are the tables that the suite opens.
func Schemas() []table.Schema {
	return []table.Schema{
		{
			Name: records, Partition: "pk", Sort: "sk",
			Indexes: []table.Index{
				{Name: byTime, Partition: "kt", Sort: "p", Projects: []string{"t"}},
				{Name: byColor, Partition: "kc", Sort: "p", Projects: []string{"t", "n"}},
			},
			Stream: true,
		},
		{Name: plain, Partition: "pk"},
	}
}

// Run runs the suite over one database that open returns. If the database is a table.Scanner, scans are tested too.
func Run(t *testing.T, open Open) {
	s := &suite{db: open(t, Schemas()), run: fmt.Sprint(time.Now().UnixNano())}
	parts := []struct {
		name string
		test func(*testing.T)
	}{
		{"Get", s.testGet},
		{"Query", s.testQuery},
		{"Index", s.testIndex},
		{"Apply", s.testApply},
		{"Group", s.testGroup},
		{"Batch", s.testBatch},
		{"Feed", s.testFeed},
		{"Scan", s.testScan},
		{"Race", s.testRace},
		{"Units", s.testUnits},
		{"Limits", s.testLimits},
	}
	for _, part := range parts {
		t.Run(part.name, part.test)
	}
}

// suite is one run over one database.
type suite struct {
	db  table.DB
	run string // makes keys unlike those of other runs
}

// patience bounds every wait for something eventual, and every call. A busy machine does not reach it.
const patience = time.Minute

// within returns a context for the calls of one test.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	return ctx
}

// partition makes a partition key that only this test uses.
func (s *suite) partition(t *testing.T) string { return s.run + "/" + t.Name() }

// record names an item of the table records.
func record(partition, sort string) table.Ref {
	return table.Ref{Table: records, Key: table.Key{Partition: partition, Sort: []byte(sort)}}
}

// plainRef names an item of the table plain.
func plainRef(partition string) table.Ref {
	return table.Ref{Table: plain, Key: table.Key{Partition: partition}}
}

// recordItem makes an item of the table records, with further attributes.
func recordItem(partition, sort string, more table.Item) table.Item {
	item := table.Item{"pk": table.S(partition), "sk": table.B([]byte(sort))}
	for name, v := range more {
		item[name] = v
	}
	return item
}

// put stores items, one by one and unconditionally.
func (s *suite) put(t *testing.T, ctx context.Context, tableName string, items ...table.Item) {
	t.Helper()
	for _, item := range items {
		if _, _, err := s.db.Apply(ctx, table.Put(tableName, item)); err != nil {
			t.Fatalf("put: %v", err)
		}
	}
}

// wantAll compares the items as they are stored now, each nil for none.
func (s *suite) wantAll(t *testing.T, ctx context.Context, refs []table.Ref, want []table.Item) {
	t.Helper()
	got, _, err := s.db.BatchGet(ctx, refs, table.Strong)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// want compares the item as it is stored now, nil for none.
func (s *suite) want(t *testing.T, ctx context.Context, ref table.Ref, want table.Item) {
	t.Helper()
	got, _, err := s.db.Get(ctx, ref, table.Strong)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored item (-want +got):\n%s", diff)
	}
}

// wantError checks what an error wraps; nil wants none.
func wantError(t *testing.T, err, want error) {
	t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

// eventually calls f until it returns "" and fails with what it returned last when that takes too long.
func eventually(t *testing.T, f func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for wait := time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		problem := f()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(problem)
		}
		time.Sleep(wait)
	}
}

// all reads a query to its end and returns the items of all pages.
func (s *suite) all(t *testing.T, ctx context.Context, q table.Query) []table.Item {
	t.Helper()
	var items []table.Item
	for pages := 0; ; pages++ {
		page, _, err := s.db.Query(ctx, q)
		if err != nil {
			t.Fatalf("query: %v", err)
		}
		if q.Limit > 0 && len(page.Items) > q.Limit {
			t.Fatalf("a page of %d items, limit %d", len(page.Items), q.Limit)
		}
		items = append(items, page.Items...)
		if page.Next == nil {
			return items
		}
		if pages > 10_000 {
			t.Fatal("the query does not end")
		}
		q.After = page.Next
	}
}

// eventualItems queries until the items are those wanted, in order.
func (s *suite) eventualItems(t *testing.T, ctx context.Context, q table.Query, want []table.Item) {
	t.Helper()
	eventually(t, func() string {
		if diff := cmp.Diff(want, s.all(t, ctx, q)); diff != "" {
			return "query (-want +got):\n" + diff
		}
		return ""
	})
}
