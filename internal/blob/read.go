package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
)

// readTries is how often an object is asked for whose bytes break off. A store repeats its requests by itself only until it has
// an answer.
const readTries = 3

// Read gives the whole object, or ErrNotFound. An object whose bytes break off is read on.
func Read(ctx context.Context, s Store, key string) (body []byte, err error) {
	r, err := Open(ctx, s, key)
	if err != nil {
		return nil, err
	}
	body = make([]byte, r.Size())
	_, err = io.ReadFull(r, body)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	return body, nil
}

// Piece is a stretch of bytes: at hand, or a whole object, which is read when it is its turn.
type Piece struct {
	Bytes []byte

	Store Store // of the object; nil for Bytes
	Key   string
	Size  int64 // of the object

	// Sum, when set, hashes the object as it is read from its beginning, and Digest is what that must come to.
	Sum    hash.Hash
	Digest []byte
}

// Len is the number of bytes.
func (p Piece) Len() int64 {
	if p.Store == nil {
		return int64(len(p.Bytes))
	}
	return p.Size
}

// Reader reads pieces, one behind the other, without having more of an object in memory than it gives out. Objects whose bytes
// break off are read on where they did. It is an io.ReadSeekCloser for one goroutine.
type Reader struct {
	ctx    context.Context
	pieces []Piece
	size   int64
	at     int64 // in all pieces

	body  io.ReadCloser // what is open, of piece number piece, at position at; nil: nothing
	piece int
	tries int // how often that piece was opened on the way to its end

	summing int   // the piece whose Sum has
	summed  int64 // so many bytes from its beginning
}

var _ io.ReadSeekCloser = (*Reader)(nil)

// NewReader makes a reader of pieces. It asks the stores for nothing yet.
func NewReader(ctx context.Context, pieces ...Piece) *Reader {
	r := &Reader{ctx: ctx, pieces: pieces}
	for _, p := range pieces {
		r.size += p.Len()
	}
	return r
}

// Open makes a reader of one object, or returns ErrNotFound. It costs one request.
func Open(ctx context.Context, s Store, key string) (*Reader, error) {
	body, size, err := s.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	r := NewReader(ctx, Piece{Store: s, Key: key, Size: size})
	r.body, r.tries = body, 1
	return r, nil
}

// Size is the number of bytes of all pieces.
func (r *Reader) Size() int64 { return r.size }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (n int, err error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	number, offset := r.find()
	piece := r.pieces[number]
	if piece.Store == nil {
		n = copy(p, piece.Bytes[offset:])
		r.at += int64(n)
		return n, nil
	}
	p = p[:min(int64(len(p)), piece.Size-offset)]
	for {
		if n, err = r.readObject(p, number, offset); n > 0 {
			if err := r.sum(p[:n], number, offset); err != nil {
				return 0, errors.Join(err, r.Close())
			}
			r.at += int64(n)
			return n, nil
		}
		if r.tries >= readTries || !errors.Is(err, errBroken) || r.ctx.Err() != nil {
			return 0, err
		}
	}
}

// ErrDamaged says that an object does not have the digest that it was stored with.
var ErrDamaged = errors.New("blob: object is damaged")

// sum hashes what was read of a piece. Its last bytes are given out only when it has its digest, so that nobody gets a damaged
// object whole. A piece that is not read from its beginning is not checked.
func (r *Reader) sum(p []byte, number int, offset int64) error {
	piece := r.pieces[number]
	if piece.Sum == nil {
		return nil
	}
	if offset == 0 {
		piece.Sum.Reset()
		r.summing, r.summed = number, 0
	}
	if number != r.summing || offset != r.summed {
		return nil
	}
	_, _ = piece.Sum.Write(p) // never fails
	r.summed += int64(len(p))
	if r.summed == piece.Size && !bytes.Equal(piece.Sum.Sum(nil), piece.Digest) {
		return fmt.Errorf("read %s: %w", piece.Key, ErrDamaged)
	}
	return nil
}

// find gives the piece at the present position, which is not the end, and the offset in it.
func (r *Reader) find() (number int, offset int64) {
	offset = r.at
	for number < len(r.pieces) && offset >= r.pieces[number].Len() {
		offset -= r.pieces[number].Len()
		number++
	}
	return number, offset
}

// errBroken says that the bytes of an object broke off.
var errBroken = errors.New("the bytes broke off")

// readObject reads at least one byte of an object, or fails and lets go of it.
func (r *Reader) readObject(p []byte, number int, offset int64) (n int, err error) {
	if r.piece != number {
		if err := r.Close(); err != nil {
			return 0, err
		}
		r.piece, r.tries = number, 0
	}
	if r.body == nil {
		piece := r.pieces[number]
		r.tries++
		body, size, err := piece.Store.Get(r.ctx, piece.Key, offset, -1)
		if err != nil {
			return 0, err
		}
		if r.body = body; size != piece.Size {
			return 0, errors.Join(fmt.Errorf("read object of %d bytes: it has %d", piece.Size, size), r.Close())
		}
	}
	if n, err = io.ReadAtLeast(r.body, p, 1); n > 0 {
		return n, nil
	}
	return 0, errors.Join(fmt.Errorf("read object: %w: %w", errBroken, err), r.Close())
}

// Seek implements io.Seeker.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return r.at, fmt.Errorf("seek to byte %d: %w", offset, ErrInvalid)
	}
	if offset == r.at {
		return r.at, nil
	}
	r.at, r.tries = offset, 0
	return r.at, r.Close()
}

// Close lets go of what is open. The reader can be read on.
func (r *Reader) Close() error {
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}
