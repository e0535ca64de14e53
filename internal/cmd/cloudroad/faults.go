package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"sync"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// faultFile is the file of -faults: while it is there and holds "SEED SHARE", that share of the calls (0 to 1) goes wrong.
type faultFile struct {
	path string // "": never

	mu    sync.Mutex
	text  string // that storm was made of
	storm *cloudtest.Storm
}

// choose picks what becomes of a call.
func (f *faultFile) choose(r *http.Request, body []byte) cloudtest.Fault {
	if f.path == "" {
		return nil
	}
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.storm == nil || f.text != string(text) {
		var seed uint64
		var share float64
		if _, err := fmt.Sscan(string(text), &seed, &share); err != nil {
			return nil // it is being written
		}
		f.text, f.storm = string(text), cloudtest.NewStorm(seed, share)
	}
	return f.storm.Choose(r, body)
}
