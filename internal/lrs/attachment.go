package lrs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"strings"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/signature"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// The bytes of an attachment lie in the blob store under their digest, once per store. A statement gives out only the
// bytes that came with it (its record lists their digests): naming the digest of somebody else's file shows nothing.

func attachmentKey(store, sha2 string) string { return store + "/attachments/" + sha2 }

// matchParts gives each statement the parts that its attachments name, by digest, and refuses what does not fit.
// Source: xAPI 1.0.3 Communication 1.5.2, Data 2.4.11 and 2.6.
func (w *write) matchParts(parts []Part) error {
	byDigest := make(map[string]Part, len(parts))
	for _, part := range parts {
		byDigest[part.SHA2] = part
	}
	used := map[string]bool{}
	for _, st := range w.statements {
		var total int64
		var failure error
		has := map[string]bool{}
		st.in.EachAttachment(func(path string, a xapi.Attachment) {
			if failure != nil {
				return
			}
			part, came := byDigest[a.SHA2]
			if failure = st.checkPart(path, a, part, came); failure != nil || !came {
				return
			}
			used[a.SHA2] = true
			if !has[a.SHA2] {
				has[a.SHA2] = true
				total += int64(len(part.Body))
				st.parts = append(st.parts, part)
			}
		})
		if failure != nil {
			return failure
		}
		if total > MaxAttachments {
			return &Refusal{Kind: ErrTooLarge, Statement: st.index, Path: "/attachments",
				Message: fmt.Sprintf("the attachments of statement %d have %d bytes: one reply must be able to carry them, so the limit is %d; use fileUrl for larger files", st.index, total, MaxAttachments)}
		}
	}
	for _, part := range parts {
		if !used[part.SHA2] {
			return &Refusal{Kind: ErrInvalid, Statement: -1,
				Message: "a part with X-Experience-API-Hash " + part.SHA2 + " belongs to no attachment of the statements (xAPI 1.0.3 Communication 1.5.2)"}
		}
	}
	return nil
}

// checkPart compares an attachment with the part that has its digest.
func (st *incoming) checkPart(path string, a xapi.Attachment, part Part, came bool) error {
	refuse := func(field, format string, args ...any) error {
		return &Refusal{Kind: ErrInvalid, Statement: st.index, Path: path + field, Message: fmt.Sprintf("statement %d: ", st.index) + fmt.Sprintf(format, args...)}
	}
	if !came {
		if signature.IsSignature(a) {
			return refuse("", "the signature must come with the statement, as a part with its sha2: it has to be checked (xAPI 1.0.3 Data 2.6)")
		}
		if a.FileURL == "" {
			return refuse("", "the attachment has no fileUrl, so a part with its bytes must come with the statement (xAPI 1.0.3 Communication 1.5.2)")
		}
		return nil
	}
	if !lengthFits(a.Length, part.Body) {
		return refuse("/length", "the attachment's length is %d, but its part has %d bytes (xAPI 1.0.3 Data 2.4.11)", a.Length, len(part.Body))
	}
	if part.ContentType != "" && !sameMediaType(part.ContentType, a.ContentType) {
		return refuse("/contentType", "the attachment's contentType is not the Content-Type of its part (xAPI 1.0.3 Communication 1.5.2)")
	}
	if signature.IsSignature(a) {
		if err := signature.Verify(st.render(position.Position{}), part.Body); err != nil {
			return refuse("", "the signature does not fit the statement: %v (xAPI 1.0.3 Data 2.6)", err)
		}
	}
	return nil
}

// lengthFits reports whether an attachment's length is that of its part. A part that is hexadecimal digits throughout may
// also have the length of the bytes that they stand for: the official test suite sends an image so (XAPI-00127).
func lengthFits(length int64, body []byte) bool {
	if length == int64(len(body)) {
		return true
	}
	if 2*length != int64(len(body)) {
		return false
	}
	_, err := hex.Decode(make([]byte, hex.DecodedLen(len(body))), body)
	return err == nil
}

// sameMediaType reports whether two media types agree: in type and subtype, and in each parameter that both have. The
// specification's own example declares a charset in the statement only (Communication 1.5.2).
func sameMediaType(a, b string) bool {
	if a == b {
		return true
	}
	typeA, paramsA, errA := mime.ParseMediaType(a)
	typeB, paramsB, errB := mime.ParseMediaType(b)
	if errA != nil || errB != nil || typeA != typeB {
		return false
	}
	for name, value := range paramsA {
		if other, ok := paramsB[name]; ok && !strings.EqualFold(value, other) {
			return false
		}
	}
	return true
}

// putAttachments makes the bytes durable before anything points to them.
func (w *write) putAttachments(ctx context.Context) error {
	done := map[string]bool{}
	for _, st := range w.fresh() {
		for _, part := range st.parts {
			if done[part.SHA2] {
				continue
			}
			done[part.SHA2] = true
			if err := w.Blobs.Put(ctx, attachmentKey(w.p.Store.ID, part.SHA2), part.Body); err != nil {
				return unavailable("an attachment could not be stored", err)
			}
		}
	}
	return nil
}

// attachmentDigests are what the record keeps of a statement's parts.
func attachmentDigests(parts []Part) (digests [][]byte, size int64) {
	for _, part := range parts {
		digest, err := hex.DecodeString(part.SHA2)
		if err != nil {
			continue // the edge computed the digest itself
		}
		digests = append(digests, digest)
		size += int64(len(part.Body))
	}
	return digests, size
}

// Attachments returns the attachments that came with the statements, each digest once, in the order of the statements.
func (s *Service) Attachments(ctx context.Context, p auth.Principal, statements []Statement) ([]Part, error) {
	var parts []Part
	done := map[string]bool{}
	for _, st := range statements {
		if len(st.attachments) == 0 {
			continue
		}
		types, err := contentTypes(st.Body)
		if err != nil {
			return nil, err
		}
		for _, digest := range st.attachments {
			sha2 := hex.EncodeToString(digest)
			if done[sha2] {
				continue
			}
			done[sha2] = true
			body, err := s.readBlob(ctx, attachmentKey(p.Store.ID, sha2))
			if err != nil {
				return nil, fmt.Errorf("read attachment of statement %s: %w", st.ID, err)
			}
			parts = append(parts, Part{SHA2: sha2, ContentType: types[sha2], Body: body})
		}
	}
	return parts, nil
}

// contentTypes are the content types of a stored statement's attachments by digest.
func contentTypes(body []byte) (map[string]string, error) {
	st, err := xapi.DecodeStatement(body, xapi.V2, xapi.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("read stored statement: %w", err)
	}
	types := map[string]string{}
	st.EachAttachment(func(_ string, a xapi.Attachment) {
		if _, taken := types[a.SHA2]; !taken {
			types[a.SHA2] = a.ContentType
		}
	})
	return types, nil
}

func (s *Service) readBlob(ctx context.Context, key string) ([]byte, error) {
	body, err := blob.Read(ctx, s.Blobs, key)
	if errors.Is(err, blob.ErrUnavailable) {
		return nil, unavailable("stored bytes could not be read", err)
	}
	return body, err
}

// body reads a statement's body from its item or from the blob store.
func (s *Service) body(ctx context.Context, r *record) ([]byte, error) {
	packed := r.body
	if r.bodyBlob != "" {
		var err error
		if packed, err = s.readBlob(ctx, r.bodyBlob); err != nil {
			return nil, fmt.Errorf("read body of statement %s: %w", r.id, err)
		}
	}
	body, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("read body of statement %s: %w", r.id, err)
	}
	return body, nil
}
