package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// DefaultStore is the id of the first store of a local data folder.
const DefaultStore = "default"

// Store is one tenant's records.
type Store struct {
	ID   string // 10 lower-case Crockford base32 characters; "default" for the first local one
	Name string // for people; not unique

	// Shards is how many shards readers ask, WriteShards over how many writers spread. They only grow, and in two steps:
	// first Shards, then, once no process can still remember the older number (CacheLife), WriteShards. So a reader
	// never misses a shard that somebody writes to.
	Shards, WriteShards int

	shardsGrown time.Time // when Shards last grew

	TimeZone string // IANA name

	// Generation is the one of its rollups that reports read; days are counted by TimeZone in it. Building is the one that
	// is being built beside it, 0 for none, and NextTimeZone what days are counted by in that one, "" for TimeZone.
	Generation, Building int
	NextTimeZone         string

	// SmallNumber is the fewest learners that reports tell as a number, 0 for the default; HideNames takes names out of all
	// reports. TestData says that the store holds made-up data only, so that there is nobody to protect.
	SmallNumber         int
	HideNames, TestData bool

	TermKey   []byte // 32 bytes, HKDF of the store key: hashes of terms
	CursorKey []byte // 32 bytes, HKDF of the store key: seals more cursors

	// Authorities holds the Term of every agent that has been an authority of this store.
	Authorities [][]byte

	macs *sync.Pool // of *mac under TermKey
}

// AuthorityTerm is the kind of the terms in Store.Authorities.
const AuthorityTerm = "authority"

// Term hashes a value, such as the id of a verb, to the term under which this store lists it: the first 12 bytes of
// HMAC-SHA-256(TermKey, kind 0x00 value). 96 bits keep the chance of a collision among a billion terms under 10⁻¹⁰;
// the key keeps a dictionary from reversing them.
func (s Store) Term(kind, value string) [12]byte {
	if s.macs == nil { // a Store that was made by hand, in a test
		return newMAC(s.TermKey).term(kind, value)
	}
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	return m.term(kind, value)
}

// mac is an HMAC with room for a message: making one costs more than using it.
type mac struct {
	hash   hash.Hash
	buffer []byte
}

func newMAC(key []byte) *mac { return &mac{hash: hmac.New(sha256.New, key)} }

func (m *mac) term(kind, value string) [12]byte {
	m.buffer = append(append(append(m.buffer[:0], kind...), 0), value...)
	m.hash.Reset()
	m.hash.Write(m.buffer) // never fails
	m.buffer = m.hash.Sum(m.buffer[:0])
	return [12]byte(m.buffer)
}

// newStore derives a store's keys from its store key. Source: RFC 5869; the info strings are part of the data format.
func newStore(id, name string, storeKey []byte) (Store, error) {
	if len(storeKey) != keyBytes {
		return Store{}, fmt.Errorf("read store %s: its key has %d bytes, want %d", id, len(storeKey), keyBytes)
	}
	term, err := hkdf.Key(sha256.New, storeKey, nil, "cairn term", keyBytes)
	if err != nil {
		return Store{}, fmt.Errorf("derive term key: %w", err)
	}
	cursor, err := hkdf.Key(sha256.New, storeKey, nil, "cairn cursor", keyBytes)
	if err != nil {
		return Store{}, fmt.Errorf("derive cursor key: %w", err)
	}
	macs := &sync.Pool{New: func() any { return newMAC(term) }}
	return Store{ID: id, Name: name, TermKey: term, CursorKey: cursor, macs: macs}, nil
}

// storeFromItem reads an item of table Stores.
func storeFromItem(item table.Item) (Store, error) {
	s, err := newStore(item[schema.PK].S, item[schema.Name].S, item[schema.StoreKey].B)
	if err != nil {
		return Store{}, err
	}
	s.Shards, s.WriteShards = int(item[schema.Shards].N), int(item[schema.WriteShards].N)
	s.shardsGrown = time.Unix(0, item[schema.ShardsGrown].N)
	s.TimeZone, s.NextTimeZone = item[schema.TimeZone].S, item[schema.NextTimeZone].S
	s.Generation, s.Building = int(item[schema.Generation].N), int(item[schema.Building].N)
	s.SmallNumber, s.HideNames, s.TestData = int(item[schema.SmallNumber].N), item[schema.HideNames].N != 0, item[schema.TestData].N != 0
	s.Authorities = item[schema.Authorities].Set
	if s.WriteShards < 1 || s.Shards < s.WriteShards {
		return Store{}, fmt.Errorf("read store %s: %d shards to write and %d to read", s.ID, s.WriteShards, s.Shards)
	}
	return s, nil
}

// crockford is Crockford's base32 alphabet in lower case: no i, l, o or u, so an id survives being read aloud.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// randomName makes n random Crockford base32 characters, 5 bits each.
func randomName(random io.Reader, n int) (string, error) {
	name := make([]byte, n)
	if _, err := io.ReadFull(random, name); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	for i, b := range name {
		name[i] = crockford[b&31]
	}
	return string(name), nil
}
