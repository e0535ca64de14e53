package lrs

import (
	"bytes"
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
	"github.com/cairn-lrs/cairn/internal/transfer"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// The bytes of an attachment lie in the blob store under their digest, once per store and month. A statement gives out only the
// bytes that came with it (its record lists their digests): naming the digest of somebody else's file shows nothing.
//
// The month is that of the request which put the bytes, and the records of its statements name it. Once a month is over no new
// statement can come to share its contents, so those that no statement refers to can be removed while others are being stored
// (garbage.go).

// Folders of a store.
const (
	attachmentFolder = "attachments/"
	bodyFolder       = "statements/"
)

const monthLayout = "2006-01"

// attachmentKey is the key of a content in the blob store. month is "" for statements from before keys had months.
func attachmentKey(store, month, sha2 string) string {
	if month != "" {
		month += "/"
	}
	return store + "/" + attachmentFolder + month + sha2
}

// part is the content of an attachment, by one digest.
type part struct {
	Part
	size     int64
	uploaded *transfer.Upload // where the bytes are; nil: in Body
	used     *bool            // an attachment names this content by one of its digests; shared by all of them
}

// matchParts gives each statement the parts that its attachments name, by digest, and refuses what does not fit.
// Source: xAPI 1.0.3 Communication 1.5.2, Data 2.4.11 and 2.6.
func (w *write) matchParts(ctx context.Context, parts []Part) error {
	all, byDigest, err := w.contents(ctx, parts)
	if err != nil {
		return err
	}
	for _, st := range w.statements {
		var total int64
		var failure error
		has := map[string]bool{}
		st.in.EachAttachment(func(path string, a xapi.Attachment) {
			if failure != nil {
				return
			}
			p := byDigest[a.SHA2]
			if failure = st.checkPart(path, a, p); failure != nil || p == nil {
				return
			}
			*p.used = true
			if !has[a.SHA2] {
				has[a.SHA2] = true
				total += p.size
				st.parts = append(st.parts, p)
			}
		})
		if failure != nil {
			return failure
		}
		if total > MaxAttachments {
			return &Refusal{Kind: ErrTooLarge, Statement: st.index, Path: "/attachments",
				Message: fmt.Sprintf("the attachments of statement %d have %d bytes: one answer must have them all, so the limit is %d; use fileUrl for larger files", st.index, total, MaxAttachments)}
		}
	}
	for _, p := range all {
		if *p.used {
			continue
		}
		what := "a part with X-Experience-API-Hash " + p.SHA2
		if p.uploaded != nil {
			what = "the upload " + p.Upload
		}
		return &Refusal{Kind: ErrInvalid, Statement: -1, Message: what + " belongs to no attachment of the statements (xAPI 1.0.3 Communication 1.5.2)"}
	}
	return nil
}

// contents returns what came with a request, in order, and by every digest by which an attachment could name it.
func (w *write) contents(ctx context.Context, parts []Part) (all []*part, byDigest map[string]*part, err error) {
	byDigest = make(map[string]*part, len(parts))
	add := func(p part) {
		if same := byDigest[p.SHA2]; same != nil {
			p.used = same.used
		}
		byDigest[p.SHA2] = &p
		all = append(all, &p)
	}
	u := newUploads(w)
	for _, p := range parts {
		if p.Upload == "" {
			add(part{Part: p, size: int64(len(p.Body)), used: new(bool)})
			continue
		}
		found, digests, err := u.read(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		for _, sha2 := range digests {
			found.SHA2 = sha2
			add(found)
		}
	}
	return all, byDigest, nil
}

// checkPart compares an attachment with the part that has its digest, nil for none.
func (st *incoming) checkPart(path string, a xapi.Attachment, p *part) error {
	refuse := func(field, format string, args ...any) error {
		return &Refusal{Kind: ErrInvalid, Statement: st.index, Path: path + field, Message: fmt.Sprintf("statement %d: ", st.index) + fmt.Sprintf(format, args...)}
	}
	if p == nil {
		if signature.IsSignature(a) {
			return refuse("", "the signature must come with the statement, as a part with its sha2: it has to be checked (xAPI 1.0.3 Data 2.6)")
		}
		if a.FileURL == "" {
			return refuse("", "the attachment has no fileUrl, so a part with its bytes, or an upload of them, must come with the statement (xAPI 1.0.3 Communication 1.5.2)")
		}
		return nil
	}
	if a.Length != p.size && !isHex(a.Length, p.Body) {
		return refuse("/length", "the attachment's length is %d, but its content has %d bytes (xAPI 1.0.3 Data 2.4.11)", a.Length, p.size)
	}
	if p.ContentType != "" && !sameMediaType(p.ContentType, a.ContentType) {
		return refuse("/contentType", "the attachment's contentType is not the Content-Type of its part (xAPI 1.0.3 Communication 1.5.2)")
	}
	if signature.IsSignature(a) {
		if p.size > MaxSignature {
			return &Refusal{Kind: ErrTooLarge, Statement: st.index, Path: path + "/length", Message: fmt.Sprintf("statement %d: a signature has at most %d bytes", st.index, MaxSignature)}
		}
		if err := signature.Verify(st.render(position.Position{}), p.Body); err != nil {
			return refuse("", "the signature does not fit the statement: %v (xAPI 1.0.3 Data 2.6)", err)
		}
	}
	return nil
}

// isHex reports whether a part holds so many bytes as hexadecimal digits. The official test suite sends an image like that, with
// the length of the image, not of the digits (XAPI-00127).
func isHex(length int64, body []byte) bool {
	if length == 0 || 2*length != int64(len(body)) {
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
	w.month = w.Positions.Now().UTC().Format(monthLayout)
	done := map[string]bool{}
	for _, st := range w.fresh() {
		for _, p := range st.parts {
			if done[p.SHA2] {
				continue
			}
			done[p.SHA2] = true
			if err := w.putAttachment(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *write) putAttachment(ctx context.Context, p *part) error {
	key := attachmentKey(w.p.Store.ID, w.month, p.SHA2)
	if p.uploaded != nil {
		return refused(w.Uploads.Copy(ctx, *p.uploaded, key))
	}
	if err := w.Blobs.Put(ctx, key, p.Body); err != nil {
		return unavailable("an attachment could not be stored", err)
	}
	return nil
}

// attachmentDigests are what the record keeps of a statement's parts.
func attachmentDigests(parts []*part) (digests [][]byte, size int64) {
	for _, p := range parts {
		digest, err := hex.DecodeString(p.SHA2)
		if err != nil {
			continue // cannot happen: the digest was verified
		}
		digests = append(digests, digest)
		size += p.size
	}
	return digests, size
}

// Attachments returns the attachments that came with the statements, each digest once, in the order of the statements. Their
// contents are in memory if they fit a page together; otherwise the caller reads them from the blob store.
func (s *Service) Attachments(ctx context.Context, p auth.Principal, statements []Statement) ([]Attachment, error) {
	var all []Attachment
	var total int64
	for _, st := range statements {
		total += st.attachmentBytes
	}
	content := s.whole
	if total > PageBytes {
		content = s.unread
	}
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
			piece, err := content(ctx, attachmentKey(p.Store.ID, st.attachmentMonth, sha2), digest)
			if err != nil {
				return nil, fmt.Errorf("read attachment of statement %s: %w", st.ID, err)
			}
			all = append(all, Attachment{SHA2: sha2, ContentType: types[sha2], Content: piece})
		}
	}
	return all, nil
}

// whole is an object as a piece in memory, which must have the digest.
func (s *Service) whole(ctx context.Context, key string, digest []byte) (blob.Piece, error) {
	body, err := s.readBlob(ctx, key)
	if err != nil {
		return blob.Piece{}, err
	}
	sum := digestOf(len(digest))
	sum.Write(body)
	if !bytes.Equal(sum.Sum(nil), digest) {
		return blob.Piece{}, blob.ErrDamaged
	}
	return blob.Piece{Bytes: body}, nil
}

// unread is an object as a piece that is left to be read; only its size is asked for. Its digest is looked at when it is read.
func (s *Service) unread(ctx context.Context, key string, digest []byte) (blob.Piece, error) {
	body, size, err := s.Blobs.Get(ctx, key, 0, 0)
	if err == nil {
		err = body.Close()
	}
	if errors.Is(err, blob.ErrUnavailable) {
		err = unavailable("stored bytes could not be read", err)
	}
	return blob.Piece{Store: s.Blobs, Key: key, Size: size, Sum: digestOf(len(digest)), Digest: digest}, err
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
