package local_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json/v2"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
)

// canary stands in all that the first store keeps, and in no request of the other.
const canary = "canary7c1f"

// tenant is a credential of one store.
type tenant struct {
	t           *testing.T
	cairn       *local.Cairn
	key, secret string
}

// send asks either API.
func (c tenant) send(method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.SetBasicAuth(c.key, c.secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Content-Type", "application/json")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	if strings.HasPrefix(target, reportapi.Base) {
		c.cairn.ReportsHandler().ServeHTTP(w, r)
	} else {
		c.cairn.Handler().ServeHTTP(w, r)
	}
	return w
}

// must is send of what has to be answered well.
func (c tenant) must(method, target, body string, header ...string) string {
	c.t.Helper()
	w := c.send(method, target, body, header...)
	if w.Code >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
	}
	return w.Body.String()
}

// member reads a text at the top of a JSON object.
func (c tenant) member(object, name string) string {
	c.t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(object), &members); err != nil {
		c.t.Fatalf("%v: %s", err, object)
	}
	text, _ := members[name].(string)
	if text == "" {
		c.t.Fatalf("there is no %s in %s", name, object)
	}
	return text
}

// What the stores have in common.
const (
	sharedID    = "11111111-1111-4111-8111-111111111111"
	sharedVoid  = "22222222-2222-4222-8222-222222222222"
	sharedAgent = `{"mbox":"mailto:p1@example.com"}`
)

// documentsOf are the paths of one document of each kind.
func documentsOf() []string {
	activity, agent := "activityId="+url.QueryEscape("http://example.com/course"), "agent="+url.QueryEscape(sharedAgent)
	return []string{
		"/xapi/activities/state?stateId=s&" + activity + "&" + agent,
		"/xapi/activities/profile?profileId=p&" + activity,
		"/xapi/agents/profile?profileId=p&" + agent,
	}
}

// fill stores something of each kind, all of it with the canary, and returns what only this store should be able to use: links
// to further pages and the id of an upload.
func (c tenant) fill() (links []string, upload string) {
	c.t.Helper()
	var all []string
	for _, s := range sample() {
		s = strings.Replace(s, `"actor":{`, `"actor":{"name":"`+canary+`",`, 1)
		all = append(all, strings.Replace(s, `"definition":{`, `"definition":{"name":{"en":"`+canary+`"},`, 1))
	}
	sum := sha256.Sum256([]byte(canary))
	with := fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:p1@example.com","name":%q},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/file"},
		"attachments":[{"usageType":"http://example.com/u","display":{"en":"d"},"contentType":"text/plain","length":%d,"sha2":"%x"}]}`, sharedID, canary, len(canary), sum)
	c.must("POST", "/xapi/statements", "--cut\r\nContent-Type: application/json\r\n\r\n"+with+"\r\n--cut\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: "+
		fmt.Sprintf("%x", sum)+"\r\n\r\n"+canary+"\r\n--cut--\r\n", "Content-Type: multipart/mixed; boundary=cut")
	all = append(all, fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:p1@example.com","name":%q},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/gone"}}`, sharedVoid, canary),
		fmt.Sprintf(`{"actor":{"mbox":"mailto:p1@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":%q}}`, sharedVoid))
	c.must("POST", "/xapi/statements", "["+strings.Join(all, ",")+"]")
	for _, path := range documentsOf() {
		c.must("PUT", path, `{"a":"`+canary+`"}`, "If-None-Match: *")
	}
	ticket := c.must("POST", "/xapi/uploads", fmt.Sprintf(`{"length":%d,"sha256":"%x"}`, len(canary), sum))
	c.must("PUT", c.member(ticket, "url"), canary)
	c.must("PUT", reportapi.Base+"/saved/mine", `{"title":"`+canary+`","measures":["learners"],"by":["content"],"range":"all"}`)
	for begun := time.Now(); !strings.Contains(c.must("GET", reportapi.Base+"/overview?range=all", ""), `"learners":{"value":8}`); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > patience {
			c.t.Fatalf("after %v reports do not have the statements", patience)
		}
	}
	c.must("POST", reportapi.Base+"/kpis/sales", "learner,date,value\np1@example.com,2026-06-01,4217\n", "Content-Type: text/csv")
	learners := c.must("GET", reportapi.Base+"/learners?range=all&limit=2", "")
	return []string{
		c.member(c.must("GET", "/xapi/statements?limit=2", ""), "more"),
		c.member(c.must("GET", "/xapi/statements?limit=2&attachments=false&ascending=true&agent="+url.QueryEscape(sharedAgent), ""), "more"),
		reportapi.Base + "/learners?range=all&limit=2&cursor=" + c.member(learners, "more"),
		reportapi.Base + "/live?cursor=" + c.member(c.must("GET", reportapi.Base+"/live", ""), "cursor"),
	}, c.member(ticket, "upload")
}

