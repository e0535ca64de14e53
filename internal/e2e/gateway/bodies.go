package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// longQuery is one whose request line is longer than the gateway takes.
func (c *caller) longQuery() url.Values {
	return url.Values{"activity": {"http://example.com/verify/" + c.mark + "/" + strings.Repeat("x", 11_000)}}
}

func longHead(ctx context.Context, c *caller) (string, error) {
	a, err := c.send(ctx, request{method: "GET", path: "/statements", query: c.longQuery()})
	if err != nil {
		return "", err
	}
	found := fmt.Sprintf("%d %.120q", a.status, a.body)
	if a.status < 400 || a.status >= 500 {
		return found, fmt.Errorf("it was answered with %d, want 4xx: %.200s", a.status, a.body)
	}
	return found, nil
}

// longForm sends a long query that is right, and one whose last parameter is wrong: that it is refused shows that the whole
// form came.
func longForm(ctx context.Context, c *caller) (string, error) {
	for last, status := range map[string]int{"http://example.com/verify": http.StatusOK, "no IRI": http.StatusBadRequest} {
		form := c.longQuery()
		form.Set("X-Experience-API-Version", "1.0.3")
		form.Set("verb", last)
		_, err := c.want(ctx, status, request{
			method: "POST", path: "/statements", rawQuery: "method=GET", body: []byte(form.Encode()),
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		})
		if err != nil {
			return "", err
		}
	}
	return "200", nil
}

// everyByte has each byte once: no encoding of text keeps it by chance.
func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func plusJSON(ctx context.Context, c *caller) (string, error) {
	return "as it was sent", c.comesBack(ctx, "application/vnd.example+json", "application/vnd.example+json", everyByte())
}

func untyped(ctx context.Context, c *caller) (string, error) {
	return "as it was sent, as application/octet-stream", c.comesBack(ctx, "", "application/octet-stream", everyByte())
}

func text(ctx context.Context, c *caller) (string, error) {
	return "as it was sent", c.comesBack(ctx, "text/plain; charset=utf-8", "text/plain; charset=utf-8", []byte("Erste Hilfe – Grundlagen\r\n"))
}

func latin1(ctx context.Context, c *caller) (string, error) {
	if err := c.comesBack(ctx, "text/plain; charset=iso-8859-1", "text/plain; charset=iso-8859-1", []byte("gr\xfc\xdfe")); err != nil {
		return "not kept: documents of such text must be sent with another type, as application/octet-stream (" + err.Error() + ")", nil
	}
	return "kept", nil
}

// attached is a statement with this content as its attachment, and the content's digest.
func (c *caller) attached(content []byte) (statement, hash string) {
	sum := sha256.Sum256(content)
	hash = hex.EncodeToString(sum[:])
	return fmt.Sprintf(`{"actor":{"mbox":"mailto:%s@example.com"},"verb":{"id":"http://example.com/verify"},"object":{"id":"http://example.com/verify"},`+
		`"attachments":[{"usageType":"http://example.com/verify","display":{"en":"verify"},"contentType":"application/octet-stream","length":%d,"sha2":"%s"}]}`, c.mark, len(content), hash), hash
}

func multipart(ctx context.Context, c *caller) (string, error) {
	content := everyByte()
	statement, hash := c.attached(content)
	var body bytes.Buffer
	fmt.Fprintf(&body, "--cut\r\nContent-Type: application/json\r\n\r\n%s\r\n--cut\r\nContent-Type: application/octet-stream\r\n"+
		"Content-Transfer-Encoding: binary\r\nX-Experience-API-Hash: %s\r\n\r\n%s\r\n--cut--\r\n", statement, hash, content)
	a, err := c.want(ctx, http.StatusOK, request{
		method: "POST", path: "/statements", header: map[string]string{"Content-Type": "multipart/mixed; boundary=cut"}, body: body.Bytes(),
	})
	if err != nil {
		return "", err
	}
	id := strings.Trim(string(a.body), `[]" `)
	a, err = c.want(ctx, http.StatusOK, request{method: "GET", path: "/statements", query: url.Values{"statementId": {id}, "attachments": {"true"}}})
	if err == nil && !bytes.Contains(a.body, content) {
		err = fmt.Errorf("the attachment's bytes are not in the answer of %d bytes", len(a.body))
	}
	return "the attachment came back as it was sent", err
}

