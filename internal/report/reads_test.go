package report_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// yearly are statements of a year, on every day of it.
func yearly(n, learners int) []said {
	first := today.AddDate(-1, 0, 1)
	all := make([]said, n)
	for i := range all {
		verb := []string{"initialized", "progressed", "completed"}[i/learners%3]
		all[i] = said{learner: i % learners, verb: verb, content: "course", platform: "web", at: first.Add(time.Duration(i) * (364 * 24 * time.Hour / time.Duration(n)))}
	}
	return all
}

// mostItems is how many items a report over time or content may read for a year, however many statements there are.
const mostItems = 400

// ofAYear are questions over time or content that buckets answer.
var ofAYear = []struct {
	report string
	params map[string]string
}{
	{"activity", map[string]string{"range": "365d"}},
	{"activity", map[string]string{"range": "365d", "by": "week"}},
	{"activity", map[string]string{"range": "365d", "by": "month"}},
	{"activity", map[string]string{"range": "365d", "content": contents + "course"}},
	{"activity", map[string]string{"range": "365d", "by": "month", "content": contents + "course"}},
	{"overview", map[string]string{"range": "month"}},
	{"overview", map[string]string{"range": "week", "content": contents + "course"}},
	{"overview", map[string]string{"range": "all"}},
	{"retention", map[string]string{"range": "365d"}},
}

// TestReadsDoNotGrow: a report of a year reads the same items over 10,000 statements as over a hundred times as many, whose sums
// are written into the rows directly. BenchmarkYear folds a million.
func TestReadsDoNotGrow(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(yearly(10_000, 200)...)
	days := csv(w.ask("activity", map[string]string{"range": "365d"}))
	if len(days) != 365 {
		t.Errorf("a year has %d days", len(days))
	}
	for _, row := range days {
		if row["statements"] == "0" {
			t.Errorf("there are no statements on %s", row["at"])
		}
	}
	before := make([]int, len(ofAYear))
	for i, q := range ofAYear {
		a := w.ask(q.report, q.params)
		before[i] = a.Read.Items
		if a.Read.Road != report.Buckets || a.Read.Items > mostItems {
			t.Errorf("%s %v reads %d items by %s, want at most %d by buckets", q.report, q.params, a.Read.Items, a.Read.Road, mostItems)
		}
	}
	multiply(t, w, 100)
	for i, q := range ofAYear {
		a := w.ask(q.report, q.params)
		if a.Read.Items != before[i] {
			t.Errorf("%s %v reads %d items of a million statements and %d of ten thousand", q.report, q.params, a.Read.Items, before[i])
		}
	}
	if got := csv(w.ask("overview", map[string]string{"range": "all"}))[0]["statements"]; got != "1000000" {
		t.Errorf("the report tells of %s statements", got)
	}
	t.Logf("items read: %v", before)
}

