package importer

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// state is how far an import has come: everything up to and including statement Read is stored or refused. It is kept
// beside the input, so that the same command goes on after an interruption.
type state struct {
	Endpoint string `json:"endpoint"`
	Key      string `json:"key"` // access key
	Read     int64  `json:"read"`
	Sum      string `json:"sum"` // SHA-256 of those statements: the input may have changed meanwhile
	Stored   int64  `json:"stored"`
	Refused  int64  `json:"refused"`

	// LastStored is asked for before going on: an LRS that has been emptied meanwhile does not have it.
	LastStored string `json:"lastStored"`

	// RefusedBytes is the length of the refused file; what stands behind was written after this state.
	RefusedBytes int64 `json:"refusedBytes"`
}

// readState returns the zero state when there is none.
func readState(path string) (state, error) {
	var s state
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, fmt.Errorf("read state %s (delete it to begin anew): %w", path, err)
	}
	return s, nil
}

// write replaces the state file whole: a reader after a crash finds the old state or this one.
func (s state) write(path string) error {
	data, err := json.Marshal(s, jsontext.Multiline(true))
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write state: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// refusedFile takes refused statements, one JSON object a line. It exists once there is one.
type refusedFile struct {
	path string
	size int64
	f    *os.File
}

// openRefused goes on with the first size bytes of an earlier run's file; 0 begins anew.
func openRefused(path string, size int64) (*refusedFile, error) {
	r := &refusedFile{path: path, size: size}
	if size == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove old refused file: %w", err)
		}
		return r, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open refused file of the interrupted import: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < size {
		err = errors.New("it is shorter than it was")
	}
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("go on with refused file %s: %w", path, errors.Join(err, f.Close()))
	}
	r.f = f
	return r, nil
}

// add appends refusals and makes them durable.
func (r *refusedFile) add(refusals []refusal) error {
	if len(refusals) == 0 {
		return nil
	}
	if r.f == nil {
		f, err := os.OpenFile(r.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // statements are personal data
		if err != nil {
			return fmt.Errorf("create refused file: %w", err)
		}
		r.f = f
	}
	var lines []byte
	for _, refusal := range refusals {
		line, err := json.Marshal(refusal, lenient...)
		if err != nil {
			return fmt.Errorf("encode refused statement: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	n, err := r.f.Write(lines)
	r.size += int64(n)
	if err = errors.Join(err, r.f.Sync()); err != nil {
		return fmt.Errorf("write refused file: %w", err)
	}
	return nil
}

func (r *refusedFile) close() error {
	if r.f == nil {
		return nil
	}
	return r.f.Close()
}
