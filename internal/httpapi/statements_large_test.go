package httpapi_test

import (
	"crypto/sha256"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// upload sends content by an upload, as a client does, and returns the id.
func (c client) upload(content string) string {
	c.t.Helper()
	sum := sha256.Sum256([]byte(content))
	a := c.request("POST", "/xapi/uploads", fmt.Sprintf(`{"length":%d,"sha256":"%x"}`, len(content), sum))
	a.want(c.t, 200)
	var ticket struct {
		Upload  string            `json:"upload"`
		Method  string            `json:"method"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	if err := json.Unmarshal([]byte(a.body), &ticket); err != nil {
		c.t.Fatal(err)
	}
	r := httptest.NewRequest(ticket.Method, ticket.URL, strings.NewReader(content))
	for name, value := range ticket.Headers {
		r.Header.Set(name, value)
	}
	c.send(r).want(c.t, 200)
	return ticket.Upload
}

// follow gives what an answer leads to by a 303, and the answer itself otherwise.
func (c client) follow(a answer) answer {
	c.t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		return a
	}
	return c.send(httptest.NewRequest(http.MethodGet, a.Header.Get("Location"), nil))
}

// keys lists what lies in the blob store, such as the large answers.
func (s *server) keys(prefix string) (keys []string) {
	s.t.Helper()
	err := s.blobs.List(s.t.Context(), prefix, func(i blob.Info) error {
		keys = append(keys, i.Key)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return keys
}

// pattern makes content in which a shift, a gap or a repeated block shows.
func pattern(n int, salt string) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(salt + strconv.Itoa(i) + "\r\n--")
	}
	return b.String()[:n]
}

// An attachment that no request carries comes by an upload, and goes out with its statement: as it is where answers have no
// limit, and by a URL elsewhere, where a client that follows redirects notices nothing.
func TestAttachmentsByUpload(t *testing.T) {
	for _, byURL := range []bool{false, true} {
		t.Run(fmt.Sprint("by URL ", byURL), func(t *testing.T) {
			c := newServerWith(t, byURL).newClient()
			film, note := pattern(7_000_000, "film"), "a note"
			filmed, noted := attachment(film, "video/mp4", sha2(film)), attachment(note, "text/plain", sha2(note))
			one, two := uuid(), uuid()
			byFilm := c.upload(film)
			c.do("PUT", query("statementId", one), statement(attached(filmed)), "X-Cairn-Upload: "+byFilm).want(t, 204)
			c.do("POST", "", mixed(jsonPart(statement(withID(two), attached(noted, filmed))), filePart(note, "text/plain", sha2(note))), mixedType, "X-Cairn-Upload: "+byFilm).want(t, 200)
			c.do("PUT", query("statementId", one), statement(attached(filmed)), "X-Cairn-Upload: "+byFilm).want(t, 204)

			first := c.do("GET", query("statementId", two, "attachments", "true"), "")
			want := http.StatusOK
			if byURL {
				want = http.StatusSeeOther
			}
			first.want(t, want)
			if first.Header.Get("Last-Modified") == "" || first.Header.Get("X-Experience-Api-Consistent-Through") == "" {
				t.Errorf("the answer lacks headers: %v", first.Header)
			}
			whole := c.follow(first)
			whole.want(t, 200)
			parts := readMultipart(t, whole)
			slices.SortFunc(parts[1:], func(a, b readPart) int { return len(a.body) - len(b.body) })
			if len(parts) != 3 || member(t, string(parts[0].body), "id") != two || string(parts[1].body) != note || string(parts[2].body) != film || parts[2].contentType != "video/mp4" || parts[2].hash != sha2(film) {
				t.Errorf("got %d parts: %.200s", len(parts), parts[0].body)
			}
			head := c.do("HEAD", query("statementId", two, "attachments", "true"), "")
			if head.StatusCode != 200 || head.Header.Get("Content-Length") != strconv.Itoa(len(whole.body)) || !strings.HasPrefix(head.Header.Get("Content-Type"), "multipart/mixed; boundary=") {
				t.Errorf("HEAD: %d %v, want the length %d", head.StatusCode, head.Header, len(whole.body))
			}

			// Pages are cut so that what is too large stands alone.
			c.mustPost(batch(statement(), statement()))
			next, ids := query("attachments", "true", "ascending", "true"), []string{}
			for pages := 0; next != ""; pages++ {
				page := readMultipart(t, c.follow(c.do("GET", next, "")))
				found := parseResult(t, string(page[0].body))
				if films := len(page) - 1; films > 0 && len(found.Statements) != 1 || pages > 5 {
					t.Fatalf("page %d has %d statements and %d attachments", pages, len(found.Statements), films)
				}
				ids = append(ids, found.ids(t)...)
				_, more, _ := strings.Cut(found.More, "?")
				if next = ""; more != "" {
					next = "?" + more
				}
			}
			if len(ids) != 4 || ids[0] != one || ids[1] != two {
				t.Errorf("pages had %v", ids)
			}

			// Three answers were too large: one statement, and two pages. Asked for again they are the same ones.
			kept := c.keys("answers/")
			again := c.do("GET", query("statementId", two, "attachments", "true"), "")
			if byURL && (len(kept) != 3 || strings.Split(again.Header.Get("Location"), "?")[0] != strings.Split(first.Header.Get("Location"), "?")[0]) || !byURL && len(kept) > 0 || len(c.keys("answers/")) != len(kept) {
				t.Errorf("kept: %v, then %v", kept, c.keys("answers/"))
			}
			if a := c.do("GET", query("statementId", two), ""); a.StatusCode != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
				t.Errorf("without attachments: %d %v", a.StatusCode, a.Header)
			}
		})
	}
}

// The boundary of a kept answer cannot be foreseen from what it separates, and differs from answer to answer.
func TestBoundaryOfLargeAnswers(t *testing.T) {
	c := newServerWith(t, true).newClient()
	film := pattern(5_000_000, "film")
	upload := c.upload(film)
	seen := map[string]bool{}
	for range 3 {
		id := uuid()
		c.do("PUT", query("statementId", id), statement(attached(attachment(film, "video/mp4", sha2(film)))), "X-Cairn-Upload: "+upload).want(t, 204)
		a := c.follow(c.do("GET", query("statementId", id, "attachments", "true"), ""))
		boundary := strings.TrimPrefix(a.Header.Get("Content-Type"), "multipart/mixed; boundary=")
		if seen[boundary] || len(boundary) < len(`"cairn-"`)+32 || strings.Contains(film, strings.Trim(boundary, `"`)) {
			t.Errorf("boundary %s", boundary)
		}
		seen[boundary] = true
		readMultipart(t, a)
	}
}

