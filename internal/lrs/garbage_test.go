package lrs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// dated is a world at a time that a test sets, in which a check can be met at each of its steps.
type dated struct {
	*world
	now     time.Time
	p       auth.Principal
	written map[string]time.Time // objects, by key

	met     func() // called at each step of a check; nil: nothing is
	removed []string
}

// day is how long nothing is removed that a request under way may refer to.
const day = 24 * time.Hour

// Around the end of a month.
var (
	november = time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)
	december = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
)

func newDated(t *testing.T) *dated {
	d := &dated{world: newWorld(t, nil), now: november, p: principal(storeWith("acme", 1)), written: map[string]time.Time{}}
	now := func() time.Time { return d.now }
	objects, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	blobs := &datedBlobs{objects, d}
	d.blobs, d.lister, d.scanner = blobs, blobs, metScanner{d.scanner, d}
	d.uploads = transfer.New(transfer.Config{Blobs: blobs, URLs: blobs, Now: now})
	d.clock = position.NewClock(now, nil)
	d.service = d.newService(d.tables, OneProcess{Positions: d.clock})
	return d
}

func (d *dated) step() {
	if met := d.met; met != nil {
		d.met = nil // what is done meanwhile meets nobody
		met()
		d.met = met
	}
}

// datedBlobs are objects that are written at the time of the test.
type datedBlobs struct {
	*disk.Store
	d *dated
}

func (b *datedBlobs) Put(ctx context.Context, key string, body []byte) error {
	b.note(key)
	return b.Store.Put(ctx, key, body)
}

func (b *datedBlobs) Copy(ctx context.Context, from, to string) error {
	b.note(to)
	return b.Store.Copy(ctx, from, to)
}

// note dates an object that is new.
func (b *datedBlobs) note(key string) {
	if _, taken := b.d.written[key]; !taken {
		b.d.written[key] = b.d.now
	}
}

func (b *datedBlobs) Delete(ctx context.Context, key string) error {
	b.d.step()
	b.d.removed = append(b.d.removed, key)
	err := b.Store.Delete(ctx, key)
	delete(b.d.written, key)
	b.d.step()
	return err
}

func (b *datedBlobs) List(ctx context.Context, prefix string, f func(blob.Info) error) error {
	b.d.step()
	err := b.Store.List(ctx, prefix, func(info blob.Info) error {
		info.Modified = b.d.written[info.Key]
		err := f(info)
		b.d.step()
		return err
	})
	return err
}

// metScanner is met before and after each page.
type metScanner struct {
	table.Scanner
	d *dated
}

func (s metScanner) Scan(ctx context.Context, name string, segment, of int, after table.Cursor) (table.Page, table.Cost, error) {
	s.d.step()
	page, cost, err := s.Scanner.Scan(ctx, name, segment, of, after)
	s.d.step()
	return page, cost, err
}

// dead is tables to which nothing is written any more.
type dead struct{ table.DB }

func (dead) Apply(context.Context, table.Write) (table.Item, table.Cost, error) {
	return nil, table.Cost{}, errors.New("the request died")
}

// leave lets a request die between its contents and its statement.
func (d *dated) leave(statement string, parts ...Part) {
	d.t.Helper()
	if _, err := d.newService(dead{d.tables}, OneProcess{Positions: d.clock}).Store(d.t.Context(), d.p, decode(d.t, statement), parts); err == nil {
		d.t.Fatal("the request did not die")
	}
}

