package lambdaio

import (
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/pebble/pebbletest"
)

// TestSampleEventsThroughTheEdge sends the sample payloads, in the order of a client's session, to the handlers that
// the functions serve, over the embedded engine.
func TestSampleEventsThroughTheEdge(t *testing.T) {
	cairn := wire(t)
	about, statements := app.AboutHandler(slog.New(slog.DiscardHandler), RequestIDHeader), cairn.StatementsHandler()
	tests := []struct {
		event   string
		handler http.Handler
		status  int
		body    string // part of it
		base64  bool
	}{
		{"about-get", about, 200, `"2.0.0"`, false},
		{"statements-options", statements, 204, "", false},
		{"statements-post", statements, 200, "7d3c2f5e-1b64-4a0e-9d7a-0c5b1e2f3a42", false},
		{"statements-post", statements, 200, "7d3c2f5e-1b64-4a0e-9d7a-0c5b1e2f3a42", false}, // a retry after a lost reply
		{"statements-put", statements, 204, "", false},
		{"statements-post-multipart", statements, 200, "7d3c2f5e-1b64-4a0e-9d7a-0c5b1e2f3a44", false},
		{"statements-head", statements, 200, "", false},
		{"statements-get", statements, 200, "\x1f\x8b", true},
		{"statements-get-repeated-key", statements, 400, "verb", false},
		{"statements-alternate-syntax", statements, 200, "First aid – basics", false},
		{"activities-get", cairn.ActivitiesHandler(), 200, "First aid – basics", false},
		{"state-put", cairn.StateHandler(), 204, "", false},
		{"state-get", cairn.StateHandler(), 200, `{"page":3,"title":"First aid – basics"}`, false},
		{"activityprofile-put", cairn.ActivityProfileHandler(), 204, "", false},
		{"activityprofile-head", cairn.ActivityProfileHandler(), 200, "", true},
		{"agentprofile-post", cairn.AgentProfileHandler(), 204, "", false},
		{"agentprofile-get", cairn.AgentProfileHandler(), 200, `["settings"]`, false},
		{"uploads-post", cairn.UploadsHandler(), 200, `"url":"https://abcde12345.execute-api.eu-west-1.amazonaws.com/blobs/uploads/default/`, false},
		{"agents-get", cairn.AgentsHandler(), 200, `"mbox":["mailto:learner@example.com"]`, false},
	}
	for _, tt := range tests {
		t.Run(tt.event, func(t *testing.T) {
			payload, err := os.ReadFile("../../events/" + tt.event + ".json")
			if err != nil {
				t.Fatal(err)
			}
			got := invoke(t, tt.handler.ServeHTTP, payload)
			body := got.bytes(t)
			if got.StatusCode != tt.status || got.IsBase64Encoded != tt.base64 || !strings.Contains(body, tt.body) {
				t.Errorf("got %d, base64 %v: %s\nwant %d, base64 %v, with %q", got.StatusCode, got.IsBase64Encoded, body, tt.status, tt.base64, tt.body)
			}
			if id := got.Headers["X-Request-Id"]; id != "JKJaXmPLvHcESHA=" {
				t.Errorf("request id %q is not the gateway's", id)
			}
			if tt.handler != about && got.Headers["X-Experience-Api-Version"] != "1.0.3" {
				t.Errorf("headers %v lack the version", got.Headers)
			}
		})
	}
}

// wire makes what the functions serve parts of, with the credential of the sample events.
func wire(t *testing.T) *app.App {
	t.Helper()
	tables := pebbletest.Open(t, schema.Tables, pebble.Options{})
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cairn := app.New(app.Ports{
		Tables: tables, Scanner: tables, Blobs: blobs, Transfer: blobs, Now: time.Now, OnlyWriter: true, Shards: 1,
		Log: slog.New(slog.DiscardHandler), RequestIDHeader: RequestIDHeader,
	})
	if err := cairn.Directory.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := cairn.Directory.UpsertDefault(t.Context(), "sample-key", "sample-secret"); err != nil {
		t.Fatal(err)
	}
	return cairn
}
