package blobtest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// SigningStore is what a driver that signs URLs implements.
type SigningStore interface {
	Store
	blob.Signer
}

// RunSigner tests the URLs of a driver by using them.
func RunSigner(t *testing.T, open func(t *testing.T) SigningStore) {
	t.Run("upload", func(t *testing.T) { testSignedUpload(t, open(t)) })
	t.Run("upload of another size", func(t *testing.T) { testSignedUploadOfAnotherSize(t, open(t)) })
	t.Run("upload to a taken key", func(t *testing.T) { testSignedUploadToTakenKey(t, open(t)) })
	t.Run("download", func(t *testing.T) { testSignedDownload(t, open(t)) })
	t.Run("a URL opens one key", func(t *testing.T) { testSignedKey(t, open(t)) })
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

func testSignedUploadToTakenKey(t *testing.T, s SigningStore) {
	put(t, s, "up/3", []byte("first"))
	if status := upload(t, s, "up/3", 6, []byte("second")); status != http.StatusPreconditionFailed {
		t.Errorf("upload to a taken key = %d, want 412", status)
	}
	if got := get(t, s, "up/3", 0, -1, 5); string(got) != "first" {
		t.Errorf("the object is %q, want %q", got, "first")
	}
}

func testSignedDownload(t *testing.T, s SigningStore) {
	put(t, s, "down/1", []byte("content"))
	url, err := s.SignGet(t.Context(), "down/1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status, body := request(t, http.MethodGet, url, nil, nil)
	if status != http.StatusOK || string(body) != "content" {
		t.Errorf("download = %d %q, want 200 %q", status, body, "content")
	}
}

func testSignedKey(t *testing.T, s SigningStore) {
	put(t, s, "down/2", []byte("mine"))
	put(t, s, "down/3", []byte("not mine"))
	url, err := s.SignGet(t.Context(), "down/2", time.Minute)
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
		if _, _, err := s.SignPut(ctx, tt.key, tt.size, tt.expiry); err == nil {
			t.Errorf("SignPut with invalid %s succeeded", tt.name)
		}
	}
	if _, err := s.SignGet(ctx, "../x", time.Minute); err == nil {
		t.Error("SignGet with an invalid key succeeded")
	}
}

// upload signs an upload of size bytes and sends body by it.
func upload(t *testing.T, s SigningStore, key string, size int64, body []byte) int {
	t.Helper()
	url, header, err := s.SignPut(t.Context(), key, size, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status, _ := request(t, http.MethodPut, url, header, body)
	return status
}

func request(t *testing.T, method, url string, header map[string]string, body []byte) (int, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
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
