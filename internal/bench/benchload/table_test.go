package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	all := results{
		{Label: floorName, Stage: "post_single", Statements: 1000, Verdict: "ok"},
		{Label: floorName, Stage: "post_single", Statements: 500, Verdict: "ok"},
		{Label: ceilingName, Stage: "post_single", Statements: 9, Verdict: "ok"},
		{Label: ceilingName, Stage: "q_agent", Operations: 200, Verdict: "ok"},
		{Label: ceilingName, Stage: "state_get", Operations: 100, Verdict: "ok"},
		{Label: cairnName, Stage: "post_single", Stored: 10, Statements: 700, Verdict: "ok"},
		{Label: cairnName, Stage: "q_agent", Operations: 80, Verdict: "ok"},
		{Label: cairnName, Stage: "post_single", Stored: 20, Statements: 400, Verdict: "ok"},
		{Label: cairnName, Stage: "state_get", Operations: 1, Verdict: "FAIL 1/1"},
	}
	rows := all.compare([]string{"state_get"})
	if !rows.sound() {
		t.Error("right answers everywhere, yet the table is not sound")
	}
	want := strings.Join([]string{
		"| stage | stored | clients | yardstick | its rate/s (p50 ms) | Cairn rate/s (p50 ms) | share | target | answers |",
		"|---|---|---|---|---|---|---|---|---|",
		"| post_single | 10 | 0 | floor | 1000 (0.0) | 700 (0.0) | 70% | met | ok |",
		"| q_agent | 0 | 0 | ceiling | 200 (0.0) | 80 (0.0) | 40% | missed (50%) | ok |",
		"| post_single | 20 | 0 | floor | 500 (0.0) | 400 (0.0) | 80% | met | ok |",
		"| state_get | 0 | 0 | ceiling | 100 (0.0) | 1 (0.0) | - | - | not served yet |",
		"",
	}, "\n")
	if diff := cmp.Diff(want, rows.markdown()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestSound(t *testing.T) {
	for _, tt := range []struct {
		name             string
		cairn, yardstick string
		want             bool
	}{
		{"both right", "ok", "ok", true},
		{"Cairn wrong", "FAIL 1/2000", "ok", false},
		{"yardstick wrong", "ok", "FAIL 1/2000", false},
		{"nothing expected proves nothing", "VOID nothing expected", "ok", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := results{
				{Label: ceilingName, Stage: "q_agent", Operations: 1, Verdict: tt.yardstick},
				{Label: cairnName, Stage: "q_agent", Operations: 1, Verdict: tt.cairn},
			}
			if got := all.compare(nil).sound(); got != tt.want {
				t.Errorf("sound() = %v, want %v", got, tt.want)
			}
		})
	}
	if (rows{}).sound() {
		t.Error("an empty table is sound")
	}
	if (results{{Label: cairnName, Stage: "q_agent", Verdict: "ok"}}).compare(nil).sound() {
		t.Error("a stage without a yardstick is sound")
	}
}

func TestReadResults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	lines := `{"time":"x","label":"floor","stage":"post_single","stored":5,"conc":8,"ops":4,"ops_per_s":2.5,"statements_per_s":2.5,"p50_ms":1.5,"verdict":"ok"}
{"label":"cairn","stage":"q_agent","ops_per_s":3,"verdict":"FAIL 1/3"}
`
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readResults(path, floorName)
	if err != nil {
		t.Fatal(err)
	}
	want := results{{Label: "floor", Stage: "post_single", Stored: 5, Clients: 8, Operations: 2.5, Statements: 2.5, Median: 1.5, Verdict: "ok"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
