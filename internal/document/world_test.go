package document

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/pebble/pebbletest"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// world is a Service over real engines with a clock that a test moves.
type world struct {
	*Service
	t       testing.TB
	scanner table.Scanner
	blobs   *countingBlobs

	mu    sync.Mutex
	clock time.Time
}

// newWorld opens a Service on the embedded engine in memory.
func newWorld(t testing.TB, faults *pebble.Faults) *world {
	t.Helper()
	db := pebbletest.Open(t, schema.Tables, pebble.Options{Faults: faults})
	return worldOn(t, db, db)
}

func worldOn(t testing.TB, tables table.DB, scanner table.Scanner) *world {
	t.Helper()
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, scanner: scanner, blobs: &countingBlobs{Store: blobs, lister: blobs}, clock: time.Now()}
	w.Service = New(Config{Tables: tables, Blobs: w.blobs, Now: w.now})
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// countingBlobs counts the calls that cost, and asks fault before each what becomes of it.
type countingBlobs struct {
	blob.Store
	lister blob.Lister
	fault  func() (before, after error) // nil: nothing goes wrong

	mu         sync.Mutex
	puts, gets int
}

func (b *countingBlobs) faults() (before, after error) {
	if b.fault == nil {
		return nil, nil
	}
	return b.fault()
}

func (b *countingBlobs) Put(ctx context.Context, key string, body []byte) error {
	b.mu.Lock()
	b.puts++
	b.mu.Unlock()
	before, after := b.faults()
	if before != nil {
		return before
	}
	if err := b.Store.Put(ctx, key, body); err != nil {
		return err
	}
	return after
}

func (b *countingBlobs) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, int64, error) {
	b.mu.Lock()
	b.gets++
	b.mu.Unlock()
	return b.Store.Get(ctx, key, offset, length)
}

func (b *countingBlobs) counts() (puts, gets int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.puts, b.gets
}

func (b *countingBlobs) keys(t testing.TB) []string {
	t.Helper()
	var keys []string
	if err := b.lister.List(t.Context(), "", func(i blob.Info) error { keys = append(keys, i.Key); return nil }); err != nil {
		t.Fatal(err)
	}
	return keys
}

func storeNamed(id string) auth.Store {
	return auth.Store{ID: id, Shards: 1, WriteShards: 1, TermKey: bytes.Repeat([]byte(id), 32)[:32]}
}

func agentNamed(name string) xapi.IFI {
	return xapi.IFI{Kind: xapi.Mbox, Value: "mailto:" + name + "@example.org"}
}

const registrationA, registrationB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

// stateKey names a state document of one owner of store "a".
func stateKey(id string) Key {
	return Key{Owner: Owner{Store: storeNamed("a"), Resource: State, Activity: "http://example.org/activity", Agent: agentNamed("learner")}, ID: id}
}

func jsonOf(content string) Upload { return Upload{ContentType: jsonType, Content: []byte(content)} }

// large is content that does not fit an item, as JSON.
func large(fill string) Upload {
	return jsonOf(`{"fill":"` + string(bytes.Repeat([]byte(fill), MaxInline)) + `"}`)
}

func ifMatch(etags ...string) Preconditions { return Preconditions{IfMatch: &Tags{List: etags}} }

var (
	ifNone  = Preconditions{IfNoneMatch: &Tags{Any: true}}
	ifSome  = Preconditions{IfMatch: &Tags{Any: true}}
	noneSet = Preconditions{}
)

func (w *world) mustPut(k Key, up Upload) Document {
	w.t.Helper()
	d, err := w.Put(w.t.Context(), k, up, noneSet)
	if err != nil {
		w.t.Fatalf("put %s: %v", k.ID, err)
	}
	return d
}

// mustHold fails the test unless the document has this content and everything that goes with it.
func (w *world) mustHold(k Key, want Upload) Document {
	w.t.Helper()
	d, err := w.Get(w.t.Context(), k)
	if err != nil {
		w.t.Fatalf("get %s: %v", k.ID, err)
	}
	if !bytes.Equal(d.Content, want.Content) || d.ContentType != want.storedType() || d.ETag != ETag(want.Content) || d.Size != int64(len(want.Content)) {
		w.t.Fatalf("document %s is %d bytes of %s with ETag %s and size %d, want %d bytes of %s: %.100q", k.ID, len(d.Content), d.ContentType, d.ETag, d.Size,
			len(want.Content), want.storedType(), d.Content)
	}
	return d
}

// check fails the test on any difference and returns what was seen. Blobs of any age count as garbage.
func (w *world) check() CheckSummary {
	w.t.Helper()
	w.advance(2 * GarbageAge)
	c := Check{Service: w.Service, Scanner: w.scanner, Lister: w.blobs.lister,
		Report: func(d Difference) { w.t.Errorf("%s: %s: %s", d.Partition, d.What, d.Detail) }}
	summary, err := c.Run(w.t.Context())
	if err != nil {
		w.t.Fatalf("check: %v", err)
	}
	return summary
}
