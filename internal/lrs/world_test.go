package lrs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/position/positiontest"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/pebble/pebbletest"
	"github.com/cairn-lrs/cairn/internal/transfer"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// world is a Service over real engines, with what a test needs to look at it.
type world struct {
	t       testing.TB
	tables  table.DB
	scanner table.Scanner
	blobs   blob.Store
	lister  blob.Lister
	uploads *transfer.Service
	clock   *position.Clock
	service *Service

	follower *Follower // run by hand
}

// newWorld opens a Service on the embedded engine in memory.
func newWorld(t testing.TB, faults *pebble.Faults) *world { return worldIn(t, vfs.NewMem(), faults) }

// worldIn opens a Service on the embedded engine in a file system.
func worldIn(t testing.TB, fs vfs.FS, faults *pebble.Faults) *world {
	now := positiontest.Unhurried(time.Now)
	db := pebbletest.Open(t, schema.Tables, pebble.Options{FS: fs, Faults: faults, Now: now})
	return worldOn(t, db, db, now)
}

func worldOn(t testing.TB, tables table.DB, scanner table.Scanner, now func() time.Time) *world {
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, tables: tables, scanner: scanner, blobs: blobs, lister: blobs, clock: position.NewClock(now, nil)}
	w.uploads = transfer.New(transfer.Config{Blobs: blobs, URLs: blobs})
	w.service = w.newService(tables, OneProcess{Positions: w.clock})
	w.follower = &Follower{Service: w.service}
	return w
}

func (w *world) newService(tables table.DB, horizon Horizon) *Service {
	return New(Config{Tables: tables, Blobs: w.blobs, Uploads: w.uploads, Positions: w.clock, Horizon: horizon, Authorities: noAuthorities{}, OnlyWriter: true, OwnDisk: true})
}

// noAuthorities is for tests without trusted credentials.
type noAuthorities struct{}

func (noAuthorities) AddAuthority(context.Context, string, [12]byte) error {
	return errors.New("no trusted credential was expected")
}

// storeWith is a store with keys that are made from its name.
func storeWith(id string, shards int) auth.Store {
	key := func(use string) []byte { return bytes.Repeat([]byte(use+id+"#"), 32)[:32] }
	return auth.Store{ID: id, Shards: shards, WriteShards: shards, TermKey: key("t"), CursorKey: key("c")}
}

// principal is a credential that may do everything in a store.
func principal(store auth.Store) auth.Principal {
	agent := fmt.Sprintf(`{"objectType":"Agent","account":{"homePage":"https://cairn.invalid/stores/%s","name":"key"}}`, store.ID)
	ifi := xapi.IFI{Kind: xapi.Account, HomePage: "https://cairn.invalid/stores/" + store.ID, Value: "key"}
	term := store.Term(auth.AuthorityTerm, ifi.Key())
	store.Authorities = [][]byte{term[:]}
	return auth.Principal{Credential: "key", Store: store, Scopes: auth.Scopes{auth.All}, Authority: []byte(agent)}
}

// uuidOf is the nth statement id of a test.
func uuidOf(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }

func decode(t testing.TB, statements ...string) []*xapi.Statement {
	t.Helper()
	var batch []*xapi.Statement
	for _, text := range statements {
		st, err := xapi.DecodeStatement([]byte(text), xapi.V2, xapi.DefaultLimits)
		if err != nil {
			t.Fatalf("decode %s: %v", text, err)
		}
		batch = append(batch, st)
	}
	return batch
}

// plain is a small statement of an agent, a verb and an activity.
func plain(id, agent, verb, activity string) string {
	return fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:%s@example.org"},"verb":{"id":"http://example.org/%s"},"object":{"id":"http://example.org/%s"}}`, id, agent, verb, activity)
}

// referring is a statement whose object is a StatementRef; the verb "voided" makes it a voiding one.
func referring(id, agent, verb, target string) string {
	iri := "http://example.org/" + verb
	if verb == "voided" {
		iri = xapi.VoidedVerb
	}
	return fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:%s@example.org"},"verb":{"id":%q},"object":{"objectType":"StatementRef","id":%q}}`, id, agent, iri, target)
}