// multiply makes all sums of the store so many times as large.
func multiply(t *testing.T, w *world, times int64) {
	t.Helper()
	for item, err := range table.Items(table.ScanPages(t.Context(), w.tables, schema.Rollups, 0, 1)) {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(item[schema.PK].S, "#B#") {
			continue
		}
		larger := table.Item{}
		for attr, v := range item {
			if v.Kind == table.Number {
				v.N *= times
			}
			larger[attr] = v
		}
		if _, _, err := w.tables.Apply(t.Context(), table.Put(schema.Rollups, larger)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLedgersAreBounded: what needs more ledgers than the bound is refused before they are read, with the bound and what to do.
func TestLedgersAreBounded(t *testing.T) {
	w := newWorld(t, 100)
	w.fold(yearly(300, 101)...)
	w.fold(said{learner: 1, verb: "answered", content: "rare", at: today.Add(-time.Hour)})
	_, err := w.try("contents", map[string]string{"range": "all"})
	refusal, ok := errors.AsType[*report.Refusal](err)
	if !ok || !errors.Is(err, report.ErrBound) || !strings.Contains(refusal.Message, "101 learners") || !strings.Contains(refusal.Message, "100 at most") {
		t.Fatalf("got %v", err)
	}
	if _, err := w.reports.Custom(context.Background(), w.store, report.Custom{Measures: []string{"learners"}, By: []string{"content"}, Range: "all"}); !errors.Is(err, report.ErrBound) {
		t.Errorf("a question of one's own: %v", err)
	}
	if a := w.ask("overview", map[string]string{"range": "all"}); a.Read.Learners != 0 || csv(a)[0]["learners"] != "101" {
		t.Errorf("buckets know no bound: %v", a.Read)
	}
	a := w.ask("contents", map[string]string{"range": "all", "content": contents + "rare"})
	if a.Read.Learners != 1 || a.Read.Items > 20 {
		t.Errorf("a narrower question read %+v, want the one ledger with the content", a.Read)
	}
}

// TestBothRoadsAgree: what is answered from ledgers, because of a filter that lets everything through, is what buckets say.
func TestBothRoadsAgree(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(yearly(2000, 50)...)
	for _, params := range []map[string]string{
		{"from": "2026-01-01", "to": "2026-03-31", "by": "day"},
		{"from": "2026-01-01", "to": "2026-03-31", "by": "week", "content": contents + "course"},
		{"from": "2025-07-01", "to": "2026-03-31", "by": "month"},
	} {
		buckets := w.ask("activity", params)
		params["platform"] = "web"
		ledgers := w.ask("activity", params)
		if buckets.Read.Road != report.Buckets || ledgers.Read.Road != report.Ledgers || ledgers.Read.Learners != 50 {
			t.Fatalf("roads %+v and %+v", buckets.Read, ledgers.Read)
		}
		want, got := csv(buckets), csv(ledgers)
		if len(want) < 3 || len(got) != len(want) {
			t.Fatalf("%v: %d rows and %d", params, len(want), len(got))
		}
		for i, row := range got {
			for column, value := range row {
				if want[i][column] != value {
					t.Errorf("%v, row %d, %s: buckets say %q, ledgers %q", params, i, column, want[i][column], value)
				}
			}
		}
	}
	month := w.ask("overview", map[string]string{"from": "2026-02-01", "to": "2026-02-28"})
	days := w.ask("overview", map[string]string{"from": "2026-02-01", "to": "2026-02-28", "platform": "web"})
	if a, b := csv(month)[0], csv(days)[0]; month.Read.Road != report.Buckets || days.Read.Road != report.Ledgers ||
		a["learners"] != b["learners"] || a["statements"] != b["statements"] || a["starts"] != b["starts"] || a["activeTime"] != b["activeTime"] || a["stickiness"] != b["stickiness"] {
		t.Errorf("buckets say %v, ledgers %v", a, b)
	}
}

// TestDaysOnWhichClocksChange: where clocks change at midnight, the day is as long by ledgers as by buckets: it has the
// statements of each moment that the calendar shows as of it.
func TestDaysOnWhichClocksChange(t *testing.T) {
	for _, test := range []struct {
		zone, day string
		hours     int // of the day
	}{
		{"America/Santiago", "2025-09-07", 23}, {"America/Santiago", "2025-04-05", 25}, // at the end of Saturday, forward and back
		{"America/Havana", "2026-03-08", 23}, {"America/Havana", "2025-11-02", 25}, // at midnight, and back to it
		{"Atlantic/Azores", "2026-03-29", 23}, {"Atlantic/Azores", "2025-10-26", 25},
		{"America/New_York", "2026-03-08", 23}, {"Europe/Berlin", "2025-10-26", 25}, // at night
		{"Asia/Amman", "2014-10-31", 25},                                      // at one, back to midnight
		{"Pacific/Apia", "2011-12-30", 0}, {"Pacific/Apia", "2011-12-31", 24}, // a day that was left out, and the next
	} {
		w := newWorld(t, 0)
		w.store.TimeZone = test.zone
		noon, err := time.Parse(time.DateOnly, test.day)
		if err != nil {
			t.Fatal(err)
		}
		var all []said
		for i := range 4 * 24 * 3 { // of each quarter of an hour one
			at := noon.AddDate(0, 0, -1).Add(-12*time.Hour + time.Duration(i)*15*time.Minute)
			all = append(all, said{learner: i % 6, verb: "experienced", content: "a", platform: "web", at: at})
		}
		w.fold(all...)
		want := fmt.Sprint(4 * test.hours)
		for road, params := range map[report.Road]map[string]string{report.Buckets: {}, report.Ledgers: {"platform": "web"}} {
			params["from"], params["to"] = test.day, test.day
			a := w.ask("overview", params)
			if got := csv(a)[0]["statements"]; a.Read.Road != road || got != want {
				t.Errorf("%s in %s: by %s there are %s statements, want %s by %s", test.day, test.zone, a.Read.Road, got, want, road)
			}
		}
		a, err := w.reports.Custom(t.Context(), w.store, report.Custom{Measures: []string{"statements"}, From: test.day, To: test.day})
		if err != nil {
			t.Fatal(err)
		}
		if rows := csv(a); test.hours == 0 && len(rows) > 0 || test.hours > 0 && rows[0]["statements"] != want {
			t.Errorf("%s in %s: a question of one's own tells of %v, want %s statements", test.day, test.zone, rows, want)
		}
	}
}

// TestRangesAtTheirBorders: a period that is open at one side, of the whole calendar or of days to come has the figures of the
// statements in it.
func TestRangesAtTheirBorders(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(yearly(2000, 50)...)
	all := csv(w.ask("overview", map[string]string{"range": "all"}))[0]
	for _, test := range []struct {
		from, to   string
		statements string
		stickiness bool
	}{
		{"", "2026-06-30", all["statements"], false}, // how many days that are is not known
		{"", "9999-12-31", all["statements"], false},
		{"0000-01-01", "9999-12-31", all["statements"], true},
		{"0001-01-01", "", all["statements"], true},
		{"2027-01-01", "", "0", false}, // a day to come
		{"9999-12-31", "9999-12-31", "0", false},
		{"0000-01-01", "0000-01-01", "0", false},
	} {
		params := map[string]string{}
		for name, value := range map[string]string{"from": test.from, "to": test.to} {
			if value != "" {
				params[name] = value
			}
		}
		row := csv(w.ask("overview", params))[0]
		if row["statements"] != test.statements || (row["stickiness"] != "") != test.stickiness {
			t.Errorf("%v: %s statements, stickiness %q", params, row["statements"], row["stickiness"])
		}
	}
	for _, params := range []map[string]string{{"from": "2026-07-01", "to": "2026-06-30"}, {"range": "7d", "from": "2026-06-01"}, {"from": "2026-6-1"}, {"to": "10000-01-01"}, {"sort": "-"}} {
		if _, err := w.try("overview", params); !errors.Is(err, report.ErrInvalid) {
			t.Errorf("%v: %v", params, err)
		}
	}
	weeks := csv(w.ask("activity", map[string]string{"from": "2025-12-31", "to": "2026-01-01", "by": "week"})) // the first week of 2026 begins in 2025
	if len(weeks) != 1 || weeks[0]["at"] != "2025-12-29" {
		t.Errorf("weeks: %v", weeks)
	}
}
