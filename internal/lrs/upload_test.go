package lrs

import (
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// Large and small uploads become attachments, by each kind of digest, of several statements, beside parts and again.
func TestUploadsBecomeAttachments(t *testing.T) {
	w := newWorld(t, nil)
	store := storeWith("acme", 1)
	p := principal(store)
	film, note := strings.Repeat("film", PageBytes/4+1), "a note"
	byFilm, byNote := w.uploadOf(store, film), w.uploadOf(store, note)
	long, middle := sha512.Sum512([]byte(note)), sha512.Sum384([]byte(note))
	filmed, noted := partOf(film), partOf(note)
	notedLong, notedMiddle := noted, noted
	notedLong.SHA2, notedMiddle.SHA2 = hex.EncodeToString(long[:]), hex.EncodeToString(middle[:])
	with := func(id string, file Part) string { return withAttachment(plain(id, "ann", "sent", "thing"), file, "") }
	for _, request := range []struct {
		statements []string
		parts      []Part
	}{
		{[]string{with(uuidOf(1), filmed), with(uuidOf(2), filmed), with(uuidOf(3), partOf("by part"))}, []Part{byFilm, partOf("by part")}},
		{[]string{with(uuidOf(4), filmed), with(uuidOf(5), noted)}, []Part{byFilm, byNote, byFilm}},
		{[]string{with(uuidOf(6), notedLong), with(uuidOf(7), noted), with(uuidOf(8), notedMiddle)}, []Part{noted, byNote}},
		{[]string{with(uuidOf(1), filmed)}, []Part{byFilm}}, // sent again
	} {
		if _, err := w.service.Store(t.Context(), p, decode(t, request.statements...), request.parts); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range map[int]string{3: "by part", 5: note, 6: note, 7: note, 8: note} {
		if diff := cmp.Diff([]string{"text/plain: " + want}, w.attachments(p, uuidOf(n))); diff != "" {
			t.Errorf("statement %d (-want +got):\n%s", n, diff)
		}
	}
	// What a page cannot have is left to be read.
	var statements []Statement
	for _, n := range []int{1, 2, 4, 6} {
		st, err := w.service.Statement(t.Context(), p, uuidOf(n), false)
		if err != nil {
			t.Fatal(err)
		}
		statements = append(statements, st)
	}
	found, err := w.service.Attachments(t.Context(), p, statements)
	if err != nil || len(found) != 2 || found[0].SHA2 != filmed.SHA2 || found[1].SHA2 != notedLong.SHA2 {
		t.Fatalf("attachments %+v, %v", found, err)
	}
	for i, want := range []string{film, note} {
		if content := found[i].Content; content.Store == nil || content.Bytes != nil {
			t.Errorf("attachment %d is in memory", i)
		}
		if got, err := io.ReadAll(blob.NewReader(t.Context(), found[i].Content)); err != nil || string(got) != want {
			t.Errorf("attachment %d: %d bytes, %v; want %d", i, len(got), err, len(want))
		}
	}
	w.check(store)
}

// Whatever is wrong with an upload, or with the rest of its request, nothing is stored, and no attachment is kept.
func TestUploadsThatCannotBecomeAttachments(t *testing.T) {
	w := newWorld(t, nil)
	store, other := storeWith("acme", 1), storeWith("other", 1)
	p := principal(store)
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	content := "what was uploaded"
	described := partOf(content)
	longer, others := described, partOf("other content")
	longer.Body = append(longer.Body, '.')
	gone, forged := w.uploadOf(store, content), w.uploadOf(store, content)
	key := transfer.UploadKey(store.ID, gone.Upload)
	if err := w.blobs.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	damageable{world: w}.replaceBlob(transfer.UploadKey(store.ID, forged.Upload), []byte("WHAT WAS UPLOADED"))
	with := func(id string, file Part) []string {
		return []string{withAttachment(plain(id, "ann", "sent", "thing"), file, ""), plain(uuidOf(9), "ann", "did", "thing")}
	}
	signature := strings.Replace(strings.Replace(with(uuidOf(2), described)[0], "http://example.org/file", "http://adlnet.gov/expapi/attachments/signature", 1), "text/plain", "application/octet-stream", 1)
	good := func() Part { return w.uploadOf(store, content) }
	tests := []struct {
		name    string
		request []string
		parts   []Part
		want    error
		message string
	}{
		{"removed for its age, or never sent", with(uuidOf(2), described), []Part{gone}, ErrInvalid, "no such upload"},
		{"of another store", with(uuidOf(2), described), []Part{w.uploadOf(other, content)}, ErrInvalid, "no such upload"},
		{"that is no id", with(uuidOf(2), described), []Part{{Upload: "../" + gone.Upload}}, ErrInvalid, "no such upload"},
		{"whose bytes are others", with(uuidOf(2), described), []Part{forged}, ErrInvalid, "no such upload"},
		{"of another digest", with(uuidOf(2), others), []Part{good()}, ErrInvalid, "no fileUrl"},
		{"of another length", with(uuidOf(2), longer), []Part{good()}, ErrInvalid, "length is 18, but its content has 17"},
		{"that nothing names", with(uuidOf(2), described), []Part{good(), w.uploadOf(store, "more")}, ErrInvalid, "belongs to no attachment"},
		{"beside a statement that conflicts", with(uuidOf(1), described), []Part{good()}, ErrConflict, "different statement"},
		{"beside two of one id", append(with(uuidOf(2), described), with(uuidOf(2), described)...), []Part{good()}, ErrInvalid, "same id"},
		{"that is no signature", []string{signature}, []Part{good()}, ErrInvalid, "signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.service.Store(t.Context(), p, decode(t, tt.request...), tt.parts)
			if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.message) {
				t.Errorf("%v, want %v with %q", err, tt.want, tt.message)
			}
			if _, err := w.service.Statement(t.Context(), p, uuidOf(9), false); !errors.Is(err, ErrNotFound) {
				t.Errorf("the other statement of the request: %v", err)
			}
			if err := w.lister.List(t.Context(), store.ID+"/", func(i blob.Info) error { return errors.New(i.Key) }); err != nil {
				t.Errorf("something is kept: %v", err)
			}
		})
	}
	may := credential(store, "reader", auth.StatementsRead)
	if _, err := w.service.Store(t.Context(), may, decode(t, with(uuidOf(2), described)...), []Part{good()}); !errors.Is(err, ErrForbidden) {
		t.Errorf("a credential that may not write: %v", err)
	}
	w.check(store)
}

