package lrs

import (
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Of the changes in the feed those tell something to who counts that bring a statement, void or remove one.
func TestChanged(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	w.mustStore(p, referring(uuidOf(2), "bob", "voided", uuidOf(1)))
	w.mustStore(p, referring(uuidOf(3), "bob", "asked", uuidOf(4)))
	w.mustStore(p, plain(uuidOf(4), "ann", "did", "other")) // its terms go to the statement before: no news
	removed := statementRef("acme", mustID(t, uuidOf(4)))
	if _, _, err := w.tables.Apply(t.Context(), table.Delete(removed)); err != nil {
		t.Fatal(err)
	}
	shards, err := w.tables.Shards(t.Context(), schema.Statements)
	if err != nil {
		t.Fatal(err)
	}
	changes, _, err := w.tables.Changes(t.Context(), schema.Statements, shards[0].ID, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	type news struct {
		id   string
		live bool
	}
	got := map[news]int{}
	for _, change := range changes {
		c, ok, err := w.service.Changed(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			continue
		}
		got[news{c.ID, c.Live}]++
		if c.Store != "acme" || c.Damage != "" || c.Stored.IsZero() || !strings.Contains(string(c.Body), c.ID) {
			t.Errorf("%+v, body %s", c, c.Body)
		}
	}
	for _, want := range []news{{uuidOf(1), true}, {uuidOf(1), false}, {uuidOf(2), false}, {uuidOf(3), true}, {uuidOf(4), true}, {uuidOf(4), false}} {
		if got[want] != 1 {
			t.Errorf("%+v came %d times", want, got[want])
		}
		delete(got, want)
	}
	if len(got) > 0 {
		t.Errorf("too much: %v", got)
	}
	for id, live := range map[string]bool{uuidOf(1): false, uuidOf(3): true, uuidOf(4): false} {
		c, err := w.service.CurrentStatement(t.Context(), "acme", id)
		if err != nil || c.Live != live {
			t.Errorf("%s: live is %t, error %v", id, c.Live, err)
		}
	}
}

// A body that cannot be unpacked is a damage, and no error: it would stop the feed for ever.
func TestChangedTellsDamage(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	ref := statementRef("acme", mustID(t, uuidOf(1)))
	if _, _, err := w.tables.Apply(t.Context(), table.Update(ref, []table.Action{table.SetTo(schema.Body, table.B([]byte{1, 2, 3}))})); err != nil {
		t.Fatal(err)
	}
	c, err := w.service.CurrentStatement(t.Context(), "acme", uuidOf(1))
	if err != nil || c.Damage == "" || c.Body != nil {
		t.Errorf("%+v, error %v", c, err)
	}
}
