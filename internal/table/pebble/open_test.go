package pebble

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Tables of the tests of this package.
const (
	things = "Things" // with two indexes and a feed
	notes  = "Notes"  // with neither
)

func testSchemas() []table.Schema {
	return []table.Schema{
		{
			Name: things, Partition: "pk", Sort: "sk",
			Indexes: []table.Index{
				{Name: "byTime", Partition: "kt", Sort: "p", Projects: []string{"t"}},
				{Name: "byColor", Partition: "kc", Sort: "p", Projects: []string{"t", "n"}},
			},
			Stream: true,
		},
		{Name: notes, Partition: "pk"},
	}
}

// openTest opens a database for a test and closes it at its end.
func openTest(t *testing.T, schemas []table.Schema, opts Options) *DB {
	t.Helper()
	if opts.FS == nil {
		opts.FS = vfs.NewMem()
	}
	db, err := Open("data", schemas, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	return db
}

// reopen closes a database and opens its files again.
func reopen(t *testing.T, db *DB, schemas []table.Schema, opts Options) *DB {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return openTest(t, schemas, opts)
}

func thing(pk, sk string, more table.Item) table.Item {
	item := table.Item{"pk": table.S(pk), "sk": table.B([]byte(sk))}
	for name, v := range more {
		item[name] = v
	}
	return item
}

// listed makes a thing that is in both indexes of its partition key, at the position of its sort key.
func listed(pk, sk string, n int64) table.Item {
	return thing(pk, sk, table.Item{"kt": table.S(pk), "kc": table.S(pk), "p": table.B([]byte(sk)), "n": table.N(n)})
}

func thingRef(pk, sk string) table.Ref {
	return table.Ref{Table: things, Key: table.Key{Partition: pk, Sort: []byte(sk)}}
}

func noteRef(pk string) table.Ref { return table.Ref{Table: notes, Key: table.Key{Partition: pk}} }

func put(t *testing.T, db *DB, name string, items ...table.Item) {
	t.Helper()
	for _, item := range items {
		if _, _, err := db.Apply(t.Context(), table.Put(name, item)); err != nil {
			t.Fatal(err)
		}
	}
}

func wantItem(t *testing.T, db *DB, ref table.Ref, want table.Item) {
	t.Helper()
	got, _, err := db.Get(t.Context(), ref, table.Strong)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

// sortsOf returns the sort keys of the items that a query finds.
func sortsOf(t *testing.T, db *DB, q table.Query) []string {
	t.Helper()
	var sorts []string
	for {
		page, _, err := db.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			sorts = append(sorts, string(item["sk"].B))
		}
		if q.After = page.Next; q.After == nil {
			return sorts
		}
	}
}

func wantSorts(t *testing.T, db *DB, index, partition string, want ...string) {
	t.Helper()
	got := sortsOf(t, db, table.Query{Table: things, Index: index, Partition: partition})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", index, diff)
	}
}

