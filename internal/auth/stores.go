package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The refusals of the operator's commands. Messages that wrap them are meant for the operator.
var (
	ErrNotFound = errors.New("there is no such")
	ErrRefused  = errors.New("refused")
)

// maxNameBytes bounds names and labels.
const maxNameBytes = 200

// storeIDChars is the length of a store id: 50 random bits. CreateStore finds a taken one and draws again.
const storeIDChars = 10

// CreateStore makes a store with a fresh random id.
func (d *Directory) CreateStore(ctx context.Context, name string) (Store, error) {
	if err := checkName("name", name); err != nil {
		return Store{}, err
	}
	for {
		id, err := randomName(d.Random, storeIDChars)
		if err != nil {
			return Store{}, fmt.Errorf("create store: %w", err)
		}
		store, err := d.putStore(ctx, id, name)
		if errors.Is(err, table.ErrCondition) {
			continue
		}
		if err != nil {
			return Store{}, fmt.Errorf("create store: %w", err)
		}
		return store, nil
	}
}

// EnsureDefault makes the default store of a local data folder unless it is there.
func (d *Directory) EnsureDefault(ctx context.Context) error {
	_, err := d.putStore(ctx, DefaultStore, "Default store")
	if errors.Is(err, table.ErrCondition) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create default store: %w", err)
	}
	d.cache.clear()
	return nil
}

// putStore writes a new store; the error wraps table.ErrCondition when the id is taken.
func (d *Directory) putStore(ctx context.Context, id, name string) (Store, error) {
	if d.Shards < 1 {
		return Store{}, fmt.Errorf("%w: a store needs at least one shard", ErrRefused)
	}
	storeKey := make([]byte, keyBytes)
	if _, err := io.ReadFull(d.Random, storeKey); err != nil {
		return Store{}, fmt.Errorf("read random bytes: %w", err)
	}
	item := table.Item{
		schema.PK:          table.S(id),
		schema.Name:        table.S(name),
		schema.StoreKey:    table.B(storeKey),
		schema.Shards:      table.N(int64(d.Shards)),
		schema.WriteShards: table.N(int64(d.Shards)),
		schema.TimeZone:    table.S("UTC"),
		schema.Created:     table.S(d.created()),
	}
	if _, _, err := d.Tables.Apply(ctx, table.Put(schema.Stores, item, table.Absent(schema.PK))); err != nil {
		return Store{}, fmt.Errorf("write store: %w", err)
	}
	return storeFromItem(item)
}

// Store reads one store, as it is now.
func (d *Directory) Store(ctx context.Context, id string) (Store, error) {
	item, _, err := d.Tables.Get(ctx, storeRef(id), table.Strong)
	if err != nil {
		return Store{}, fmt.Errorf("read store: %w", err)
	}
	if item == nil {
		return Store{}, fmt.Errorf("%w store: %q", ErrNotFound, id)
	}
	return storeFromItem(item)
}

// Stores lists all stores by id.
func (d *Directory) Stores(ctx context.Context) ([]Store, error) {
	var stores []Store
	for item, err := range table.Items(table.ScanPages(ctx, d.Scanner, schema.Stores, 0, 1)) {
		if err != nil {
			return nil, fmt.Errorf("list stores: %w", err)
		}
		store, err := storeFromItem(item)
		if err != nil {
			return nil, fmt.Errorf("list stores: %w", err)
		}
		stores = append(stores, store)
	}
	slices.SortFunc(stores, func(a, b Store) int { return cmp.Compare(a.ID, b.ID) })
	return stores, nil
}

// AddAuthority adds the term of an agent (kind AuthorityTerm, value its canonical identity) to those that have been an
// authority of the store. It is done before the first statement with this authority is stored.
func (d *Directory) AddAuthority(ctx context.Context, store string, term [12]byte) error {
	add := table.Add(schema.Authorities, table.SetOf(term[:]))
	_, _, err := d.Tables.Apply(ctx, table.Update(storeRef(store), []table.Action{add}, table.Present(schema.PK)))
	if errors.Is(err, table.ErrCondition) {
		return fmt.Errorf("%w store: %q", ErrNotFound, store)
	}
	if err != nil {
		return fmt.Errorf("add authority: %w", err)
	}
	d.cache.clear()
	return nil
}

// checkName refuses names and labels that would spoil a list on a terminal.
func checkName(what, name string) error {
	if strings.TrimSpace(name) == "" || len(name) > maxNameBytes || !printable(name) {
		return fmt.Errorf("%w: a %s has 1 to %d bytes of printable text", ErrRefused, what, maxNameBytes)
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