// clean checks, and removes garbage.
func (d *dated) clean(remove bool, stores ...auth.Store) CheckSummary {
	d.t.Helper()
	c := Check{Service: d.service, Scanner: d.scanner, Lister: d.lister, Remove: remove,
		Report: func(found Difference) { d.t.Errorf("%+v", found) },
		Stores: func(_ context.Context, id string) (auth.Store, error) {
			return stores[slices.IndexFunc(stores, func(s auth.Store) bool { return s.ID == id })], nil
		}}
	summary, err := c.Run(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return summary
}

// keys lists the objects.
func (d *dated) keys() (keys []string) {
	d.t.Helper()
	if err := d.lister.List(d.t.Context(), "", func(info blob.Info) error { keys = append(keys, info.Key); return nil }); err != nil {
		d.t.Fatal(err)
	}
	return keys
}

// with is a statement that has a file.
func with(n int, file Part) string {
	return withAttachment(plain(uuidOf(n), "ann", "sent", "thing"), file, "")
}

// What requests left that died is counted when no request under way can refer to it any more, is removed where that is asked
// for, and nothing else ever is.
func TestContentsOfNoStatement(t *testing.T) {
	d := newDated(t)
	other := principal(storeWith("other", 1))
	left, kept, voided := partOf("left"), partOf("kept"), partOf("kept by a voided statement")
	d.leave(with(1, left), left)
	d.leave(large(uuidOf(2)))
	garbage := d.keys()
	if len(garbage) != 2 {
		t.Fatalf("the requests left %v", garbage)
	}
	d.storeParts(d.p, with(3, kept), kept)
	d.storeParts(d.p, with(4, voided), voided)
	d.mustStore(d.p, large(uuidOf(5)), referring(uuidOf(6), "ann", "voided", uuidOf(4)))
	d.storeParts(other, with(7, left), left) // another store's content is another one
	for _, key := range []string{"acme/attachments/" + left.SHA2, "acme/documents/x", "uploads/acme/x", "acme/attachments/2026-13/x"} {
		if err := d.blobs.Put(t.Context(), key, []byte("not for this check")); err != nil {
			t.Fatal(err)
		}
	}
	all := d.keys()

	for _, at := range []struct {
		now      time.Time
		contents int64
	}{
		{november, 0},
		{november.Add(day), 0},
		{november.Add(day + 1), 1}, // the large body
		{december.Add(day), 1},
		{december.Add(day + 1), 2}, // the attachment, too
	} {
		d.now = at.now
		if s := d.clean(false, d.p.Store, other.Store); s.Contents != at.contents || s.Removed != 0 {
			t.Errorf("at %v: %d contents, %d removed; want %d and none", at.now, s.Contents, s.Removed, at.contents)
		}
	}
	if diff := cmp.Diff(all, d.keys()); diff != "" {
		t.Errorf("checks have changed what there is (-before +after):\n%s", diff)
	}
	if s := d.clean(true, d.p.Store, other.Store); s.Contents != 2 || s.Removed != 2 || s.ContentBytes < maxInline {
		t.Errorf("%d contents of %d bytes, %d removed", s.Contents, s.ContentBytes, s.Removed)
	}
	rest := slices.DeleteFunc(all, func(key string) bool { return slices.Contains(garbage, key) })
	if diff := cmp.Diff(rest, d.keys()); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	d.check(d.p.Store, other.Store)
}

// Whenever, while garbage is removed, a statement comes that has the very content, it has it afterwards.
func TestContentIsSharedWhileItIsRemoved(t *testing.T) {
	left := partOf("left")
	for _, way := range []string{"by a part", "by an upload"} {
		t.Run(way, func(t *testing.T) {
			last := 0
			for at := 0; ; at++ {
				d := newDated(t)
				d.leave(with(1, left), left)
				d.now = december.Add(day + 1)
				steps := 0
				d.met = func() {
					if steps == at {
						part := left
						if way == "by an upload" {
							part = d.uploadOf(d.p.Store, "left")
						}
						d.storeParts(d.p, with(2, left), part)
					}
					steps++
				}
				s := d.clean(true, d.p.Store)
				d.met = nil
				if s.Removed != 1 || len(d.removed) != 1 {
					t.Errorf("at step %d: %d contents were removed: %v", at, s.Removed, d.removed)
				}
				if last = steps; steps <= at {
					break
				}
				if diff := cmp.Diff([]string{"text/plain: left"}, d.attachments(d.p, uuidOf(2))); diff != "" {
					t.Errorf("a statement that came at step %d of %d (-want +got):\n%s", at, steps, diff)
				}
				d.check(d.p.Store)
			}
			if last < 8 {
				t.Errorf("a check was met at %d steps", last)
			}
		})
	}
}

// slow is tables over which a request takes long from its contents to its statement.
type slow struct {
	table.DB
	meanwhile func()
}

func (s slow) Apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	s.meanwhile()
	return s.DB.Apply(ctx, w)
}

// A request that has put its content in a month that is over by now, and is under way for a day, finds it there.
func TestContentsUnderWayAreKept(t *testing.T) {
	d := newDated(t)
	file := partOf("under way")
	tables := slow{d.tables, func() {
		d.now = december.Add(day)
		if s := d.clean(true, d.p.Store); s.Contents != 0 || len(d.keys()) != 1 {
			t.Errorf("%d contents are taken for garbage, there is %v", s.Contents, d.keys())
		}
	}}
	if _, err := d.newService(tables, OneProcess{Positions: d.clock}).Store(t.Context(), d.p, decode(t, with(1, file)), []Part{file}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"text/plain: under way"}, d.attachments(d.p, uuidOf(1))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// While a statement's record cannot be read nothing is removed: nobody knows what it refers to.
func TestNothingIsRemovedBesideADamagedRecord(t *testing.T) {
	d := newDated(t)
	left := partOf("left")
	d.leave(with(1, left), left)
	d.mustStore(d.p, plain(uuidOf(2), "ann", "did", "thing"))
	damageable{world: d.world, p: d.p}.replace(uuidOf(2), table.Item{"p": table.B([]byte("now"))})
	d.now = december.Add(day + 1)
	c := Check{Service: d.service, Scanner: d.scanner, Lister: d.lister, Remove: true, Report: func(Difference) {}}
	if s, err := c.Run(t.Context()); err != nil || s.Contents != 1 || s.Removed != 0 || len(d.keys()) != 1 {
		t.Errorf("%+v, %v; there is %v", s, err, d.keys())
	}
}

// Statements of before there were months in keys keep their attachments.
func TestAttachmentsWithoutAMonth(t *testing.T) {
	d := newDated(t)
	file := partOf("old")
	d.storeParts(d.p, with(1, file), file)
	key := fmt.Sprintf("acme/attachments/%s/%s", november.Format(monthLayout), file.SHA2)
	body, _, err := d.blobs.Get(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close(), d.blobs.Delete(t.Context(), key), d.blobs.Put(t.Context(), strings.Replace(key, "2026-11/", "", 1), content)); err != nil {
		t.Fatal(err)
	}
	damageable{world: d.world, p: d.p}.replace(uuidOf(1), table.Item{"mo": {}})
	if diff := cmp.Diff([]string{"text/plain: old"}, d.attachments(d.p, uuidOf(1))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d.now = december.Add(day + 1)
	if s := d.clean(true, d.p.Store); s.Contents != 0 || s.Blobs != 1 {
		t.Errorf("%+v", s)
	}
}
