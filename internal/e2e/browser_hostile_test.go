package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json/v2"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// payload is a document that wants to run on the origin of the LRS. Its content says {{ran}} where it calls home: there
// a request is proof that it did more than to be shown.
type payload struct {
	name        string
	contentType string
	content     string
	works       bool // it calls home when a careless server shows it
}

var payloads = []payload{
	{"script", "text/html", `<script>new Image().src = "{{ran}}"</script>`, true},
	{"script with a charset", "text/html; charset=utf-8", `<!doctype html><script>fetch("{{ran}}")</script>`, true},
	{"error handler", "text/html", `<img src="data:," onerror="fetch('{{ran}}')">`, true},
	{"load handler", "text/html", `<body onload="fetch('{{ran}}')">`, true},
	{"svg in html", "text/html", `<svg onload="fetch('{{ran}}')"></svg>`, true},
	{"frame", "text/html", `<iframe srcdoc="<script>fetch('{{ran}}')</script>"></iframe>`, true},
	{"foreign frame", "text/html", `<iframe src="{{ran}}"></iframe>`, true},
	{"javascript frame", "text/html", `<iframe src="javascript:fetch('{{ran}}')"></iframe>`, true},
	{"foreign script", "text/html", `<script src="{{ran}}"></script>`, true},
	{"foreign style", "text/html", `<link rel=stylesheet href="{{ran}}">`, true},
	{"style import", "text/html", `<style>@import "{{ran}}";</style>`, true},
	{"picture", "text/html", `<img src="{{ran}}">`, true},
	{"refresh", "text/html", `<meta http-equiv=refresh content="0;url={{ran}}">`, true},
	{"form", "text/html", `<form id=f method=post action="{{ran}}"></form><script>f.submit()</script>`, true},
	{"object", "text/html", `<object data="{{ran}}"></object>`, true},
	{"details", "text/html", `<details open ontoggle="fetch('{{ran}}')">x</details>`, true},
	{"focus", "text/html", `<input autofocus onfocus="fetch('{{ran}}')">`, true},
	{"worker", "text/html", `<script>new Worker(URL.createObjectURL(new Blob(["fetch('{{ran}}')"])))</script>`, true},
	{"looser policy", "text/html", `<meta http-equiv=Content-Security-Policy content="default-src *; script-src 'unsafe-inline'"><script>fetch("{{ran}}")</script>`, true},
	{"svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("{{ran}}")</script></svg>`, true},
	{"svg handler", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload="fetch('{{ran}}')"/>`, true},
	{"xhtml", "application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><script>fetch("{{ran}}")</script></html>`, true},
	{"xml", "text/xml", `<x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>fetch("{{ran}}")</h:script></x>`, true},
	{"style of xml", "application/xml", `<?xml-stylesheet type="text/css" href="{{ran}}"?><x/>`, true},
	{"html as text", "text/plain", `<script>fetch("{{ran}}")</script>`, false},
	{"html as a file", "application/octet-stream", `<!doctype html><script>fetch("{{ran}}")</script>`, false},
	{"html as a picture", "image/png", `<!doctype html><script>fetch("{{ran}}")</script>`, false},
	{"html as nothing known", "x/y", `<!doctype html><script>fetch("{{ran}}")</script>`, false},
	{"html as JSON", "application/json", `"<script>fetch('{{ran}}')</script>"`, false},
	{"script as script", "text/javascript", `fetch("{{ran}}")`, false},
}

// home is what payloads call.
type home struct {
	*httptest.Server
	mu    sync.Mutex
	calls map[string]int
}

// openHome serves the calls, and under /bare/N payload N as a careless server would.
func openHome(t *testing.T) *home {
	t.Helper()
	h := &home{calls: map[string]int{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if number, bare := strings.CutPrefix(r.URL.Path, "/bare/"); bare && !strings.HasSuffix(r.URL.Path, "/ran") {
			n, err := strconv.Atoi(number)
			if err != nil || n >= len(payloads) {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", payloads[n].contentType)
			fmt.Fprint(w, strings.ReplaceAll(payloads[n].content, "{{ran}}", h.URL+r.URL.Path+"/ran"))
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls[r.URL.Path]++
	}))
	t.Cleanup(h.Close)
	return h
}

// called counts the calls that end so.
func (h *home) called(path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[path]
}

// submit sends the form of a page.
var submit = chromedp.Evaluate[chromedp.Void](`document.getElementById("f").submit()`)

// waitFor waits for what must come to be true.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begun := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > maxWait {
			t.Fatalf("%s: nothing came in %v", what, maxWait)
		}
	}
}

