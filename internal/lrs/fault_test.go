package lrs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// This file lets every call that a request makes go wrong, in every way that the ports allow, alone and in pairs. The
// request must answer truly, leave nothing half stored, and when it is repeated leave what it leaves without a fault.

// operation is a request whose calls go wrong.
type operation struct {
	name    string
	before  [][]string // requests that are done before
	request []string
	parts   []Part
	uploads []string // contents that come by uploads, of as many parts
	refused error    // the answer without a fault; nil: stored
}

func operations() []operation {
	ann, praise, void := plain(uuidOf(1), "ann", "did", "thing"), referring(uuidOf(2), "bob", "praised", uuidOf(1)), referring(uuidOf(3), "cat", "voided", uuidOf(1))
	defining := strings.Replace(ann, `"id":"http://example.org/thing"`, `"id":"http://example.org/thing","definition":{"name":{"en":"Thing"}}`, 1)
	naming := strings.Replace(ann, `"actor":{`, `"actor":{"name":"Ann",`, 1)
	file := partOf("a file")
	withFile := withAttachment(plain(uuidOf(4), "dan", "sent", "thing"), file, "")
	return []operation{
		{name: "one statement", request: []string{ann}},
		{name: "a statement that defines its activity", request: []string{defining}},
		{name: "a statement that names its actor", request: []string{naming}},
		{name: "a batch with references inside", request: []string{referring(uuidOf(5), "eve", "shared", uuidOf(2)), praise, ann}},
		{name: "a batch with a void inside", request: []string{void, ann, praise}},
		{name: "a referrer to a stored target", before: [][]string{{ann}}, request: []string{praise}},
		{name: "a target after its referrer", before: [][]string{{praise}}, request: []string{ann}},
		{name: "the middle of a chain", before: [][]string{{referring(uuidOf(5), "eve", "shared", uuidOf(2))}, {ann}}, request: []string{praise}},
		{name: "a void of a stored statement", before: [][]string{{ann}, {praise}}, request: []string{void}},
		{name: "a target after its void", before: [][]string{{void}, {praise}}, request: []string{ann}},
		{name: "an attachment", request: []string{withFile, ann}, parts: []Part{file}},
		{name: "an uploaded attachment", request: []string{withFile, ann}, parts: []Part{file}, uploads: []string{"a file"}},
		{name: "an equal statement again", before: [][]string{{ann, praise}}, request: []string{ann, praise}},
		{name: "an equal statement and a new one", before: [][]string{{ann}}, request: []string{ann, praise}},
		{name: "a different statement under a stored id", before: [][]string{{ann}}, request: []string{praise, plain(uuidOf(1), "ann", "undid", "thing")}, refused: ErrConflict},
		{name: "a statement too large for its item", request: []string{large(uuidOf(6)), praise}},
		{name: "a large statement again", before: [][]string{{large(uuidOf(6))}}, request: []string{large(uuidOf(6))}},
	}
}

// large is a statement that no compression makes small enough for an item.
func large(id string) string {
	noise := make([]byte, maxInline)
	for source, i := rand.New(rand.NewPCG(6, 6)), 0; i < len(noise); i++ {
		noise[i] = byte(source.Uint32())
	}
	text := hex.EncodeToString(noise)
	return strings.Replace(plain(id, "dan", "wrote", "thing"), `"object"`, `"result":{"response":"`+text+`"},"object"`, 1)
}

// script decides what becomes of the calls of one request, to the tables and to the blobs, counted together.
type script struct {
	armed bool
	seen  []string       // operations of the calls so far
	kinds map[int]string // by call, from 0: how it goes wrong, one of faultKinds
}

// faultKinds are the ways in which a call of an operation can go wrong.
var faultKinds = map[string][]string{
	string(pebble.OpGet): {"throttled"}, string(pebble.OpBatchGet): {"throttled"}, string(pebble.OpQuery): {"throttled"},
	string(pebble.OpSelect): {"throttled"},
	string(pebble.OpApply):  {"throttled", "conflict", "reply lost"},
	string(pebble.OpGroup):  {"throttled", "conflict", "reply lost"},
	string(pebble.OpBatch):  {"throttled", "reply lost", "leftovers"},
	"blob put":              {"failed", "reply lost"},
	"blob get":              {"failed"},
	"blob copy":             {"failed", "reply lost"},
}

// next counts a call and says what becomes of it: "" for nothing.
func (s *script) next(op string) string {
	if !s.armed {
		return ""
	}
	s.seen = append(s.seen, op)
	kind := s.kinds[len(s.seen)-1]
	if !slices.Contains(faultKinds[op], kind) {
		return ""
	}
	return kind
}

