package lambdaio

import (
	"bytes"
	"encoding/base64"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// Messages of the two refusals by size, for the client.
const (
	tooLargeIn  = "the request is larger than the 6 MB that AWS Lambda takes, encoding included: send fewer statements in a request, and a large document or attachment by an upload, which POST /xapi/uploads begins"
	tooLargeOut = "the answer is larger than the 6 MB that AWS Lambda gives, encoding included: ask for fewer statements with limit, or without attachments"
)

var errAnswerTooLarge = errors.New("write answer: larger than an answer of AWS Lambda may be")

// responseWriter collects an answer with the rules of net/http: the first status counts, headers are fixed
// with it, and a body may follow only where the method and the status have one.
type responseWriter struct {
	method string
	header http.Header // the handler's, open to changes until the status is written
	sent   http.Header // as it was when the status was written
	status int         // 0 until then
	body   bytes.Buffer
	length int // bytes that the handler wrote, kept or not
}

func newResponseWriter(method string) *responseWriter {
	return &responseWriter{method: method, header: make(http.Header)}
}

// refuse makes an answer for a request that never reached a handler.
func refuse(status int, message, requestID string) *responseWriter {
	w := newResponseWriter(http.MethodGet)
	w.replace(status, message, requestID)
	return w
}

// Header returns the header to be sent. Changes after WriteHeader have no effect.
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader fixes status and header. Informational statuses have no place in an event and are dropped.
func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 || status < http.StatusOK {
		return
	}
	w.status = status
	w.sent = w.header.Clone()
}

// Write adds to the body, after an implicit 200. It fails when the answer has no body, and when the body
// outgrows what can be sent, so that a handler stops reading what nobody will get.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.length += len(p)
	switch {
	case w.method == http.MethodHead:
		return len(p), nil
	case w.status == http.StatusNoContent || w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case w.length > MaxPayload:
		return 0, errAnswerTooLarge
	}
	if _, named := w.sent["Content-Type"]; !named && w.sent.Get("Content-Encoding") == "" && len(p) > 0 {
		w.sent.Set("Content-Type", http.DetectContentType(p))
	}
	return w.body.Write(p)
}

// tooLarge reports that a part of the body was refused; an answer to HEAD has none.
func (w *responseWriter) tooLarge() bool { return w.length > MaxPayload && w.method != http.MethodHead }

// replace forgets what the handler made but for the headers that every answer of the resource has (version,
// CORS, Consistent-Through), and puts an error in its place.
func (w *responseWriter) replace(status int, message, requestID string) {
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Etag", "Last-Modified", "Set-Cookie", "Cache-Control"} {
		w.header.Del(name)
	}
	w.header.Set("Content-Type", "application/json")
	w.status, w.length = 0, 0
	w.body = bytes.Buffer{}
	w.WriteHeader(status)
	// Marshalling strings and a number cannot fail.
	body, _ := json.Marshal(errorBody{Error: errorDetail{Status: status, Message: message, RequestID: requestID}})
	_, _ = w.Write(body)
}

// errorBody has the shape of every error of Cairn; see package httpapi.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Status    int    `json:"status"`
	Message   string `json:"message"`
	RequestID string `json:"requestId,omitempty"`
}

// appendJSON appends the answer as a payload of format 2.0.
// Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
func (w *responseWriter) appendJSON(dst []byte) ([]byte, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	headers := make(map[string]string, len(w.sent))
	for name, values := range w.sent {
		headers[name] = strings.Join(values, ", ")
	}
	delete(headers, "Set-Cookie")
	// The gateway counts the bytes that it sends, except where there are none to count.
	delete(headers, "Content-Length")
	if w.method == http.MethodHead {
		headers["Content-Length"] = w.headLength()
	}

	head, err := json.Marshal(struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Cookies    []string          `json:"cookies,omitempty"`
	}{w.status, headers, w.sent["Set-Cookie"]}, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("encode response header: %w", err)
	}
	dst = append(dst, head[:len(head)-1]...)
	return w.appendBody(dst), nil
}

// headLength is what the handler announced, or else what it wrote and HEAD dropped.
func (w *responseWriter) headLength() string {
	if announced := w.sent.Get("Content-Length"); announced != "" {
		return announced
	}
	return strconv.Itoa(w.length)
}

// appendBody appends the members body and isBase64Encoded and the closing brace, in one copy of the bytes.
func (w *responseWriter) appendBody(dst []byte) []byte {
	body := w.body.Bytes()
	start := len(dst)
	if isText(w.sent) {
		dst = append(dst, `,"body":`...)
		const end = `,"isBase64Encoded":false}`
		if quoted, err := jsontext.AppendQuote(dst, body); err == nil && len(quoted)+len(end) <= MaxPayload {
			return append(quoted, end...)
		}
		// Not UTF-8, whatever its type says: only base64 keeps it. Or so full of quotes, which need escapes, that base64 is
		// shorter and may just fit: the gateway decodes it whatever the type.
		dst = dst[:start]
	}
	dst = append(dst, `,"body":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, body)
	return append(dst, `","isBase64Encoded":true}`...)
}

// isText reports whether a body with this header is sent as text.
func isText(header http.Header) bool {
	if coding := header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return header.Get("Content-Type") == "" // nothing to send, or nothing that says it is not text
	}
	return strings.HasPrefix(mediaType, "text/") || mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}