func TestOpenTwiceIsRefused(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, testSchemas(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Open(dir, testSchemas(), Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("the second gets %v, %v, want ErrLocked", second, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(dir, testSchemas(), Options{}); err != nil {
		t.Fatalf("after the close: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenAgainFindsEverything(t *testing.T) {
	fs := vfs.NewMem()
	db := openTest(t, testSchemas(), Options{FS: fs})
	put(t, db, things, listed("a", "1", 1), listed("a", "2", 2))
	put(t, db, notes, table.Item{"pk": table.S("note")})
	db = reopen(t, db, testSchemas(), Options{FS: fs})
	wantItem(t, db, thingRef("a", "2"), listed("a", "2", 2))
	wantItem(t, db, noteRef("note"), table.Item{"pk": table.S("note")})
	wantSorts(t, db, "byTime", "a", "1", "2")
	put(t, db, things, listed("a", "3", 3))
	changes, _, err := db.Changes(t.Context(), things, onlyShard, "", 10)
	if err != nil || len(changes) != 3 || changes[1].Sequence >= changes[2].Sequence {
		t.Errorf("feed %v, error %v, want three changes in order", changes, err)
	}
	if err := db.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenFollowsTheSchemas(t *testing.T) {
	fs := vfs.NewMem()
	db := openTest(t, testSchemas()[1:], Options{FS: fs})
	put(t, db, notes, table.Item{"pk": table.S("note")})

	// A table and its indexes come.
	db = reopen(t, db, testSchemas(), Options{FS: fs})
	for i := range 300 {
		put(t, db, things, listed("a", fmt.Sprintf("%03d", i), int64(i)))
	}
	wantItem(t, db, noteRef("note"), table.Item{"pk": table.S("note")})

	// An index goes, another comes, a third projects something else.
	schemas := testSchemas()
	schemas[0].Indexes = []table.Index{
		{Name: "byColor", Partition: "kc", Sort: "p", Projects: []string{"n"}},
		{Name: "byNothing", Partition: "kx", Sort: "p"},
		{Name: "again", Partition: "kt", Sort: "p", Projects: []string{"n"}},
	}
	db = reopen(t, db, schemas, Options{FS: fs})
	page, _, err := db.Query(t.Context(), table.Query{Table: things, Index: "again", Partition: "a", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []table.Item{thing("a", "000", table.Item{"kt": table.S("a"), "p": table.B([]byte("000")), "n": table.N(0)})}
	if diff := cmp.Diff(want, page.Items); diff != "" {
		t.Errorf("entry of the new index (-want +got):\n%s", diff)
	}
	put(t, db, things, listed("a", "300", 300))
	if err := db.Verify(t.Context()); err != nil {
		t.Error(err)
	}

	// The first index comes back: it must not show what it knew then.
	db = reopen(t, db, testSchemas(), Options{FS: fs})
	if got := sortsOf(t, db, table.Query{Table: things, Index: "byTime", Partition: "a"}); len(got) != 301 {
		t.Errorf("%d entries, want 301", len(got))
	}
	if err := db.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	other := testSchemas()
	other[1].Partition = "id"
	twice := append(testSchemas(), testSchemas()[1])
	tests := []struct {
		name    string
		schemas []table.Schema
	}{
		{"a table with another key", other},
		{"two tables of one name", twice},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fs := vfs.NewMem()
			db := openTest(t, testSchemas(), Options{FS: fs})
			put(t, db, notes, table.Item{"pk": table.S("note")})
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Open("data", test.schemas, Options{FS: fs}); err == nil {
				t.Fatal("it was opened")
			}
			db = openTest(t, testSchemas(), Options{FS: fs}) // and is not locked
			wantItem(t, db, noteRef("note"), table.Item{"pk": table.S("note")})
		})
	}
}

// A folder of another format is refused in a sentence that says so, and nothing in it is changed, not even what would be done
// first.
func TestOpenRefusesAnotherFormat(t *testing.T) {
	for _, format := range []int{formatVersion - 1, formatVersion + 1} {
		t.Run(fmt.Sprint(format), func(t *testing.T) {
			fs := vfs.NewMem()
			db := openTest(t, testSchemas(), Options{FS: fs})
			put(t, db, notes, table.Item{"pk": table.S("note")})
			if err := db.writeCatalogue(&catalogue{Format: format, Tables: map[string]cataloguedTable{}}); err != nil {
				t.Fatal(err)
			}
			delayed := []byte{spaceDelayed, 1}
			if err := db.engine.Set(delayed, []byte("in that format's own way"), engine.Sync); err != nil {
				t.Fatal(err)
			}
			before := everything(t, db.engine)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("the folder has format %d, and this program reads format %d", format, formatVersion)
			if _, err := Open("data", testSchemas(), Options{FS: fs}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Open: %v, want an error that says %q", err, want)
			}
			files, err := engine.Open("data", &engine.Options{FS: fs, FormatMajorVersion: engine.FormatTableFormatV6, ReadOnly: true})
			if err != nil {
				t.Fatal(err) // as where it is still locked
			}
			if diff := cmp.Diff(before, everything(t, files)); diff != "" {
				t.Errorf("the folder was changed (-before +after):\n%s", diff)
			}
			if err := files.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// everything that an engine has, by key.
func everything(t *testing.T, db *engine.DB) map[string]string {
	t.Helper()
	iter, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for iter.First(); iter.Valid(); iter.Next() {
		all[string(iter.Key())] = string(iter.Value())
	}
	if err := errors.Join(iter.Error(), iter.Close()); err != nil || len(all) == 0 {
		t.Fatalf("read %d keys: %v", len(all), err)
	}
	return all
}

func TestVerifyFindsDamage(t *testing.T) {
	ix := func(db *DB) *indexState { return &db.table(things).indexes[0] }
	key := table.Key{Partition: "a", Sort: []byte("1")}
	tests := []struct {
		name   string
		damage func(db *DB) error
	}{
		{"a missing entry", func(db *DB) error {
			e, _ := ix(db).entry(key, listed("a", "1", 1), nil)
			return db.engine.Delete(e.key, nil)
		}},
		{"an entry too many", func(db *DB) error {
			e, _ := ix(db).entry(table.Key{Partition: "a", Sort: []byte("0")}, listed("a", "0", 1), nil)
			return db.engine.Set(e.key, e.value, nil)
		}},
		{"an entry that differs", func(db *DB) error {
			e, _ := ix(db).entry(key, listed("a", "1", 1), nil)
			return db.engine.Set(e.key, appendItem(nil, table.Item{"t": table.N(1)}, "", ""), nil)
		}},
		{"an item that cannot be read", func(db *DB) error {
			return db.engine.Set(appendItemKey(nil, db.table(things).id, key), []byte{9, 9, 9}, nil)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			db := openTest(t, testSchemas(), Options{})
			put(t, db, things, listed("a", "1", 1), listed("a", "2", 2))
			if err := db.Verify(t.Context()); err != nil {
				t.Fatalf("before: %v", err)
			}
			if err := test.damage(db); err != nil {
				t.Fatal(err)
			}
			if err := db.Verify(t.Context()); err == nil {
				t.Error("it was not found")
			}
		})
	}
}

func TestCloseRefusesLaterCalls(t *testing.T) {
	db := openTest(t, testSchemas(), Options{})
	put(t, db, things, listed("a", "1", 1))
	waited := make(chan error)
	go func() { waited <- db.Wait(context.Background(), things, formatSequence(1)) }()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-waited:
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Wait: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Wait does not return")
	}
	ctx := t.Context()
	_, _, get := db.Get(ctx, thingRef("a", "1"), table.Strong)
	_, _, query := db.Query(ctx, table.Query{Table: things, Partition: "a"})
	_, _, apply := db.Apply(ctx, table.Put(notes, table.Item{"pk": table.S("x")}))
	_, group := db.Group(ctx, "", []table.Write{table.Put(notes, table.Item{"pk": table.S("x")})})
	_, _, changes := db.Changes(ctx, things, onlyShard, "", 1)
	for name, err := range map[string]error{
		"Get": get, "Query": query, "Apply": apply, "Group": group, "Changes": changes, "Close": db.Close(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
