package lrsapi

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

// Limits of a multipart request. Source: design decisions, named in the errors that enforce them.
const (
	maxParts       = 100  // attachments of one request
	maxPartHeaders = 8192 // bytes of the headers of one part
)

// splitParts takes a multipart/mixed body apart: statements first, then one part for each attachment. NextRawPart is
// used because NextPart decodes quoted-printable, after which no digest fits.
// Source: xAPI 1.0.3 Communication 1.5.2; RFC 2046, 5.1.
func splitParts(body []byte, boundary string) (statements []byte, parts []lrs.Part, err error) {
	if !validBoundary(boundary) {
		return nil, nil, edge.BadRequest(multipartSection, "the Content-Type multipart/mixed has no valid boundary")
	}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for number := 1; ; number++ {
		p, err := reader.NextRawPart()
		if err == io.EOF { // and no error that wraps it: that is a body without its closing boundary
			break
		}
		if err != nil {
			return nil, nil, partError(number, "the body is not well-formed multipart/mixed, or was cut off")
		}
		if number > maxParts+1 {
			return nil, nil, tooManyParts()
		}
		if err := checkPartHeaders(number, p.Header); err != nil {
			return nil, nil, err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, nil, partError(number, "the body is not well-formed multipart/mixed, or was cut off")
		}
		if number == 1 {
			if err := checkFirstPart(p.Header); err != nil {
				return nil, nil, err
			}
			statements = content
			continue
		}
		attachment, err := newPart(number, p.Header, content)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, attachment)
	}
	if statements == nil {
		return nil, nil, edge.BadRequest(multipartSection, "the first part must hold the statements: there is no part")
	}
	return statements, parts, nil
}

func tooManyParts() error {
	return edge.Refuse(http.StatusRequestEntityTooLarge, "", "a request takes at most %d attachments: send fewer statements at a time", maxParts)
}

func checkPartHeaders(number int, h textproto.MIMEHeader) error {
	size := 0
	for name, values := range h {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > maxPartHeaders {
		return partError(number, "its headers are larger than %d bytes", maxPartHeaders)
	}
	return nil
}

// checkFirstPart holds the first part to application/json. Other headers, such as the Content-Disposition of browser
// libraries, do no harm.
func checkFirstPart(h textproto.MIMEHeader) error {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return partError(1, "its Content-Type must be application/json: it holds the statements")
	}
	return nil
}

// newPart checks the headers of an attachment's part, and its digest, by which alone it is matched with an attachment.
func newPart(number int, h textproto.MIMEHeader, content []byte) (lrs.Part, error) {
	if !strings.EqualFold(h.Get("Content-Transfer-Encoding"), "binary") {
		return lrs.Part{}, partError(number, "its Content-Transfer-Encoding must be binary")
	}
	if length := h.Get("Content-Length"); length != "" && length != strconv.Itoa(len(content)) {
		return lrs.Part{}, partError(number, "its content has %d bytes, which is not its Content-Length", len(content))
	}
	claimed := h.Values("X-Experience-API-Hash")
	if len(claimed) != 1 || claimed[0] == "" {
		return lrs.Part{}, partError(number, "it must have the header X-Experience-API-Hash, once")
	}
	sha2 := strings.ToLower(claimed[0])
	digest, ok := digestLike(sha2, content)
	if !ok {
		return lrs.Part{}, partError(number, "its X-Experience-API-Hash is not a SHA-256, SHA-384 or SHA-512 in hexadecimal digits")
	}
	if digest != sha2 {
		return lrs.Part{}, partError(number, "its content does not have the X-Experience-API-Hash that it claims")
	}
	return lrs.Part{SHA2: sha2, ContentType: h.Get("Content-Type"), Body: content}, nil
}

// digestLike computes the digest of the kind that another has, told by its length, as lower-case hex.
// Source: xAPI 1.0.3 Communication 1.5.2, SHA-256, SHA-384 or SHA-512.
func digestLike(other string, content []byte) (digest string, ok bool) {
	switch len(other) {
	case 2 * sha256.Size:
		sum := sha256.Sum256(content)
		return hex.EncodeToString(sum[:]), true
	case 2 * sha512.Size384:
		sum := sha512.Sum384(content)
		return hex.EncodeToString(sum[:]), true
	case 2 * sha512.Size:
		sum := sha512.Sum512(content)
		return hex.EncodeToString(sum[:]), true
	}
	return "", false
}

// validBoundary reports whether s is a boundary. Source: RFC 2046, 5.1.1.
func validBoundary(s string) bool {
	if s == "" || len(s) > 70 || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("'()+_,-./:=? ", c) >= 0) {
			return false
		}
	}
	return true
}
