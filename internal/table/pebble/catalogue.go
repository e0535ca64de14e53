package pebble

import (
	"context"
	"encoding/binary"
	"encoding/json/v2"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// formatVersion is the version of the layout of keys and values. A folder of another version is refused and left as it is.
const formatVersion = 1

// catalogue says which number stands for which table and index in this folder. It is stored as JSON under one key.
type catalogue struct {
	Format int                        `json:"format"`
	Last   uint16                     `json:"last"` // the highest number given; none is given twice
	Tables map[string]cataloguedTable `json:"tables"`
}

type cataloguedTable struct {
	ID        uint16            `json:"id"`
	Partition string            `json:"partition"`
	Sort      string            `json:"sort"`
	Indexes   map[string]uint16 `json:"indexes"` // by definition: an index defined otherwise is another index
}

var catalogueKey = []byte{spaceMeta, 'c'}

// largeKey is where a table keeps that it has had items of more than one write unit.
func largeKey(id uint16) []byte { return binary.BigEndian.AppendUint16([]byte{spaceMeta, 'l'}, id) }

// floorKey is where a table keeps the lowest sequence number that was not trimmed from its feed.
func floorKey(id uint16) []byte { return binary.BigEndian.AppendUint16([]byte{spaceMeta, 'f'}, id) }

// define writes an index down so that any two that lie differently have different definitions.
func define(ix *table.Index) string {
	return strings.Join(append([]string{ix.Name, ix.Partition, ix.Sort}, slices.Sorted(slices.Values(ix.Projects))...), " ")
}

// reconcile brings the folder, of which the catalogue tells, to the schemas and returns their tables. Tables of the folder that
// the schemas do not name stay untouched: they belong to another version of the program.
func (db *DB) reconcile(cat *catalogue, schemas []table.Schema) (tables map[string]*tableState, err error) {
	if len(db.schemas) != len(schemas) {
		return nil, errors.New("two tables have one name")
	}
	tables = make(map[string]*tableState, len(schemas))
	for i := range schemas {
		s := &schemas[i]
		if tables[s.Name], err = db.reconcileTable(cat, s); err != nil {
			return nil, fmt.Errorf("table %s: %w", s.Name, err)
		}
	}
	return tables, db.writeCatalogue(cat)
}

func (db *DB) reconcileTable(cat *catalogue, s *table.Schema) (*tableState, error) {
	known, ok := cat.Tables[s.Name]
	if !ok {
		id, err := cat.number()
		if err != nil {
			return nil, err
		}
		known = cataloguedTable{ID: id, Partition: s.Partition, Sort: s.Sort}
	}
	if known.Partition != s.Partition || known.Sort != s.Sort {
		return nil, fmt.Errorf("the folder has it with the key %q %q, the program wants %q %q",
			known.Partition, known.Sort, s.Partition, s.Sort)
	}
	t := &tableState{Schema: s, id: known.ID}
	large, err := getUint64(db.engine, largeKey(t.id))
	if err != nil {
		return nil, err
	}
	t.large.Store(large > 0)
	numbers := map[string]uint16{}
	for i := range s.Indexes {
		index := &s.Indexes[i]
		id, ok := known.Indexes[define(index)]
		state := newIndexState(s, index, id)
		if !ok {
			var err error
			if state.id, err = cat.number(); err != nil {
				return nil, err
			}
			if err := db.fill(t, &state); err != nil {
				return nil, fmt.Errorf("fill index %s: %w", index.Name, err)
			}
		}
		numbers[define(index)] = state.id
		t.indexes = append(t.indexes, state)
	}
	for definition, id := range known.Indexes {
		if _, ok := numbers[definition]; !ok {
			if err := db.drop(id); err != nil {
				return nil, err
			}
		}
	}
	known.Indexes = numbers
	cat.Tables[s.Name] = known
	return t, nil
}

func newIndexState(s *table.Schema, index *table.Index, id uint16) indexState {
	state := indexState{Index: index, id: id}
	for _, name := range []string{s.Partition, s.Sort, index.Partition, index.Sort} {
		if name != "" && !slices.Contains(state.keys, name) {
			state.keys = append(state.keys, name)
		}
	}
	for _, name := range slices.Sorted(slices.Values(index.Projects)) {
		if !slices.Contains(state.keys, name) {
			state.carries = append(state.carries, name)
		}
	}
	return state
}

// number gives the next number. Numbers of dropped indexes are not used again.
func (c *catalogue) number() (uint16, error) {
	if c.Last == math.MaxUint16 {
		return 0, errors.New("no number is left for a table or index")
	}
	c.Last++
	return c.Last, nil
}

func (db *DB) readCatalogue() (*catalogue, error) {
	raw, closer, err := db.engine.Get(catalogueKey)
	if errors.Is(err, engine.ErrNotFound) {
		return &catalogue{Format: formatVersion, Tables: map[string]cataloguedTable{}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	cat := &catalogue{}
	if err := errors.Join(json.Unmarshal(raw, cat), closer.Close()); err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	if cat.Format != formatVersion {
		return nil, fmt.Errorf("the folder has format %d, and this program reads format %d: open it with the version of Cairn that wrote it", cat.Format, formatVersion)
	}
	return cat, nil
}

func (db *DB) writeCatalogue(cat *catalogue) error {
	raw, err := json.Marshal(cat, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	batch := db.engine.NewBatch()
	if err := batch.Set(catalogueKey, raw, nil); err != nil {
		return errors.Join(fmt.Errorf("write catalogue: %w", err), batch.Close())
	}
	if err := db.writeBatch(batch, engine.Sync); err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	return nil
}

// fillBytes bounds one batch of a fill.
const fillBytes = 4 << 20

// fill writes the entries of an index that is new to its table. The catalogue names the index only afterwards, so a
// fill that was interrupted is done again, or its number has gone to another index: what it left is dropped first.
func (db *DB) fill(t *tableState, ix *indexState) error {
	if err := db.drop(ix.id); err != nil {
		return err
	}
	batch := db.engine.NewBatch()
	err := db.eachItem(context.Background(), t, func(key table.Key, item table.Item) error {
		if entry, ok := ix.entry(key, item, nil); ok {
			if err := batch.Set(entry.key, entry.value, nil); err != nil {
				return err
			}
		}
		if batch.Len() < fillBytes {
			return nil
		}
		full := batch
		batch = db.engine.NewBatch()
		return db.writeBatch(full, engine.NoSync)
	})
	if err != nil {
		return errors.Join(err, batch.Close())
	}
	return db.writeBatch(batch, engine.Sync)
}

// drop removes all entries of an index.
func (db *DB) drop(id uint16) error {
	prefix := binary.BigEndian.AppendUint16([]byte{spaceIndex}, id)
	batch := db.engine.NewBatch()
	if err := batch.DeleteRange(prefix, after(prefix), nil); err != nil {
		return errors.Join(fmt.Errorf("drop index: %w", err), batch.Close())
	}
	if err := db.writeBatch(batch, engine.Sync); err != nil {
		return fmt.Errorf("drop index: %w", err)
	}
	return nil
}
