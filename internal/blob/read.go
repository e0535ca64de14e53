package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// readTries is how often an object is read whose bytes break off. A store repeats its requests by itself only until it has
// an answer.
const readTries = 3

// Read gives the whole object, or ErrNotFound. An object whose bytes break off is read again.
func Read(ctx context.Context, s Store, key string) (body []byte, err error) {
	for range readTries {
		var r io.ReadCloser
		var size int64
		if r, size, err = s.Get(ctx, key, 0, -1); err != nil {
			return nil, err
		}
		body = make([]byte, size)
		_, err = io.ReadFull(r, body)
		if err = errors.Join(err, r.Close()); err == nil {
			return body, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("read object: %w", err)
}
