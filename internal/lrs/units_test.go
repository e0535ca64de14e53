package lrs

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The budgets of write and read units (README, "What it costs"), counted on both drivers. DynamoDB Local counts index
// entries in transactions twice, which DynamoDB does not, so groups are counted by Pebble's arithmetic alone.

// eachDriver runs a test on Pebble and, where it can run, on DynamoDB Local.
func eachDriver(t *testing.T, test func(t *testing.T, w *world, exact bool)) {
	t.Run("Pebble", func(t *testing.T) { test(t, newWorld(t, nil), true) })
	t.Run("DynamoDB Local", func(t *testing.T) {
		if w, ok := newDynamoWorld(t); ok {
			test(t, w, false)
		}
	})
}

// counted are the calls and units of one request.
type counted struct {
	table.DB
	strong map[string]int // items read strongly, by table
	calls  int            // of strong batch reads
}

func (c *counted) BatchGet(ctx context.Context, refs []table.Ref, consistency table.Consistency) ([]table.Item, table.Cost, error) {
	if consistency == table.Strong && len(refs) > 0 {
		c.calls++
		for _, ref := range refs {
			c.strong[ref.Table]++
		}
	}
	return c.DB.BatchGet(ctx, refs, consistency)
}

func (c *counted) Get(ctx context.Context, ref table.Ref, consistency table.Consistency) (table.Item, table.Cost, error) {
	c.strong[ref.Table]++
	return c.DB.Get(ctx, ref, consistency)
}

// cost stores a request and returns what it consumed.
func (w *world) cost(p auth.Principal, statements ...string) table.Cost {
	w.t.Helper()
	var meter table.Meter
	if _, err := w.service.Store(table.WithMeter(w.t.Context(), &meter), p, decode(w.t, statements...), nil); err != nil {
		w.t.Fatal(err)
	}
	total, _ := meter.Total()
	return total
}

func TestWriteUnits(t *testing.T) {
	context := func(statement, context string) string {
		return strings.TrimSuffix(statement, "}") + `,"context":{` + context + `}}`
	}
	registration := `"registration":"` + uuidOf(900) + `"`
	parent := `"contextActivities":{"parent":[{"id":"http://example.org/course"}]}`
	instructor := `"instructor":{"mbox":"mailto:teacher@example.org"}`
	tests := []struct {
		name string
		with string // context
		want float64
	}{
		{"no context", "", 5},
		{"registration", registration, 6},
		{"one additional term", parent, 6},
		{"two additional terms and registration", registration + "," + parent + "," + instructor, 8},
	}
	eachDriver(t, func(t *testing.T, w *world, exact bool) {
		p := principal(storeWith("acme", 4))
		for n, test := range tests {
			statement := plain(uuidOf(n), "ann", "did", "thing")
			if test.with != "" {
				statement = context(statement, test.with)
			}
			if got := w.cost(p, statement).Write; got > test.want || exact && got != test.want {
				t.Errorf("%s: %v write units, want %v", test.name, got, test.want)
			}
			if !exact {
				continue
			}
			var group []string
			const size = 50
			for i := range size {
				group = append(group, strings.Replace(statement, uuidOf(n), uuidOf(1000*(n+1)+i), 1))
			}
			if got := w.cost(p, group...).Write / size; got != test.want+1 {
				t.Errorf("%s: %v write units for each statement of a group, want %v", test.name, got, test.want+1)
			}
		}
		// An equal re-send writes nothing at all.
		if got := w.cost(p, plain(uuidOf(0), "ann", "did", "thing")).Write; got != 0 {
			t.Errorf("an equal re-send: %v write units", got)
		}
	})
}

func TestStrongReadsOfAWrite(t *testing.T) {
	w := newWorld(t, nil)
	counts := &counted{DB: w.tables, strong: map[string]int{}}
	w.service.Tables = counts
	p := principal(storeWith("acme", 1))
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	for name, request := range map[string][]string{
		"one":   {plain(uuidOf(2), "ann", "did", "thing")},
		"batch": manyPlain(100, 100),
	} {
		counts.strong, counts.calls = map[string]int{}, 0
		w.mustStore(p, request...)
		total := 0
		for _, n := range counts.strong {
			total += n
		}
		// The statement's own id, and the marker of those that wait for it.
		if total != 2*len(request) || counts.calls != 2 {
			t.Errorf("%s: %d items in %d calls for %d statements: %v", name, total, counts.calls, len(request), counts.strong)
		}
	}
}

// manyPlain are n small statements with ids from first on.
func manyPlain(first, n int) []string {
	var statements []string
	for i := first; i < first+n; i++ {
		statements = append(statements, plain(uuidOf(i), fmt.Sprintf("agent%d", i%100), fmt.Sprintf("verb%d", i%3), "thing"))
	}
	return statements
}

// A page of 100 by one selective term costs what it costs in a store of any size.
func TestReadUnitsOfAPage(t *testing.T) {
	const budget = 60
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 4))
	pageUnits := func(q Query) float64 {
		var meter table.Meter
		page, err := w.service.Query(table.WithMeter(t.Context(), &meter), p, q)
		if err != nil || len(page.Statements) != 100 {
			t.Fatalf("%d statements, error %v", len(page.Statements), err)
		}
		total, _ := meter.Total()
		return total.Read
	}
	queries := map[string]Query{
		"agent":    {Agent: agent(t, "agent7"), Limit: 100},
		"verb":     {Verb: "http://example.org/verb1", Limit: 100},
		"activity": {Activity: "http://example.org/thing", Limit: 100},
		"both":     {Activity: "http://example.org/thing", Agent: agent(t, "agent7"), Limit: 100},
	}
	stored := 0
	fill := func(upTo int) { // of the first 1,000 statements every tenth is of the agent
		for ; stored < upTo; stored += MaxBatch {
			var batch []string
			for n := stored; n < stored+MaxBatch; n++ {
				name := fmt.Sprintf("agent%d", 100+n%100)
				if n < 1000 && n%10 == 0 {
					name = "agent7"
				}
				batch = append(batch, plain(uuidOf(n), name, fmt.Sprintf("verb%d", n%3), "thing"))
			}
			w.mustStore(p, batch...)
		}
	}
	fill(1000)
	small := map[string]float64{}
	for name, q := range queries {
		small[name] = pageUnits(q)
		t.Logf("%s at 1,000 statements: %v read units", name, small[name])
		if small[name] > budget {
			t.Errorf("%s at 1,000 statements: %v read units, want at most %d", name, small[name], budget)
		}
	}
	if small["both"] != small["agent"] {
		t.Errorf("a list by agent and activity costs %v, one by agent %v: the agent's page has the end", small["both"], small["agent"])
	}
	fill(10_000)
	for name, q := range queries {
		got := pageUnits(q)
		t.Logf("%s at 10,000 statements: %v read units", name, got)
		if got > budget || got > small[name]+5 {
			t.Errorf("%s at 10,000 statements: %v read units, %v at 1,000; want at most %d", name, got, small[name], budget)
		}
	}
}
