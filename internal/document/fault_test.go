package document

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// script is what befalls the next write of a document, and what another writer does before it is tried again.
type script struct {
	mu       sync.Mutex
	fault    pebble.Fault
	armed    bool
	meddle   func()
	meddling bool // the meddler's own calls are let be, as are those before the write
}

func (s *script) onCall(c pebble.Call) pebble.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.meddling, s.armed && c.Op != pebble.OpApply:
	case s.armed:
		s.armed = false
		return s.fault
	case s.meddle != nil:
		meddle := s.meddle
		s.meddle, s.meddling = nil, true
		s.mu.Unlock()
		meddle()
		s.mu.Lock()
		s.meddling = false
	}
	return pebble.Fault{}
}

var (
	throttled  = pebble.Failed(table.ErrThrottled)
	conflict   = pebble.Failed(table.ErrConflict)
	notDoneErr = pebble.Failed(table.ErrUnknown) // not done, and nobody knows
	replyLost  = pebble.ReplyLost()              // done, and nobody knows
)

// TestLostReplies lets every kind of write meet every kind of failure, alone and with another writer who comes between the
// failure and its repetition, and looks at the answer and at what is there afterwards.
func TestLostReplies(t *testing.T) {
	const old, new, others = `{"old":1}`, `{"new":1}`, `{"others":1}`
	ours, anyTag := ifMatch(ETag([]byte(old))), Preconditions{IfMatch: &Tags{Any: true}}
	put := func(p Preconditions) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			_, err := w.Put(ctx, stateKey("x"), jsonOf(new), p)
			return err
		}
	}
	post := func(ctx context.Context, w *world) error {
		_, err := w.Post(ctx, stateKey("x"), jsonOf(new), noneSet)
		return err
	}
	remove := func(p Preconditions) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error { return w.Delete(ctx, stateKey("x"), p) }
	}
	otherPut := func(w *world) { w.mustPut(stateKey("x"), jsonOf(others)) }
	otherDelete := func(w *world) {
		if err := w.Delete(context.Background(), stateKey("x"), noneSet); err != nil {
			w.t.Error(err)
		}
	}
	otherAnew := func(w *world) { otherDelete(w); otherPut(w) }
	tests := []struct {
		name   string
		there  bool // the old document
		do     func(context.Context, *world) error
		fault  pebble.Fault
		meddle func(*world)
		want   error
		left   string // "" for nothing
	}{
		{"PUT, throttled", true, put(noneSet), throttled, nil, nil, new},
		{"PUT, conflict", true, put(ours), conflict, nil, nil, new},
		{"PUT, not done", true, put(ours), notDoneErr, nil, nil, new},
		{"PUT, done", true, put(ours), replyLost, nil, nil, new},
		// Not done, or done and deleted since: nothing tells.
		{"new PUT, not done", false, put(ifNone), notDoneErr, nil, table.ErrUnknown, ""},
		{"new PUT, done, a DELETE", false, put(noneSet), replyLost, otherDelete, table.ErrUnknown, ""},
		{"new PUT, done", false, put(ifNone), replyLost, nil, nil, new},
		{"POST, not done", true, post, notDoneErr, nil, nil, `{"old":1,"new":1}`},
		{"POST, done", true, post, replyLost, nil, nil, `{"old":1,"new":1}`},
		{"DELETE, not done", true, remove(ours), notDoneErr, nil, nil, ""},
		{"DELETE, done", true, remove(noneSet), replyLost, nil, nil, ""},
		// Who removed it is not known, and one only may have.
		{"conditional DELETE, done", true, remove(ours), replyLost, nil, table.ErrUnknown, ""},

		{"PUT, throttled, another PUT", true, put(ours), throttled, otherPut, ErrPrecondition, others},
		{"PUT, throttled, a DELETE", true, put(ours), throttled, otherDelete, ErrPrecondition, ""},
		{"PUT, not done, another PUT", true, put(noneSet), notDoneErr, otherPut, nil, new},
		{"PUT, done, another PUT", true, put(noneSet), replyLost, otherPut, nil, others},
		{"conditional PUT, not done, another PUT", true, put(ours), notDoneErr, otherPut, ErrPrecondition, others},
		{"conditional PUT, done, another PUT", true, put(ours), replyLost, otherPut, nil, others},
		{"PUT, done, a DELETE", true, put(noneSet), replyLost, otherDelete, table.ErrUnknown, ""},
		{"PUT, done, another document", true, put(noneSet), replyLost, otherAnew, table.ErrUnknown, others},
		{"new PUT, not done, another PUT", false, put(ifNone), notDoneErr, otherPut, table.ErrUnknown, others},
		{"new PUT, done, another PUT", false, put(ifNone), replyLost, otherPut, nil, others},
		{"POST, not done, another PUT", true, post, notDoneErr, otherPut, nil, `{"others":1,"new":1}`},
		{"POST, done, another PUT", true, post, replyLost, otherPut, nil, others},
		{"DELETE, not done, another PUT", true, remove(noneSet), notDoneErr, otherPut, nil, ""},
		{"DELETE, done, another PUT", true, remove(noneSet), replyLost, otherPut, nil, others},
		{"DELETE, done, another DELETE", true, remove(noneSet), replyLost, otherDelete, nil, ""},
		{"conditional DELETE, not done, another PUT", true, remove(ours), notDoneErr, otherPut, ErrPrecondition, others},
		{"conditional DELETE, not done, a PUT that still fits", true, remove(anyTag), notDoneErr, otherPut, nil, ""},
		{"conditional DELETE, done, another PUT", true, remove(ours), replyLost, otherPut, table.ErrUnknown, others},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{}
			w := newWorld(t, &pebble.Faults{OnCall: s.onCall})
			if tt.there {
				w.mustPut(stateKey("x"), jsonOf(old))
			}
			s.fault, s.armed = tt.fault, true
			if tt.meddle != nil {
				s.meddle = func() { tt.meddle(w) }
			}
			if err := tt.do(t.Context(), w); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("answer: %v, want %v", err, tt.want)
			}
			if s.armed || s.meddle != nil {
				t.Error("the script was not played")
			}
			if tt.left != "" {
				w.mustHold(stateKey("x"), jsonOf(tt.left))
			} else if found, err := w.Get(t.Context(), stateKey("x")); !errors.Is(err, ErrNotFound) {
				t.Errorf("there is %q: %v", found.Content, err)
			}
		})
	}
	t.Logf("lost replies: %d", len(tests))
}

