// Package blobtest is the conformance suite of the blob port. A driver's own test calls Run, and RunSigner when it
// signs URLs; what a driver does beyond the port it tests itself.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// Store is what every driver implements.
type Store interface {
	blob.Store
	blob.Lister
}

// Run tests a driver. open returns an empty store, which the test's cleanup removes.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Run("put and get", func(t *testing.T) { testPutGet(t, open(t)) })
	t.Run("ranges", func(t *testing.T) { testRanges(t, open(t)) })
	t.Run("taken key is left as it is", func(t *testing.T) { testTaken(t, open(t)) })
	t.Run("delete", func(t *testing.T) { testDelete(t, open(t)) })
	t.Run("invalid keys", func(t *testing.T) { testInvalidKeys(t, open(t)) })
	t.Run("ended context", func(t *testing.T) { testEndedContext(t, open(t)) })
	t.Run("list", func(t *testing.T) { testList(t, open(t)) })
	t.Run("list stops at an error", func(t *testing.T) { testListStops(t, open(t)) })
	t.Run("one writer wins", func(t *testing.T) { testRace(t, open(t)) })
	t.Run("behaves as a map", func(t *testing.T) { testModel(t, open(t)) })
}

func testPutGet(t *testing.T, s Store) {
	if _, _, err := s.Get(t.Context(), "absent/key", 0, -1); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get of an absent key = %v, want ErrNotFound", err)
	}
	for _, size := range []int{0, 1, 4096, 6 << 20} {
		key := fmt.Sprintf("store/bodies/%d", size)
		body := pattern(size)
		put(t, s, key, body)
		if got := get(t, s, key, 0, -1, int64(size)); !bytes.Equal(got, body) {
			t.Errorf("an object of %d bytes came back as %d other ones", size, len(got))
		}
	}
}

func testRanges(t *testing.T, s Store) {
	body := []byte("0123456789")
	put(t, s, "r", body)
	put(t, s, "empty", nil)
	tests := []struct {
		name           string
		key            string
		offset, length int64
		want           string
	}{
		{"all", "r", 0, -1, "0123456789"},
		{"from the middle", "r", 4, -1, "456789"},
		{"first byte", "r", 0, 1, "0"},
		{"inside", "r", 3, 4, "3456"},
		{"last byte", "r", 9, 1, "9"},
		{"past the end", "r", 8, 100, "89"},
		{"no bytes", "r", 5, 0, ""},
		{"at the end", "r", 10, -1, ""},
		{"beyond the end", "r", 11, 5, ""},
		{"all of nothing", "empty", 0, -1, ""},
		{"part of nothing", "empty", 0, 5, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			size := int64(len(body))
			if tt.key == "empty" {
				size = 0
			}
			if got := get(t, s, tt.key, tt.offset, tt.length, size); string(got) != tt.want {
				t.Errorf("Get(%d, %d) = %q, want %q", tt.offset, tt.length, got, tt.want)
			}
		})
	}
	if _, _, err := s.Get(t.Context(), "r", -1, 1); !errors.Is(err, blob.ErrInvalid) {
		t.Errorf("Get at offset -1 = %v, want ErrInvalid", err)
	}
	if _, _, err := s.Get(t.Context(), "absent", 5, 0); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get of no bytes of an absent key = %v, want ErrNotFound", err)
	}
}

func testTaken(t *testing.T, s Store) {
	put(t, s, "k", []byte("first"))
	put(t, s, "k", []byte("second, and longer"))
	put(t, s, "k", nil)
	if got := get(t, s, "k", 0, -1, 5); string(got) != "first" {
		t.Errorf("the object is %q, want %q", got, "first")
	}
}

