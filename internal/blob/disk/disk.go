// Package disk keeps blobs on one machine: one file per object below one folder. It is the blob driver of the
// local road.
//
// Layout of the folder:
//
//	objects/<key>=   one object; the mark "=" is in no key, so that a file never stands where a folder must
//	writing/         files being written; what a crash leaves here is removed at Open once it is a day old
//
// An object is written under writing/, synced, and then linked under its name, so a name is either absent or has
// the whole object, and two writers of one key cannot overwrite each other. A Put costs two syncs (the file and its
// folder), and one more for each folder it makes. Folders are left when their last object goes: removing them would race with
// writers, and they are few.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
)

const (
	objects  = "objects"
	writing  = "writing"
	mark     = "="
	leftover = 24 * time.Hour // the age at which a file under writing/ cannot be in use any more
	maxKnown = 10_000         // bound of the memory for folders known to be durable
)

// Store is a blob.Store, blob.Lister and blob.Transfer, and serves the URLs that it signs. Errors of the file system wrap
// blob.ErrUnavailable.
type Store struct {
	root   *os.Root
	writes atomic.Uint64 // numbers the files under writing/

	signing []byte           // key of signed URLs
	now     func() time.Time // by which they expire

	mu      sync.Mutex
	durable map[string]bool // folders whose own entry this process has synced
}

var (
	_ blob.Store    = (*Store)(nil)
	_ blob.Lister   = (*Store)(nil)
	_ blob.Transfer = (*Store)(nil)
)

// Open opens the folder, makes it when it is missing, and removes the writes that a crash left unfinished.
func Open(dir string) (*Store, error) { return open(dir, time.Now()) }

func open(dir string, now time.Time) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make blob folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	s := &Store{root: root, durable: map[string]bool{".": true}, signing: newSigningKey(), now: time.Now}
	if err := s.prepare(now); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare blob folder: %w", err), root.Close())
	}
	return s, nil
}

func (s *Store) prepare(now time.Time) error {
	for _, dir := range []string{objects, writing} {
		if err := s.makeFolder(dir); err != nil {
			return err
		}
	}
	entries, err := fs.ReadDir(s.root.FS(), writing)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if now.Sub(info.ModTime()) < leftover {
			continue
		}
		if err := s.root.Remove(path.Join(writing, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Close lets go of the folder. No call may follow.
func (s *Store) Close() error { return s.root.Close() }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, body []byte) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	name := fileName(key)
	if _, err := s.root.Stat(name); err == nil {
		// Its writer may not have synced the folder yet, and this caller is promised durability too.
		return unavailable("sync taken key", s.makeDurable(name))
	}
	err := s.link(key, func(w io.Writer) error { _, err := w.Write(body); return err })
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// link writes an object and gives it its name, durably; fs.ErrExist when the key is taken, which is durable then too.
func (s *Store) link(key string, write func(io.Writer) error) error {
	name := fileName(key)
	temporary, err := s.writeTemporary(write)
	if err != nil {
		return unavailable("write object", err)
	}
	if err := s.makeFolder(path.Dir(name)); err != nil {
		return unavailable("make folder", errors.Join(err, s.root.Remove(temporary)))
	}
	taken := s.root.Link(temporary, name)
	if taken != nil && !errors.Is(taken, fs.ErrExist) {
		return unavailable("name object", errors.Join(taken, s.root.Remove(temporary)))
	}
	if err := s.root.Remove(temporary); err != nil {
		return unavailable("remove temporary name", err)
	}
	if err := s.sync(path.Dir(name)); err != nil {
		return unavailable("sync folder", err)
	}
	return taken
}

// makeDurable syncs the folders on the way to a file that another call has linked; the file itself was synced before.
func (s *Store) makeDurable(name string) error {
	if err := s.makeFolder(path.Dir(name)); err != nil {
		return err
	}
	return s.sync(path.Dir(name))
}

// writeTemporary writes a new file under writing/, durably, and returns its name.
func (s *Store) writeTemporary(write func(io.Writer) error) (string, error) {
	for {
		name := fmt.Sprintf("%s/%d-%d", writing, os.Getpid(), s.writes.Add(1))
		file, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue // left by a crashed process that had this one's id
		}
		if err != nil {
			return "", err
		}
		if err = write(file); err == nil {
			err = file.Sync()
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return "", errors.Join(err, s.root.Remove(name))
		}
		return name, nil
	}
}

// makeFolder makes a folder and those above it, each durably. A folder that is found may have been made by a
// process that died before it synced, so each is synced once by each process.
func (s *Store) makeFolder(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.makeFolderLocked(dir)
}

func (s *Store) makeFolderLocked(dir string) error {
	if s.durable[dir] {
		return nil
	}
	parent := path.Dir(dir)
	if err := s.makeFolderLocked(parent); err != nil {
		return err
	}
	if err := s.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.sync(parent); err != nil {
		return err
	}
	if len(s.durable) >= maxKnown {
		clear(s.durable)
		s.durable["."] = true
	}
	s.durable[dir] = true
	return nil
}

func (s *Store) sync(dir string) error {
	folder, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, int64, error) {
	if err := begin(ctx, key); err != nil {
		return nil, 0, err
	}
	if offset < 0 {
		return nil, 0, fmt.Errorf("read at offset %d: %w", offset, blob.ErrInvalid)
	}
	file, err := s.root.Open(fileName(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, blob.ErrNotFound
	}
	if err != nil {
		return nil, 0, unavailable("open object", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, unavailable("stat object", errors.Join(err, file.Close()))
	}
	if length < 0 {
		length = info.Size()
	}
	return section{io.NewSectionReader(file, offset, length), file}, info.Size(), nil
}

// section reads a part of a file and closes the file.
type section struct {
	*io.SectionReader
	io.Closer
}

// Delete implements blob.Store. A reader that has the object open reads on.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	name := fileName(key)
	if err := s.root.Remove(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return unavailable("delete object", err)
	}
	return unavailable("sync folder", s.sync(path.Dir(name)))
}

func begin(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return blob.CheckKey(key)
}

func fileName(key string) string { return objects + "/" + key + mark }

func keyOf(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, objects+"/"), mark)
}

// unavailable is nil for a nil error. The file system's message names the key's path, which holds no learner's data.
func unavailable(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", what, blob.ErrUnavailable, err)
}
