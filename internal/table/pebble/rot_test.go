package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	engine "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

// flips is how many bytes of the engine's files an ordinary run changes, one at a time.
const flips = 200

// Items of a folder whose bytes are changed. The first ones are in a table, the others in the log, which has several blocks.
const rotTabled, rotLogged = 100, 100

// rotten is a folder to take copies of.
type rotten struct {
	items map[string]table.Item
	files map[string][]byte
}

// newRotten fills a folder. The text of an item cannot be compressed, so it stands in the files as it is.
func newRotten(t *testing.T) rotten {
	t.Helper()
	fs := vfs.NewMem()
	db := openTest(t, testSchemas(), Options{FS: fs, CacheBytes: 4 << 20, ItemBytes: 1 << 20})
	for n := range rotTabled + rotLogged {
		put(t, db, things, rotItem(n))
		if n == rotTabled-1 {
			if err := db.engine.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := rotten{items: itemsOf(t, db, "a"), files: map[string][]byte{}}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := fs.Open("data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
		r.files[name] = content
	}
	return r
}

func rotItem(n int) table.Item {
	random, body := rand.New(rand.NewPCG(uint64(n), 0)), make([]byte, 600)
	for i := range body {
		body[i] = byte(random.Uint32())
	}
	item := listed("a", fmt.Sprintf("%04d", n), int64(n))
	item["b"] = table.B(body)
	return item
}

// find gives the name of the one file of a kind that has an item's text, and where the text stands.
func (r rotten) find(t *testing.T, kind string, n int) (name string, at int) {
	t.Helper()
	for name, content := range r.files {
		if at := bytes.Index(content, rotItem(n)["b"].B[:100]); at >= 0 && strings.HasSuffix(name, kind) {
			return name, at
		}
	}
	t.Fatalf("item %d is in no %s", n, kind)
	return "", 0
}

// flip opens a copy of the folder in which one bit is another one.
func (r rotten) flip(t *testing.T, name string, at int) (*DB, error) {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("data", 0o700); err != nil {
		t.Fatal(err)
	}
	for n, content := range r.files {
		if n == name {
			content = slices.Clone(content)
			content[at] ^= 1 << (at % 8)
		}
		file, err := fs.Create("data/"+n, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.Write(content)
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return Open("data", testSchemas(), Options{FS: fs, CacheBytes: 4 << 20, ItemBytes: 1 << 20})
}

// A read that meets a damaged block of a table fails, and returns; what is elsewhere is read and written as before. That the
// damage is there is found.
func TestDamagedBlock(t *testing.T) {
	r := newRotten(t)
	name, at := r.find(t, ".sst", 50)
	db, err := r.flip(t, name, at)
	if err != nil {
		t.Fatal(err)
	}
	if item, _, err := db.Get(t.Context(), thingRef("a", "0050"), table.Strong); !engine.IsCorruptionError(err) {
		t.Errorf("the damaged item is read as %v, %v", item, err)
	}
	wantItem(t, db, thingRef("a", "0099"), rotItem(99))
	put(t, db, things, listed("b", "1", 1))
	wantItem(t, db, thingRef("b", "1"), listed("b", "1", 1))
	if err := db.Verify(t.Context()); !engine.IsCorruptionError(err) {
		t.Errorf("Verify: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// A log that is damaged before its last block is refused, and not taken for one that a crash has cut off.
func TestDamagedLog(t *testing.T) {
	r := newRotten(t)
	name, at := r.find(t, ".log", rotTabled)
	if db, err := r.flip(t, name, at); !engine.IsCorruptionError(err) {
		t.Errorf("open: %v", err)
		if err == nil {
			db.Close()
		}
	}
}

// logBlock is what the engine cannot tell from the end of a log that a crash has cut off: its last block.
const logBlock = 32 << 10

// Whatever byte of tables and logs changes: what is read afterwards is what was written, or an error. In the last block of the
// log it may be what was written but for the last of it.
func TestFlippedBytes(t *testing.T) {
	r := newRotten(t)
	tabled, _ := r.find(t, ".sst", 0)
	logged, _ := r.find(t, ".log", rotTabled)
	random := rand.New(rand.NewPCG(1, 0))
	refused, found, whole := 0, 0, 0
	for n := range flips {
		name := logged
		if n%4 == 0 { // the engine tries every bit of a block of a table that has not its checksum, which takes long
			name = tabled
		}
		at := random.IntN(len(r.files[name]))
		db, err := r.flip(t, name, at)
		if err != nil {
			refused++
			continue
		}
		if err := db.Verify(t.Context()); err != nil {
			found++
		} else {
			whole++
			r.wantAllButTheLast(t, fmt.Sprintf("byte %d of %s", at, name), itemsOf(t, db, "a"))
		}
		if err := db.Close(); err != nil {
			t.Errorf("byte %d of %s: close: %v", at, name, err)
		}
	}
	t.Logf("%d flipped bytes: %d were refused, %d found, %d did no harm", flips, refused, found, whole)
}

// wantAllButTheLast checks that items are those that were written first, all but a block of them.
func (r rotten) wantAllButTheLast(t *testing.T, what string, got map[string]table.Item) {
	t.Helper()
	missing := len(r.items) - len(got)
	if missing*len(rotItem(0)["b"].B) > logBlock {
		t.Errorf("%s: %d items are missing, and nothing was found", what, missing)
	}
	for n := range len(got) {
		sort := fmt.Sprintf("%04d", n)
		if diff := cmp.Diff(r.items[sort], got[sort]); diff != "" {
			t.Errorf("%s: item %s (-want +got):\n%s", what, sort, diff)
		}
	}
}
