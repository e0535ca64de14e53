package transfer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

var acme, other = auth.Store{ID: "acme", TermKey: []byte("a key")}, auth.Store{ID: "other", TermKey: []byte("another key")}

// world is a Service over a folder, whose clock stands still.
type world struct {
	*transfer.Service
	blobs *disk.Store
	now   time.Time
	lives []time.Duration // of the URLs that were made
}

// timed notes how long URLs are good.
type timed struct {
	blob.Transfer
	lives *[]time.Duration
}

func (s timed) SignPut(ctx context.Context, key string, content blob.Content, life time.Duration) (string, map[string]string, error) {
	*s.lives = append(*s.lives, life)
	return s.Transfer.SignPut(ctx, key, content, life)
}

func (s timed) SignGet(ctx context.Context, key, contentType string, life time.Duration) (string, error) {
	*s.lives = append(*s.lives, life)
	return s.Transfer.SignGet(ctx, key, contentType, life)
}

func newWorld(t *testing.T) *world {
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
	w := &world{blobs: blobs, now: time.Date(2026, 11, 26, 23, 0, 0, 0, time.UTC)}
	w.Service = transfer.New(transfer.Config{Blobs: blobs, URLs: timed{blobs, &w.lives}, Now: func() time.Time { return w.now }})
	return w
}

