package local

import (
	"context"
	"errors"
)

// OpenUncounted opens a folder as Open does, but follows no changes: nothing is counted for reports.
func OpenUncounted(ctx context.Context, dir string) (*Cairn, error) {
	c, err := openQuiet(dir, Options{})
	if err != nil {
		return nil, err
	}
	if err := c.Directory.EnsureDefault(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.derive(ctx)
	return c, nil
}
