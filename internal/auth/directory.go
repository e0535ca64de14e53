package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// ErrUnauthorized is the one answer to an unknown key, a wrong secret and a revoked credential.
var ErrUnauthorized = errors.New("auth: key and secret do not match")

const (
	// CacheLife is how long a process remembers a credential and its store: so long a revoked credential may still be
	// taken by another process than the one that revoked it, and so long the steps of a growing store are apart.
	CacheLife = time.Minute

	// refusalLife is how long a refusal is given without reading again. It is short, so that a new secret is taken soon
	// after a rotation, and not zero, so that guessing does not cost two reads a guess.
	refusalLife = 5 * time.Second

	cacheSize = 1024 // credentials remembered; as many unknown keys are remembered apart from them

	// A longer key or secret is refused unread.
	maxKeyBytes, maxSecretBytes = 128, 256

	keyBytes = 32 // a store key and what is derived from it
)

// Config is what a Directory stands on.
type Config struct {
	Tables  table.DB
	Scanner table.Scanner    // for the operator's lists (Stores, Credentials); nil where they are not asked for
	Now     func() time.Time // nil: time.Now
	Random  io.Reader        // nil: crypto/rand
	Shards  int              // shards of a new store: 4 in the cloud, 1 locally
}

// Directory knows the stores and credentials of one deployment. It is safe for concurrent use.
type Directory struct {
	Config
	cache *cache
}

// NewDirectory makes a Directory.
func NewDirectory(c Config) *Directory {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Directory{Config: c, cache: newCache(cacheSize)}
}

// Authenticate returns the principal of a key with its secret, ErrUnauthorized when they do not match, and any other
// error when that could not be found out.
//
// Unknown keys, wrong secrets and revoked credentials get the same answer for the same comparison and, when nothing is
// remembered of them, the same reads, so that the time of an answer says nothing about which keys exist.
func (d *Directory) Authenticate(ctx context.Context, key, secret string) (Principal, error) {
	if key == "" || len(key) > maxKeyBytes || len(secret) > maxSecretBytes {
		return Principal{}, ErrUnauthorized
	}
	hash := sha256.Sum256([]byte(secret))
	now := d.Now()
	if e, ok := d.cache.get(key); ok {
		age := now.Sub(e.read)
		if age >= 0 && age < CacheLife {
			if e.matches(hash) {
				return e.principal, nil
			}
			if age < refusalLife {
				return Principal{}, ErrUnauthorized
			}
		}
	}
	generation := d.cache.generation()
	e, err := d.read(ctx, key)
	if err != nil {
		return Principal{}, fmt.Errorf("authenticate: %w", err)
	}
	e.read = now
	d.cache.put(generation, key, e)
	if !e.matches(hash) {
		return Principal{}, ErrUnauthorized
	}
	return e.principal, nil
}

// entry is what the cache remembers of one key. The zero entry is an unknown or revoked key and matches no secret.
type entry struct {
	read      time.Time
	valid     bool
	hash      [sha256.Size]byte
	principal Principal
}

func (e entry) matches(hash [sha256.Size]byte) bool {
	equal := subtle.ConstantTimeCompare(e.hash[:], hash[:])
	return equal == 1 && e.valid
}

// read reads a credential and its store, in that order. For a key without a credential it reads a store all the same,
// and throws it away.
func (d *Directory) read(ctx context.Context, key string) (entry, error) {
	item, _, err := d.Tables.Get(ctx, credentialRef(key), table.Strong)
	if err != nil {
		return entry{}, fmt.Errorf("read credential: %w", err)
	}
	id := DefaultStore
	if item != nil {
		id = item[schema.Store].S
	}
	storeItem, _, err := d.Tables.Get(ctx, storeRef(id), table.Strong)
	if err != nil {
		return entry{}, fmt.Errorf("read store: %w", err)
	}
	if item == nil || item[schema.Revoked].N != 0 {
		return entry{}, nil
	}
	if storeItem == nil {
		return entry{}, fmt.Errorf("read store %s of a credential: there is none", id)
	}
	store, err := storeFromItem(storeItem)
	if err != nil {
		return entry{}, err
	}
	credential, err := credentialFromItem(item)
	if err != nil {
		return entry{}, err
	}
	hash := item[schema.SecretHash].B
	if len(hash) != sha256.Size {
		return entry{}, fmt.Errorf("read credential: its hash has %d bytes", len(hash))
	}
	return entry{
		valid: true,
		hash:  [sha256.Size]byte(hash),
		principal: Principal{
			Credential: key,
			Store:      store,
			Scopes:     credential.Scopes,
			Authority:  []byte(item[schema.Authority].S),
			Trusted:    credential.Trusted,
		},
	}, nil
}

func credentialRef(key string) table.Ref {
	return table.Ref{Table: schema.Credentials, Key: table.Key{Partition: key}}
}

func storeRef(id string) table.Ref {
	return table.Ref{Table: schema.Stores, Key: table.Key{Partition: id}}
}
