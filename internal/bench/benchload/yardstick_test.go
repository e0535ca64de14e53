package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestYardsticksAnswerRight lets the generator's smoke scenario judge the floor and the ceiling: a yardstick that answers
// wrongly measures nothing.
func TestYardsticksAnswerRight(t *testing.T) {
	load := os.Getenv("CAIRN_LOAD")
	if load == "" {
		if os.Getenv("CAIRN_REQUIRE") != "" {
			t.Fatal("CAIRN_LOAD does not say where the load generator's source is, and CAIRN_REQUIRE forbids to go without")
		}
		t.Log("floor and ceiling did not run: CAIRN_LOAD does not say where the load generator's source is")
		return
	}
	work := t.TempDir()
	g, err := buildGenerator(t.Context(), options{load: load, scenario: "smoke", conc: 8, limit: 20, ops: 40, dur: time.Minute}, work)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		contestant contestant
		stages     int // at least: none may be left out in silence
	}{
		{floorServer{}, 8},
		{ceilingServer{}, 19},
	} {
		t.Run(tt.contestant.name(), func(t *testing.T) {
			rows, err := measure(t.Context(), g, tt.contestant, filepath.Join(work, tt.contestant.name()))
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) < tt.stages {
				t.Errorf("%d stages ran, want %d", len(rows), tt.stages)
			}
			for _, r := range rows {
				if r.Verdict != "ok" {
					t.Errorf("%s: %s", r.Stage, r.Verdict)
				}
			}
		})
	}
}
