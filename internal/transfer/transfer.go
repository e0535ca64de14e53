// Package transfer holds the rules of what goes past the payload limits of a request and of an answer: uploads, which
// later requests name in place of content, and answers that are too large to be given. Both lie in the blob store under keys of
// their own for a day, and clients send and fetch them by signed URLs. What an upload becomes is the business of who names it
// (packages document and lrs).
package transfer

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// Limits of uploads and of what is given out by a URL.
const (
	// MaxUpload bounds an upload, in bytes: a request that names it reads it once, and a function has 29 s.
	MaxUpload = 100_000_000

	// MaxWhole is the most that an answer carries itself, in bytes that are no text: AWS Lambda gives out 6 MB of JSON, where
	// base64 makes four bytes of three. What is larger is given by a URL.
	MaxWhole = 4_500_000

	// MaxText is the same of text, escapes in a string of JSON included.
	MaxText = 6_000_000

	UploadLife   = time.Hour       // how long the URL of an upload is good
	DownloadLife = 5 * time.Minute // and that of a download
)

// Life is how long uploads and large answers lie in the blob store at least. Source: the lifecycle rules of template.yaml.
const Life = 24 * time.Hour

// The ways in which a request is refused. The texts are meant for clients.
var (
	// 400
	ErrUpload = errors.New("there is no such upload: it was not made by this store, nothing has been sent to its URL yet, or it was longer ago than a day")

	// 413
	ErrUploadSize = fmt.Errorf("an upload has 1 to %d bytes", MaxUpload)
)

// The folders of what is here for a day. They stand before the store, so that the bucket can be told to remove what is old.
const (
	uploadFolder = "uploads/"
	answerFolder = "answers/"
)

// Temporary reports whether an object is one of this package: after Life it is garbage.
func Temporary(key string) bool {
	return strings.HasPrefix(key, uploadFolder) || strings.HasPrefix(key, answerFolder)
}

// Config is what a Service stands on.
type Config struct {
	Blobs blob.Store
	URLs  blob.Transfer // over the same objects

	Now    func() time.Time // nil: time.Now
	Random io.Reader        // of the ids of uploads; nil: crypto/rand
}

// Service applies the rules. It is safe for concurrent use. Refusals are the errors above; any other error wraps one of
// package blob, or is the context's.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Service{c}
}
