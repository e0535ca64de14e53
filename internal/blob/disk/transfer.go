package disk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// TransferPath is what the paths of signed URLs begin with; ServeHTTP serves them.
const TransferPath = "/blobs/"

// checksumHeader says which bytes come, as S3 has it, so that clients send the same on both roads.
const checksumHeader = "X-Amz-Checksum-Sha256"

// Of signed URLs: the longest life, and what one transfer may take at most.
const maxExpiry, maxTransfer = 7 * 24 * time.Hour, 10 * time.Minute

// newSigningKey makes the key of one process: a URL ends with it.
func newSigningKey() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return key
}

// SignPut implements blob.Transfer.
func (s *Store) SignPut(_ context.Context, key string, content blob.Content, expiry time.Duration) (string, map[string]string, error) {
	if content.Size < 1 {
		return "", nil, fmt.Errorf("sign an upload of %d bytes: %w", content.Size, blob.ErrInvalid)
	}
	signed, err := s.sign(http.MethodPut, key, expiry, url.Values{"size": {strconv.FormatInt(content.Size, 10)}, "sha256": {hex.EncodeToString(content.SHA256[:])}})
	return signed, map[string]string{checksumHeader: base64.StdEncoding.EncodeToString(content.SHA256[:]), "If-None-Match": "*"}, err
}

// SignGet implements blob.Transfer.
func (s *Store) SignGet(_ context.Context, key, contentType string, expiry time.Duration) (string, error) {
	return s.sign(http.MethodGet, key, expiry, url.Values{"type": {contentType}})
}

func (s *Store) sign(method, key string, expiry time.Duration, query url.Values) (string, error) {
	if expiry < time.Second || expiry > maxExpiry {
		return "", fmt.Errorf("sign URL for %v: %w", expiry, blob.ErrInvalid)
	}
	if err := blob.CheckKey(key); err != nil {
		return "", err
	}
	query.Set("expires", strconv.FormatInt(s.now().Add(expiry).Unix(), 10))
	query.Set("signature", s.signature(method, key, query))
	return TransferPath + key + "?" + query.Encode(), nil
}

// signature is over everything that a URL says.
func (s *Store) signature(method, key string, query url.Values) string {
	mac := hmac.New(sha256.New, s.signing)
	for _, part := range []string{method, key, query.Get("expires"), query.Get("size"), query.Get("sha256"), query.Get("type")} {
		fmt.Fprintf(mac, "%d:%s,", len(part), part) // never fails
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// ServeHTTP serves signed URLs. What learners stored is served from the origin of the xAPI, so nothing of it runs or is
// guessed to be another type, and no cache keeps it.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*") // the URL alone is the right, so any page that has it may use it
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, PUT")
		h.Set("Access-Control-Allow-Headers", "*, If-None-Match, "+checksumHeader)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	key, query := strings.TrimPrefix(r.URL.Path, TransferPath), r.URL.Query()
	expires, err := strconv.ParseInt(query.Get("expires"), 10, 64)
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	valid := hmac.Equal([]byte(query.Get("signature")), []byte(s.signature(method, key, query)))
	if err != nil || !valid || s.now().Unix() >= expires || (method != http.MethodGet && method != http.MethodPut) {
		http.Error(w, "this URL is not valid, for another method, or has expired", http.StatusForbidden)
		return
	}
	// A large object takes longer than the server gives a request. A connection that has no deadlines needs no others.
	control, until := http.NewResponseController(w), time.Now().Add(maxTransfer)
	_, _ = control.SetReadDeadline(until), control.SetWriteDeadline(until)
	if method == http.MethodPut {
		s.receive(w, r, key, query)
		return
	}
	s.give(w, r, key, query.Get("type"))
}

func (s *Store) give(w http.ResponseWriter, r *http.Request, key, contentType string) {
	body, _, err := s.Get(r.Context(), key, 0, -1)
	if err != nil {
		http.Error(w, "there is no such object", http.StatusNotFound)
		return
	}
	defer body.Close() // it was only read
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", "attachment")
	content, ok := body.(io.ReadSeeker)
	if !ok {
		http.Error(w, "the object cannot be given", http.StatusInternalServerError)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, content)
}

func (s *Store) receive(w http.ResponseWriter, r *http.Request, key string, query url.Values) {
	size, err := strconv.ParseInt(query.Get("size"), 10, 64)
	if err != nil || r.ContentLength != size {
		http.Error(w, "the URL is for "+query.Get("size")+" bytes: send Content-Length so", http.StatusBadRequest)
		return
	}
	hash := sha256.New()
	err = s.link(key, func(to io.Writer) error {
		n, err := io.Copy(io.MultiWriter(to, hash), io.LimitReader(r.Body, size))
		if err == nil && (n != size || hex.EncodeToString(hash.Sum(nil)) != query.Get("sha256")) {
			err = errContent
		}
		return err
	})
	switch {
	case errors.Is(err, errContent):
		http.Error(w, "the bytes are not those that the URL is for", http.StatusBadRequest)
	case errors.Is(err, fs.ErrExist):
		http.Error(w, "there is an object already", http.StatusPreconditionFailed)
	case err != nil:
		http.Error(w, "the object cannot be stored now", http.StatusServiceUnavailable)
	}
}

// errContent says that other bytes came than were signed.
var errContent = errors.New("other bytes than were signed")

// Copy implements blob.Transfer by a second name for the same file, which never changes. The file is as young as the copy
// then: what is looked for as garbage goes by age.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	if err := begin(ctx, from); err != nil {
		return err
	}
	if err := begin(ctx, to); err != nil {
		return err
	}
	name := fileName(to)
	if err := s.makeFolder(path.Dir(name)); err != nil {
		return unavailable("make folder", err)
	}
	switch err := s.root.Link(fileName(from), name); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("copy object: %w", blob.ErrNotFound)
	case err != nil && !errors.Is(err, fs.ErrExist):
		return unavailable("name object", err)
	}
	now := s.now()
	if err := s.root.Chtimes(name, now, now); err != nil {
		return unavailable("date object", err)
	}
	return unavailable("sync folder", s.sync(path.Dir(name)))
}

// PutFrom implements blob.Transfer.
func (s *Store) PutFrom(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	err := s.link(key, func(w io.Writer) error { _, err := io.Copy(w, body); return err })
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
