package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// TestAbsentObjectsAreDenied: as on AWS, where no function may list the bucket. Answers of other kinds, and of faults, pass.
func TestAbsentObjectsAreDenied(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/absent") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "of the server")
	}))
	t.Cleanup(server.Close)
	for _, test := range []struct {
		name, path string
		fault      cloudtest.Fault
		status     int
		body       string
	}{
		{"there", "/there", nil, 200, "of the server"},
		{"absent", "/absent", nil, 403, "AccessDenied"},
		{"absent, and something goes wrong", "/absent", cloudtest.S3Error(503, "SlowDown"), 503, "SlowDown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodGet, server.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := unlisted(test.fault)(http.DefaultTransport, r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if closeErr := response.Body.Close(); err != nil || closeErr != nil {
				t.Fatal(err, closeErr)
			}
			if response.StatusCode != test.status || !strings.Contains(string(body), test.body) {
				t.Errorf("got %d %s, want %d with %q", response.StatusCode, body, test.status, test.body)
			}
		})
	}
}
