package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// SigningStore is what a driver that signs URLs implements.
type SigningStore interface {
	Store
	blob.Transfer
}

// RunSigner tests the URLs of a driver by using them.
func RunSigner(t *testing.T, open func(t *testing.T) SigningStore) {
	t.Run("upload", func(t *testing.T) { testSignedUpload(t, open(t)) })
	t.Run("upload of another size", func(t *testing.T) { testSignedUploadOfAnotherSize(t, open(t)) })
	t.Run("upload of other bytes", func(t *testing.T) { testSignedUploadOfOtherBytes(t, open(t)) })
	t.Run("upload to a taken key", func(t *testing.T) { testSignedUploadToTakenKey(t, open(t)) })
	t.Run("download", func(t *testing.T) { testSignedDownload(t, open(t)) })
	t.Run("a URL opens one key", func(t *testing.T) { testSignedKey(t, open(t)) })
	t.Run("copy", func(t *testing.T) { testCopy(t, open(t)) })
	t.Run("put from a reader", func(t *testing.T) { testPutFrom(t, open(t)) })
	t.Run("invalid", func(t *testing.T) { testSignInvalid(t, open(t)) })
}

func testSignedUpload(t *testing.T, s SigningStore) {
	body := pattern(10_000)
	if status := upload(t, s, "up/1", 10_000, body); status != http.StatusOK {
		t.Errorf("upload = %d, want 200", status)
	}
	if got := get(t, s, "up/1", 0, -1, 10_000); !bytes.Equal(got, body) {
		t.Error("the uploaded object came back different")
	}
}

func testSignedUploadOfAnotherSize(t *testing.T, s SigningStore) {
	for _, size := range []int{9, 11, 0} {
		if status := upload(t, s, "up/2", 10, pattern(size)); status < 400 {
			t.Errorf("upload of %d bytes by a URL for 10 = %d, want a refusal", size, status)
		}
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("refused uploads left %v", got)
	}
}

func testSignedUploadOfOtherBytes(t *testing.T, s SigningStore) {
	if status := uploadFor(t, s, "up/4", pattern(10), []byte("0123456789")); status < 400 {
		t.Errorf("upload of other bytes of the same size = %d, want a refusal", status)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("a refused upload left %v", got)
	}
}

