package pebble

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/table"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func addOne(pk string) []table.Write {
	return []table.Write{table.Update(noteRef(pk), []table.Action{table.Add("n", table.N(1))})}
}

func wantCount(t *testing.T, db *DB, pk string, want int64) {
	t.Helper()
	wantItem(t, db, noteRef(pk), table.Item{"pk": table.S(pk), "n": table.N(want)})
}

func TestTokenLivesTenMinutes(t *testing.T) {
	tests := []struct {
		name   string
		after  time.Duration
		reopen bool
		want   int64
	}{
		{"at once", 0, false, 1},
		{"just before ten minutes", 10*time.Minute - time.Millisecond, false, 1},
		{"after ten minutes", 10 * time.Minute, false, 2},
		{"after a restart", time.Minute, true, 1},
		{"after a restart and ten minutes", 10 * time.Minute, true, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClock()
			opts := Options{FS: vfs.NewMem(), Now: c.now}
			db := openTest(t, testSchemas(), opts)
			if _, err := db.Group(t.Context(), "token", addOne("a")); err != nil {
				t.Fatal(err)
			}
			c.advance(test.after)
			if test.reopen {
				db = reopen(t, db, testSchemas(), opts)
			}
			if _, err := db.Group(t.Context(), "token", addOne("a")); err != nil {
				t.Fatal(err)
			}
			wantCount(t, db, "a", test.want)
		})
	}
}

func TestTokenTellsGroupsApart(t *testing.T) {
	ref := noteRef("a")
	base := table.Update(ref, []table.Action{table.Add("n", table.N(1))}, table.Absent("x"))
	tests := []struct {
		name string
		ws   []table.Write
	}{
		{"another value", []table.Write{table.Update(ref, []table.Action{table.Add("n", table.N(2))}, table.Absent("x"))}},
		{"another attribute", []table.Write{table.Update(ref, []table.Action{table.Add("m", table.N(1))}, table.Absent("x"))}},
		{"another verb", []table.Write{table.Update(ref, []table.Action{table.SetTo("n", table.N(1))}, table.Absent("x"))}},
		{"another key", []table.Write{table.Update(noteRef("b"), base.Actions, table.Absent("x"))}},
		{"another condition", []table.Write{table.Update(ref, base.Actions, table.Absent("y"))}},
		{"no condition", []table.Write{table.Update(ref, base.Actions)}},
		{"another operation", []table.Write{table.Delete(ref, table.Absent("x"))}},
		{"one more write", []table.Write{base, table.Delete(noteRef("b"))}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			db := openTest(t, testSchemas(), Options{})
			if _, err := db.Group(t.Context(), "token", []table.Write{base}); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Group(t.Context(), "token", test.ws); !errors.Is(err, table.ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
			wantCount(t, db, "a", 1)
		})
	}
}

// Old tokens must leave the folder, not only the memory.
func TestOldTokensAreDropped(t *testing.T) {
	c := newClock()
	db := openTest(t, testSchemas(), Options{Now: c.now})
	for i := range 2*dropEvery + 2 {
		c.advance(time.Second)
		if _, err := db.Group(t.Context(), fmt.Sprint(i), addOne("a")); err != nil {
			t.Fatal(err)
		}
	}
	iter, err := db.engine.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for iter.SeekGE([]byte{spaceToken}); iter.Valid() && iter.Key()[0] == spaceToken; iter.Next() {
		stored++
	}
	if err := iter.Close(); err != nil {
		t.Fatal(err)
	}
	if most := dropEvery + int(tokenLife/time.Second) + 1; stored > most || len(db.tokens.seen) > most {
		t.Errorf("%d tokens are stored and %d remembered, want %d at most", stored, len(db.tokens.seen), most)
	}
}
