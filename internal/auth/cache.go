package auth

import (
	"container/list"
	"sync"
)

// cache remembers the entries of keys. Keys without a valid credential are kept apart, so that a flood of guesses
// cannot push out those who belong here.
type cache struct {
	mu      sync.Mutex
	valid   lru
	refused lru
	clears  int
}

func newCache(size int) *cache { return &cache{valid: newLRU(size), refused: newLRU(size)} }

func (c *cache) get(key string) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.valid.get(key); ok {
		return e, true
	}
	return c.refused.get(key)
}

// generation names the time between two clears. What was read in one generation is not kept in another: it may be older
// than the change that cleared the cache.
func (c *cache) generation() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clears
}

func (c *cache) put(generation int, key string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.clears {
		return
	}
	into, outOf := &c.refused, &c.valid
	if e.valid {
		into, outOf = outOf, into
	}
	outOf.remove(key)
	into.put(key, e)
}

// clear forgets everything, after a change of any credential or store: changes are rare.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clears++
	c.valid, c.refused = newLRU(c.valid.size), newLRU(c.refused.size)
}

// lru keeps the entries of the keys used last, at most size.
type lru struct {
	size  int
	byKey map[string]*list.Element
	order *list.List // of keyed, most recently used first
}

type keyed struct {
	key string
	entry
}

func newLRU(size int) lru {
	return lru{size: size, byKey: map[string]*list.Element{}, order: list.New()}
}

func (l *lru) get(key string) (entry, bool) {
	element, ok := l.byKey[key]
	if !ok {
		return entry{}, false
	}
	l.order.MoveToFront(element)
	return element.Value.(*keyed).entry, true
}

func (l *lru) put(key string, e entry) {
	l.remove(key)
	l.byKey[key] = l.order.PushFront(&keyed{key, e})
	if l.order.Len() > l.size {
		l.remove(l.order.Back().Value.(*keyed).key)
	}
}

func (l *lru) remove(key string) {
	if element, ok := l.byKey[key]; ok {
		l.order.Remove(element)
		delete(l.byKey, key)
	}
}
