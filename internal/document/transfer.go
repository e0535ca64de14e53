package document

import (
	"context"
	"crypto/sha1"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// A document that is too large for a request comes in two steps: its bytes are uploaded by a signed URL (package transfer), then
// PUT names the upload in place of content.

// uploaded is an upload whose bytes have been looked at.
type uploaded struct {
	transfer.Upload
	digest []byte // SHA-1
}

// lookAt reads an upload through, and holds it against its id and, where it is to be JSON, against that.
func (s *Service) lookAt(ctx context.Context, store, ticket, contentType string) (*uploaded, error) {
	etag := sha1.New()
	found, err := s.Transfer.Read(ctx, store, ticket, func(_ transfer.Upload, r io.Reader) error {
		return readThrough(io.TeeReader(r, etag), isJSON(contentType))
	})
	if err != nil {
		return nil, err
	}
	return &uploaded{Upload: found, digest: etag.Sum(nil)}, nil
}

// readThrough reads to the end, as one JSON value when it is to be one. ErrJSON when it is none.
func readThrough(r io.Reader, asJSON bool) error {
	if asJSON {
		d := jsontext.NewDecoder(r)
		if err := d.SkipValue(); err != nil {
			return jsonError(err)
		}
		if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
			return jsonError(err)
		}
		return nil
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return fmt.Errorf("read upload: %w: %w", blob.ErrUnavailable, err)
	}
	return nil
}

// jsonError tells content that is no JSON from content that could not be read.
func jsonError(err error) error {
	var syntax *jsontext.SyntacticError
	if err == nil || errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return ErrJSON
	}
	return fmt.Errorf("read upload: %w: %w", blob.ErrUnavailable, err)
}
