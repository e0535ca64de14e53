// Package blob is the seam between Cairn's rules and the store of large immutable
// objects: attachments, statements that do not fit an item, documents. An object is
// written once under its key and never changed. blob/s3 speaks to S3, blob/disk keeps
// one file per object, blob/blobtest is the suite that both pass.
package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"
)

// ErrNotFound says that there is no object under the key.
var ErrNotFound = errors.New("blob: no such object")

// ErrInvalid says that a key is not valid; nothing was sent.
var ErrInvalid = errors.New("blob: invalid key")

// ErrDenied says that the store refuses access. S3 says so of an object that is not there, too, to those who may not list.
var ErrDenied = errors.New("blob: access denied")

// MayBeAbsent tells of an error that there is no object under the key, as far as the caller is told: see ErrDenied.
func MayBeAbsent(err error) bool { return errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) }

// ErrUnavailable says that the store cannot be reached, is throttling or is full; whether a Put was done is unknown.
var ErrUnavailable = errors.New("blob: store unavailable")

// Store is the port. Keys are as CheckKey says, and no key is another one's folder ("a" and "a/b" are not both
// used). Implementations are safe for concurrent use.
type Store interface {
	// Put writes the object unless the key is taken; a taken key is left as it is and is no error. When Put
	// returns nil the object under the key is whole and durable.
	Put(ctx context.Context, key string, body []byte) error

	// Get opens the object; ErrNotFound, or ErrDenied, when it is not there. length < 0 reads to the end, and so does a range
	// that goes past it; beyond the end there are no bytes. size is the whole object's. Bytes that break off end in an error
	// that wraps ErrUnavailable where the store is another machine.
	Get(ctx context.Context, key string, offset, length int64) (body io.ReadCloser, size int64, err error)

	// Delete removes the object; removing an absent one succeeds.
	Delete(ctx context.Context, key string) error
}

// Transfer moves large objects past the payload limits of the edge: clients send and fetch them by URLs that say all that is
// allowed, and objects change their key without being read.
type Transfer interface {
	// SignPut allows one upload of exactly these bytes under the key, if it is free, until expiry. The client must send
	// the headers. A URL that begins with "/" is on the host that the client has asked.
	SignPut(ctx context.Context, key string, content Content, expiry time.Duration) (url string, header map[string]string, err error)

	// SignGet allows downloads of the object until expiry. They have the Content-Type, and tell browsers to save and not to
	// show it.
	SignGet(ctx context.Context, key, contentType string, expiry time.Duration) (url string, err error)

	// Copy puts an object under another key too, as Put does; ErrNotFound, or ErrDenied, when it is not there.
	Copy(ctx context.Context, from, to string) error

	// PutFrom is Put of bytes that are read as they are sent, from the beginning, and again when they have to be sent again.
	PutFrom(ctx context.Context, key string, body io.ReadSeeker) error
}

// Content says which bytes an upload must have.
type Content struct {
	Size   int64
	SHA256 [sha256.Size]byte
}

// Lister lists objects. It is for the operator's commands only and never granted to a function.
type Lister interface {
	// List calls f for each object whose key begins with prefix, in the order of keys, until f returns an error.
	List(ctx context.Context, prefix string, f func(Info) error) error
}

// Info describes one object of a list.
type Info struct {
	Key      string
	Size     int64     // bytes
	Modified time.Time // when it was written
}