// visit opens an address in a tab. That a browser saves what it may not show is as good as showing it.
func visit(t *testing.T, page *tab, address string) {
	t.Helper()
	err := chromedp.Do(page.ctx, chromedp.Navigate(address))
	if err != nil && !errors.Is(err, chromedp.ErrPageLoad) {
		t.Fatalf("open %s: %v", address, err)
	}
}

// TestHostileContentInABrowser stores documents, attachments and statements that want to run, and opens them on the
// origin of the LRS by their address, documents also by a form of the alternate request syntax. Nothing may run, and no
// cookie is set.
func TestHostileContentInABrowser(t *testing.T) {
	browser, ok := openBrowser(t)
	if !ok {
		return
	}
	server := serve(t)
	away := openHome(t)
	page := openTab(t, browser)

	t.Run("they work", func(t *testing.T) {
		careless := openTab(t, browser)
		for n, p := range payloads {
			address := fmt.Sprintf("/bare/%d", n)
			visit(t, careless, away.URL+address)
			if p.works {
				waitFor(t, p.name, func() bool { return away.called(address+"/ran") > 0 })
			}
		}
	})

	documents, others := storeHostile(t, server, away.URL+"/lrs/ran")
	credential := "Basic " + base64.StdEncoding.EncodeToString([]byte(FixedCredential.Key+":"+FixedCredential.Secret))
	forms := make(map[string]string, len(documents))
	for i, path := range documents {
		forms[fmt.Sprint("/form/", i)] = formPage(t, server.Endpoint(), path, credential)
	}
	host := origin(t, forms)

	must(t, page, command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Authorization": credential, "X-Experience-API-Version": "1.0.3"},
	}))
	for _, path := range slices.Concat(documents, others) {
		visit(t, page, server.Endpoint()+path)
	}
	must(t, page, command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{}}))
	for address := range forms {
		visit(t, page, host.URL+address)
		_, err := chromedp.RunResponse(page.ctx, submit)
		if err != nil && !errors.Is(err, chromedp.ErrPageLoad) {
			t.Fatalf("submit %s: %v", address, err)
		}
	}
	// A payload's call takes a moment; one that is made now comes after all that were made before.
	visit(t, page, away.URL+"/bare/0")
	waitFor(t, "the last call", func() bool { return away.called("/bare/0/ran") > 1 })
	if n := away.called("/lrs/ran"); n != 0 {
		t.Errorf("%d calls were made from what the LRS gave out", n)
	}
	if _, cookies, _ := page.heard(); len(cookies) > 0 {
		t.Errorf("cookies were set: %q", cookies)
	}
	if jar := must(t, page, command(network.GetCookies, network.GetCookiesParams{URLs: []string{server.Endpoint()}})); len(jar.Cookies) > 0 {
		t.Errorf("the browser keeps cookies: %v", jar.Cookies)
	}
	t.Logf("hostile addresses opened in a browser: %d", len(documents)+len(others)+len(forms))
}

