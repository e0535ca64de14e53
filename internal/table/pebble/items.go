package pebble

import (
	"hash/maphash"
	"sync"

	"github.com/VictoriaMetrics/fastcache"
)

// itemCache keeps stored items that were lately written or read, by engine key, so that reading one does not walk through the
// levels of the engine: a page of statements is a hundred such reads. It lies outside Go's heap, where it costs the garbage
// collector nothing. It never gives out what a committed write has replaced.
type itemCache struct {
	stored  *fastcache.Cache
	seed    maphash.Seed
	stripes [256]stripe
}

// stripe orders the writes and the fills of the keys that fall on it.
type stripe struct {
	mu      sync.Mutex
	version uint64 // counts the writes
}

// maxCached is the size of the largest item that is kept, in bytes: statements and sums are, large ledgers are not.
const maxCached = 4 << 10

func newItemCache(bytes int64) *itemCache {
	return &itemCache{stored: fastcache.New(int(bytes)), seed: maphash.MakeSeed()}
}

// get appends the stored item to dst, if it is known; nil when it is known to be absent.
func (c *itemCache) get(dst, key []byte) (raw []byte, known bool) {
	raw, known = c.stored.HasGet(dst, key)
	if len(raw) == len(dst) {
		return nil, known
	}
	return raw, known
}

// version is what fill wants to know: it is taken before the engine is read.
func (c *itemCache) version(key []byte) uint64 {
	s := c.stripe(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// fill keeps what the engine had, unless something was written since the version was taken: that may be newer. Raw nil is
// absence, kept as no bytes: the id of a new statement is looked for, and soon again by the put.
func (c *itemCache) fill(key, raw []byte, version uint64) {
	if len(raw) > maxCached {
		return
	}
	s := c.stripe(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version {
		c.stored.Set(key, raw)
	}
}

// wrote takes in a write that the engine shows, raw nil if the item was deleted or is not to be kept. What was written is asked
// for soon.
func (c *itemCache) wrote(key, raw []byte) {
	s := c.stripe(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	if raw == nil || len(raw) > maxCached {
		c.stored.Del(key)
	} else {
		c.stored.Set(key, raw)
	}
}

func (c *itemCache) stripe(key []byte) *stripe {
	return &c.stripes[maphash.Bytes(c.seed, key)%uint64(len(c.stripes))]
}

// close gives the memory back.
func (c *itemCache) close() { c.stored.Reset() }