// What is wrong with the uploads of a request is said, and nothing of it is stored.
func TestUploadsInStatementsRefused(t *testing.T) {
	s := newServer(t)
	c := s.newClient()
	content := "content"
	described := attachment(content, "text/plain", sha2(content))
	with := statement(withID(uuid()), attached(described))
	good := c.upload(content)
	other := client{server: s, credential: s.newCredential(s.newStore("Theirs"), auth.All), version: "1.0.3"}
	many := strings.Repeat(good+",", 101)
	for _, tt := range []struct {
		name, body string
		header     string
		status     int
		message    string
	}{
		{"none", with, "X-Cairn-Upload:", 400, "or an upload of them"},
		{"an unknown one", with, "X-Cairn-Upload: " + good[:len(good)-1] + "0", 400, "no such upload"},
		{"of another store", with, "X-Cairn-Upload: " + other.upload(content), 400, "no such upload"},
		{"too many", with, "X-Cairn-Upload: " + many, 413, "at most 100 attachments"},
		{"one too many", with, "X-Cairn-Upload: " + good + "," + c.upload("more"), 400, "belongs to no attachment"},
		{"without any attachment", statement(), "X-Cairn-Upload: " + good, 400, "belongs to no attachment"},
		{"of another length", statement(attached(strings.Replace(described, `"length":7`, `"length":8`, 1))), "X-Cairn-Upload: " + good, 400, "has 7 bytes"},
		{"of another digest", statement(attached(strings.Replace(described, sha2(content), sha2("other"), 1))), "X-Cairn-Upload: " + good, 400, "no fileUrl"},
	} {
		a := c.do("POST", "", tt.body, tt.header)
		if a.StatusCode != tt.status || !strings.Contains(a.message(t), tt.message) {
			t.Errorf("%s: %d %s", tt.name, a.StatusCode, a.body)
		}
	}
	if found := c.do("GET", "", "").result(t); len(found.Statements) != 0 {
		t.Errorf("%d statements were stored", len(found.Statements))
	}
	a := c.do("POST", "", with, "X-Cairn-Upload: ,"+good+" , ")
	a.want(t, 200)

	writer := client{server: s, credential: s.newCredential(s.store, auth.StatementsWrite), version: "2.0.0"}
	writer.do("POST", "", statement(attached(described)), "X-Cairn-Upload: "+writer.upload(content)).want(t, 200)
	reader := client{server: s, credential: s.newCredential(s.store, auth.StatementsRead), version: "1.0.3"}
	reader.request("POST", "/xapi/uploads", `{"length":1,"sha256":"`+sha2("x")+`"}`).want(t, 403)
}

