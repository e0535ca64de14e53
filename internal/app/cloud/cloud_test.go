package cloud_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/app/cloud/stacktest"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/config"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

func TestNewNamesWhatIsMissing(t *testing.T) {
	whole := config.Config{
		Bucket: "b", AWS: config.AWS{Region: "eu-west-1", AccessKeyID: "id", Secret: "canary-of-the-secret"},
	}
	tests := []struct {
		name   string
		change func(*config.Config)
		want   []string // nil when it is right
	}{
		{name: "whole", change: func(*config.Config) {}},
		{name: "no bucket", change: func(c *config.Config) { c.Bucket = "" }, want: []string{"CAIRN_BUCKET"}},
		{name: "no AWS", change: func(c *config.Config) { c.AWS = config.AWS{} }, want: []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
		{name: "a credential in the settings", want: []string{"CAIRN_CREDENTIAL"}, change: func(c *config.Config) {
			c.Credential = config.Credential{Key: "k", Secret: "canary-of-the-secret"}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := whole
			test.change(&c)
			_, err := cloud.New(c, slog.New(slog.DiscardHandler))
			if (err != nil) != (test.want != nil) {
				t.Fatalf("error %v", err)
			}
			for _, name := range test.want {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("the error does not name %s: %v", name, err)
				}
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestAboutNeedsNothing(t *testing.T) {
	w := httptest.NewRecorder()
	cloud.About(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/xapi/about", nil))
	if w.Code != http.StatusOK || w.Body.String() != `{"version":["1.0.3","2.0.0"]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A function whose clock is not DynamoDB's announces nothing, whatever DynamoDB answers.
func TestClockIsDynamoDBs(t *testing.T) {
	var apart atomic.Int64 // a Duration
	apart.Store(int64(-time.Hour))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(time.Duration(apart.Load())).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}`)
	}))
	t.Cleanup(server.Close)
	cairn, err := cloud.New(config.Config{
		Bucket: "b", DynamoDBEndpoint: server.URL, AWS: config.AWS{Region: "eu-west-1", AccessKeyID: "id", Secret: "secret"},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		if _, err := cairn.Directory.Store(t.Context(), "acme"); err == nil {
			t.Fatal("there is a store")
		}
		_, err := cairn.Statements.ConsistentThrough(t.Context())
		return err
	}
	if err := ask(); !errors.Is(err, lrs.ErrUnavailable) {
		t.Errorf("an hour apart: %v, want ErrUnavailable", err)
	}
	if err := cairn.Statements.ClockRight(); err == nil {
		t.Error("statements are stored by a clock that is an hour apart")
	}
	apart.Store(0)
	if err := ask(); err != nil {
		t.Errorf("at the same time: %v", err)
	}
}

// The wiring, end to end: a store and a credential are made, a statement goes in and comes out, and the log line has
// what it cost.
func TestStatementsOverDynamoDBAndS3(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	var log bytes.Buffer
	_, cairn := stacktest.Open(t, servers, slog.New(slog.NewTextHandler(&log, nil)))
	store, err := cairn.Directory.CreateStore(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	if store.Shards != cloud.Shards {
		t.Errorf("the store has %d shards", store.Shards)
	}
	key, secret, err := cairn.Directory.CreateCredential(t.Context(), store.ID, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		t.Fatal(err)
	}
	handler := cairn.StatementsHandler()
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.SetBasicAuth(key, secret)
		r.Header.Set("X-Experience-API-Version", "1.0.3")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w
	}
	const statement = `{"actor":{"mbox":"mailto:ada@example.com"},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/a"}}`
	var ids []string
	if err := json.UnmarshalRead(ask(http.MethodPost, "/xapi/statements", statement).Body, &ids); err != nil || len(ids) != 1 {
		t.Fatalf("ids %q, error %v", ids, err)
	}
	body, err := io.ReadAll(ask(http.MethodGet, "/xapi/statements?statementId="+ids[0], "").Body)
	if err != nil || !strings.Contains(string(body), `"homePage":"https://cairn.invalid/stores/`+store.ID+`"`) {
		t.Errorf("statement %s, error %v", body, err)
	}
	const cost = "writeUnits=5\n" // on a busy machine a statement may be sent again, which costs more: then another one tells
	for try := 0; try < 10 && !strings.Contains(log.String(), cost); try++ {
		ask(http.MethodPost, "/xapi/statements", statement)
	}
	if !strings.Contains(log.String(), cost) {
		t.Errorf("the log says %s", log.String())
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the log has the secret")
	}
}

// What a request of a past month left in the bucket is found, and removed where that is asked for; what a statement has is kept.
func TestGarbageInABucket(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	_, cairn := stacktest.Open(t, servers, slog.New(slog.DiscardHandler))
	store, err := cairn.Directory.CreateStore(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	key, secret, err := cairn.Directory.CreateCredential(t.Context(), store.ID, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := cairn.Directory.Authenticate(t.Context(), key, secret)
	if err != nil {
		t.Fatal(err)
	}
	file := lrs.Part{SHA2: fmt.Sprintf("%x", sha256.Sum256([]byte("kept"))), ContentType: "text/plain", Body: []byte("kept")}
	const id = "00000001-0000-4000-8000-000000000001"
	st, err := xapi.DecodeStatement([]byte(`{"id":"`+id+`","actor":{"mbox":"mailto:ada@example.com"},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/a"},`+
		`"attachments":[{"usageType":"http://example.com/u","display":{"en":"d"},"contentType":"text/plain","length":4,"sha2":"`+file.SHA2+`"}]}`), xapi.V1, xapi.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cairn.Statements.Store(t.Context(), p, []*xapi.Statement{st}, []lrs.Part{file}); err != nil {
		t.Fatal(err)
	}
	if err := cairn.Blobs.Put(t.Context(), store.ID+"/attachments/2020-02/"+file.SHA2, []byte("left")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		remove            bool
		contents, removed int64
	}{{false, 1, 0}, {true, 1, 1}, {true, 0, 0}} {
		s, err := cairn.Check(t.Context(), cairn.Tables, cairn.Blobs, app.CheckOptions{RemoveGarbage: want.remove, Report: func(lrs.Difference) {}})
		if got := s.Statements; err != nil || got.Statements != 1 || got.Blobs != 1 || got.Contents != want.contents || got.Removed != want.removed {
			t.Errorf("a check of which removing is %t: %+v, %v; want %d contents and %d of them removed", want.remove, got, err, want.contents, want.removed)
		}
	}
	stored, err := cairn.Statements.Statement(t.Context(), p, id, false)
	if err != nil {
		t.Fatal(err)
	}
	if files, err := cairn.Statements.Attachments(t.Context(), p, []lrs.Statement{stored}); err != nil || len(files) != 1 || string(files[0].Content.Bytes) != "kept" {
		t.Errorf("the statement has %v, %v", files, err)
	}
}