func testCopy(t *testing.T, s SigningStore) {
	if err := s.Copy(t.Context(), "from/1", "to/1"); !errors.Is(err, blob.ErrNotFound) && !errors.Is(err, blob.ErrDenied) {
		t.Errorf("copy of nothing: %v, want ErrNotFound or ErrDenied", err)
	}
	put(t, s, "from/1", []byte("content"))
	for range 2 { // again is the same
		if err := s.Copy(t.Context(), "from/1", "to/1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(t.Context(), "from/1"); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "to/1", 0, -1, 7); string(got) != "content" {
		t.Errorf("the copy is %q, want %q", got, "content")
	}
	for _, keys := range [][2]string{{"../x", "to/2"}, {"to/1", "../x"}} {
		if err := s.Copy(t.Context(), keys[0], keys[1]); !errors.Is(err, blob.ErrInvalid) {
			t.Errorf("copy %v: %v, want ErrInvalid", keys, err)
		}
	}
}

// testPutFrom puts an object that is made of others, as a large answer is.
func testPutFrom(t *testing.T, s SigningStore) {
	first := pattern(6_000_000)
	put(t, s, "from/1", first)
	pieces := func() *blob.Reader {
		return blob.NewReader(t.Context(), blob.Piece{Bytes: []byte("head")}, blob.Piece{Store: s, Key: "from/1", Size: int64(len(first))}, blob.Piece{Bytes: []byte("tail")})
	}
	want := slices.Concat([]byte("head"), first, []byte("tail"))
	body := pieces()
	if _, err := body.Seek(3, io.SeekStart); err != nil { // wherever it stands
		t.Fatal(err)
	}
	if err := s.PutFrom(t.Context(), "to/1", body); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "to/1", 0, -1, int64(len(want))); !bytes.Equal(got, want) {
		t.Error("the object is not what was read")
	}
	if err := s.PutFrom(t.Context(), "to/1", bytes.NewReader([]byte("other"))); err != nil {
		t.Errorf("PutFrom to a taken key = %v", err)
	}
	if got := get(t, s, "to/1", 0, -1, int64(len(want))); !bytes.Equal(got, want) {
		t.Error("the object under a taken key was written over")
	}
	lost := blob.NewReader(t.Context(), blob.Piece{Bytes: []byte("head")}, blob.Piece{Store: s, Key: "from/2", Size: 7})
	if err := s.PutFrom(t.Context(), "to/2", lost); err == nil {
		t.Error("PutFrom of what cannot be read succeeded")
	}
	if err := s.PutFrom(t.Context(), "../x", pieces()); !errors.Is(err, blob.ErrInvalid) {
		t.Errorf("PutFrom to an invalid key: %v", err)
	}
	if diff := cmp.Diff([]string{"from/1", "to/1"}, keys(t, s, "")); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func testSignedUploadToTakenKey(t *testing.T, s SigningStore) {
	put(t, s, "up/3", []byte("first"))
	if status := uploadFor(t, s, "up/3", []byte("second"), []byte("second")); status != http.StatusPreconditionFailed {
		t.Errorf("upload to a taken key = %d, want 412", status)
	}
	if got := get(t, s, "up/3", 0, -1, 5); string(got) != "first" {
		t.Errorf("the object is %q, want %q", got, "first")
	}
}

func testSignedDownload(t *testing.T, s SigningStore) {
	put(t, s, "down/1", []byte("content"))
	url, err := s.SignGet(t.Context(), "down/1", "text/plain", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status, body := request(t, http.MethodGet, url, nil, nil)
	if response, err := http.Get(url); err != nil {
		t.Error(err)
	} else if err := response.Body.Close(); err != nil || response.Header.Get("Content-Type") != "text/plain" || response.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("download has the header %v, %v", response.Header, err)
	}
	if status != http.StatusOK || string(body) != "content" {
		t.Errorf("download = %d %q, want 200 %q", status, body, "content")
	}
}

func testSignedKey(t *testing.T, s SigningStore) {
	put(t, s, "down/2", []byte("mine"))
	put(t, s, "down/3", []byte("not mine"))
	url, err := s.SignGet(t.Context(), "down/2", "text/plain", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	other := string(bytes.Replace([]byte(url), []byte("down/2"), []byte("down/3"), 1))
	if other == url {
		t.Fatalf("URL %q does not name its key", url)
	}
	if status, _ := request(t, http.MethodGet, other, nil, nil); status != http.StatusForbidden {
		t.Errorf("download of another key = %d, want 403", status)
	}
	if status, _ := request(t, http.MethodPut, url, nil, []byte("x")); status != http.StatusForbidden {
		t.Errorf("upload by a URL for download = %d, want 403", status)
	}
}

func testSignInvalid(t *testing.T, s SigningStore) {
	ctx := t.Context()
	tests := []struct {
		name   string
		key    string
		size   int64
		expiry time.Duration
	}{
		{"key", "../x", 1, time.Minute},
		{"no bytes", "x", 0, time.Minute},
		{"negative size", "x", -1, time.Minute},
		{"no time", "x", 1, 0},
		{"more than a week", "x", 1, 8 * 24 * time.Hour},
	}
	for _, tt := range tests {
		if _, _, err := s.SignPut(ctx, tt.key, blob.Content{Size: tt.size}, tt.expiry); err == nil {
			t.Errorf("SignPut with invalid %s succeeded", tt.name)
		}
	}
	if _, err := s.SignGet(ctx, "../x", "text/plain", time.Minute); err == nil {
		t.Error("SignGet with an invalid key succeeded")
	}
}

// upload signs an upload of the first size bytes of a pattern and sends body by it.
func upload(t *testing.T, s SigningStore, key string, size int, body []byte) int {
	t.Helper()
	return uploadFor(t, s, key, pattern(size), body)
}

// uploadFor signs an upload of some bytes and sends others by it.
func uploadFor(t *testing.T, s SigningStore, key string, signed, body []byte) int {
	t.Helper()
	url, header, err := s.SignPut(t.Context(), key, blob.Content{Size: int64(len(signed)), SHA256: sha256.Sum256(signed)}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status, _ := request(t, http.MethodPut, url, header, body)
	return status
}

func request(t *testing.T, method, url string, header map[string]string, body []byte) (int, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if name != "Content-Length" { // the client sends the length of what it has
			r.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}
