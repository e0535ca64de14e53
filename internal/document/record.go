package document

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// token marks one write of one document: 16 random bytes.
type token [16]byte

// attempts are the tokens of a document's last writes, newest first. They are what a version counter would be, and more:
// the next write is made under the condition that they are still those that were read, and a writer whose reply was lost
// finds its token here also when others have written since. They begin anew when a document was deleted, so, unlike a
// counter, they never come back.
type attempts []byte

// maxAttempts is how many tokens are kept: so many writers can follow between a write and its writer's asking for it.
const maxAttempts = 8

func (a attempts) has(t token) bool {
	for i := 0; i+len(t) <= len(a); i += len(t) {
		if token(a[i:]) == t {
			return true
		}
	}
	return false
}

// newest is the token of the write that made the document what it is.
func (a attempts) newest() token { return token(a) }

// whole reports whether the tokens reach back to the document's first write.
func (a attempts) whole() bool { return len(a) < maxAttempts*len(token{}) }

// with puts a token in front.
func (a attempts) with(t token) attempts {
	next := append(t[:], a...)
	return next[:min(len(next), maxAttempts*len(t))]
}

// record is an item of table Documents.
type record struct {
	contentType string
	content     []byte // when inline
	inline      bool
	size        int64
	digest      []byte // SHA-1 of the content
	updated     time.Time
	attempts    attempts
}

// recordOf reads an item; nil for nil.
func recordOf(item table.Item) (*record, error) {
	if item == nil {
		return nil, nil
	}
	content, inline := item[schema.Content]
	r := &record{
		contentType: item[schema.ContentType].S,
		content:     content.B,
		inline:      inline,
		size:        item[schema.ContentSize].N,
		digest:      item[schema.Digest].B,
		updated:     time.Unix(0, item[schema.Updated].N).UTC(),
		attempts:    item[schema.Attempts].B,
	}
	if n := len(r.attempts); n == 0 || n%len(token{}) != 0 || len(r.digest) != sha1.Size {
		return nil, fmt.Errorf("read document: tokens of %d bytes, a digest of %d", n, len(r.digest))
	}
	return r, nil
}

// item is the inverse of recordOf.
func (r *record) item(key table.Key) table.Item {
	item := table.Item{
		schema.PK:          table.S(key.Partition),
		schema.SK:          table.B(key.Sort),
		schema.ContentType: table.S(r.contentType),
		schema.ContentSize: table.N(r.size),
		schema.Digest:      table.B(r.digest),
		schema.Updated:     table.N(r.updated.UnixNano()),
		schema.Attempts:    table.B(r.attempts),
	}
	if r.inline {
		item[schema.Content] = table.B(r.content)
	}
	return item
}

func (r *record) document(content []byte) Document {
	return Document{ContentType: r.contentType, Size: r.size, ETag: quoteDigest(r.digest), Updated: r.updated, Content: content}
}

// same reports whether both are the same version of the same document.
func (r *record) same(other *record) bool {
	return r != nil && other != nil && bytes.Equal(r.attempts, other.attempts)
}

// read reads one document's record, strongly consistent; nil when there is none.
func (s *Service) read(ctx context.Context, ref table.Ref) (*record, error) {
	item, _, err := s.Tables.Get(ctx, ref, table.Strong)
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	return recordOf(item)
}

// blobFolder holds, below its store, the contents that are not inline.
const blobFolder = "documents/"

// blobKey is where the content lies that this write brought, when it is not inline.
func blobKey(store string, t token) string {
	return store + "/" + blobFolder + hex.EncodeToString(t[:])
}

var errDigest = errors.New("the content does not have the digest of its record")

// content reads a record's content and holds it against the digest, so that a flipped byte is found out and never given
// out.
func (s *Service) content(ctx context.Context, store string, r *record) ([]byte, error) {
	content := r.content
	if !r.inline {
		var err error
		if content, err = blob.Read(ctx, s.Blobs, blobKey(store, r.attempts.newest())); err != nil {
			return nil, fmt.Errorf("read content of document: %w", err)
		}
	}
	if digest := sha1.Sum(content); !bytes.Equal(digest[:], r.digest) {
		return nil, fmt.Errorf("read %d bytes of a document: %w", len(content), errDigest)
	}
	return content, nil
}

// forget removes content that nothing points to any more. Its failure leaves garbage, which Check finds.
func (s *Service) forget(ctx context.Context, store string, r *record) {
	if r != nil && !r.inline {
		_ = s.Blobs.Delete(ctx, blobKey(store, r.attempts.newest()))
	}
}