func (w *world) store(p auth.Principal, statements ...string) error {
	w.t.Helper()
	_, err := w.service.Store(w.t.Context(), p, decode(w.t, statements...), nil)
	return err
}

func (w *world) mustStore(p auth.Principal, statements ...string) {
	w.t.Helper()
	if err := w.store(p, statements...); err != nil {
		w.t.Fatalf("store: %v", err)
	}
}

// walk lists a query to its end and returns the ids in order.
func (w *world) walk(p auth.Principal, q Query) []string {
	w.t.Helper()
	var ids []string
	page, err := w.service.Query(w.t.Context(), p, q)
	for {
		if err != nil {
			w.t.Fatalf("list %+v: %v", q, err)
		}
		for _, st := range page.Statements {
			ids = append(ids, st.ID)
		}
		if page.More == "" {
			return ids
		}
		if len(ids) > 1_000_000 {
			w.t.Fatal("the list does not end")
		}
		page, err = w.service.More(w.t.Context(), p, page.More)
	}
}

// check derives everything again and fails the test on any difference.
func (w *world) check(stores ...auth.Store) {
	w.t.Helper()
	for _, d := range w.differences(stores...) {
		w.t.Errorf("%s: statement %s: %s: %s", d.Store, d.Statement, d.What, d.Detail)
	}
}

func (w *world) differences(stores ...auth.Store) []Difference {
	w.t.Helper()
	var found []Difference
	c := Check{Service: w.service, Scanner: w.scanner, Lister: w.lister,
		Report: func(d Difference) { found = append(found, d) },
		Stores: func(_ context.Context, id string) (auth.Store, error) {
			for _, s := range stores {
				if s.ID == id {
					return s, nil
				}
			}
			return auth.Store{}, fmt.Errorf("no store %q", id)
		}}
	if _, err := c.Run(w.t.Context()); err != nil {
		w.t.Fatalf("check: %v", err)
	}
	return found
}

func ifiParam(t testing.TB, agent string) *xapi.Actor {
	t.Helper()
	a, err := xapi.DecodeAgent([]byte(agent), xapi.V2)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// agent is the agent of plain as a query parameter.
func agent(t testing.TB, name string) *xapi.Actor {
	return ifiParam(t, fmt.Sprintf(`{"mbox":"mailto:%s@example.org"}`, name))
}

// followToTheEnd lets the follower complete every change that there is.
func (w *world) followToTheEnd() {
	w.t.Helper()
	w.followToTheEndUnder(w.t.Context())
}

func (w *world) followToTheEndUnder(ctx context.Context) {
	w.t.Helper()
	for n := 1; n > 0; {
		var err error
		if n, err = w.follower.Pass(ctx); err != nil {
			w.t.Fatalf("follow: %v", err)
		}
	}
}

// uploadOf puts bytes where a ticket for them says, as a client does by its URL, and returns the part that names them.
func (w *world) uploadOf(store auth.Store, content string) Part {
	w.t.Helper()
	ticket, err := w.uploads.NewTicket(w.t.Context(), store, blob.Content{Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content))})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.blobs.Put(w.t.Context(), transfer.UploadKey(store.ID, ticket.ID), []byte(content)); err != nil {
		w.t.Fatal(err)
	}
	return Part{Upload: ticket.ID}
}

// partOf is a part with this text.
func partOf(text string) Part {
	digest := sha256.Sum256([]byte(text))
	return Part{SHA2: hex.EncodeToString(digest[:]), ContentType: "text/plain", Body: []byte(text)}
}

// withAttachment adds an attachment to a statement; with an url its bytes need not come.
func withAttachment(statement string, part Part, url string) string {
	attachment := fmt.Sprintf(`"attachments":[{"usageType":"http://example.org/file","display":{"en":"a file"},"contentType":%q,"length":%d,"sha2":%q`,
		part.ContentType, len(part.Body), part.SHA2)
	if url != "" {
		attachment += fmt.Sprintf(`,"fileUrl":%q`, url)
	}
	return strings.TrimSuffix(statement, "}") + "," + attachment + "}]}"
}

// isRefusal reports whether an error is a refusal of this kind whose message names something.
func isRefusal(err, kind error, names string) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && errors.Is(refusal.Kind, kind) && strings.Contains(refusal.Message, names)
}