// targets are the addresses of everything that the first store has, for every method.
func targets(links []string) []string {
	agent, activity := url.QueryEscape(sharedAgent), url.QueryEscape("http://example.com/course")
	all := append(links, documentsOf()...)
	for _, query := range []string{
		"", "?attachments=true", "?format=ids", "?format=canonical", "?ascending=true", "?statementId=" + sharedID, "?statementId=" + sharedID + "&attachments=true",
		"?statementId=" + sharedVoid, "?voidedStatementId=" + sharedVoid, "?agent=" + agent, "?agent=" + agent + "&related_agents=true",
		"?activity=" + activity, "?activity=" + activity + "&related_activities=true", "?verb=" + url.QueryEscape("http://example.com/v"), "?since=2020-01-01T00:00:00Z",
	} {
		all = append(all, "/xapi/statements"+query)
	}
	for _, list := range documentsOf() {
		resource, query, _ := strings.Cut(list, "?")
		_, owner, _ := strings.Cut(query, "&")
		all = append(all, resource+"?"+owner)
	}
	all = append(all, "/xapi/activities?activityId="+activity, "/xapi/agents?agent="+agent, "/xapi/uploads", "/xapi/about", "/xapi")
	for _, r := range reportapi.Resources(nil) {
		path := strings.Replace(r.Path, "{name}", "mine", 1)
		if strings.Contains(r.Path, "/kpis/") {
			path = strings.Replace(r.Path, "{name}", "sales", 1)
		}
		all = append(all, path, path+"?range=all", path+"?range=all&content="+activity, path+"?range=all&learner="+agent+"&format=csv", path+"?kpi=sales&measure=statements")
	}
	return all
}

// bodies are what the other store sends to them.
func bodies(upload string) [][]string {
	statement := `{"id":"` + sharedID + `","actor":{"mbox":"mailto:p1@example.com"},"verb":{"id":"http://example.com/other"},"object":{"id":"http://example.com/course"}}`
	voiding := `{"actor":{"mbox":"mailto:p1@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":"` + sharedID + `"}}`
	claim := fmt.Sprintf(`{"actor":{"mbox":"mailto:p1@example.com"},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/course"},
		"attachments":[{"usageType":"http://example.com/u","display":{"en":"d"},"contentType":"text/plain","length":%d,"sha2":"%x","fileUrl":"http://example.com/f"}]}`, len(canary), sha256.Sum256([]byte(canary)))
	return [][]string{
		{""}, {statement, "If-Match: *"}, {voiding}, {claim}, {"", "X-Cairn-Upload: " + upload, "If-None-Match: *"}, {claim, "X-Cairn-Upload: " + upload},
		{`{"b":1}`, "If-None-Match: *"}, {`{"measures":["learners"],"by":["content"],"range":"all"}`}, {"learner,date,value\np1@example.com,2026-06-01,1\n", "Content-Type: text/csv"},
	}
}