// storeHostile stores every payload as a document and as an attachment, with its source in the statement's texts, and
// returns the paths below the endpoint at which they can be seen: those of documents, which come back as they are, and
// others, some of which are hostile themselves.
func storeHostile(t *testing.T, server *Local, ran string) (documents, others []string) {
	t.Helper()
	c := newClient(server.Endpoint(), 1)
	t.Cleanup(c.close)
	send := func(method, path, body, contentType string) {
		t.Helper()
		got, err := c.do(t.Context(), method, server.Endpoint()+path, strings.NewReader(body), "Content-Type", contentType)
		if err != nil || got.status >= 300 {
			t.Fatalf("%s %s: status %d, %v: %s", method, path, got.status, err, got.body)
		}
	}
	agent := `{"mbox":"mailto:hostile@example.org"}`
	for n, p := range payloads {
		content := strings.ReplaceAll(p.content, "{{ran}}", ran)
		path := "/activities/state?" + url.Values{"activityId": {"http://example.org/a"}, "agent": {agent}, "stateId": {p.name}}.Encode()
		send(http.MethodPut, path, content, p.contentType)
		documents = append(documents, path)
		sum := sha256.Sum256([]byte(content))
		sha2 := hex.EncodeToString(sum[:])
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		statement := fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:hostile@example.org","name":%[2]s},"verb":{"id":"http://example.org/v","display":{"en":%[2]s}},`+
			`"object":{"id":"http://example.org/o","definition":{"name":{"en":%[2]s},"extensions":{"http://example.org/e":%[2]s}}},`+
			`"attachments":[{"usageType":"http://example.org/u","display":{"en":%[2]s},"contentType":%[3]q,"length":%[4]d,"sha2":%[5]q}]}`,
			id, text, p.contentType, len(content), sha2)
		send(http.MethodPost, "/statements", "--cut\r\nContent-Type: application/json\r\n\r\n"+statement+
			"\r\n--cut\r\nContent-Type: "+p.contentType+"\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: "+sha2+"\r\n\r\n"+
			content+"\r\n--cut--\r\n", "multipart/mixed; boundary=cut")
		others = append(others, "/statements?attachments=true&statementId="+id)
	}
	mark := `<img src=x onerror="fetch('` + ran + `')">`
	return documents, append(others,
		"/statements", "/statements?format=canonical", "/activities?activityId=http://example.org/o", "/agents?agent="+url.QueryEscape(agent),
		"/activities/state?activityId=http://example.org/a&agent="+url.QueryEscape(agent),
		"/statements?verb="+url.QueryEscape(mark), "/statements?"+url.QueryEscape(mark)+"=1", "/activities?activityId="+url.QueryEscape(mark))
}

// formPage is a page of another origin whose form asks for a path of the LRS by the alternate request syntax, with a
// credential that the page's author has.
func formPage(t *testing.T, endpoint, path, credential string) string {
	resource, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	values.Set("Authorization", credential)
	values.Set("X-Experience-API-Version", "1.0.3")
	var fields strings.Builder
	for name := range values {
		fmt.Fprintf(&fields, `<input type=hidden name="%s" value="%s">`, html.EscapeString(name), html.EscapeString(values.Get(name)))
	}
	return `<!doctype html><form id=f method=post action="` + html.EscapeString(endpoint+resource+"?method=GET") + `">` + fields.String() + `</form>`
}

// TestOtherPagesActForNobody lets a page of another origin send forms to the LRS in a browser that adds a learner's credentials
// to all that goes there, as browsers do that remember them. What the page brings no credentials for itself has no effect.
func TestOtherPagesActForNobody(t *testing.T) {
	browser, ok := openBrowser(t)
	if !ok {
		return
	}
	server := serve(t)
	c := newClient(server.Endpoint(), 1)
	defer c.close()
	page := openTab(t, browser)
	credential := "Basic " + base64.StdEncoding.EncodeToString([]byte(FixedCredential.Key+":"+FixedCredential.Secret))
	remembered := func(headers network.Headers) {
		must(t, page, command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers}))
	}
	for _, test := range []struct {
		name, credential string // of the page
		status           int    // of the document afterwards
	}{{"bringing credentials", credential, http.StatusOK}, {"bringing none", "", http.StatusNotFound}} {
		path := "/activities/state?" + url.Values{"activityId": {"http://example.org/a"}, "agent": {`{"mbox":"mailto:visitor@example.org"}`}, "stateId": {test.name}}.Encode()
		form := strings.Replace(formPage(t, server.Endpoint(), path, test.credential), "?method=GET", "?method=PUT", 1)
		form = strings.Replace(form, "</form>", "<input type=hidden name=content value=x></form>", 1)
		if test.credential == "" {
			form = strings.Replace(form, `name="Authorization"`, "", 1) // a field without a name is not sent
		}
		visit(t, page, origin(t, map[string]string{"/page": form}).URL+"/page")
		remembered(network.Headers{"Authorization": credential})
		if _, err := chromedp.RunResponse(page.ctx, submit); err != nil && !errors.Is(err, chromedp.ErrPageLoad) {
			t.Fatalf("a page %s: %v", test.name, err)
		}
		remembered(network.Headers{})
		got, err := c.do(t.Context(), http.MethodGet, server.Endpoint()+path, nil)
		if err != nil || got.status != test.status {
			t.Errorf("after a page %s: status %d, %v, want %d", test.name, got.status, err, test.status)
		}
	}
}