func (w *world) keys(t *testing.T) (keys []string) {
	t.Helper()
	err := w.blobs.List(t.Context(), "", func(i blob.Info) error {
		keys = append(keys, i.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func discard(_ transfer.Upload, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }

func TestUploads(t *testing.T) {
	w := newWorld(t)
	for _, size := range []int64{-1, 0, transfer.MaxUpload + 1} {
		if _, err := w.NewTicket(t.Context(), acme, blob.Content{Size: size}); !errors.Is(err, transfer.ErrUploadSize) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	content := []byte("content")
	ticket, err := w.NewTicket(t.Context(), acme, blob.Content{Size: int64(len(content)), SHA256: sha256.Sum256(content)})
	if err != nil {
		t.Fatal(err)
	}
	if want := w.now.Add(transfer.UploadLife); !ticket.Expires.Equal(want) {
		t.Errorf("the URL expires at %v, want %v", ticket.Expires, want)
	}
	if again, err := w.NewTicket(t.Context(), acme, blob.Content{Size: int64(len(content)), SHA256: sha256.Sum256(content)}); err != nil || again.ID == ticket.ID {
		t.Errorf("another ticket for the same bytes is %q, %v: its id can be foreseen", again.ID, err)
	}
	if _, err := w.Link(t.Context(), "acme/kept", "text/plain"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]time.Duration{time.Hour, time.Hour, 5 * time.Minute}, w.lives); diff != "" {
		t.Errorf("how long URLs of uploads and downloads are good (-want +got):\n%s", diff)
	}
	if _, err := w.Read(t.Context(), acme.ID, ticket.ID, discard); !errors.Is(err, transfer.ErrUpload) {
		t.Errorf("before anything is sent: %v", err)
	}
	request := httptest.NewRequest(http.MethodPut, ticket.URL, bytes.NewReader(content))
	for name, value := range ticket.Header {
		request.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	if w.blobs.ServeHTTP(answer, request); answer.Code != http.StatusOK {
		t.Fatalf("PUT to the URL: %d %s", answer.Code, answer.Body)
	}
	var got []byte
	upload, err := w.Read(t.Context(), acme.ID, ticket.ID, func(u transfer.Upload, r io.Reader) (err error) {
		got, err = io.ReadAll(r)
		return err
	})
	if err != nil || string(got) != "content" || upload.Size != 7 || upload.SHA256 != sha256.Sum256(content) {
		t.Errorf("%q, %+v, %v", got, upload, err)
	}
	if _, err := w.Read(t.Context(), other.ID, ticket.ID, discard); !errors.Is(err, transfer.ErrUpload) {
		t.Errorf("by another store: %v", err)
	}
	if _, err := w.Read(t.Context(), acme.ID, strings.ToUpper(ticket.ID), discard); !errors.Is(err, transfer.ErrUpload) {
		t.Errorf("by another name: %v", err)
	}
	mine := errors.New("mine")
	if _, err := w.Read(t.Context(), acme.ID, ticket.ID, func(transfer.Upload, io.Reader) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("the reader's error: %v", err)
	}
	if err := w.Copy(t.Context(), upload, "acme/kept"); err != nil {
		t.Error(err)
	}
	for _, key := range w.keys(t) {
		if want := strings.HasPrefix(key, "uploads/acme/"); transfer.Temporary(key) != want || !want && key != "acme/kept" {
			t.Errorf("%s: temporary %t", key, !want)
		}
	}
	if err := w.blobs.Delete(t.Context(), transfer.UploadKey(acme.ID, ticket.ID)); err != nil {
		t.Fatal(err)
	}
	if err := w.Copy(t.Context(), upload, "acme/late"); !errors.Is(err, transfer.ErrUpload) {
		t.Errorf("a copy of what was removed meanwhile: %v", err)
	}
}

// counted is a body whose reads are counted.
type counted struct {
	io.ReadSeeker
	reads int
}

func (c *counted) Read(p []byte) (int, error) {
	c.reads++
	return c.ReadSeeker.Read(p)
}

// An answer is kept once a day, for its store alone, and its URL never outlives it.
func TestKeep(t *testing.T) {
	w := newWorld(t)
	name := transfer.Name(acme, []byte("statements"))
	keep := func(store auth.Store, name, content string) (reads int, url string) {
		t.Helper()
		body := &counted{ReadSeeker: bytes.NewReader([]byte(content))}
		url, err := w.Keep(t.Context(), store, name, "multipart/mixed; boundary=b", body)
		if err != nil {
			t.Fatal(err)
		}
		return body.reads, url
	}
	reads, url := keep(acme, name, "an answer")
	if reads == 0 || !strings.HasPrefix(url, "/blobs/answers/acme/2026-11-26-"+name+"?") {
		t.Errorf("%d reads, %s", reads, url)
	}
	answer := httptest.NewRecorder()
	w.blobs.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, url, nil))
	if answer.Code != http.StatusOK || answer.Body.String() != "an answer" || answer.Header().Get("Content-Type") != "multipart/mixed; boundary=b" || answer.Header().Get("Content-Disposition") != "attachment" {
		t.Errorf("%d %q with %v", answer.Code, answer.Body, answer.Header())
	}
	if reads, _ := keep(acme, name, "an answer"); reads != 0 {
		t.Error("the same answer was written again")
	}
	keep(other, name, "another's")
	keep(acme, transfer.Name(acme, []byte("others")), "another")
	w.now = w.now.Add(time.Hour)
	if reads, _ := keep(acme, name, "an answer"); reads == 0 {
		t.Error("on the next day the answer of the day before is given, which may be removed meanwhile")
	}
	keys := w.keys(t)
	if len(keys) != 4 {
		t.Errorf("kept: %v", keys)
	}
	for _, key := range keys {
		if !transfer.Temporary(key) {
			t.Errorf("%s is kept for good", key)
		}
	}
	lost := blob.NewReader(t.Context(), blob.Piece{Bytes: []byte("half of it")}, blob.Piece{Store: w.blobs, Key: "acme/lost", Size: 5})
	if _, err := w.Keep(t.Context(), acme, "half", "text/plain", lost); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("an answer of which a part is lost: %v", err)
	}
	if len(w.keys(t)) != len(keys) {
		t.Errorf("half an answer is kept: %v", w.keys(t))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Keep(ctx, acme, "late", "text/plain", bytes.NewReader(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the client is gone: %v", err)
	}
}

// A name depends on everything, and on where one part ends and the next begins; nobody else can make it.
func TestName(t *testing.T) {
	seen := map[string]string{}
	for what, name := range map[string]string{
		"one part":      transfer.Name(acme, []byte("ab")),
		"two":           transfer.Name(acme, []byte("a"), []byte("b")),
		"an empty one":  transfer.Name(acme, []byte("ab"), nil),
		"none":          transfer.Name(acme),
		"another order": transfer.Name(acme, []byte("b"), []byte("a")),
		"another store": transfer.Name(other, []byte("ab")),
	} {
		if same, ok := seen[name]; ok || len(name) != 64 {
			t.Errorf("%s: %q, as of %s", what, name, same)
		}
		seen[name] = what
	}
	if diff := cmp.Diff(transfer.Name(acme, []byte("ab")), transfer.Name(acme, []byte("ab"))); diff != "" {
		t.Error(diff)
	}
}