// An upload is the content of a PUT, alone; nothing is merged into it, and it is not passed over beside other content.
func TestUploadsInDocumentsRefused(t *testing.T) {
	c := newServer(t).newClient()
	target := "/xapi/activities/state" + query("activityId", "http://example.com/a", "agent", `{"mbox":"mailto:learner@example.com"}`, "stateId", "x")
	upload := "X-Cairn-Upload: " + c.upload(`{"a":1}`)
	for _, tt := range []struct{ method, body, message string }{
		{"POST", "", "goes with PUT only"},
		{"POST", `{"b":2}`, "goes with PUT only"},
		{"PUT", `{"b":2}`, "the upload is its content"},
	} {
		a := c.request(tt.method, target, tt.body, upload, "Content-Type: application/json")
		if a.StatusCode != 400 || !strings.Contains(a.message(t), tt.message) {
			t.Errorf("%s of %q: %d %s", tt.method, tt.body, a.StatusCode, a.body)
		}
	}
	c.request("GET", target, "").want(t, 404)
}

// A signature that comes by an upload is checked as one that comes as a part.
func TestSignatureByUpload(t *testing.T) {
	c := newServer(t).newClient()
	id := uuid()
	jws := signatureOf(statement(withID(id)))
	described := strings.Replace(attachment(jws, "application/octet-stream", sha2(jws)), "http://example.com/usage", "http://adlnet.gov/expapi/attachments/signature", 1)
	c.do("PUT", query("statementId", id), statement(withID(id), `"actor":{"mbox":"mailto:another@example.com"}`, attached(described)), "X-Cairn-Upload: "+c.upload(jws)).want(t, 400)
	c.do("PUT", query("statementId", id), statement(withID(id), attached(described)), "X-Cairn-Upload: "+c.upload(jws)).want(t, 204)
	if parts := readMultipart(t, c.do("GET", query("statementId", id, "attachments", "true"), "")); len(parts) != 2 || string(parts[1].body) != jws {
		t.Errorf("got %d parts", len(parts))
	}
}

// Upload limits hold for the attachments of one statement together.
func TestAttachmentsTogetherTooLarge(t *testing.T) {
	c := newServer(t).newClient()
	half := strings.Repeat("x", lrs.MaxAttachments/2)
	other := half[1:] + "yy"
	a := c.do("POST", "", statement(attached(attachment(half, "text/plain", sha2(half)), attachment(other, "text/plain", sha2(other)))), "X-Cairn-Upload: "+c.upload(half)+","+c.upload(other))
	if a.want(t, 413); !strings.Contains(a.message(t), strconv.Itoa(lrs.MaxAttachments)) {
		t.Errorf("refused by %s", a.body)
	}
}

// A statement whose JSON alone is more than an answer carries, escapes included, goes the same way; also in a list, unless
// gzip makes it small.
func TestStatementsLargerThanAnAnswer(t *testing.T) {
	s := newServerWith(t, true)
	c := s.newClient()
	quoted, plain := uuid(), uuid()
	c.mustPost(statement(withID(quoted), `"result":{"response":"`+strings.Repeat(`\"0\"`, 1_000_000)+`"}`))
	c.mustPost(statement(withID(plain), `"result":{"response":"`+strings.Repeat("0", 5_500_000)+`"}`))
	c.do("GET", query("statementId", plain), "").want(t, 200)
	a := c.do("GET", query("statementId", quoted), "")
	a.want(t, 303)
	if whole := c.follow(a); whole.Header.Get("Content-Type") != "application/json" || member(t, whole.body, "id") != quoted || len(whole.body) < transfer.MaxWhole {
		t.Errorf("%d bytes of %s", len(whole.body), whole.Header.Get("Content-Type"))
	}
	if head := c.do("HEAD", query("statementId", quoted), ""); head.StatusCode != 200 {
		t.Errorf("HEAD: %d", head.StatusCode)
	}
	last := query("limit", "1", "ascending", "true")
	c.do("GET", last, "").want(t, 303)
	if got := c.follow(c.do("GET", last, "")).result(t).ids(t); !slices.Equal(got, []string{quoted}) {
		t.Errorf("the list has %v", got)
	}
	c.do("GET", last, "", "Accept-Encoding: gzip").want(t, 200)
	unlimited := newServer(t).newClient()
	unlimited.mustPost(statement(withID(quoted), `"result":{"response":"`+strings.Repeat(`\"0\"`, 1_000_000)+`"}`))
	unlimited.do("GET", query("statementId", quoted), "").want(t, 200)
}