// seen is what the first store answers to itself, but for what changes with the clock.
func (c tenant) seen(links []string) map[string]string {
	all := map[string]string{}
	for _, target := range targets(links) {
		if strings.Contains(target, "cursor=") || strings.Contains(target, "/live") {
			continue
		}
		w := c.send("GET", target, "")
		body := w.Body.String()
		if strings.Contains(target, "attachments=true") { // its boundary is another one each time
			body = fmt.Sprint(strings.Count(body, canary))
		}
		for _, ever := range []string{`"asOf":`, `"more":`, `"requestId":`} {
			body, _, _ = strings.Cut(body, ever)
		}
		all[target] = fmt.Sprint(w.Code, " ", body)
	}
	return all
}

// A credential of one store is shown nothing of another store, and changes nothing there, by whatever method, in whichever
// syntax, with whatever it got hold of: ids, names, digests, links to further pages, uploads. Nor does the log tell of either's
// data.
func TestNothingOfAnotherStore(t *testing.T) {
	log, dir := &lines{}, t.TempDir()
	cairn := open(t, dir, local.Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	credential := func(store string) tenant {
		key, secret, err := cairn.Directory.CreateCredential(t.Context(), store, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
		if err != nil {
			t.Fatal(err)
		}
		return tenant{t, cairn, key, secret}
	}
	store, err := cairn.Directory.CreateStore(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	own, other := credential(auth.DefaultStore), credential(store.ID)
	links, upload := own.fill()
	before := own.seen(links)
	if told := strings.Count(fmt.Sprint(before), canary); told < len(documentsOf()) {
		t.Fatalf("the store itself is shown little: %v", before)
	}

	asked := 0
	for _, target := range targets(links) {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
			for _, body := range bodies(upload) {
				if body[0] == "" && len(body) == 1 && method != "GET" || method == "GET" && body[0] == "" && len(body) > 1 {
					continue
				}
				answers := []*httptest.ResponseRecorder{other.send(method, target, body[0], body[1:]...)}
				if path, query, _ := strings.Cut(target, "?"); strings.HasPrefix(path, "/xapi/") && method != "OPTIONS" {
					form := query + "&X-Experience-API-Version=1.0.3&Content-Type=application%2Fjson&Authorization=" +
						url.QueryEscape("Basic "+base64.StdEncoding.EncodeToString([]byte(other.key+":"+other.secret)))
					if method == "PUT" || method == "POST" {
						form += "&content=" + url.QueryEscape(body[0])
					}
					answers = append(answers, other.send("POST", path+"?method="+method, strings.TrimPrefix(form, "&")))
				}
				for _, w := range answers {
					asked++
					if text := fmt.Sprint(w.Header()) + w.Body.String(); strings.Contains(text, canary) || strings.Contains(text, "4217") {
						t.Errorf("%s %s with %q shows: %s", method, target, body, text)
					}
					if w.Code >= 500 {
						t.Errorf("%s %s with %q: %d %s", method, target, body, w.Code, w.Body)
					}
				}
			}
		}
	}
	if diff := cmp.Diff(before, own.seen(links)); diff != "" {
		t.Errorf("what the other store did shows here (-before +after):\n%s", diff)
	}
	t.Logf("requests of another store: %d", asked)
	for _, secret := range []string{canary, "p1@example.com", own.secret, other.secret, upload} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	if !strings.Contains(log.String(), store.ID) {
		t.Error("the log has no line of the other store")
	}
	if err := cairn.Close(); err != nil {
		t.Error(err)
	}
	found := filesWith(t, dir, own.key, own.secret, other.secret)
	if len(found[own.key]) == 0 || len(found[own.secret])+len(found[other.secret]) > 0 {
		t.Errorf("of the key, which is no secret, and the secrets there are in the folder: %v", found)
	}
}

// filesWith are the files of a folder that hold each of some texts as it is. What was written last lies in the log of the tables,
// which is not compressed.
func filesWith(t *testing.T, dir string, texts ...string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				found[text] = append(found[text], path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// lines gathers a log that is written from several goroutines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