func (s *script) onCall(c pebble.Call) pebble.Fault {
	switch s.next(string(c.Op)) {
	case "throttled":
		return pebble.Failed(table.ErrThrottled)
	case "conflict":
		return pebble.Failed(table.ErrConflict)
	case "reply lost":
		return pebble.ReplyLost()
	case "leftovers":
		return pebble.Leftovers(c.Items / 2)
	}
	return pebble.Fault{}
}

// scriptedBlobs is a blob store whose calls follow a script.
type scriptedBlobs struct {
	blob.Store
	script *script
}

func (b scriptedBlobs) Put(ctx context.Context, key string, body []byte) error {
	switch b.script.next("blob put") {
	case "failed":
		return fmt.Errorf("fault: %w", blob.ErrUnavailable)
	case "reply lost":
		return errors.Join(b.Store.Put(ctx, key, body), blob.ErrUnavailable)
	}
	return b.Store.Put(ctx, key, body)
}

func (b scriptedBlobs) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, int64, error) {
	if b.script.next("blob get") != "" {
		return nil, 0, fmt.Errorf("fault: %w", blob.ErrUnavailable)
	}
	return b.Store.Get(ctx, key, offset, length)
}

// scriptedTransfer copies objects as a script says.
type scriptedTransfer struct {
	blob.Transfer
	script *script
}

func (b scriptedTransfer) Copy(ctx context.Context, from, to string) error {
	switch b.script.next("blob copy") {
	case "failed":
		return fmt.Errorf("fault: %w", blob.ErrUnavailable)
	case "reply lost":
		return errors.Join(b.Transfer.Copy(ctx, from, to), blob.ErrUnavailable)
	}
	return b.Transfer.Copy(ctx, from, to)
}

// state is what a store has of each statement that somebody asked to be stored.
type state map[string]stateOf

type stateOf struct {
	Terms                   []string
	Voided, Listed, InBlob  bool
	Attachments, References int
}

// stateOfStore reads the ids' statements strongly.
func (w *world) stateOfStore(store string, ids []string) state {
	w.t.Helper()
	found := state{}
	for _, id := range ids {
		key, err := parseID(id)
		if err != nil {
			w.t.Fatal(err)
		}
		item, _, err := w.tables.Get(w.t.Context(), statementRef(store, key), table.Strong)
		if err != nil {
			w.t.Fatal(err)
		}
		if item == nil {
			continue
		}
		r, err := recordOf(item)
		if err != nil {
			w.t.Fatal(err)
		}
		s := stateOf{Voided: r.voided, Listed: item[schema.TimeKey].S != "", InBlob: r.bodyBlob != "", Attachments: len(r.attachments)}
		for t := range r.effective() {
			s.Terms = append(s.Terms, t.String())
		}
		slices.Sort(s.Terms)
		page, _, err := w.tables.Query(w.t.Context(), table.Query{Table: schema.References, Partition: referencePartition(store, key), Consistency: table.Strong})
		if err != nil {
			w.t.Fatal(err)
		}
		s.References = len(page.Items)
		found[id] = s
	}
	return found
}