// A writer finds its token under those of the writers after it, up to the number that is kept; with more it does not know.
func TestLostReplyUnderLaterWrites(t *testing.T) {
	for _, tt := range []struct {
		name  string
		later int
		fault pebble.Fault
		want  error
	}{
		{"done, as many as are kept", maxAttempts - 1, replyLost, nil},
		{"done, one more", maxAttempts, replyLost, table.ErrUnknown},
		{"not done, as many as show the base", maxAttempts - 1, notDoneErr, nil},
		{"not done, one more", maxAttempts, notDoneErr, table.ErrUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{}
			w := newWorld(t, &pebble.Faults{OnCall: s.onCall})
			w.mustPut(stateKey("x"), jsonOf(`{"old":1}`))
			s.fault, s.armed = tt.fault, true
			s.meddle = func() {
				for range tt.later {
					w.mustPut(stateKey("x"), jsonOf(`{"others":1}`))
				}
			}
			_, err := w.Put(t.Context(), stateKey("x"), jsonOf(`{"new":1}`), noneSet)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("answer: %v, want %v", err, tt.want)
			}
		})
	}
}

// An ETag comes back, and the document with it is another: the condition of a write is not the ETag.
func TestETagThatComesBack(t *testing.T) {
	s := &script{}
	w := newWorld(t, &pebble.Faults{OnCall: s.onCall})
	w.mustPut(stateKey("x"), large("a"))
	s.fault, s.armed = throttled, true
	s.meddle = func() {
		w.mustPut(stateKey("x"), large("b"))
		w.mustPut(stateKey("x"), large("a"))
	}
	if _, err := w.Put(t.Context(), stateKey("x"), large("c"), ifMatch(ETag(large("a").Content))); err != nil {
		t.Fatal(err)
	}
	w.mustHold(stateKey("x"), large("c"))
	if summary := w.check(); summary.Garbage != 0 {
		t.Errorf("%d contents are left: a document was taken for another", summary.Garbage)
	}
}

// Every read sees the write before it, where eventual reads are stale.
func TestReadsAreStrong(t *testing.T) {
	w := newWorld(t, &pebble.Faults{Stale: time.Hour, Seed: 1})
	for i := range 50 {
		key, up := stateKey(fmt.Sprint(i/2)), jsonOf(fmt.Sprint(i))
		w.mustPut(key, up)
		w.mustHold(key, up)
		if d, err := w.Head(t.Context(), key); err != nil || d.ETag != ETag(up.Content) {
			t.Errorf("head of write %d: %v, %v", i, d.ETag, err)
		}
		list, err := w.List(t.Context(), key.Owner, "", time.Time{})
		if err != nil || len(list.IDs) != i/2+1 {
			t.Errorf("list after write %d: %v, %v", i, list.IDs, err)
		}
	}
}

