package gateway

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"
)

// Probes are all of them. What AWS says of none of these for HTTP APIs stands in the runbook.
var Probes = []Probe{
	{"about is served", "the address is not that of an LRS, or the functions do not start", about},
	{"ETag comes through", "clients cannot change a document safely: each PUT of one that exists is a 409 or overwrites blindly", etag},
	{"Last-Modified comes through", "xAPI 1.0.3 Communication 2.2 asks for it; clients cannot tell how old a document is", lastModified},
	{"one Date comes through", "clients that compare clocks, and caches, are misled", date},
	{"WWW-Authenticate comes through", "browsers do not ask for the password, and clients do not learn how to sign in", wwwAuthenticate},
	{"HEAD of a document", "clients that look before they fetch see no length, type or tag", headDocument},
	{"HEAD of statements", "xAPI 1.0.3 Communication 1.2 asks for HEAD everywhere", headStatements},
	{"304 Not Modified", "clients fetch again what they have", notModified},
	{"Content-Length of an answer", "clients cannot tell an answer that broke off", contentLength},
	{"connections stay open", "each request pays for a new connection and its TLS handshake", connection},
	{"a head of over 10,240 bytes", "clients with long queries get an error that looks like the server's", longHead},
	{"a long query sent as a form", "there is no way for long queries", longForm},
	{"a body of a +json type", "documents of such types are stored damaged", plusJSON},
	{"a body without a type", "such documents are stored damaged, or under another type", untyped},
	{"a body of multipart/mixed", "attachments are stored damaged, or refused", multipart},
	{"a body of text in UTF-8", "documents of text are stored damaged", text},
	{"CORS preflight", "content in browsers cannot speak to the LRS", preflight},
	{"the headers of xAPI", "clients cannot tell the version, or how far lists are complete", xapiHeaders},
	{"If-Match with several tags", "a client that names several versions is refused", ifMatch},
	{"a query with every kind of character", "documents whose names have such characters cannot be found", rawQuery},
	{"a parameter that comes twice", "one of two values is taken silently", repeated},
	{"a compressed list", "clients that ask for gzip cannot read lists", compressed},
	{"doubled and trailing slashes", "clients that are configured with them get 404", slashes},
	{"a document of 4 MB", "large documents are refused or cut", large},
	{"4 MB of JSON full of quotes", "large pages of statements, and such documents, are refused or come back as base64", quotes},
	{"a document of 6 MB by an upload", "documents larger than a request cannot be stored or read", byUpload},
	{"an attachment of 6 MB by an upload", "attachments larger than a request cannot be stored or read", attachmentByUpload},
	{"a body that is too large", "clients are not told what the limit is", tooLarge},
	{"204 has no body", "clients take the answer to a write for a broken one", noContent},
	{"the request's id", "an operator cannot find a client's request in the logs", requestID},
	{"text that is not UTF-8", "", latin1},
}

func about(ctx context.Context, c *caller) (string, error) {
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: "/about", anonymous: true})
	if err == nil && !bytes.Contains(a.body, []byte(`"2.0.0"`)) {
		err = fmt.Errorf("it does not name version 2.0.0: %.200s", a.body)
	}
	return a.proto, err
}

// document stores one and reads it, and tells the answer to hold it against.
func document(ctx context.Context, c *caller) (url.Values, answer, []byte, error) {
	body := []byte(`{"mark":"` + c.mark + `"}`)
	query, _, err := c.put(ctx, "doc", "application/json", body)
	if err != nil {
		return nil, answer{}, nil, err
	}
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: statePath, query: query})
	return query, a, body, err
}

