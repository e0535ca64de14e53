// Package document holds the rules of documents: the State, Activity Profile and Agent Profile Resources. It is written
// once, above the table and blob seams; README.md tells how a document is replaced.
package document

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// Limits of documents. The edge bounds what a request may bring; these bound what is kept.
const (
	MaxInline   = 8 << 10   // bytes of content in the item: above it an S3 PUT is cheaper than write units
	MaxMerged   = 3_000_000 // bytes of what a POST merged: an answer of AWS Lambda holds it however much of it needs escapes
	MaxID       = 1_000     // bytes of a stateId or profileId: with a registration they fit a sort key
	MaxType     = 255       // bytes of a Content-Type
	MaxList     = 10_000    // ids in one list, which the specification does not page
	MaxListSize = 3_000_000 // bytes of them together
)

// The ways in which a request is refused, grouped by the status that the edge gives them. The texts are meant for clients.
var (
	// 400
	ErrContentType = fmt.Errorf("the header Content-Type is not a media type of at most %d printable ASCII characters", MaxType)
	ErrJSON        = errors.New("the content is not the valid JSON that its Content-Type says it is; a name that stands twice in an object is not valid either")
	ErrMerge       = errors.New("POST merges JSON objects only: the document that is there and the one sent must both be objects of Content-Type application/json")
	ErrBare        = errors.New("PUT of a profile needs the header If-None-Match: * to make a new one, or If-Match with its ETag to replace one")

	// 404
	ErrNotFound = errors.New("there is no such document")

	// 409
	ErrExists = errors.New("the document exists already: check its current state, then send its ETag in the header If-Match to replace it")

	// 412
	ErrPrecondition = errors.New("the document is not as If-Match or If-None-Match asks, and nothing was changed: get its current state and ETag")

	// 413
	ErrID         = fmt.Errorf("the document's id is longer than %d bytes, the most that is kept", MaxID)
	ErrMergedSize = fmt.Errorf("the merged document would be larger than %d bytes, the most that POST makes", MaxMerged)
	ErrList       = fmt.Errorf("there are more documents here than one list holds, %d ids of %d bytes: ask with since or a registration", MaxList, MaxListSize)
)

// Upload is the content that a request brings. Content of another type than application/json is opaque.
type Upload struct {
	ContentType string // as received; "" is taken for application/octet-stream
	Content     []byte
}

// Document is a stored document.
type Document struct {
	ContentType string // as received
	Size        int64  // bytes of the content
	ETag        string // quoted SHA-1 of the content, in lower-case hexadecimal digits
	Updated     time.Time
	Content     []byte // nil from Head
	URL         string // in place of content that is too large to be given out: good for transfer.DownloadLife
}

// ETag is the entity tag of content: its SHA-1, quoted. The specification demands this digest; nothing here relies on
// two contents never sharing one. Source: xAPI 1.0.3 Communication 3.1.
func ETag(content []byte) string {
	digest := sha1.Sum(content)
	return quoteDigest(digest[:])
}

func quoteDigest(digest []byte) string { return `"` + hex.EncodeToString(digest) + `"` }

// Config is what a Service stands on.
type Config struct {
	Tables table.DB
	Blobs  blob.Store

	// Transfer is the way of what is too large for a request or an answer; nil: nothing is.
	Transfer *transfer.Service

	Now    func() time.Time // nil: time.Now
	Random io.Reader        // of the tokens of writes; nil: crypto/rand
}

// Service applies the rules of documents. It is safe for concurrent use. Refusals are the errors above; any other error
// wraps one of table and blob, or is the context's.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service {
	c.Tables = table.Metered(c.Tables)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Service{c}
}

// Head returns a document without its content, which it does not read unless the content lies beside the metadata.
func (s *Service) Head(ctx context.Context, k Key) (Document, error) {
	r, err := s.find(ctx, k)
	if err != nil {
		return Document{}, err
	}
	return r.document(nil), nil
}

// Get returns a document. It sees every write before it. Source: xAPI 1.0.3 Communication 2.3, 2.6, 2.7.
func (s *Service) Get(ctx context.Context, k Key) (Document, error) {
	r, content, err := s.load(ctx, k)
	if err != nil {
		return Document{}, err
	}
	found := r.document(content)
	if s.byURL(r) {
		found.URL, err = s.Transfer.Link(ctx, blobKey(k.Store.ID, r.attempts.newest()), r.contentType)
	}
	return found, err
}

// byURL says that a content is not given out whole.
func (s *Service) byURL(r *record) bool {
	return s.Transfer != nil && !r.inline && r.size > transfer.MaxWhole
}

// find reads a document's record; ErrNotFound when there is none.
func (s *Service) find(ctx context.Context, k Key) (*record, error) {
	ref, err := k.ref()
	if err != nil {
		return nil, err
	}
	r, err := s.read(ctx, ref)
	if err == nil && r == nil {
		err = ErrNotFound
	}
	return r, err
}

// maxLoads bounds how often a document is read again because its content was replaced between record and blob.
const maxLoads = 20

// load reads a document's record and its content. A writer removes the blob that it has replaced, so a blob that is gone
// means, in nearly every case, that there is a newer record.
func (s *Service) load(ctx context.Context, k Key) (*record, []byte, error) {
	var before *record
	for range maxLoads {
		r, err := s.find(ctx, k)
		if err != nil {
			return nil, nil, err
		}
		if s.byURL(r) {
			return r, nil, nil
		}
		content, err := s.content(ctx, k.Store.ID, r)
		if !blob.MayBeAbsent(err) || r.same(before) {
			return r, content, err
		}
		before = r
	}
	return nil, nil, table.ErrConflict
}