// Failures that go on end in an error, soon.
func TestFailuresEnd(t *testing.T) {
	for _, reason := range []error{table.ErrThrottled, table.ErrConflict, table.ErrUnknown} {
		calls := 0
		w := newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
			if c.Op != pebble.OpApply {
				return pebble.Fault{}
			}
			calls++
			return pebble.Failed(reason)
		}})
		want := maxFailures
		if reason == table.ErrUnknown {
			want = 1 // a new document is not tried twice
		}
		_, err := w.Put(t.Context(), stateKey("x"), large("a"), noneSet)
		if !errors.Is(err, reason) || calls != want {
			t.Errorf("%v: answered %v after %d tries", reason, err, calls)
		}
		// Content stays where the write may still come to be.
		if keys := w.blobs.keys(t); (len(keys) > 0) != errors.Is(reason, table.ErrUnknown) {
			t.Errorf("%v: %d contents are left", reason, len(keys))
		}
	}
}

// The content is there before the record points to it, whatever fails; and what a failed write leaves is found.
func TestBlobFaults(t *testing.T) {
	w := newWorld(t, nil)
	key := stateKey("x")
	w.mustPut(key, large("a"))
	for _, after := range []bool{false, true} {
		w.blobs.fault = func() (error, error) {
			if after {
				return nil, blob.ErrUnavailable
			}
			return blob.ErrUnavailable, nil
		}
		if _, err := w.Put(t.Context(), key, large("b"), noneSet); !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("put: %v, want ErrUnavailable", err)
		}
		w.blobs.fault = nil
		w.mustHold(key, large("a"))
	}
	w.mustPut(key, large("b"))
	w.mustHold(key, large("b"))
	w.mustPut(key, jsonOf(`{}`))
	if keys := w.blobs.keys(t); len(keys) != 0 {
		t.Errorf("%d contents are left after a small one replaced them", len(keys))
	}
}

// While a record cannot be read nothing is removed: nobody knows which content is its document's.
func TestNothingIsRemovedBesideADamagedRecord(t *testing.T) {
	w := newWorld(t, nil)
	w.mustPut(stateKey("damaged"), large("d"))
	page, _, err := w.scanner.Scan(t.Context(), schema.Documents, 0, 1, nil)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d documents, %v", len(page.Items), err)
	}
	item := page.Items[0]
	item[schema.Digest] = table.B([]byte("none"))
	if _, _, err := w.Tables.Apply(t.Context(), table.Put(schema.Documents, item)); err != nil {
		t.Fatal(err)
	}
	w.advance(2 * GarbageAge)
	found := 0
	c := Check{Service: w.Service, Scanner: w.scanner, Lister: w.blobs.lister, Remove: true, Report: func(Difference) { found++ }}
	if s, err := c.Run(t.Context()); err != nil || found != 1 || s.Garbage != 1 || s.Removed != 0 || len(w.blobs.keys(t)) != 1 {
		t.Errorf("%+v, %v, %d differences; there is %v", s, err, found, w.blobs.keys(t))
	}
}

// TestCheck plants each kind of damage and garbage.
func TestCheck(t *testing.T) {
	w := newWorld(t, nil)
	keys := map[string]Key{}
	for _, name := range []string{"sound", "lost", "damaged"} {
		keys[name] = stateKey(name)
		w.mustPut(keys[name], large(name[:1]))
	}
	blobOf := func(name string) string {
		r, err := w.find(t.Context(), keys[name])
		if err != nil {
			t.Fatal(err)
		}
		return blobKey("a", r.attempts.newest())
	}
	lost, damaged := blobOf("lost"), blobOf("damaged")
	for _, key := range []string{lost, damaged} {
		if err := w.blobs.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	garbage, foreign := "a/documents/"+strings.Repeat("0", 32), "a/attachments/x"
	for _, key := range []string{damaged, garbage, foreign} {
		if err := w.blobs.Put(t.Context(), key, []byte("other")); err != nil {
			t.Fatal(err)
		}
	}
	run := func(remove bool) (CheckSummary, map[string]int) {
		found := map[string]int{}
		c := Check{Service: w.Service, Scanner: w.scanner, Lister: w.blobs.lister, Remove: remove, Report: func(d Difference) {
			found[d.What]++
			if !strings.HasPrefix(d.Partition, "a#") {
				t.Errorf("difference in %q", d.Partition)
			}
		}}
		summary, err := c.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return summary, found
	}
	if young, _ := run(true); young.Garbage != 0 {
		t.Errorf("%d blobs of writes that may be under way count as garbage", young.Garbage)
	}
	w.advance(GarbageAge + 1e9)
	summary, found := run(true)
	if summary.Documents != 3 || summary.Blobs != 3 || summary.Differences != 2 || summary.Garbage != 1 || summary.GarbageSize != 5 || summary.Removed != 1 ||
		found[LostContent] != 1 || found[DamagedContent] != 1 {
		t.Errorf("check saw %+v, %v", summary, found)
	}
	left := strings.Join(w.blobs.keys(t), " ")
	if strings.Contains(left, garbage) || !strings.Contains(left, foreign) || !strings.Contains(left, blobOf("sound")) {
		t.Errorf("after removing the garbage there is %s", left)
	}
	if _, err := w.Get(t.Context(), keys["damaged"]); !errors.Is(err, errDigest) {
		t.Errorf("damaged content is given out: %v", err)
	}
	if _, err := w.Get(t.Context(), keys["lost"]); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("lost content: %v", err)
	}
	if _, err := w.Post(t.Context(), keys["lost"], jsonOf(`{}`), noneSet); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("merging into lost content: %v", err)
	}
	w.mustPut(keys["lost"], jsonOf(`{}`))
	w.mustHold(keys["lost"], jsonOf(`{}`))
}

