package edge

import (
	"encoding/json/v2"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
)

// problem is the JSON of an error: {"error": {…}}. Absent members are unknown or do not apply.
type problem struct {
	Error problemDetail `json:"error"`
}

type problemDetail struct {
	Status    int    `json:"status"`
	Message   string `json:"message"`             // one sentence for people
	Statement *int   `json:"statement,omitempty"` // index in the request
	Path      string `json:"path,omitempty"`      // JSON pointer into the statement
	Rule      string `json:"rule,omitempty"`      // the rule alone, without the place
	Section   string `json:"section,omitempty"`   // of the specification
	RequestID string `json:"requestId"`
}

// writeError writes an error as JSON, or as text or HTML where Accept prefers that. When the answer has begun there is
// nothing to say any more: the connection is cut, so that nobody takes the half for the whole.
// Source: xAPI 1.0.3 Communication 3.2, content negotiation of errors by RFC 7231, 5.3.
func writeError(w *recorder, r *Request, err error) {
	if w.status != 0 {
		w.cut = true
		return
	}
	e := asError(err)
	if r.own && e.Section != "" { // a rule of xAPI is no reason here
		own := *e
		own.Section, e = "", &own
	}
	h := w.Header()
	// The answer that failed may have set some.
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Last-Modified", "Etag"} {
		h.Del(name)
	}
	for name, values := range e.Header {
		h[name] = values
	}
	h.Set("Vary", "Accept")
	w.noBody = r.Method == http.MethodHead
	contentType, body := e.render(r.Header.Get("Accept"), r.id)
	// The client being gone is not worth a second error.
	_ = Write(w, e.Status, contentType, body)
}

// render writes the error in the format that the Accept header prefers; JSON when it takes none of ours.
func (e *Error) render(accept, requestID string) (contentType string, body []byte) {
	switch Prefer(accept, "application/json", "text/plain", "text/html") {
	case "text/html":
		return "text/html; charset=utf-8", htmlError(e, requestID)
	case "text/plain":
		return "text/plain; charset=utf-8", []byte(e.title() + "\n" + strings.Join(e.lines(requestID), "\n") + "\n")
	}
	return "application/json", jsonError(e, requestID)
}

// title is the status in words.
func (e *Error) title() string { return strconv.Itoa(e.Status) + " " + http.StatusText(e.Status) }

// lines are the error for people.
func (e *Error) lines(requestID string) []string {
	lines := []string{e.Message}
	if e.Section != "" {
		lines = append(lines, "See "+e.Section+".")
	}
	return append(lines, "Request "+requestID)
}

func jsonError(e *Error, requestID string) []byte {
	detail := problemDetail{Status: e.Status, Message: e.Message, Path: e.Path, Rule: e.Rule, Section: e.Section, RequestID: requestID}
	if e.Statement >= 0 {
		detail.Statement = &e.Statement
	}
	body, err := json.Marshal(problem{Error: detail})
	if err != nil { // bad UTF-8 in a message; say what can be said
		return []byte(`{"error":{"status":` + strconv.Itoa(e.Status) + `,"message":"invalid request","requestId":"` + requestID + `"}}`)
	}
	return body
}

func htmlError(e *Error, requestID string) []byte {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>" + e.title() + "</title>\n<h1>" + e.title() + "</h1>\n")
	for _, line := range e.lines(requestID) {
		b.WriteString("<p>" + html.EscapeString(line) + "</p>\n")
	}
	return []byte(b.String())
}

// Write writes an answer whose body is at hand.
func Write(w http.ResponseWriter, status int, contentType string, body []byte) error {
	h := w.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// Prefer picks the offer that the header (Accept, or Accept-Encoding) wants most; the first when it wants several
// equally, says nothing or is not readable. It picks "" when the header refuses them all.
// Source: RFC 9110, 12.5.1 and 12.5.3.
func Prefer(header string, offers ...string) string {
	if header == "" {
		return offers[0]
	}
	best, bestQuality := "", 0
	for _, offer := range offers {
		if q := quality(header, offer); q > bestQuality {
			best, bestQuality = offer, q
		}
	}
	return best
}

// quality is the weight, 0 to 1000, that the most specific matching element of the header gives to an offer.
func quality(header, offer string) int {
	q, specificity := 0, 0
	for element := range strings.SplitSeq(header, ",") {
		rng, params, _ := strings.Cut(element, ";")
		rng = strings.ToLower(strings.TrimSpace(rng))
		s := 0
		switch group, _, _ := strings.Cut(offer, "/"); rng {
		case offer:
			s = 3
		case group + "/*":
			s = 2
		case "*/*", "*":
			s = 1
		}
		if s > specificity {
			q, specificity = weight(params), s
		}
	}
	return q
}

// weight reads q=0.8 among the parameters of an element of Accept, as 800; 1000 when there is none or it is not readable.
func weight(params string) int {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		if f, err := strconv.ParseFloat(value, 64); err == nil && f >= 0 && f <= 1 {
			return int(f * 1000)
		}
	}
	return 1000
}
