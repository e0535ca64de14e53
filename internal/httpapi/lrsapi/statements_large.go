package lrsapi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// A page is cut before it is too large for an answer, but its first statement is always on it, and attachments=true must give all
// of a statement's attachments. What is too large nevertheless is kept where a URL leads to it, as it would have been
// answered, and the answer is the way there: a client that follows redirects, as nearly all do, notices nothing. Where answers
// have no limit it is given as it is.

// maxSending is how long the client may take for a large answer, in place of the server's time for any.
const maxSending = 10 * time.Minute

// writeMultipart writes statements with their attachments: the JSON first, then each digest's content once. It is
// multipart/mixed also when there are none. Source: xAPI 1.0.3 Communication 1.5.2 and 2.1.3.
func (s *statements) writeMultipart(w http.ResponseWriter, r *edge.Request, body []byte, found []lrs.Statement) error {
	attachments, err := s.Service.Attachments(r.Context(), r.Principal, found)
	if err != nil {
		return fmt.Errorf("read attachments: %w", err)
	}
	boundary, err := s.boundary()
	if err != nil {
		return err
	}
	pieces, err := multipartOf(boundary, body, attachments)
	if err != nil {
		return fmt.Errorf("write attachments: %w", err)
	}
	answer := blob.NewReader(r.Context(), pieces...)
	switch {
	case r.Method == http.MethodHead:
		h := w.Header()
		h["Content-Type"], h["Content-Length"] = []string{multipartType(boundary)}, []string{strconv.FormatInt(answer.Size(), 10)}
		w.WriteHeader(http.StatusOK)
		return nil
	case answer.Size() > transfer.MaxWhole && s.Answers != nil:
		return s.keepMultipart(w, r, body, attachments)
	case answer.Size() > transfer.MaxWhole:
		return s.stream(w, multipartType(boundary), answer)
	}
	whole := make([]byte, answer.Size())
	_, err = io.ReadFull(answer, whole)
	if closing := answer.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("read attachments: %w", err)
	}
	return edge.Write(w, http.StatusOK, multipartType(boundary), whole)
}

func multipartType(boundary string) string { return `multipart/mixed; boundary="` + boundary + `"` }

// keepMultipart answers with the URL of statements and their attachments. The boundary is made of the answer's name, so that
// the same answer is kept once.
func (s *statements) keepMultipart(w http.ResponseWriter, r *edge.Request, body []byte, attachments []lrs.Attachment) error {
	made := [][]byte{body}
	for _, a := range attachments {
		made = append(made, []byte(a.SHA2), []byte(a.ContentType))
	}
	name := transfer.Name(r.Principal.Store, made...)
	boundary := boundaryMark + name[:boundaryLength]
	pieces, err := multipartOf(boundary, body, attachments)
	if err != nil {
		return fmt.Errorf("write attachments: %w", err)
	}
	answer := blob.NewReader(r.Context(), pieces...)
	url, err := s.Answers.Keep(r.Context(), r.Principal.Store, name, multipartType(boundary), answer)
	if closing := answer.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return redirect(w, r, url)
}

// stream writes an answer that is not in memory. Once it has begun, what goes wrong cuts it.
func (s *statements) stream(w http.ResponseWriter, contentType string, answer *blob.Reader) error {
	// An error says that the connection has no deadlines; then there is none to move.
	_ = http.NewResponseController(w).SetWriteDeadline(s.Now().Add(maxSending))
	h := w.Header()
	h["Content-Type"], h["Content-Length"] = []string{contentType}, []string{strconv.FormatInt(answer.Size(), 10)}
	w.WriteHeader(http.StatusOK)
	_, err := io.Copy(w, answer)
	if closing := answer.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write attachments: %w", err)
	}
	return nil
}

// writeJSON writes one statement, or a list of them.
func (s *statements) writeJSON(w http.ResponseWriter, r *edge.Request, body []byte) error {
	if s.Answers == nil || r.Method == http.MethodHead || fits(body) {
		return edge.Write(w, http.StatusOK, "application/json", body)
	}
	url, err := s.Answers.Keep(r.Context(), r.Principal.Store, transfer.Name(r.Principal.Store, body), "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return redirect(w, r, url)
}

// fits reports whether JSON can be an answer: as text, where the gateway wants an escape before each quote, or else as bytes.
func fits(body []byte) bool {
	if len(body) <= transfer.MaxWhole {
		return true
	}
	size := len(body)
	for _, c := range body {
		if c == '"' || c == '\\' || c < ' ' {
			size++
		}
	}
	return size <= transfer.MaxText
}
