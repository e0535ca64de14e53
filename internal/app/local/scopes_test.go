package local_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
)

// right is what a request needs: one of some scopes. Source: xAPI 1.0.3 Communication 4.2, and the READMEs for what is Cairn's
// own.
type right struct {
	method, target string
	scopes         auth.Scopes
}

// rights lists every method of every resource of both APIs.
func rights() []right {
	read := auth.Scopes{auth.StatementsRead, auth.AllRead, auth.All}
	write := auth.Scopes{auth.StatementsWrite, auth.All}
	all := []right{
		{"GET", "/xapi/activities?activityId=x:a", read}, {"HEAD", "/xapi/activities?activityId=x:a", read},
		{"GET", "/xapi/agents?agent=" + `%7B%22mbox%22:%22mailto:a@b.c%22%7D`, read}, {"HEAD", "/xapi/agents?agent=" + `%7B%22mbox%22:%22mailto:a@b.c%22%7D`, read},
		{"GET", "/xapi/statements", append(read, auth.StatementsReadMine)}, {"HEAD", "/xapi/statements", append(read, auth.StatementsReadMine)},
		{"POST", "/xapi/statements", write}, {"PUT", "/xapi/statements?statementId=" + sharedID, write},
		{"POST", "/xapi/uploads", append(write, auth.State, auth.Profile)},
	}
	for i, document := range documentsOf() {
		scope := []auth.Scope{auth.State, auth.Profile, auth.Profile}[i]
		for _, method := range []string{"GET", "HEAD"} {
			all = append(all, right{method, document, auth.Scopes{scope, auth.AllRead, auth.All}})
		}
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			all = append(all, right{method, document, auth.Scopes{scope, auth.All}})
		}
	}
	for _, r := range reportapi.Resources(nil) {
		for method := range r.Methods {
			needs := auth.Scopes{auth.All}
			if method == "GET" || strings.HasSuffix(r.Path, "/query") {
				needs = read
			}
			all = append(all, right{method, strings.Replace(r.Path, "{name}", "mine", 1), needs})
		}
	}
	return all
}

// A credential with one scope may do what the scope is for, and gets a 403 for everything else.
func TestEveryScopeAtEveryResource(t *testing.T) {
	cairn := open(t, t.TempDir(), local.Options{})
	defer func() {
		if err := cairn.Close(); err != nil {
			t.Error(err)
		}
	}()
	scopes := auth.Scopes{auth.StatementsWrite, auth.StatementsReadMine, auth.StatementsRead, auth.State, auth.Define, auth.Profile, auth.AllRead, auth.All}
	cells := 0
	for _, scope := range scopes {
		key, secret, err := cairn.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{scope}})
		if err != nil {
			t.Fatal(err)
		}
		c := tenant{t, cairn, key, secret}
		for _, r := range rights() {
			cells++
			w := c.send(r.method, r.target, "{}")
			if may := slices.Contains(r.scopes, scope); may == (w.Code == 403) || w.Code == 401 || w.Code >= 500 {
				t.Errorf("%s: %s %s: status %d, allowed %t", scope, r.method, r.target, w.Code, may)
			}
			if w.Code == 403 && strings.Contains(fmt.Sprint(w.Header()), "Etag") {
				t.Errorf("%s: %s %s: the refusal tells of what is there: %v", scope, r.method, r.target, w.Header())
			}
		}
	}
	t.Logf("scopes against requests: %d", cells)
}
