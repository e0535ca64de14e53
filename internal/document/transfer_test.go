package document

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// transferring makes the world's service give out URLs, as it does on every road.
func transferring(t *testing.T, w *world) {
	t.Helper()
	store, ok := w.blobs.Store.(*disk.Store)
	if !ok {
		t.Fatalf("blobs are %T", w.blobs.Store)
	}
	w.Transfer = transfer.New(transfer.Config{Blobs: w.blobs, URLs: store})
}

// uploadOf puts bytes where a ticket for them says, as a client does by its URL, and returns the ticket's id.
func (w *world) uploadOf(content []byte) string {
	w.t.Helper()
	ticket, err := w.Transfer.NewTicket(w.t.Context(), storeNamed("a"), blob.Content{Size: int64(len(content)), SHA256: sha256.Sum256(content)})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.blobs.Store.Put(w.t.Context(), transfer.UploadKey("a", ticket.ID), content); err != nil {
		w.t.Fatal(err)
	}
	return ticket.ID
}

func TestUploadsBecomeDocuments(t *testing.T) {
	w := newWorld(t, nil)
	transferring(t, w)
	key := stateKey("film")
	for _, size := range []int{1, MaxInline, MaxInline + 1, transfer.MaxWhole, transfer.MaxWhole + 1} {
		content := bytes.Repeat([]byte("x"), size)
		ticket := w.uploadOf(content)
		stored, err := w.PutUploaded(t.Context(), key, "video/mp4", ticket, noneSet)
		if err != nil || stored.ETag != ETag(content) || stored.Size != int64(size) {
			t.Fatalf("%d bytes: %+v, %v", size, stored, err)
		}
		got, err := w.Get(t.Context(), key)
		if whole := size <= transfer.MaxWhole; err != nil || whole != (got.URL == "") || whole != bytes.Equal(got.Content, content) || got.ETag != ETag(content) || got.ContentType != "video/mp4" {
			t.Errorf("%d bytes: URL %q, %d bytes of %s, %v", size, got.URL, len(got.Content), got.ContentType, err)
		}
		again, err := w.PutUploaded(t.Context(), stateKey("other"), "", ticket, noneSet) // the upload stays
		if err != nil || again.ETag != stored.ETag || again.ContentType != opaqueType {
			t.Errorf("%d bytes, again: %+v, %v", size, again, err)
		}
	}
	// What is left are the uploads, which are garbage by now, and nothing of the documents that were replaced.
	if got := w.check(); got.Documents != 2 || got.Blobs != 2 || got.Garbage != 5 {
		t.Errorf("check saw %+v", got)
	}
}

func TestUploadsThatCannotBecomeDocuments(t *testing.T) {
	w := newWorld(t, nil)
	transferring(t, w)
	good := w.uploadOf([]byte(`{"a":1}`))
	random, sum, _ := strings.Cut(good, "-")
	changed := w.uploadOf([]byte("changed"))
	if err := w.blobs.Store.Delete(t.Context(), transfer.UploadKey("a", changed)); err != nil {
		t.Fatal(err)
	}
	if err := w.blobs.Store.Put(t.Context(), transfer.UploadKey("a", changed), []byte("CHANGED")); err != nil {
		t.Fatal(err)
	}
	key := stateKey("x")
	foreign := key
	foreign.Store = storeNamed("b")
	tests := []struct {
		name, ticket, contentType string
		key                       Key
		p                         Preconditions
		want                      error
	}{
		{"of nothing", strings.Repeat("0", 32) + "-" + sum, "", key, noneSet, transfer.ErrUpload},
		{"of another digest", random + "-" + strings.Repeat("0", 64), "", key, noneSet, transfer.ErrUpload},
		{"of another store", good, "", foreign, noneSet, transfer.ErrUpload},
		{"in capitals", strings.ToUpper(good), "", key, noneSet, transfer.ErrUpload},
		{"that is a path", "../" + good, "", key, noneSet, transfer.ErrUpload},
		{"that is half", random, "", key, noneSet, transfer.ErrUpload},
		{"whose bytes are others", changed, "", key, noneSet, transfer.ErrUpload},
		{"that is no JSON", w.uploadOf([]byte(`{"a":1}}`)), "application/json", key, noneSet, ErrJSON},
		{"that is half JSON", w.uploadOf([]byte(`{"a":`)), "application/json; charset=utf-8", key, noneSet, ErrJSON},
		{"that has a name twice", w.uploadOf([]byte(`{"a":1,"a":2}`)), "application/json", key, noneSet, ErrJSON},
		{"of no type", good, "nothing", key, noneSet, ErrContentType},
		{"under a condition that does not hold", good, "", key, ifMatch(`"x"`), ErrPrecondition},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := w.PutUploaded(t.Context(), tt.key, tt.contentType, tt.ticket, tt.p); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
	if got := w.check(); got.Documents != 0 {
		t.Errorf("%d documents were stored", got.Documents)
	}
}

// A large document is not merged into: its bytes would have to be in memory.
func TestPostIntoALargeDocument(t *testing.T) {
	w := newWorld(t, nil)
	transferring(t, w)
	content := []byte(`{"fill":"` + strings.Repeat("x", MaxMerged) + `"}`)
	if _, err := w.PutUploaded(t.Context(), stateKey("x"), jsonType, w.uploadOf(content), noneSet); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Post(t.Context(), stateKey("x"), jsonOf(`{"a":1}`), noneSet); !errors.Is(err, ErrMergedSize) {
		t.Errorf("POST: %v, want ErrMergedSize", err)
	}
}

// Whatever befalls the write, an upload becomes the document or does not, and racing writers lose no content.
func TestUploadsUnderFaults(t *testing.T) {
	content := bytes.Repeat([]byte("x"), MaxInline+1)
	for name, fault := range map[string]pebble.Fault{"throttled": throttled, "conflict": conflict, "not done": notDoneErr, "reply lost": replyLost} {
		for _, there := range []bool{false, true} {
			t.Run(fmt.Sprint(name, there), func(t *testing.T) {
				script := &script{fault: fault}
				w := newWorld(t, &pebble.Faults{OnCall: script.onCall})
				transferring(t, w)
				if there {
					w.mustPut(stateKey("x"), large("o"))
				}
				ticket := w.uploadOf(content)
				script.mu.Lock()
				script.armed = true
				script.mu.Unlock()
				_, err := w.PutUploaded(t.Context(), stateKey("x"), "", ticket, noneSet)
				got, readErr := w.Get(t.Context(), stateKey("x"))
				switch {
				case err == nil && (readErr != nil || !bytes.Equal(got.Content, content)):
					t.Errorf("acknowledged, and there are %d bytes: %v", len(got.Content), readErr)
				case err != nil && !errors.Is(err, table.ErrUnknown):
					t.Errorf("put: %v", err)
				}
				w.check()
			})
		}
	}
	w := newWorld(t, nil)
	transferring(t, w)
	ticket := w.uploadOf(content)
	together(t, func(client int) error {
		key := stateKey(fmt.Sprint(client % 2))
		if client%4 == 3 {
			return w.Delete(context.WithoutCancel(t.Context()), key, noneSet)
		}
		_, err := w.PutUploaded(t.Context(), key, "", ticket, noneSet)
		return err
	})
	if got := w.check(); got.Garbage != 1 {
		t.Errorf("%d contents are left, want the upload alone", got.Garbage)
	}
}
