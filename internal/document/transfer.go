package document

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
)

// A document that is too large for a request comes in two steps: its bytes are uploaded by a signed URL, then PUT names the
// upload in place of content. What was uploaded is nobody's document until then, and is removed after a day.

// Limits of uploads and of what is given out by a URL.
const (
	// MaxUpload bounds an upload, in bytes: a PUT that names it reads it once, and a function has 29 s.
	MaxUpload = 100_000_000

	// MaxWhole is the most that a GET answers itself: a larger content it gives by a URL.
	MaxWhole = 4_500_000

	UploadLife   = time.Hour       // how long the URL of an upload is good
	DownloadLife = 5 * time.Minute // and that of a download
)

var (
	// 400
	ErrUpload = errors.New("there is no such upload: it was not made by this store, nothing has been sent to its URL yet, or it was longer ago than a day")

	// 413
	ErrUploadSize = fmt.Errorf("an upload has 1 to %d bytes", MaxUpload)
)

// Ticket is where to send content, and how to name it afterwards.
type Ticket struct {
	ID      string
	URL     string            // one that begins with "/" is on the host that was asked
	Header  map[string]string // must be sent
	Expires time.Time         // of the URL
}

// uploadFolder holds, below it, each store's uploads. It stands before the store, so that the bucket can be told to
// remove what is old.
const uploadFolder = "uploads/"

// uploadKey is where an upload lies. The id is random, and says what the bytes must be.
func uploadKey(store, id string) string { return uploadFolder + store + "/" + id }

// NewTicket makes a ticket for these bytes, which are to come.
func (s *Service) NewTicket(ctx context.Context, store auth.Store, content blob.Content) (Ticket, error) {
	if content.Size < 1 || content.Size > MaxUpload {
		return Ticket{}, ErrUploadSize
	}
	var t token
	if _, err := io.ReadFull(s.Random, t[:]); err != nil {
		return Ticket{}, fmt.Errorf("make id of an upload: %w", err)
	}
	id := hex.EncodeToString(t[:]) + "-" + hex.EncodeToString(content.SHA256[:])
	url, header, err := s.Transfer.SignPut(ctx, uploadKey(store.ID, id), content, UploadLife)
	if err != nil {
		return Ticket{}, fmt.Errorf("make upload: %w", err)
	}
	return Ticket{ID: id, URL: url, Header: header, Expires: s.Now().Add(UploadLife).UTC()}, nil
}

// uploaded is an upload whose bytes have been looked at.
type uploaded struct {
	key    string
	size   int64
	digest []byte // SHA-1
}

// lookAt reads an upload through, and holds it against its id and, where it is to be JSON, against that.
func (s *Service) lookAt(ctx context.Context, store, ticket, contentType string) (*uploaded, error) {
	random, sum, ok := strings.Cut(ticket, "-")
	want, err := hex.DecodeString(sum)
	if _, bad := hex.DecodeString(random); !ok || bad != nil || err != nil || len(random) != 2*len(token{}) || len(want) != sha256.Size || strings.ToLower(ticket) != ticket {
		return nil, ErrUpload
	}
	found := &uploaded{key: uploadKey(store, ticket)}
	body, size, err := s.Blobs.Get(ctx, found.key, 0, -1)
	if err != nil {
		return nil, orGone(err)
	}
	etag, check := sha1.New(), sha256.New()
	err = readThrough(io.TeeReader(body, io.MultiWriter(etag, check)), isJSON(contentType))
	if closing := body.Close(); err == nil && closing != nil {
		err = fmt.Errorf("read upload: %w: %w", blob.ErrUnavailable, closing)
	}
	if err != nil {
		return nil, err
	}
	if !sums(check, want) || size > MaxUpload {
		return nil, ErrUpload
	}
	found.size, found.digest = size, etag.Sum(nil)
	return found, nil
}

// orGone is ErrUpload for an upload that is not there.
func orGone(err error) error {
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrDenied) {
		return ErrUpload
	}
	return fmt.Errorf("read upload: %w", err)
}

// copy makes an upload the content of a document. Until now it could be removed for its age.
func (s *Service) copy(ctx context.Context, from, to string) error {
	if err := s.Transfer.Copy(ctx, from, to); err != nil {
		return orGone(err)
	}
	return nil
}

func sums(h hash.Hash, want []byte) bool { return string(h.Sum(nil)) == string(want) }

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

// link makes the URL of a content that is too large to be given out.
func (s *Service) link(ctx context.Context, store string, r *record) (string, error) {
	url, err := s.Transfer.SignGet(ctx, blobKey(store, r.attempts.newest()), r.contentType, DownloadLife)
	if err != nil {
		return "", fmt.Errorf("make URL of a document: %w", err)
	}
	return url, nil
}
