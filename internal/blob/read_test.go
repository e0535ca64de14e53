package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// memory is a store whose objects break off after so many bytes of an answer; 0: never.
type memory struct {
	objects map[string]string
	breaks  int64
	gets    int
}

func (m *memory) Put(context.Context, string, []byte) error { return nil }
func (m *memory) Delete(context.Context, string) error      { return nil }

func (m *memory) Get(_ context.Context, key string, offset, _ int64) (io.ReadCloser, int64, error) {
	m.gets++
	object, ok := m.objects[key]
	if !ok {
		return nil, 0, blob.ErrNotFound
	}
	var body io.Reader = strings.NewReader(object[offset:])
	if m.breaks > 0 {
		body = io.MultiReader(io.LimitReader(body, m.breaks), iotest.ErrReader(blob.ErrUnavailable))
	}
	return io.NopCloser(body), int64(len(object)), nil
}

// Pieces read as one, from wherever, in whatever portions.
func TestReader(t *testing.T) {
	store := &memory{objects: map[string]string{"a": "0123456789", "empty": "", "b": "xyz"}}
	object := func(key string) blob.Piece {
		digest := sha256.Sum256([]byte(store.objects[key]))
		return blob.Piece{Store: store, Key: key, Size: int64(len(store.objects[key])), Sum: sha256.New(), Digest: digest[:]}
	}
	rapid.Check(t, func(r *rapid.T) {
		var pieces []blob.Piece
		whole := ""
		for range rapid.IntRange(0, 5).Draw(r, "pieces") {
			if rapid.Bool().Draw(r, "bytes") {
				text := rapid.StringN(0, 4, -1).Draw(r, "text")
				pieces, whole = append(pieces, blob.Piece{Bytes: []byte(text)}), whole+text
				continue
			}
			key := rapid.SampledFrom([]string{"a", "empty", "b"}).Draw(r, "key")
			pieces, whole = append(pieces, object(key)), whole+store.objects[key]
		}
		reader := blob.NewReader(t.Context(), pieces...)
		if reader.Size() != int64(len(whole)) {
			r.Fatalf("size %d, want %d", reader.Size(), len(whole))
		}
		for range 3 {
			from := rapid.IntRange(0, len(whole)).Draw(r, "from")
			if at, err := reader.Seek(int64(from), io.SeekStart); err != nil || at != int64(from) {
				r.Fatalf("seek to %d = %d, %v", from, at, err)
			}
			n := rapid.IntRange(0, len(whole)-from).Draw(r, "n")
			got := make([]byte, n)
			if _, err := io.ReadFull(reader, got); err != nil || string(got) != whole[from:from+n] {
				r.Fatalf("%d bytes from %d: %q, %v; want %q", n, from, got, err, whole[from:from+n])
			}
		}
	})
	if err := iotest.TestReader(blob.NewReader(t.Context(), object("b"), blob.Piece{Bytes: []byte("--")}, object("a")), []byte("xyz--0123456789")); err != nil {
		t.Error(err)
	}
}

// An object with other bytes than it was stored with is never given out whole, from its beginning or again.
func TestReaderHoldsBackWhatIsDamaged(t *testing.T) {
	const object = "0123456789"
	digest := sha256.Sum256([]byte(object))
	for _, breaks := range []int64{0, 4} {
		for at := range object {
			damaged := []byte(object)
			damaged[at] ^= 1
			store := &memory{objects: map[string]string{"a": string(damaged)}, breaks: breaks}
			piece := blob.Piece{Store: store, Key: "a", Size: int64(len(object)), Sum: sha256.New(), Digest: digest[:]}
			reader := blob.NewReader(t.Context(), blob.Piece{Bytes: []byte("head")}, piece, blob.Piece{Bytes: []byte("tail")})
			for range 2 {
				if _, err := reader.Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(iotest.OneByteReader(reader))
				if !errors.Is(err, blob.ErrDamaged) || len(got) >= len("head"+object) {
					t.Errorf("byte %d, breaks %d: %q, %v", at, breaks, got, err)
				}
			}
		}
	}
}

// Bytes that break off are read on, so often and not more.
func TestReaderReadsOn(t *testing.T) {
	for _, tt := range []struct {
		breaks int64
		gets   int
		want   error
	}{{0, 1, nil}, {5, 2, nil}, {4, 3, nil}, {3, 3, blob.ErrUnavailable}} {
		store := &memory{objects: map[string]string{"a": "0123456789"}, breaks: tt.breaks}
		got, err := blob.Read(t.Context(), store, "a")
		if !errors.Is(err, tt.want) || err == nil && !bytes.Equal(got, []byte("0123456789")) || store.gets != tt.gets {
			t.Errorf("answers of %d bytes: %q, %v after %d requests; want %v after %d", tt.breaks, got, err, store.gets, tt.want, tt.gets)
		}
	}
	store := &memory{objects: map[string]string{"a": "0123456789"}}
	for name, piece := range map[string]blob.Piece{"a longer one": {Store: store, Key: "a", Size: 11}, "a shorter one": {Store: store, Key: "a", Size: 9}, "none": {Store: store, Key: "b", Size: 1}} {
		if got, err := io.ReadAll(blob.NewReader(t.Context(), piece)); err == nil || len(got) > 0 {
			t.Errorf("an object that should be %s: %q, %v", name, got, err)
		}
	}
	if _, err := blob.NewReader(t.Context()).Seek(-1, io.SeekStart); !errors.Is(err, blob.ErrInvalid) {
		t.Errorf("seek to -1: %v", err)
	}
}
