package rollup

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json/v2"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/table"
)

// moocEvents are the statements of the mooc data in the order of the file, stored 40 ms apart; nil where they are not.
func moocEvents(t testing.TB, store string) []Event {
	t.Helper()
	folder := os.Getenv("CAIRN_TEST_DATA")
	if folder == "" {
		if os.Getenv("CAIRN_REQUIRE") != "" {
			t.Fatal("CAIRN_TEST_DATA is not set, and CAIRN_REQUIRE forbids to go without")
		}
		t.Log("did not run: CAIRN_TEST_DATA is not set")
		return nil
	}
	file, err := os.Open(filepath.Join(folder, "mooc-22k.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	var events []Event
	stored := time.Date(2022, 1, 10, 8, 0, 0, 0, time.UTC)
	for lines.Scan() {
		var head struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
			t.Fatal(err)
		}
		stored = stored.Add(40 * time.Millisecond)
		events = append(events, Event{Store: store, StatementID: head.ID, Stored: stored, Statement: slices.Clone(lines.Bytes()), Live: true})
	}
	if err := lines.Err(); err != nil || len(events) != 22_000 {
		t.Fatalf("%d statements, error %v", len(events), err)
	}
	return events
}

// The budgets of issue 6, in write units a statement.
func TestWriteUnitsOfTheMoocData(t *testing.T) {
	events := moocEvents(t, "acme")
	if events == nil {
		return
	}
	store := storeOf("acme")
	for _, test := range []struct {
		batch, statements int
		most              float64
	}{{1, 2000, 12}, {100, 22_000, 4}, {1000, 22_000, 2}} {
		t.Run(fmt.Sprintf("batches of %d", test.batch), func(t *testing.T) {
			db := memory(t)
			var meter table.Meter
			ctx := table.WithMeter(t.Context(), &meter)
			// What was there before is part of the price, so single statements come at the end.
			alone := len(events) - test.statements
			before := NewFolder(Folder{Tables: db, Stores: storesOf(store)})
			for batch := range slices.Chunk(events[:alone], 1000) {
				mustFold(t, before, batch)
			}
			f := NewFolder(Folder{Tables: table.Metered(db), Stores: storesOf(store), KeepFacts: 50_000})
			for batch := range slices.Chunk(events[alone:], test.batch) {
				if err := f.Fold(ctx, batch); err != nil {
					t.Fatal(err)
				}
			}
			cost, calls := meter.Total()
			n := float64(test.statements)
			t.Logf("%.2f write units, %.2f read units, %.2f calls a statement", cost.Write/n, cost.Read/n, float64(calls)/n)
			if cost.Write/n > test.most {
				t.Errorf("%.2f write units a statement, want at most %v", cost.Write/n, test.most)
			}
			if test.batch < 1000 {
				return
			}
			o := newOracle(store)
			for _, e := range events {
				o.happened(e)
			}
			o.check(t, db)
			logSizes(t, db, store)
		})
	}
}

// logSizes tells what the ledgers of a store take.
func logSizes(t *testing.T, db table.DB, store auth.Store) {
	t.Helper()
	var facts, ledgers, items, pages int
	var largest []fact.Fact
	for shard := range ledgerShards {
		for l, err := range ledgersIn(t.Context(), db, current(store), shard, &Reads{}) {
			if err = cmp.Or(err, l.err); err != nil {
				t.Fatal(err)
			}
			ledgers++
			items += 1 + l.ledger.pages
			facts += len(l.ledger.facts)
			pages += len(encodePage(l.ledger.head)) // all pages, as if they were one or two
			if rest := len(l.ledger.facts) - len(l.ledger.head.facts); rest > 0 {
				pages += len(encodePage(page{facts: slices.Clone(l.ledger.facts)})) * rest / len(l.ledger.facts)
			}
			if len(l.ledger.facts) > len(largest) {
				largest = l.ledger.facts
			}
		}
	}
	t.Logf("%d facts in %d ledgers of %d items; %.1f bytes a fact, without keys and names; of the largest, of %d facts, %.1f", facts, ledgers, items,
		float64(pages)/float64(facts), len(largest), float64(len(encodePage(page{facts: slices.Clone(largest)})))/float64(len(largest)))
}
