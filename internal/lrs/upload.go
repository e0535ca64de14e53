package lrs

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/signature"
	"github.com/cairn-lrs/cairn/internal/transfer"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// An attachment that is larger than a request comes before it, as an upload (package transfer), and the request names the
// upload in place of a part. The upload is read through once, so that its digests and size are known and need not be believed,
// and copied to the key of its digest when nothing else is wrong with the request.

// uploads reads the uploads of one request.
type uploads struct {
	*write
	left int64 // bytes that may still be read

	// The digests that attachments of the request use besides SHA-256, which the id of an upload has. Signatures, whose bytes are
	// needed, are recognised by their sizes.
	sha384, sha512 bool
	signatures     map[int64]bool
}

func newUploads(w *write) *uploads {
	u := &uploads{write: w, left: MaxAttachments, signatures: map[int64]bool{}}
	for _, st := range w.statements {
		st.in.EachAttachment(func(_ string, a xapi.Attachment) {
			u.sha384 = u.sha384 || len(a.SHA2) == 2*sha512.Size384
			u.sha512 = u.sha512 || len(a.SHA2) == 2*sha512.Size
			if signature.IsSignature(a) {
				u.signatures[a.Length] = true
			}
		})
	}
	return u
}

// read reads an upload through and returns its content with every digest by which an attachment of the request could name it.
func (u *uploads) read(ctx context.Context, p Part) (found part, digests []string, err error) {
	var signed bytes.Buffer
	var others []hash.Hash
	to := []io.Writer{io.Discard}
	if u.sha384 {
		others = append(others, sha512.New384())
	}
	if u.sha512 {
		others = append(others, sha512.New())
	}
	for _, h := range others {
		to = append(to, h)
	}
	upload, err := u.Uploads.Read(ctx, u.p.Store.ID, p.Upload, func(upload transfer.Upload, r io.Reader) error {
		if u.left -= upload.Size; u.left < 0 {
			return &Refusal{Kind: ErrTooLarge, Statement: -1,
				Message: fmt.Sprintf("the uploads of one request may have %d bytes together: send fewer statements at a time, and use fileUrl for larger files", MaxAttachments)}
		}
		if u.signatures[upload.Size] && upload.Size <= MaxSignature {
			to = append(to, &signed)
		}
		if _, err := io.Copy(io.MultiWriter(to...), r); err != nil {
			return fmt.Errorf("read upload: %w: %w", blob.ErrUnavailable, err)
		}
		return nil
	})
	if err != nil {
		return part{}, nil, refused(err)
	}
	digests = append(digests, hex.EncodeToString(upload.SHA256[:]))
	for _, h := range others {
		digests = append(digests, hex.EncodeToString(h.Sum(nil)))
	}
	p.Body = signed.Bytes()
	return part{Part: p, size: upload.Size, uploaded: &upload, used: new(bool)}, digests, nil
}

// refused turns the failure of an upload into what the client is told.
func refused(err error) error {
	switch {
	case errors.Is(err, transfer.ErrUpload):
		return &Refusal{Kind: ErrInvalid, Statement: -1, Message: transfer.ErrUpload.Error()}
	case errors.Is(err, blob.ErrUnavailable):
		return unavailable("an upload could not be read or kept", err)
	}
	return err
}