func preflight(ctx context.Context, c *caller) (string, error) {
	a, err := c.send(ctx, request{method: "OPTIONS", path: "/statements", anonymous: true, header: map[string]string{
		"Origin": "https://content.example.com", "Access-Control-Request-Method": "PUT",
		"Access-Control-Request-Headers": "authorization,content-type,x-experience-api-version",
	}})
	if err != nil {
		return "", err
	}
	if allowed := strings.ToLower(a.header.Get("Access-Control-Allow-Headers")); a.header.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(allowed, "x-experience-api-version") {
		return "", fmt.Errorf("%d allows the origin %q and the headers %q", a.status, a.header.Get("Access-Control-Allow-Origin"), allowed)
	}
	a, err = c.want(ctx, http.StatusOK, request{method: "GET", path: "/statements", query: url.Values{"limit": {"1"}}, header: map[string]string{"Origin": "https://content.example.com"}})
	if exposed := strings.ToLower(a.header.Get("Access-Control-Expose-Headers")); err == nil && (!strings.Contains(exposed, "etag") || !strings.Contains(exposed, "x-experience-api-consistent-through")) {
		err = fmt.Errorf("the headers %q only are exposed", exposed)
	}
	return "origin, headers and exposed headers are the function's", err
}

func xapiHeaders(ctx context.Context, c *caller) (string, error) {
	a, err := c.want(ctx, http.StatusUnauthorized, request{method: "GET", path: "/statements", anonymous: true})
	for _, name := range []string{"X-Experience-API-Version", "X-Experience-API-Consistent-Through"} {
		if err == nil {
			_, err = header(a, name)
		}
	}
	return a.header.Get("X-Experience-API-Version"), err
}

func ifMatch(ctx context.Context, c *caller) (string, error) {
	query, _, body, err := document(ctx, c)
	if err != nil {
		return "", err
	}
	_, err = c.want(ctx, http.StatusNoContent, request{method: "PUT", path: statePath, query: query, body: []byte(`{}`), header: map[string]string{
		"Content-Type": "application/json", "If-Match": `"0000000000000000000000000000000000000000", ` + tagOf(body),
	}})
	return "the second tag was seen", err
}

func rawQuery(ctx context.Context, c *caller) (string, error) {
	name := "a+b c,d&e=f%20g/ü?#\"'"
	if _, _, err := c.put(ctx, name, "text/plain", []byte("x")); err != nil {
		return "", err
	}
	list := c.state("")
	list.Del("stateId")
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: statePath, query: list})
	if want := `["a+b c,d&e=f%20g/ü?#\"'"]`; err == nil && string(a.body) != want {
		err = fmt.Errorf("the document %q is listed as %s", name, a.body)
	}
	return "the name came through", err
}

func repeated(ctx context.Context, c *caller) (string, error) {
	_, err := c.want(ctx, http.StatusBadRequest, request{method: "GET", path: "/statements", rawQuery: "limit=1&limit=2"})
	return "the function saw both", err
}

func compressed(ctx context.Context, c *caller) (string, error) {
	if _, err := multipart(ctx, c); err != nil { // so that there is a statement
		return "", err
	}
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: "/statements", header: map[string]string{"Accept-Encoding": "gzip"}, query: url.Values{"limit": {"100"}}})
	if err != nil || a.header.Get("Content-Encoding") == "" {
		if err == nil && !bytes.HasPrefix(a.body, []byte("{")) {
			err = fmt.Errorf("there is no Content-Encoding, and the body begins with %.10q", a.body)
		}
		return "not compressed", err
	}
	reader, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		return "", fmt.Errorf("it is not what Content-Encoding %q says: %w", a.header.Get("Content-Encoding"), err)
	}
	whole, err := io.ReadAll(reader)
	if err == nil && !bytes.HasPrefix(whole, []byte("{")) {
		err = fmt.Errorf("what was compressed begins with %.10q", whole)
	}
	return fmt.Sprintf("%d bytes for %d", len(a.body), len(whole)), err
}

func slashes(ctx context.Context, c *caller) (string, error) {
	for _, path := range []string{"/about/", "//about"} {
		if _, err := c.want(ctx, http.StatusOK, request{method: "GET", path: path, anonymous: true}); err != nil {
			return "", err
		}
	}
	return "200", nil
}

func large(ctx context.Context, c *caller) (string, error) {
	return "as it was sent", c.comesBack(ctx, "application/octet-stream", "application/octet-stream", bytes.Repeat(everyByte(), 4_000_000/256))
}

