package local_test

import (
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// A folder from before there were persons has the names of its statements when it is opened, but not those that came
// with a credential that may not define.
func TestOlderFolderHasNames(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, local.Options{})
	credentials := map[string][2]string{}
	for name, scopes := range map[string]auth.Scopes{"Ann": {auth.All}, "Bob": {auth.StatementsWrite}} {
		key, secret, err := c.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		credentials[name] = [2]string{key, secret}
	}
	ask := func(c *local.Cairn, as, method, path, body string) string {
		t.Helper()
		r := httptest.NewRequest(method, "/xapi/"+path, strings.NewReader(body))
		r.SetBasicAuth(credentials[as][0], credentials[as][1])
		r.Header.Set("X-Experience-API-Version", "1.0.3")
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, r)
		if w.Code != 200 {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	for name := range credentials {
		ask(c, name, "POST", "statements", `{"actor":{"mbox":"mailto:`+name+`@example.com","name":"`+name+`"},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/a","definition":{"name":{"en":"Title of `+name+`"}}}}`)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	makeOlder(t, dir)

	for range 2 { // the second time there is nothing to derive
		c = open(t, dir, local.Options{})
		for name, want := range map[string]string{
			"Ann": `{"objectType":"Person","name":["Ann"],"mbox":["mailto:Ann@example.com"]}`,
			"Bob": `{"objectType":"Person","mbox":["mailto:Bob@example.com"]}`,
		} {
			if got := ask(c, "Ann", "GET", "agents?agent="+url.QueryEscape(`{"mbox":"mailto:`+name+`@example.com"}`), ""); got != want {
				t.Errorf("person %s, want %s", got, want)
			}
		}
		const want = `{"objectType":"Activity","id":"http://example.com/a","definition":{"name":{"en":"Title of Ann"}}}`
		if got := ask(c, "Ann", "GET", "activities?activityId=http://example.com/a", ""); got != want {
			t.Errorf("activity %s, want %s", got, want)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// makeOlder removes from a folder what older versions did not write.
func makeOlder(t *testing.T, dir string) {
	t.Helper()
	db, err := pebble.Open(filepath.Join(dir, local.TablesFolder), schema.Tables, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var drops []table.Write
	for _, s := range schema.Tables {
		if !slices.Contains([]string{schema.Persons, schema.Activities, schema.Checkpoints}, s.Name) {
			continue
		}
		page, _, err := db.Scan(t.Context(), s.Name, 0, 1, nil)
		if err != nil || page.Next != nil {
			t.Fatalf("scan %s: %v", s.Name, err)
		}
		for _, item := range page.Items {
			drops = append(drops, table.Delete(table.Ref{Table: s.Name, Key: table.Key{Partition: item[schema.PK].S}}))
		}
	}
	if len(drops) < 3 { // a person, an activity, and that they were derived
		t.Fatalf("the folder has %d items of what is derived", len(drops))
	}
	if _, err := db.Batch(t.Context(), drops); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