// Where an attachment is lost, the answer is an error, and no part of one.
func TestLostLargeAttachment(t *testing.T) {
	for _, byURL := range []bool{false, true} {
		c := newServerWith(t, byURL).newClient()
		film, id := pattern(5_000_000, "film"), uuid()
		c.do("PUT", query("statementId", id), statement(attached(attachment(film, "video/mp4", sha2(film)))), "X-Cairn-Upload: "+c.upload(film)).want(t, 204)
		for _, key := range c.keys(c.store.ID + "/attachments/") {
			if err := c.blobs.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		c.do("GET", query("statementId", id, "attachments", "true"), "").want(t, 500)
		if kept := c.keys("answers/"); len(kept) > 0 {
			t.Errorf("kept: %v", kept)
		}
	}
}

// An attachment whose bytes have changed on the disk is given to nobody as what it was: a small one is an error, and of a large
// one that is on its way the connection is cut.
func TestDamagedAttachment(t *testing.T) {
	for _, byURL := range []bool{false, true} {
		for _, size := range []int{5, 5_000_000} {
			c := newServerWith(t, byURL).newClient()
			file, id := pattern(size, "film"), uuid()
			c.do("PUT", query("statementId", id), statement(attached(attachment(file, "video/mp4", sha2(file)))), "X-Cairn-Upload: "+c.upload(file)).want(t, 204)
			for _, key := range c.keys(c.store.ID + "/attachments/") {
				if err := c.blobs.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
				if err := c.blobs.Put(t.Context(), key, []byte("F"+file[1:])); err != nil {
					t.Fatal(err)
				}
			}
			if size > transfer.MaxWhole && !byURL {
				r := c.get("/xapi/statements"+query("statementId", id, "attachments", "true"), c.credential)
				if !c.isCut(r) {
					t.Errorf("%d bytes: the answer is whole", size)
				}
				continue
			}
			if a := c.do("GET", query("statementId", id, "attachments", "true"), ""); a.StatusCode < 500 || strings.Contains(a.body, file[1:]) {
				t.Errorf("%d bytes: status %d with %.100q", size, a.StatusCode, a.body)
			}
			if kept := c.keys("answers/"); len(kept) > 0 {
				t.Errorf("kept: %v", kept)
			}
		}
	}
}

// isCut reports whether the answer to a request breaks off.
func (c client) isCut(r *http.Request) (cut bool) {
	defer func() { cut = recover() == http.ErrAbortHandler }() // what net/http cuts the connection for
	c.ServeHTTP(httptest.NewRecorder(), r)
	return false
}

// A link that browsers show must not run what a learner stored: it is saved, under the type of the answer and no other.
func TestLargeAnswerIsNoPage(t *testing.T) {
	c := newServerWith(t, true).newClient()
	page, id := "<!doctype html><script>alert(1)</script>"+pattern(5_000_000, "x"), uuid()
	c.do("PUT", query("statementId", id), statement(attached(attachment(page, "text/html", sha2(page)))), "X-Cairn-Upload: "+c.upload(page)).want(t, 204)
	a := c.do("GET", query("statementId", id, "attachments", "true"), "")
	whole := c.follow(a)
	if !strings.HasPrefix(whole.Header.Get("Content-Type"), "multipart/mixed") || whole.Header.Get("Content-Disposition") != "attachment" || whole.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", whole.Header)
	}
	location, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	changed := location.Query()
	changed.Set("type", "text/html")
	location.RawQuery = changed.Encode()
	c.send(httptest.NewRequest(http.MethodGet, location.String(), nil)).want(t, 403)
}