func idsOf(requests ...[]string) []string {
	var ids []string
	for _, request := range requests {
		for _, st := range request {
			ids = append(ids, st[len(`{"id":"`):][:36])
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// faultRun runs operations in fresh stores of one world.
type faultRun struct {
	*world
	script *script
	base   auth.Principal
	stores []auth.Store
}

func newFaultRun(t *testing.T) *faultRun {
	s := &script{}
	w := newWorld(t, &pebble.Faults{OnCall: s.onCall})
	w.blobs = scriptedBlobs{w.blobs, s}
	w.uploads = transfer.New(transfer.Config{Blobs: w.blobs, URLs: scriptedTransfer{w.uploads.URLs, s}})
	w.service = w.newService(w.tables, OneProcess{Positions: w.clock})
	w.follower = &Follower{Service: w.service}
	return &faultRun{world: w, script: s, base: principal(storeWith("base", 2))}
}

// play does an operation with faults at the given calls, repeats it as a client would, and returns the first answer,
// the state after the last one, and what is wrong, if anything.
func (f *faultRun) play(name string, op operation, kinds map[int]string) (end state, calls []string, problem error) {
	p := f.base
	p.Store.ID = name
	f.stores = append(f.stores, p.Store)
	for _, request := range op.before {
		if _, err := f.service.Store(f.t.Context(), p, decode(f.t, request...), nil); err != nil {
			return nil, nil, fmt.Errorf("before: %w", err)
		}
	}
	was := f.stateOfStore(name, idsOf(op.request))
	parts := op.parts
	if op.uploads != nil {
		parts = nil
	}
	for _, content := range op.uploads {
		parts = append(parts, f.uploadOf(p.Store, content))
	}
	f.script.armed, f.script.seen, f.script.kinds = true, nil, kinds
	batch := decode(f.t, op.request...)
	_, err := f.service.Store(f.t.Context(), p, batch, parts)
	f.script.armed = false
	calls = f.script.seen
	if err != nil && !errors.Is(err, op.refused) && !errors.Is(err, ErrUnavailable) {
		return nil, calls, fmt.Errorf("answer: %w", err)
	}
	if err == nil && op.refused != nil {
		return nil, calls, errors.New("it was not refused")
	}
	stored := f.stateOfStore(name, idsOf(op.request))
	if all := len(idsOf(op.request)); len(stored) != all && (err == nil || len(stored) != len(was)) {
		return nil, calls, fmt.Errorf("after the answer %v, %d of %d statements are stored (%d before)", err, len(stored), all, len(was))
	}
	if op.refused != nil && len(stored) != len(was) {
		return nil, calls, fmt.Errorf("after the refusal %v something is stored", err)
	}
	if err != nil {
		if _, err = f.service.Store(f.t.Context(), p, batch, parts); !errors.Is(err, op.refused) {
			return nil, calls, fmt.Errorf("repeated: %w", err)
		}
	}
	all := idsOf(append(slices.Clone(op.before), op.request)...)
	end = f.stateOfStore(name, all)
	f.followToTheEnd()
	if diff := cmp.Diff(end, f.stateOfStore(name, all)); diff != "" {
		return nil, calls, fmt.Errorf("the follower had something left to do:\n%s", diff)
	}
	if op.refused == nil {
		problem = f.readable(p, op)
	}
	definitions, err := f.service.Definitions(f.t.Context(), p, []string{"http://example.org/thing"})
	if err != nil {
		return nil, calls, err
	}
	end["definition"] = stateOf{Terms: []string{string(definitions["http://example.org/thing"])}}
	names, err := f.service.Names(f.t.Context(), p, agent(f.t, "ann").IFI)
	if err != nil {
		return nil, calls, err
	}
	end["names"] = stateOf{Terms: names}
	return end, calls, problem
}

// readable reads the operation's statements and their attachments.
func (f *faultRun) readable(p auth.Principal, op operation) error {
	digests := map[string]string{}
	for _, id := range idsOf(op.request) {
		st, err := f.service.Statement(f.t.Context(), p, id, false)
		if errors.Is(err, ErrNotFound) {
			st, err = f.service.Statement(f.t.Context(), p, id, true)
		}
		if err != nil {
			return fmt.Errorf("read statement %s: %w", id, err)
		}
		parts, err := f.service.Attachments(f.t.Context(), p, []Statement{st})
		if err != nil {
			return fmt.Errorf("read attachments of %s: %w", id, err)
		}
		for _, part := range parts {
			digests[part.SHA2] = string(part.Content.Bytes)
		}
	}
	want := map[string]string{}
	for _, part := range op.parts {
		want[part.SHA2] = string(part.Body)
	}
	if !maps.Equal(want, digests) {
		return fmt.Errorf("attachments %q, want %q", digests, want)
	}
	return nil
}

func TestFaultAtEveryCall(t *testing.T) {
	const pairs = 15 // of each operation
	single, double := 0, 0
	for n, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			f := newFaultRun(t)
			want, calls, err := f.play("faultless", op, nil)
			if err != nil {
				t.Fatal(err)
			}
			try := func(name string, kinds map[int]string) {
				t.Helper()
				got, made, err := f.play(name, op, kinds)
				if err != nil {
					t.Fatalf("faults %v in calls %q: %v", kinds, made, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("faults %v in calls %q: the state is another (-faultless +faults):\n%s", kinds, made, diff)
				}
			}
			for i, call := range calls {
				for k, kind := range faultKinds[call] {
					try(fmt.Sprintf("call%dkind%d", i, k), map[int]string{i: kind})
					single++
				}
			}
			random := rand.New(rand.NewPCG(uint64(n), 0xfa))
			kinds := []string{"throttled", "conflict", "reply lost", "leftovers", "failed"}
			for k := range pairs {
				i := random.IntN(len(calls))
				j := i + 1 + random.IntN(len(calls)+2) // a request that tries again makes more calls
				fits := faultKinds[calls[i]]
				try(fmt.Sprintf("pair%d", k), map[int]string{i: fits[random.IntN(len(fits))], j: kinds[random.IntN(len(kinds))]})
				double++
			}
			f.check(f.stores...)
		})
	}
	t.Logf("faults at every call: %d alone, %d in pairs", single, double)
}
