package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/e2e"
)

// TestVerify checks a road that is whole, twice: the second time among what the first has stored.
func TestVerify(t *testing.T) {
	folder := t.TempDir()
	binary, err := e2e.Build(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	server, err := e2e.Serve(binary, filepath.Join(folder, "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	_, other := e2e.FreshStore(t, server)
	t.Setenv("CAIRN_CREDENTIAL", e2e.FixedCredential.Key+":"+e2e.FixedCredential.Secret)
	for range 2 {
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-url", server.Endpoint() + "/", "-other", other.Key + ":" + other.Secret, "-at-once", "8"}, &out); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		counts := regexp.MustCompile(`\n(\d{2,}) checked, 0 not as they must be, \d+ left out\n`).FindStringSubmatch(out.String())
		if counts == nil || !strings.Contains(out.String(), "\nok    ETag comes through: ") || strings.Contains(out.String(), other.Secret) {
			t.Fatalf("the report:\n%s", &out)
		}
		t.Logf("checked in shared stores: %s", counts[1])
	}
}

// TestVerifyReports: what is not an LRS fails in every line, with what it means.
func TestVerifyReports(t *testing.T) {
	nothing := httptest.NewServer(http.NotFoundHandler())
	defer nothing.Close()
	t.Setenv("CAIRN_CREDENTIAL", "key:secret")
	var out bytes.Buffer
	err := run(t.Context(), []string{"-url", nothing.URL}, &out)
	if err == nil || !strings.Contains(out.String(), "FAIL  about is served: GET /about was answered with 404, want 200") ||
		!strings.Contains(out.String(), "It means: the address is not that of an LRS") || !strings.Contains(out.String(), "STACK=NAME") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestVerifyNeedsAnAddressAndACredential(t *testing.T) {
	t.Setenv("CAIRN_CREDENTIAL", "")
	if err := run(t.Context(), []string{"-url", "http://127.0.0.1:1"}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "CAIRN_CREDENTIAL") {
		t.Errorf("without a credential: %v", err)
	}
}
