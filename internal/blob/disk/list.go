package disk

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// List implements blob.Lister. It holds the names of one folder per level in memory, and lists neither reliably
// present nor reliably absent what is written or deleted meanwhile.
func (s *Store) List(ctx context.Context, prefix string, f func(blob.Info) error) error {
	if err := blob.CheckPrefix(prefix); err != nil {
		return err
	}
	return s.list(ctx, objects, prefix, f)
}

func (s *Store) list(ctx context.Context, dir, prefix string, f func(blob.Info) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(s.root.FS(), dir)
	if err != nil {
		return unavailable("read folder", err)
	}
	// A folder stands for keys that go on with "/", a file for the key itself: in the order of these, keys rise.
	sortName := func(entry fs.DirEntry) string {
		if entry.IsDir() {
			return entry.Name() + "/"
		}
		return strings.TrimSuffix(entry.Name(), mark)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	for _, entry := range entries {
		if err := s.listEntry(ctx, path.Join(dir, entry.Name()), entry, prefix, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) listEntry(ctx context.Context, name string, entry fs.DirEntry, prefix string, f func(blob.Info) error) error {
	if entry.IsDir() {
		folder := keyOf(name) + "/"
		if !strings.HasPrefix(folder, prefix) && !strings.HasPrefix(prefix, folder) {
			return nil
		}
		return s.list(ctx, name, prefix, f)
	}
	key := keyOf(name)
	if !strings.HasPrefix(key, prefix) || !strings.HasSuffix(name, mark) {
		return nil
	}
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted since the folder was read
	}
	if err != nil {
		return unavailable("stat object", err)
	}
	return f(blob.Info{Key: key, Size: info.Size(), Modified: info.ModTime()})
}
