package lrsapi

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

// appendResult appends the StatementResult of a page. The statements are joined byte by byte, never marshalled again.
// more is a percent-encoded IRL, which has nothing to escape in JSON. Source: xAPI 1.0.3 Data 2.5.
func appendResult(dst []byte, bodies [][]byte, more string) []byte {
	size := len(`{"statements":[],"more":""}`) + len(more)
	for _, b := range bodies {
		size += len(b) + len(",")
	}
	if cap(dst) < size {
		dst = make([]byte, 0, size)
	}
	dst = append(dst, `{"statements":[`...)
	for i, b := range bodies {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, b...)
	}
	dst = append(dst, `],"more":"`...)
	dst = append(dst, more...)
	return append(dst, `"}`...)
}

// worthCompressing is the size in bytes from which a list is compressed: below it a packet carries it anyway.
const worthCompressing = 1400

// writeList writes a StatementResult, by gzip when the client takes that. It is one Write, since net/http would cut many
// small ones into packets of 4 KB.
func (s *statements) writeList(w http.ResponseWriter, r *edge.Request, result []byte) error {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(result) < worthCompressing || edge.Prefer(r.Header.Get("Accept-Encoding"), "identity", "gzip") != "gzip" {
		return s.writeJSON(w, r, result)
	}
	buffer := takeBuffer()
	defer giveBuffer(buffer)
	packed := bytes.NewBuffer(*buffer)
	z := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(z)
	z.Reset(packed)
	if _, err := z.Write(result); err != nil {
		return fmt.Errorf("compress list: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compress list: %w", err)
	}
	*buffer = packed.Bytes()
	h.Set("Content-Encoding", "gzip")
	return edge.Write(w, http.StatusOK, "application/json", packed.Bytes())
}

// gzipWriters keeps compressors, each some 300 kB. The fastest level already takes statements to a fifth.
var gzipWriters = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for unknown levels only
	return z
}}

// largestKept is the capacity above which a buffer is left to the garbage collector: one large page must not hold memory
// for all the small ones after it.
const largestKept = 1 << 20

var buffers = sync.Pool{New: func() any { return new([]byte) }}

func takeBuffer() *[]byte { return buffers.Get().(*[]byte) }

func giveBuffer(b *[]byte) {
	if cap(*b) <= largestKept {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}

// Boundaries are a mark and so many characters more.
const (
	boundaryMark   = "cairn-"
	boundaryLength = 32
)

// boundary makes a boundary that nobody can have foreseen and put into an attachment.
func (s *statements) boundary() (string, error) {
	var random [24]byte // as base64, boundaryLength characters
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return "", fmt.Errorf("make boundary: %w", err)
	}
	return boundaryMark + base64.RawURLEncoding.EncodeToString(random[:]), nil
}

// multipartOf takes the parts of a multipart answer together: the JSON first, then each attachment's content.
func multipartOf(boundary string, body []byte, attachments []lrs.Attachment) ([]blob.Piece, error) {
	var pieces []blob.Piece
	var between bytes.Buffer // what stands around the contents
	m := multipart.NewWriter(&between)
	if err := m.SetBoundary(boundary); err != nil {
		return nil, err
	}
	flush := func() {
		pieces = append(pieces, blob.Piece{Bytes: bytes.Clone(between.Bytes())})
		between.Reset()
	}
	add := func(header textproto.MIMEHeader, content blob.Piece) error {
		_, err := m.CreatePart(header)
		flush()
		pieces = append(pieces, content)
		return err
	}
	if err := add(textproto.MIMEHeader{"Content-Type": {"application/json"}}, blob.Piece{Bytes: body}); err != nil {
		return nil, err
	}
	for _, a := range attachments {
		if err := add(textproto.MIMEHeader{
			"Content-Type":              {safeContentType(a.ContentType)},
			"Content-Transfer-Encoding": {"binary"},
			"X-Experience-API-Hash":     {a.SHA2},
		}, a.Content); err != nil {
			return nil, err
		}
	}
	err := m.Close()
	flush()
	return pieces, err
}

// safeContentType gives a media type that may stand in a header. The statement's contentType is text that a client chose:
// with a line break in it, it would write headers of its own.
func safeContentType(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return "application/octet-stream"
		}
	}
	if mediaType, _, err := mime.ParseMediaType(s); err != nil || !strings.Contains(mediaType, "/") {
		return "application/octet-stream"
	}
	return s
}
