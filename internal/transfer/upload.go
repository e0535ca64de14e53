package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
)

// Ticket is where to send content, and how to name it afterwards.
type Ticket struct {
	ID      string
	URL     string            // one that begins with "/" is on the host that was asked
	Header  map[string]string // must be sent
	Expires time.Time         // of the URL
}

// UploadKey is where an upload lies. The id is random, and says what the bytes must be.
func UploadKey(store, id string) string { return uploadFolder + store + "/" + id }

// randomBytes of an id keep others from guessing it.
const randomBytes = 16

// NewTicket makes a ticket for these bytes, which are to come.
func (s *Service) NewTicket(ctx context.Context, store auth.Store, content blob.Content) (Ticket, error) {
	if content.Size < 1 || content.Size > MaxUpload {
		return Ticket{}, ErrUploadSize
	}
	var random [randomBytes]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return Ticket{}, fmt.Errorf("make id of an upload: %w", err)
	}
	id := hex.EncodeToString(random[:]) + "-" + hex.EncodeToString(content.SHA256[:])
	url, header, err := s.URLs.SignPut(ctx, UploadKey(store.ID, id), content, UploadLife)
	if err != nil {
		return Ticket{}, fmt.Errorf("make upload: %w", err)
	}
	return Ticket{ID: id, URL: url, Header: header, Expires: s.Now().Add(UploadLife).UTC()}, nil
}

// Upload is an upload whose bytes are there. Until it is copied it can be removed for its age.
type Upload struct {
	Size   int64
	SHA256 [sha256.Size]byte

	key string
}

// Read gives the bytes of an upload to read, which must read them to their end, and then holds them against the id. Its error
// is returned as it is. ErrUpload when there are none, or others.
func (s *Service) Read(ctx context.Context, store, id string, read func(Upload, io.Reader) error) (Upload, error) {
	sum, err := sumOf(id)
	if err != nil {
		return Upload{}, err
	}
	found := Upload{SHA256: sum, key: UploadKey(store, id)}
	body, err := blob.Open(ctx, s.Blobs, found.key)
	if err != nil {
		return Upload{}, orGone(err)
	}
	found.Size = body.Size()
	got := sha256.New()
	err = read(found, io.TeeReader(body, got))
	if closing := body.Close(); err == nil && closing != nil {
		err = fmt.Errorf("read upload: %w: %w", blob.ErrUnavailable, closing)
	}
	if err != nil {
		return Upload{}, err
	}
	if [sha256.Size]byte(got.Sum(nil)) != found.SHA256 || found.Size > MaxUpload {
		return Upload{}, ErrUpload
	}
	return found, nil
}

// sumOf is the digest that an id of an upload says.
func sumOf(id string) (sum [sha256.Size]byte, err error) {
	random, digest, ok := strings.Cut(id, "-")
	number, bad := hex.DecodeString(random)
	want, err := hex.DecodeString(digest)
	if !ok || bad != nil || err != nil || len(number) != randomBytes || len(want) != sha256.Size || strings.ToLower(id) != id {
		return sum, ErrUpload
	}
	return [sha256.Size]byte(want), nil
}

// orGone is ErrUpload for an upload that is not there.
func orGone(err error) error {
	if blob.MayBeAbsent(err) {
		return ErrUpload
	}
	return fmt.Errorf("read upload: %w", err)
}

// Copy puts what was uploaded under a key for good. The upload stays as it is.
func (s *Service) Copy(ctx context.Context, u Upload, to string) error {
	if err := s.URLs.Copy(ctx, u.key, to); err != nil {
		return orGone(err)
	}
	return nil
}

// Link makes the URL of an object that is too large to be given out. It is good for DownloadLife.
func (s *Service) Link(ctx context.Context, key, contentType string) (string, error) {
	url, err := s.URLs.SignGet(ctx, key, contentType, DownloadLife)
	if err != nil {
		return "", fmt.Errorf("make URL of an object: %w", err)
	}
	return url, nil
}