func testDelete(t *testing.T, s Store) {
	ctx := t.Context()
	if err := s.Delete(ctx, "never/was"); err != nil {
		t.Errorf("Delete of an absent key = %v", err)
	}
	put(t, s, "d/1", []byte("one"))
	put(t, s, "d/2", []byte("two"))
	for range 2 {
		if err := s.Delete(ctx, "d/1"); err != nil {
			t.Fatalf("Delete = %v", err)
		}
	}
	if _, _, err := s.Get(ctx, "d/1", 0, -1); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get of a deleted key = %v, want ErrNotFound", err)
	}
	if diff := cmp.Diff([]string{"d/2"}, keys(t, s, "")); diff != "" {
		t.Errorf("keys left (-want +got):\n%s", diff)
	}
	put(t, s, "d/1", []byte("again"))
	if got := get(t, s, "d/1", 0, -1, 5); string(got) != "again" {
		t.Errorf("after delete and put the object is %q, want %q", got, "again")
	}
}

func testInvalidKeys(t *testing.T, s Store) {
	ctx := t.Context()
	for _, key := range []string{"", "A", "a b", "/a", "a/", "a//b", "../a", "a/..", ".", "ä", strings.Repeat("a/", 256) + "a"} {
		_, _, errGet := s.Get(ctx, key, 0, -1)
		for verb, err := range map[string]error{"Put": s.Put(ctx, key, nil), "Get": errGet, "Delete": s.Delete(ctx, key)} {
			if !errors.Is(err, blob.ErrInvalid) {
				t.Errorf("%s of key %q = %v, want ErrInvalid", verb, key, err)
			}
		}
	}
	if err := s.List(ctx, "A", func(blob.Info) error { return nil }); !errors.Is(err, blob.ErrInvalid) {
		t.Errorf("List of prefix %q = %v, want ErrInvalid", "A", err)
	}
}

func testEndedContext(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "late", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want Canceled", err)
	}
	if _, _, err := s.Get(ctx, "late", 0, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want Canceled", err)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("a Put whose context had ended left %v", got)
	}
}

