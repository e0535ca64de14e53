package transfer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
)

// answerTerm parts names of answers from everything else that is made with a store's keys.
const answerTerm = "answer"

// Name names an answer by all that it is made of, so that the same answer is kept once, however often it is asked for. It is a
// MAC under a key of the store: nobody foresees it, so it is good for a boundary too. 64 hexadecimal digits.
func Name(store auth.Store, made ...[]byte) string {
	mac := hmac.New(sha256.New, store.TermKey)
	write := func(part []byte) { fmt.Fprintf(mac, "%d:%s,", len(part), part) } // never fails
	write([]byte(answerTerm))
	for _, part := range made {
		write(part)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// Keep makes the URL of an answer that is too large to be given, and writes the answer where the URL leads, unless it is
// there. The day is in its key: an answer is given out on the day on which it was written, and so never so late
// that it is removed before its URL has expired.
func (s *Service) Keep(ctx context.Context, store auth.Store, name, contentType string, body io.ReadSeeker) (url string, err error) {
	key := answerFolder + store.ID + "/" + s.Now().UTC().Format(time.DateOnly) + "-" + name
	there, err := s.there(ctx, key)
	if err == nil && !there {
		err = s.URLs.PutFrom(ctx, key, body)
	}
	if err != nil {
		return "", fmt.Errorf("keep a large answer: %w", err)
	}
	return s.Link(ctx, key, contentType)
}

// there reports whether there is an object.
func (s *Service) there(ctx context.Context, key string) (bool, error) {
	body, _, err := s.Blobs.Get(ctx, key, 0, 0)
	if blob.MayBeAbsent(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, body.Close()
}
