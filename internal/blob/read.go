package blob

import (
	"context"
	"errors"
	"io"
)

// Read gives the whole object, or ErrNotFound.
func Read(ctx context.Context, s Store, key string) ([]byte, error) {
	r, size, err := s.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	body := make([]byte, size)
	_, err = io.ReadFull(r, body)
	return body, errors.Join(err, r.Close())
}