// An upload is read once, so the uploads of a request are bounded together, and signatures, which are checked in memory, are
// bounded each.
func TestUploadsTooLarge(t *testing.T) {
	w := newWorld(t, nil)
	store := storeWith("acme", 1)
	size := strings.Repeat("x", MaxAttachments/2)
	first, second, last := w.uploadOf(store, size), w.uploadOf(store, size[1:]), w.uploadOf(store, "xx")
	request := decode(t, withAttachment(plain(uuidOf(1), "ann", "sent", "thing"), partOf(size), ""))
	if _, err := w.service.Store(t.Context(), principal(store), request, []Part{first, second, last}); !errors.Is(err, ErrTooLarge) || !strings.Contains(fmt.Sprint(err), "uploads of one request") {
		t.Errorf("more than %d bytes: %v", MaxAttachments, err)
	}
	text := strings.Repeat("s", MaxSignature+1)
	signed := withAttachment(plain(uuidOf(2), "ann", "signed", "thing"), partOf(text), "")
	signed = strings.Replace(strings.Replace(signed, "http://example.org/file", "http://adlnet.gov/expapi/attachments/signature", 1), "text/plain", "application/octet-stream", 1)
	if _, err := w.service.Store(t.Context(), principal(store), decode(t, signed), []Part{w.uploadOf(store, text)}); !errors.Is(err, ErrTooLarge) || !strings.Contains(fmt.Sprint(err), "signature has at most") {
		t.Errorf("a signature of %d bytes: %v", len(text), err)
	}
}