// meddledBlobs lets something happen before content is read.
type meddledBlobs struct {
	blob.Store
	before func()
}

func (b meddledBlobs) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, int64, error) {
	b.before()
	return b.Store.Get(ctx, key, offset, length)
}

// TestADroppedTryIsNotMadeAgain: a POST finds no document, is overtaken by another writer's, so that its own content is
// dropped, and then that document is gone before it can be merged into. What is put must have its content.
func TestADroppedTryIsNotMadeAgain(t *testing.T) {
	var w *world
	key, other := stateKey("x"), large("b")
	came, went := false, false
	w = newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if c.Op == pebble.OpApply && !came {
			came = true
			w.mustPut(key, other)
		}
		return pebble.Fault{}
	}})
	w.Blobs = meddledBlobs{w.blobs, func() {
		if !went {
			went = true
			if err := w.Delete(t.Context(), key, noneSet); err != nil {
				t.Error(err)
			}
		}
	}}
	if _, err := w.Post(t.Context(), key, large("a"), noneSet); err != nil {
		t.Fatal(err)
	}
	if !came || !went {
		t.Fatalf("the other document came: %t, and went: %t", came, went)
	}
	w.mustHold(key, large("a"))
	w.check()
}

// deniedBlobs says of what is not there what S3 says to whoever may not list a bucket.
type deniedBlobs struct{ blob.Store }

func (b deniedBlobs) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, int64, error) {
	body, size, err := b.Store.Get(ctx, key, offset, length)
	if errors.Is(err, blob.ErrNotFound) {
		err = blob.ErrDenied
	}
	return body, size, err
}

// TestReplacedContentThatIsDenied: whoever is overtaken between record and content reads again, also where the store does not say
// that the content is gone.
func TestReplacedContentThatIsDenied(t *testing.T) {
	first, second := jsonOf(`{"a":"`+strings.Repeat("1", 9000)+`"}`), jsonOf(`{"a":"`+strings.Repeat("2", 9000)+`"}`)
	for name, do := range map[string]func(*world, Key) error{
		"GET":  func(w *world, k Key) error { _, err := w.Get(t.Context(), k); return err },
		"POST": func(w *world, k Key) error { _, err := w.Post(t.Context(), k, jsonOf(`{"b":2}`), noneSet); return err },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			key, overtaken := stateKey("x"), false
			w.mustPut(key, first)
			w.Blobs = deniedBlobs{meddledBlobs{w.blobs, func() {
				if !overtaken {
					overtaken = true
					w.mustPut(key, second)
				}
			}}}
			if err := do(w, key); err != nil || !overtaken {
				t.Errorf("overtaken %t: %v", overtaken, err)
			}
			for _, content := range w.blobs.keys(t) {
				if err := w.blobs.Delete(t.Context(), content); err != nil {
					t.Fatal(err)
				}
			}
			if err := do(w, key); !errors.Is(err, blob.ErrDenied) {
				t.Errorf("content that is lost: %v, want ErrDenied", err)
			}
		})
	}
}

// Content that was replaced or deleted after a check has read its record is not called lost.
func TestCheckBesideAWriter(t *testing.T) {
	for name, write := range map[string]func(w *world, key Key) error{
		"replaced": func(w *world, key Key) error { _, err := w.Put(t.Context(), key, large("b"), noneSet); return err },
		"deleted":  func(w *world, key Key) error { return w.Delete(t.Context(), key, noneSet) },
	} {
		w, key, came := newWorld(t, nil), stateKey("x"), false
		w.mustPut(key, large("a"))
		w.Blobs = meddledBlobs{w.blobs, func() {
			if !came {
				came = true
				if err := write(w, key); err != nil {
					t.Error(err)
				}
			}
		}}
		c := Check{Service: w.Service, Scanner: w.scanner, Lister: w.blobs.lister, Report: func(d Difference) { t.Errorf("%s: %+v", name, d) }}
		if s, err := c.Run(t.Context()); err != nil || s.Documents != 1 || !came {
			t.Errorf("%s: %+v, %v, came %t", name, s, err, came)
		}
	}
}
