package e2e

import (
	_ "embed"
	"encoding/base64"
	"encoding/json/v2"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

//go:embed testdata/browser/content.js
var contentScript string

// TestContentInABrowser lets learning content of another origin speak to the LRS: it may send what the specification
// asks for, and read every answer, refusals too.
func TestContentInABrowser(t *testing.T) {
	browser, ok := openBrowser(t)
	if !ok {
		return
	}
	server := serve(t)
	host := origin(t, map[string]string{"/course": "<!doctype html><title>course</title><link rel=icon href='data:,'><script>" + contentScript + "</script>"})
	page := openTab(t, browser)
	must(t, page, chromedp.Navigate(host.URL+"/course"))
	credential := base64.StdEncoding.EncodeToString([]byte(FixedCredential.Key + ":" + FixedCredential.Secret))
	launch, err := json.Marshal([]string{server.Endpoint(), "Basic " + credential})
	if err != nil {
		t.Fatal(err)
	}
	must(t, page, chromedp.Evaluate[chromedp.Void]("launch(..."+string(launch)+")"))

	type seen = map[string]any
	for name, want := range map[string]any{
		"post":               seen{"status": 200.0, "ids": 1.0, "version": "1.0.3"},
		"since":              seen{"status": 200.0, "statements": 1.0, "through": true, "modified": true, "version": "1.0.3"},
		"more":               seen{"asStored": true},
		"head":               seen{"status": 200.0, "length": true, "body": ""},
		"unauthorized":       seen{"status": 401.0, "message": "these credentials are not valid", "challenge": true},
		"withoutCredentials": seen{"status": 401.0, "message": "this resource needs Basic credentials: the header Authorization with a key and its secret"},
		"withoutVersion":     seen{"status": 400.0, "message": "the header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0"},
		"invalid":            seen{"status": 400.0, "statement": 1.0, "path": "/verb/id"},
		"unknownResource":    seen{"status": 404.0},
		"longQuery":          seen{"status": 413.0, "wayOut": true},
		"unknownHeader":      "refused by the browser",
		"form":               seen{"put": 204.0, "got": 200.0, "same": true},
		"xhr":                seen{"status": 200.0, "version": "1.0.3", "ids": 1.0},
		"attachments":        seen{"posted": 200.0, "status": 200.0, "type": "multipart/mixed", "whole": true},
		"state":              seen{"made": 204.0, "page": 1.0, "changed": 204.0, "stale": 412.0, "gone": 204.0, "after": 404.0},
		"about":              "1.0.3 2.0.0",
	} {
		t.Run(name, func(t *testing.T) {
			got := must(t, page, chromedp.Evaluate[any]("functions."+name+"()", chromedp.EvalAwaitPromise))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, cookies, preflights := page.heard(); preflights == 0 || len(cookies) > 0 {
		t.Errorf("%d preflight requests, cookies %q: the browser did not treat the LRS as another origin, or was given a cookie", preflights, cookies)
	}
}
