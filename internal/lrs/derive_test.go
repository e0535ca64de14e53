package lrs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// contents are the items of a table by partition key.
func (w *world) contents(name string) map[string]table.Item {
	w.t.Helper()
	items := map[string]table.Item{}
	for item, err := range scanned(w.t.Context(), w.scanner, name) {
		if err != nil {
			w.t.Fatal(err)
		}
		items[item[schema.PK].S] = item
	}
	return items
}

// mergedItems is what the merged items hold, without how often they changed, when nothing waits any more.
func (w *world) mergedItems() map[string]table.Value {
	w.t.Helper()
	if err := w.service.MergeWaiting(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	values := map[string]table.Value{}
	for key, item := range w.contents(schema.Persons) {
		values[key] = item[schema.Names]
	}
	for key, item := range w.contents(schema.Activities) {
		values[key] = item[schema.Definition]
	}
	return values
}

// forgetMerged makes the folder one of before there were merged items.
func (w *world) forgetMerged() {
	w.t.Helper()
	var drops []table.Write
	for _, name := range []string{schema.Persons, schema.Activities} {
		for key := range w.contents(name) {
			drops = append(drops, table.Delete(table.Ref{Table: name, Key: table.Key{Partition: key}}))
		}
	}
	if _, err := w.tables.Batch(w.t.Context(), drops); err != nil {
		w.t.Fatal(err)
	}
}

// What is derived from the stored statements is what their writers merged.
func TestDerivation(t *testing.T) {
	w := newWorld(t, nil)
	one, other := storeWith("one", 1), storeWith("other", 2)
	all, theirs := credential(one, "all", auth.All), credential(other, "theirs", auth.All)
	limited := credential(one, "limited", auth.StatementsWrite)
	for n := range deriveBatch + 100 {
		p := []auth.Principal{all, theirs, limited}[n%3]
		w.mustStore(p, fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:agent%d@example.org","name":"Agent %d"},"verb":{"id":"http://example.org/did"},"object":{"id":"http://example.org/thing%d","definition":{"name":{"en":"Thing %d"}}}}`,
			uuidOf(n), n%7, n%11, n%5, n))
	}
	w.mustStore(all, referring(uuidOf(9001), "ann", "voided", uuidOf(0)))
	want := w.mergedItems()
	if len(want) != 2*(7+5) {
		t.Fatalf("%d merged items", len(want))
	}
	w.forgetMerged()
	if _, _, err := w.tables.Apply(t.Context(), table.Update(statementRef("one", mustID(t, uuidOf(2))),
		[]table.Action{table.SetTo(schema.Body, table.B([]byte("damaged")))})); err != nil { // the limited credential's: nothing is lost
		t.Fatal(err)
	}

	derivation := func() *Derivation {
		return &Derivation{
			Service: w.newService(w.tables, w.service.Horizon), Scanner: w.scanner,
			Stores: func(_ context.Context, id string) (auth.Store, error) {
				return map[string]auth.Store{"one": one, "other": other}[id], nil
			},
			Definers: func(context.Context) (func(xapi.IFI) bool, error) {
				return func(authority xapi.IFI) bool { return authority.Value != "limited" }, nil
			},
		}
	}
	d := derivation()
	n, err := d.Run(t.Context())
	if err != nil || n != deriveBatch+101 || d.Skipped != 1 {
		t.Fatalf("derived from %d statements, skipped %d: %v", n, d.Skipped, err)
	}
	if diff := cmp.Diff(want, w.mergedItems()); diff != "" {
		t.Errorf("merged items (-by writers +derived):\n%s", diff)
	}
	w.forgetMerged()
	if n, err := derivation().Run(t.Context()); n != 0 || err != nil || len(w.mergedItems()) != 0 {
		t.Errorf("a second time it read %d statements: %v", n, err)
	}
}

// A derivation that was cut off does its work when it runs again.
func TestDerivationIsTakenUpAgain(t *testing.T) {
	w := newWorld(t, nil)
	store := storeWith("one", 1)
	w.mustStore(principal(store), naming(1, "ann@example.org", "Ann"))
	w.forgetMerged()
	d := &Derivation{
		Service: w.newService(w.tables, w.service.Horizon), Scanner: w.scanner,
		Stores: func(context.Context, string) (auth.Store, error) { return auth.Store{}, context.Canceled },
		Definers: func(context.Context) (func(xapi.IFI) bool, error) {
			return func(xapi.IFI) bool { return true }, nil
		},
	}
	if _, err := d.Run(t.Context()); err == nil {
		t.Fatal("it ended well without the stores")
	}
	d.Stores = func(context.Context, string) (auth.Store, error) { return store, nil }
	if n, err := d.Run(t.Context()); n != 1 || err != nil {
		t.Fatalf("derived from %d statements: %v", n, err)
	}
	if got := w.names(principal(store), mbox("ann@example.org")); !slices.Equal(got, []string{"Ann"}) {
		t.Errorf("names %q", got)
	}
}

func mustID(t *testing.T, text string) statementID {
	t.Helper()
	id, err := parseID(strings.ToLower(text))
	if err != nil {
		t.Fatal(err)
	}
	return id
}
