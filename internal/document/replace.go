package document

import (
	"context"
	"crypto/sha1"
	"fmt"
	"io"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Put replaces a document, or makes it, and returns it without its content.
// Source: xAPI 1.0.3 Communication 2.3, 2.6, 2.7 and 3.1.
func (s *Service) Put(ctx context.Context, k Key, up Upload, p Preconditions) (Document, error) {
	if err := up.check(); err != nil {
		return Document{}, err
	}
	return s.replace(ctx, k, p, replacement{compose: func(context.Context, *record) (Upload, error) { return up, nil }})
}

// PutUploaded is Put of what was uploaded by a ticket. The upload stays as it is.
func (s *Service) PutUploaded(ctx context.Context, k Key, contentType, ticket string, p Preconditions) (Document, error) {
	up := Upload{ContentType: contentType}
	if _, err := up.mediaType(); err != nil {
		return Document{}, err
	}
	return s.replace(ctx, k, p, replacement{ticket: ticket, compose: func(context.Context, *record) (Upload, error) { return up, nil }})
}

// Post merges a JSON object into the document, one level deep, or makes the document when there is none, whatever its
// type. It returns the document without its content. Without preconditions no racing writer's members are lost.
// Source: xAPI 1.0.3 Communication 2.2, "JSON Procedure with Requirements".
func (s *Service) Post(ctx context.Context, k Key, up Upload, p Preconditions) (Document, error) {
	if err := up.check(); err != nil {
		return Document{}, err
	}
	return s.replace(ctx, k, p, replacement{compose: func(ctx context.Context, base *record) (Upload, error) {
		if base == nil {
			return up, nil
		}
		if base.size > MaxMerged {
			return Upload{}, ErrMergedSize
		}
		if !isJSON(base.contentType) || !isJSON(up.ContentType) {
			return Upload{}, ErrMerge
		}
		stored, err := s.content(ctx, k.Store.ID, base)
		if err != nil {
			return Upload{}, err
		}
		merged, err := merge(stored, up.Content)
		if err == nil && len(merged) > MaxMerged {
			err = ErrMergedSize
		}
		return Upload{ContentType: up.ContentType, Content: merged}, err
	}})
}

// replacement is the attempt to put new content in place of what is there.
type replacement struct {
	*change
	compose func(ctx context.Context, base *record) (Upload, error) // what to put in place of base

	base *record // what next was composed for
	next *record // the last one composed
	kept bool    // its content lies in the blob store

	ticket   string    // of what was uploaded before, in place of composed content; "" for none
	uploaded *uploaded // what it stands for, once that was looked at
}

// replace puts what compose makes of the document, or what was uploaded, in its place.
func (s *Service) replace(ctx context.Context, k Key, p Preconditions, r replacement) (Document, error) {
	c, err := s.begin(ctx, k, p)
	if err != nil {
		return Document{}, err
	}
	r.change = c
	if err := c.run(ctx, &r); err != nil {
		r.drop(ctx)
		return Document{}, err
	}
	s.forget(ctx, c.store, r.base)
	return r.next.document(nil), nil
}

// write implements attempt. While the base is the same, so is the write, token included: after a lost reply the token
// tells whether that try was the one that was done. Large content is in the blob store before anything points to it.
func (r *replacement) write(ctx context.Context, base *record) (table.Write, bool, error) {
	if r.next == nil || base != r.base {
		r.drop(ctx)
		r.next = nil // were the base there no more when it is composed anew, it would look like the base of this one
		if err := r.take(ctx, base); err != nil {
			return table.Write{}, false, err
		}
	}
	condition := table.Absent(schema.PK)
	if base != nil {
		condition = table.Equals(schema.Attempts, table.B(base.attempts))
	}
	return table.Put(schema.Documents, r.next.item(r.ref.Key), condition), true, nil
}

// take composes what is to stand in place of base.
func (r *replacement) take(ctx context.Context, base *record) error {
	up, err := r.compose(ctx, base)
	if err != nil {
		return err
	}
	var t token
	if _, err := io.ReadFull(r.Random, t[:]); err != nil {
		return fmt.Errorf("make token of a write: %w", err)
	}
	next := &record{contentType: up.storedType(), updated: r.Now().UTC(), attempts: attempts(nil).with(t)}
	if err := r.measure(ctx, next, up); err != nil {
		return err
	}
	if base != nil {
		next.attempts = base.attempts.with(t)
		if !next.updated.After(base.updated) { // the clocks of two processes differ: no list by since may miss the change
			next.updated = base.updated.Add(1)
		}
	}
	if next.inline {
		next.content = up.Content
	}
	r.base, r.next = base, next
	if next.inline {
		return nil
	}
	r.kept = true
	if r.uploaded != nil {
		return r.Transfer.Copy(ctx, r.uploaded.Upload, blobKey(r.store, t))
	}
	if err := r.Blobs.Put(ctx, blobKey(r.store, t), up.Content); err != nil {
		return fmt.Errorf("write content of document: %w", err)
	}
	return nil
}

// measure says how large the new content is, what its digest is, and where it goes. What was uploaded is looked at once,
// however often the document changes meanwhile.
func (r *replacement) measure(ctx context.Context, next *record, up Upload) (err error) {
	if r.ticket == "" {
		digest := sha1.Sum(up.Content)
		next.size, next.digest, next.inline = int64(len(up.Content)), digest[:], len(up.Content) <= MaxInline
		return nil
	}
	if r.uploaded == nil {
		if r.uploaded, err = r.lookAt(ctx, r.store, r.ticket, up.ContentType); err != nil {
			return err
		}
	}
	next.size, next.digest = r.uploaded.Size, r.uploaded.digest
	return nil
}

// drop removes content that was kept for a try that was not done. After a lost reply it stays: were the write done late,
// the document would have lost its content.
func (r *replacement) drop(ctx context.Context) {
	if r.kept && !r.doubted {
		r.forget(ctx, r.store, r.next)
	}
	r.kept = false
}

// trace implements attempt.
func (r *replacement) trace(base, found *record) outcome {
	switch {
	case found == nil:
		return unclear // not done, or done and deleted since
	case found.attempts.has(r.next.attempts.newest()):
		return done
	case base != nil && found.attempts.has(base.attempts.newest()):
		return notDone // every write since the base is listed, and this is not among them
	}
	return unclear
}
