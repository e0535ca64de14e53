package e2e

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReportsOfMadeStatementsEqualASecondProgram compares on statements that figures/made.py makes: a store in Paris in which
// things are voided, late, said twice, left out and said wrong, and which is asked with every filter.
func TestReportsOfMadeStatementsEqualASecondProgram(t *testing.T) {
	road := serve(t)
	for _, seed := range []string{"1"} {
		t.Run("seed "+seed, func(t *testing.T) { compareMade(t, road, seed) })
	}
}

func compareMade(t *testing.T, road *Local, seed string) {
	t.Helper()
	folder := t.TempDir()
	const zone = "Europe/Paris"
	paris, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	awaitOneDay(t, paris)
	now := time.Now().UTC().Format(time.RFC3339)
	if said, err := exec.CommandContext(t.Context(), "python3", filepath.Join("figures", "made.py"), "-seed", seed, "-now", now, folder).CombinedOutput(); err != nil {
		t.Fatalf("made.py: %v\n%s", err, said)
	}
	c := comparison{reader: newReader(t, road, "-time-zone", zone)}
	if _, err := road.Command(t.Context(), "rebuild", "-store", c.store, "-data", road.data); err != nil { // with it the time zone takes effect
		t.Fatal(err)
	}
	file, about := filepath.Join(folder, "statements.ndjson"), filepath.Join(folder, "about.json")
	c.importFile(road, file)
	c.tellAbout(about)
	c.compare(computeFigures(t, "-about", about, file)(), 100_000) // at the end of 2026 it is 120,000, and by the year after 111,000
}

// tellAbout adds to what is said about the statements what only the store knows.
func (c *comparison) tellAbout(path string) {
	c.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	var about map[string]any
	if err := json.Unmarshal(text, &about); err != nil {
		c.t.Fatal(err)
	}
	about["stored"] = c.stored()
	c.kpis = map[string]string{}
	for name, file := range about["kpis"].(map[string]any) {
		c.kpis[name] = file.(string)
	}
	if err := json.Unmarshal(c.send(http.MethodGet, c.road.Reports()+"/live", ""), &c.now); err != nil {
		c.t.Fatal(err)
	}
	about["live"] = c.now.AsOf
	if text, err = json.Marshal(about); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// stored is when each statement was stored, by id; of all that are not voided.
func (c *comparison) stored() map[string]string {
	c.t.Helper()
	origin, err := url.Parse(c.road.Endpoint())
	if err != nil {
		c.t.Fatal(err)
	}
	times := map[string]string{}
	for more := c.road.Endpoint() + "/statements?limit=500"; ; {
		var page struct {
			Statements []struct {
				ID     string `json:"id"`
				Stored string `json:"stored"`
			} `json:"statements"`
			More string `json:"more"`
		}
		if err := json.Unmarshal(c.send(http.MethodGet, more, ""), &page); err != nil {
			c.t.Fatal(err)
		}
		for _, s := range page.Statements {
			times[strings.ToLower(s.ID)] = s.Stored
		}
		if page.More == "" {
			return times
		}
		more = fmt.Sprintf("%s://%s%s", origin.Scheme, origin.Host, page.More)
	}
}