func tagOf(body []byte) string {
	sum := sha1.Sum(body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// header is the one value of a header; where it is missing, what stands in its place is told.
func header(a answer, name string) (string, error) {
	switch values := a.header.Values(name); len(values) {
	case 1:
		return values[0], nil
	case 0:
		for other := range a.header {
			if strings.HasPrefix(other, "X-Amzn-Remapped-") {
				return "", fmt.Errorf("there is no %s, but %s", name, other)
			}
		}
		return "", fmt.Errorf("there is no %s", name)
	default:
		return "", fmt.Errorf("%s comes %d times: %q", name, len(values), values)
	}
}

func etag(ctx context.Context, c *caller) (string, error) {
	_, a, body, err := document(ctx, c)
	if err != nil {
		return "", err
	}
	got, err := header(a, "ETag")
	if err == nil && got != tagOf(body) {
		err = fmt.Errorf("it is %s, want %s", got, tagOf(body))
	}
	return got, err
}

func lastModified(ctx context.Context, c *caller) (string, error) {
	_, a, _, err := document(ctx, c)
	if err != nil {
		return "", err
	}
	return isNow(a, "Last-Modified")
}

// isNow wants a header to hold about the present time.
func isNow(a answer, name string) (string, error) {
	got, err := header(a, name)
	if err != nil {
		return "", err
	}
	at, err := http.ParseTime(got)
	if err != nil {
		return got, fmt.Errorf("%s is no date of HTTP: %q", name, got)
	}
	if off := time.Since(at).Abs(); off > 5*time.Minute {
		return got, fmt.Errorf("%s is %v from now", name, off)
	}
	return got, nil
}

func date(ctx context.Context, c *caller) (string, error) {
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: "/about", anonymous: true})
	if err != nil {
		return "", err
	}
	return isNow(a, "Date")
}

func wwwAuthenticate(ctx context.Context, c *caller) (string, error) {
	a, err := c.want(ctx, http.StatusUnauthorized, request{method: "GET", path: "/statements", anonymous: true})
	if err != nil {
		return "", err
	}
	got, err := header(a, "WWW-Authenticate")
	if err == nil && !strings.HasPrefix(got, "Basic ") {
		err = fmt.Errorf("it is %q, want Basic", got)
	}
	return got, err
}

func headDocument(ctx context.Context, c *caller) (string, error) {
	query, _, body, err := document(ctx, c)
	if err != nil {
		return "", err
	}
	a, err := c.want(ctx, http.StatusOK, request{method: "HEAD", path: statePath, query: query})
	switch {
	case err != nil:
	case len(a.body) > 0:
		err = fmt.Errorf("the answer has a body of %d bytes", len(a.body))
	case a.header.Get("ETag") != tagOf(body):
		err = fmt.Errorf("its ETag is %q, want %q", a.header.Get("ETag"), tagOf(body))
	case a.header.Get("Content-Type") != "application/json":
		err = fmt.Errorf("its Content-Type is %q", a.header.Get("Content-Type"))
	case a.length != int64(len(body)):
		err = fmt.Errorf("its Content-Length is %d, want %d", a.length, len(body))
	}
	return fmt.Sprintf("Content-Length %d", a.length), err
}

func headStatements(ctx context.Context, c *caller) (string, error) {
	a, err := c.want(ctx, http.StatusOK, request{method: "HEAD", path: "/statements", query: url.Values{"limit": {"1"}}})
	if err == nil && len(a.body) > 0 {
		err = fmt.Errorf("the answer has a body of %d bytes", len(a.body))
	}
	return fmt.Sprintf("Content-Length %d", a.length), err
}

func notModified(ctx context.Context, c *caller) (string, error) {
	query, _, body, err := document(ctx, c)
	if err != nil {
		return "", err
	}
	a, err := c.want(ctx, http.StatusNotModified, request{
		method: "GET", path: statePath, query: query, header: map[string]string{"If-None-Match": tagOf(body)},
	})
	if err == nil && (len(a.body) > 0 || a.header.Get("ETag") != tagOf(body)) {
		err = fmt.Errorf("it has the ETag %q and a body of %d bytes", a.header.Get("ETag"), len(a.body))
	}
	return "without a body, with its ETag", err
}

func contentLength(ctx context.Context, c *caller) (string, error) {
	_, a, body, err := document(ctx, c)
	if err == nil && a.length != int64(len(body)) {
		err = fmt.Errorf("it is %d for %d bytes (-1: there is none)", a.length, len(body))
	}
	return fmt.Sprint(a.length), err
}

func connection(ctx context.Context, c *caller) (string, error) {
	reused := false
	trace := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }})
	for range 2 {
		if _, err := c.want(trace, http.StatusOK, request{method: "GET", path: "/about", anonymous: true}); err != nil {
			return "", err
		}
	}
	if !reused {
		return "", fmt.Errorf("the second request needed a new connection")
	}
	return "the second request used the first one's connection", nil
}
