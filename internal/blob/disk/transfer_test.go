package disk

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/blobtest"
)

// served is a store whose signed URLs are served.
type served struct {
	*Store
	base string
}

func (s served) SignPut(ctx context.Context, key string, content blob.Content, expiry time.Duration) (string, map[string]string, error) {
	url, header, err := s.Store.SignPut(ctx, key, content, expiry)
	return s.base + url, header, err
}

func (s served) SignGet(ctx context.Context, key, contentType string, expiry time.Duration) (string, error) {
	url, err := s.Store.SignGet(ctx, key, contentType, expiry)
	return s.base + url, err
}

func newServed(t *testing.T) served {
	store := newStore(t)
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	return served{store, server.URL}
}

func TestTransfer(t *testing.T) {
	blobtest.RunSigner(t, func(t *testing.T) blobtest.SigningStore { return newServed(t) })
}

// A URL says everything that it allows: with any of it changed, or too late, it allows nothing.
func TestChangedURLs(t *testing.T) {
	s := newServed(t)
	if err := s.Put(t.Context(), "a/b", []byte("<script>")); err != nil {
		t.Fatal(err)
	}
	url, err := s.SignGet(t.Context(), "a/b", "text/plain", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status := func(method, url string) (int, http.Header) {
		request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header
	}
	got, header := status(http.MethodGet, url)
	if got != http.StatusOK || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d with %v", got, header)
	}
	if got, _ := status(http.MethodHead, url); got != http.StatusOK {
		t.Errorf("HEAD: %d", got)
	}
	if got, header := status(http.MethodOptions, url); got != http.StatusNoContent || header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("OPTIONS: %d with %v", got, header)
	}
	for _, changed := range []string{
		strings.Replace(url, "text%2Fplain", "text%2Fhtml", 1), strings.Replace(url, "expires=", "expires=1", 1),
		strings.Replace(url, "signature=", "signature=0", 1), strings.Replace(url, "/a/b", "/a/c", 1), url + "&size=1",
	} {
		if got, _ := status(http.MethodGet, changed); got != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", changed, got)
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPost} {
		if got, _ := status(method, url); got != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", method, got)
		}
	}
	s.now = func() time.Time { return time.Now().Add(time.Hour) }
	if got, _ := status(http.MethodGet, url); got != http.StatusForbidden {
		t.Errorf("an hour later: %d, want 403", got)
	}
}