// upload sends bytes by a signed URL and returns their name.
func (c *caller) upload(ctx context.Context, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	a, err := c.want(ctx, http.StatusOK, request{
		method: "POST", path: "/uploads", header: map[string]string{"Content-Type": "application/json"},
		body: fmt.Appendf(nil, `{"length":%d,"sha256":"%x"}`, len(body), sum),
	})
	if err != nil {
		return "", err
	}
	var ticket struct {
		Upload  string            `json:"upload"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	if err := json.Unmarshal(a.body, &ticket); err != nil {
		return "", fmt.Errorf("read ticket: %w", err)
	}
	if a, err = c.signed(ctx, http.MethodPut, ticket.URL, ticket.Headers, body); err != nil || a.status != http.StatusOK {
		return "", fmt.Errorf("upload: %d %.200s, %w", a.status, a.body, err)
	}
	return ticket.Upload, nil
}

// uploadDocument stores a document by an upload and returns how to ask for it.
func (c *caller) uploadDocument(ctx context.Context, contentType string, body []byte) (url.Values, error) {
	upload, err := c.upload(ctx, body)
	if err != nil {
		return nil, err
	}
	query := c.state("content")
	c.wrote = append(c.wrote, query)
	_, err = c.want(ctx, http.StatusNoContent, request{
		method: "PUT", path: statePath, query: query, header: map[string]string{"Content-Type": contentType, "X-Cairn-Upload": upload},
	})
	return query, err
}

// quotes is text that doubles on its way through Lambda's JSON, unless it goes as base64. It comes in by an upload, since a
// request of it doubles too.
func quotes(ctx context.Context, c *caller) (string, error) {
	body := []byte(`"` + strings.Repeat(`\"`, 2_000_000) + `"`)
	query, err := c.uploadDocument(ctx, "application/json", body)
	if err != nil {
		return "", err
	}
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: statePath, query: query})
	if err == nil && !bytes.Equal(a.body, body) {
		err = fmt.Errorf("%d bytes come back as %d others: %.80q", len(body), len(a.body), a.body)
	}
	return "as it was sent", err
}

// byUpload is a document that neither a request nor an answer carries.
func byUpload(ctx context.Context, c *caller) (string, error) {
	body := bytes.Repeat(everyByte(), 6_000_000/256)
	query, err := c.uploadDocument(ctx, "video/mp4", body)
	if err != nil {
		return "", err
	}
	a, err := c.want(ctx, http.StatusSeeOther, request{method: "GET", path: statePath, query: query})
	if err != nil {
		return "", err
	}
	location, err := header(a, "Location")
	if err != nil {
		return "", err
	}
	a, err = c.signed(ctx, http.MethodGet, location, nil, nil)
	if err == nil && (a.status != http.StatusOK || !bytes.Equal(a.body, body) || a.header.Get("Content-Type") != "video/mp4") {
		err = fmt.Errorf("its URL answers %d with %d bytes of %q", a.status, len(a.body), a.header.Get("Content-Type"))
	}
	return "uploaded and downloaded by signed URLs", err
}

// attachmentByUpload is a statement with an attachment that neither a request nor an answer of Lambda carries. Where answers have
// no limit it comes at once.
func attachmentByUpload(ctx context.Context, c *caller) (string, error) {
	content := bytes.Repeat(everyByte(), 6_000_000/256)
	upload, err := c.upload(ctx, content)
	if err != nil {
		return "", err
	}
	statement, _ := c.attached(content)
	a, err := c.want(ctx, http.StatusOK, request{
		method: "POST", path: "/statements", header: map[string]string{"Content-Type": "application/json", "X-Cairn-Upload": upload}, body: []byte(statement),
	})
	if err != nil {
		return "", err
	}
	id, found := strings.Trim(string(a.body), `[]" `), "given at once"
	a, err = c.send(ctx, request{method: "GET", path: "/statements", query: url.Values{"statementId": {id}, "attachments": {"true"}}})
	if err == nil && a.status == http.StatusSeeOther {
		found = "given by a signed URL"
		a, err = c.signed(ctx, http.MethodGet, a.header.Get("Location"), nil, nil)
	}
	if contentType := a.header.Get("Content-Type"); err == nil && (a.status != http.StatusOK || !bytes.Contains(a.body, content) || !strings.HasPrefix(contentType, "multipart/mixed; boundary=")) {
		err = fmt.Errorf("the answer is %d with %d bytes of %q", a.status, len(a.body), contentType)
	}
	return "uploaded by a signed URL, " + found, err
}

func tooLarge(ctx context.Context, c *caller) (string, error) {
	a, err := c.want(ctx, http.StatusRequestEntityTooLarge, request{
		method: "PUT", path: statePath, query: c.state("huge"), header: map[string]string{"Content-Type": "application/octet-stream"}, body: make([]byte, 5_000_000),
	})
	return fmt.Sprintf("%.160s", a.body), err
}

func noContent(ctx context.Context, c *caller) (string, error) {
	query, a, err := c.put(ctx, "doc", "application/json", []byte(`{}`))
	if err == nil && len(a.body) > 0 {
		err = fmt.Errorf("204 has a body of %d bytes", len(a.body))
	}
	if err != nil {
		return "", err
	}
	a, err = c.want(ctx, http.StatusNoContent, request{method: "DELETE", path: statePath, query: query})
	if err == nil && len(a.body) > 0 {
		err = fmt.Errorf("204 has a body of %d bytes", len(a.body))
	}
	return "of PUT and DELETE", err
}

func requestID(ctx context.Context, c *caller) (string, error) {
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: "/about", anonymous: true})
	if err != nil {
		return "", err
	}
	got, err := header(a, "X-Request-Id")
	if gateways := a.header.Get("Apigw-Requestid"); err == nil && gateways != "" && gateways != got {
		err = fmt.Errorf("X-Request-Id is %q and the gateway's is %q: its access log names another one", got, gateways)
	}
	return got, err
}
