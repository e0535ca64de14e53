package edge

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// Body reads the request's content whole, up to the limit for its Content-Type. It may be called once.
func (r *Request) Body() ([]byte, error) {
	if r.form != nil {
		return r.form.content, nil // its size was bounded with the form
	}
	limit := r.limits.Binary
	if isText(r.Header.Get("Content-Type")) {
		limit = r.limits.Text
	}
	return r.readBody(limit)
}

// MediaType is the Content-Type of the content, in lower case, with its parameters; "" when there is none.
func (r *Request) MediaType() (mediaType string, params map[string]string, err error) {
	value := r.Header.Get("Content-Type")
	if value == "" {
		return "", nil, nil
	}
	if value == "application/json" { // nearly always; spares the parse
		return value, nil, nil
	}
	mediaType, params, err = mime.ParseMediaType(value)
	if err != nil {
		if boundary, ok := bareBoundary(value); ok {
			return "multipart/mixed", map[string]string{"boundary": boundary}, nil
		}
		return "", nil, BadRequest("xAPI 1.0.3 Communication 1.5", "the header Content-Type is not a media type")
	}
	return mediaType, params, nil
}

// bareBoundary reads a multipart/mixed whose boundary lacks the quotes that its characters need: the Java client jxapi
// sends boundary====1700000000000===. There is one way to understand it.
func bareBoundary(contentType string) (boundary string, ok bool) {
	mediaType, parameter, _ := strings.Cut(contentType, ";")
	name, boundary, _ := strings.Cut(strings.TrimSpace(parameter), "=")
	ok = strings.EqualFold(strings.TrimSpace(mediaType), "multipart/mixed") && strings.EqualFold(name, "boundary") &&
		boundary != "" && !strings.ContainsAny(boundary, "; \"")
	return boundary, ok
}

// isText reports whether the gateway hands on a body of this Content-Type as text. Without one it does not.
func isText(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	switch mediaType {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(mediaType, "text/")
}

// readBody reads what came on the wire, at most limit bytes. A longer body is refused by its Content-Length before a byte
// of it is read, or as soon as the limit is passed.
func (r *Request) readBody(limit int64) ([]byte, error) {
	if coding := r.http.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, BadRequest("", "Content-Encoding is not taken here: send the content as it is")
	}
	length := r.http.ContentLength
	if length > limit {
		return nil, r.tooLarge(limit)
	}
	if length >= 0 {
		body, err := readAnnounced(r.http.Body, int(length))
		if err != nil {
			return nil, unreadable(r, err)
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.http.Body, limit+1))
	if err != nil {
		return nil, unreadable(r, err)
	}
	if int64(len(body)) > limit {
		return nil, r.tooLarge(limit)
	}
	return body, nil
}

// firstRead is the memory, in bytes, that an announced length gets before any of it has come.
const firstRead = 64 << 10

// readAnnounced reads so many bytes. Memory grows with what has come, not with what was announced: in the alternate
// request syntax anybody may announce, before any credentials are known.
func readAnnounced(r io.Reader, length int) ([]byte, error) {
	body := make([]byte, 0, min(length, firstRead))
	for len(body) < length {
		if len(body) == cap(body) {
			body = slices.Grow(body, min(length-len(body), len(body)))
		}
		n, err := r.Read(body[len(body):min(cap(body), length)])
		body = body[:len(body)+n]
		if err == io.EOF && len(body) < length {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
	}
	return body, nil
}

// unreadable tells a body that ended early from a client that is gone or too slow; either way nothing was stored. A client
// that has ended its own side only, in the middle of a body, still reads the answer, though the context is done by then.
func unreadable(r *Request, cause error) error {
	if r.Context().Err() != nil && !errors.Is(cause, io.ErrUnexpectedEOF) {
		return r.Context().Err()
	}
	e := BadRequest("", "the request's content ended before its announced length, or took too long")
	if _, ok := errors.AsType[*http.MaxBytesError](cause); ok {
		e = Refuse(http.StatusRequestEntityTooLarge, "", "the request's content is larger than this server takes")
	}
	e.Cause = cause
	return e
}

func (r *Request) tooLarge(limit int64) error {
	if r.own {
		return Refuse(http.StatusRequestEntityTooLarge, "", "the request's content is larger than %d bytes", limit)
	}
	return Refuse(http.StatusRequestEntityTooLarge, "xAPI 1.0.3 Communication 3.2",
		"the request's content is larger than %d bytes: send fewer statements at a time (cairn import does so), and a large document or attachment by an upload, which POST /xapi/uploads begins", limit)
}
