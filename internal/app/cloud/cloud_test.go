package cloud_test

import (
	"bytes"
	"encoding/json/v2"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/app/cloud/stacktest"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/config"
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