func testList(t *testing.T, s Store) {
	all := []string{"a-b/x", "a.b/x", "a/b/c", "a/b-c", "a/b0", "a0", "b", "b1/2/3/4/5"}
	slices.Sort(all)
	before := time.Now().Add(-time.Minute)
	for i := range all { // written in another order than listed
		key := all[(i*5)%len(all)]
		put(t, s, key, pattern(len(key)))
	}
	for _, prefix := range []string{"", "a", "a/", "a/b", "a/b/", "a/b/c", "a.", "b", "b1/2/", "zz", "a/b/c/d"} {
		var want []string
		for _, key := range all {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		if diff := cmp.Diff(want, keys(t, s, prefix)); diff != "" {
			t.Errorf("List(%q) (-want +got):\n%s", prefix, diff)
		}
	}
	err := s.List(t.Context(), "", func(info blob.Info) error {
		if want := int64(len(info.Key)); info.Size != want {
			t.Errorf("size of %s is %d, want %d", info.Key, info.Size, want)
		}
		if info.Modified.Before(before) || info.Modified.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s was modified at %v, want now", info.Key, info.Modified)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testListStops(t *testing.T, s Store) {
	for _, key := range []string{"x/1", "x/2", "x/3"} {
		put(t, s, key, nil)
	}
	enough := errors.New("enough")
	var seen []string
	err := s.List(t.Context(), "", func(info blob.Info) error {
		seen = append(seen, info.Key)
		if len(seen) == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("List = %v, want the callback's error", err)
	}
	if diff := cmp.Diff([]string{"x/1", "x/2"}, seen); diff != "" {
		t.Errorf("keys seen (-want +got):\n%s", diff)
	}
}

// testRace lets writers put different bodies under each key while readers look: every answer is one whole body, and
// the answer never changes.
func testRace(t *testing.T, s Store) {
	const rounds, writers, readers = 8, 6, 2
	for round := range rounds {
		key := fmt.Sprintf("race/%d", round)
		bodies := make([][]byte, writers)
		for i := range bodies {
			bodies[i] = bytes.Repeat([]byte{byte('a' + i)}, 20_000+i)
		}
		var wg sync.WaitGroup
		var done sync.WaitGroup
		finished := make(chan struct{})
		for _, body := range bodies {
			done.Add(1)
			wg.Go(func() {
				defer done.Done()
				if err := s.Put(t.Context(), key, body); err != nil {
					t.Errorf("Put = %v", err)
				}
			})
		}
		for range readers {
			wg.Go(func() { watch(t, s, key, bodies, finished) })
		}
		done.Wait()
		close(finished)
		wg.Wait()
	}
}

func watch(t *testing.T, s Store, key string, bodies [][]byte, finished <-chan struct{}) {
	var first []byte
	for last := false; !last; {
		select {
		case <-finished:
			last = true
		default:
		}
		got, _, err := read(t.Context(), s, key, 0, -1)
		if errors.Is(err, blob.ErrNotFound) && first == nil && !last {
			continue
		}
		if err != nil {
			t.Errorf("Get during writes = %v", err)
			return
		}
		if !slices.ContainsFunc(bodies, func(b []byte) bool { return bytes.Equal(b, got) }) {
			t.Errorf("Get during writes gave %d bytes that nobody wrote", len(got))
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Error("the object changed after it was first read")
		}
	}
}

// testModel compares a store with a map under random operations.
func testModel(t *testing.T, s Store) {
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		folder := fmt.Sprintf("model/%d/", round)
		model := map[string]string{}
		key := rapid.SampledFrom([]string{"a", "b", "c/d", "c/e"})
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			k := key.Draw(r, "key")
			switch rapid.SampledFrom([]string{"put", "get", "delete", "list"}).Draw(r, "verb") {
			case "put":
				body := rapid.StringN(0, 20, -1).Draw(r, "body")
				put(r, s, folder+k, []byte(body))
				if _, taken := model[k]; !taken {
					model[k] = body
				}
			case "delete":
				if err := s.Delete(t.Context(), folder+k); err != nil {
					r.Fatal(err)
				}
				delete(model, k)
			case "get":
				compare(r, s, folder+k, model, k)
			case "list":
				want := []string{}
				for k := range model {
					want = append(want, folder+k)
				}
				slices.Sort(want)
				if got := keys(r, s, folder); !slices.Equal(got, want) {
					r.Fatalf("List = %v, want %v", got, want)
				}
			}
		}
	})
}

func compare(t testingT, s Store, key string, model map[string]string, k string) {
	t.Helper()
	got, _, err := read(context.Background(), s, key, 0, -1)
	want, there := model[k]
	if !there && !errors.Is(err, blob.ErrNotFound) {
		t.Fatalf("Get of an absent key = %v, want ErrNotFound", err)
	}
	if there && (err != nil || string(got) != want) {
		t.Fatalf("Get = %q, %v; want %q", got, err, want)
	}
}

// testingT is what *testing.T and *rapid.T have in common here.
type testingT interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func put(t testingT, s Store, key string, body []byte) {
	t.Helper()
	if err := s.Put(context.Background(), key, body); err != nil {
		t.Fatalf("Put of %s = %v", key, err)
	}
}

func get(t testingT, s Store, key string, offset, length, wantSize int64) []byte {
	t.Helper()
	got, size, err := read(context.Background(), s, key, offset, length)
	if err != nil {
		t.Fatalf("Get of %s = %v", key, err)
	}
	if size != wantSize {
		t.Fatalf("size of %s is %d, want %d", key, size, wantSize)
	}
	return got
}

func read(ctx context.Context, s Store, key string, offset, length int64) ([]byte, int64, error) {
	body, size, err := s.Get(ctx, key, offset, length)
	if err != nil {
		return nil, 0, err
	}
	got, err := io.ReadAll(body)
	return got, size, errors.Join(err, body.Close())
}

func keys(t testingT, s Store, prefix string) (keys []string) {
	t.Helper()
	err := s.List(context.Background(), prefix, func(info blob.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	if err != nil {
		t.Fatalf("List = %v", err)
	}
	return keys
}

// pattern makes n bytes in which a shift, a gap or a repeated block shows.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}
