package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// faultFile is the file of -faults. While it is there, calls go wrong as it says:
//
//	SEED SHARE       that share of all calls, 0 to 1, in many ways
//	lose FUNCTION    the function finds no object in the bucket
//	refuse FUNCTION  the function may do nothing
type faultFile struct {
	path string // "": never

	mu    sync.Mutex
	text  string // that storm was made of
	storm *cloudtest.Storm
}

// choose picks what becomes of a call of a function.
func (f *faultFile) choose(function string, r *http.Request, body []byte) cloudtest.Fault {
	if f.path == "" {
		return nil
	}
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if what, whose, _ := strings.Cut(strings.TrimSpace(string(text)), " "); what == "lose" || what == "refuse" {
		switch {
		case whose != function:
			return nil
		case what == "refuse":
			return denial(r)
		case r.Method == http.MethodGet: // of S3: DynamoDB's are all POST
			return cloudtest.S3Error(http.StatusNotFound, "NoSuchKey")
		}
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
