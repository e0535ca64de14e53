package lrs

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// The canonical definition of an activity is merged from all statements that brought one. The merge is a function of
// the set of statements, whatever their order (xapi.Canonical), so racing writers and repeated requests agree. A
// definition that changes nothing costs no write; where one process is the only writer it costs no read either.

func activityRef(store auth.Store, id string) table.Ref {
	return table.Ref{Table: schema.Activities, Key: table.Key{Partition: newTerm(store, activityNameKind, id).partition(store.ID, 0)}}
}

// brought is one definition that a statement brought.
type brought struct {
	id         string // of the activity
	definition []byte
	position   [16]byte
}

// define merges the definitions of the request's statements. Source: xAPI 1.0.3 Data 2.4.4.1, Communication 4.2 (define).
func (w *write) define(ctx context.Context) error {
	if !w.p.Scopes.MayDefine() {
		return nil
	}
	byActivity := map[string][]brought{}
	for _, st := range w.statements {
		if st.stored != nil {
			continue
		}
		st.in.EachActivity(func(a *xapi.Activity) {
			if a.Definition != nil {
				byActivity[a.ID] = append(byActivity[a.ID], brought{a.ID, a.Definition, st.record.position})
			}
		})
	}
	for id, list := range byActivity {
		if err := w.defineOne(ctx, id, list); err != nil {
			return err
		}
	}
	return nil
}

func (w *write) defineOne(ctx context.Context, id string, list []brought) error {
	ref := activityRef(w.p.Store, id)
	known := w.definitions.lock(ref.Key.Partition)
	defer known.unlock()
	if known.holdsAll(list) {
		return nil
	}
	for try := range maxCommits {
		if try > 0 {
			if err := table.Pause(ctx, try); err != nil {
				return err
			}
		}
		current, err := w.mergeDefinition(ctx, ref, list)
		if err == nil {
			known.set(current)
			return nil
		}
		if !errors.Is(err, table.ErrCondition) && !errors.Is(err, table.ErrConflict) && !errors.Is(err, table.ErrUnknown) {
			return err
		}
	}
	return fmt.Errorf("merge definition: other writers were first %d times", maxCommits)
}

// mergeDefinition reads, merges and swaps. It returns the last definition of the list when the merged one holds all of
// it, so that bringing it again on the same day would change nothing.
func (w *write) mergeDefinition(ctx context.Context, ref table.Ref, list []brought) (current *brought, err error) {
	item, _, err := w.Tables.Get(ctx, ref, table.Strong)
	if err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	var canonical xapi.Canonical
	condition := table.Absent(schema.PK)
	if item != nil {
		if err := decodeDefinition(item, &canonical); err != nil {
			return nil, err
		}
		condition = table.Equals(schema.Version, item[schema.Version])
	}
	changed := false
	for _, b := range list {
		c, err := canonical.Merge(b.definition, b.position)
		if err != nil {
			return nil, fmt.Errorf("merge definition: %w", err)
		}
		changed = changed || c
	}
	encoded, err := canonical.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode definition: %w", err)
	}
	last := &list[len(list)-1]
	if again, err := canonical.Merge(last.definition, xapi.EndOfDay(last.position)); err != nil || again {
		last = nil // a later day's definition stands: bringing this one once more would change it
	}
	if !changed {
		return last, nil
	}
	packed, err := pack(w.packing, encoded)
	if err != nil {
		return nil, err
	}
	if len(packed) > maxDefinition {
		return nil, nil // the definition stays as it was: it has grown past what a reader can use
	}
	next := table.Item{
		schema.PK:         table.S(ref.Key.Partition),
		schema.Definition: table.B(packed),
		schema.Version:    table.N(item[schema.Version].N + 1),
	}
	if _, _, err := w.Tables.Apply(ctx, table.Put(schema.Activities, next, condition)); err != nil {
		return nil, fmt.Errorf("write definition: %w", err)
	}
	return last, nil
}

// maxDefinition bounds a packed canonical definition, in bytes.
const maxDefinition = 380_000

func decodeDefinition(item table.Item, into *xapi.Canonical) error {
	encoded, err := unpack(item[schema.Definition].B)
	if err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	if err := into.UnmarshalBinary(encoded); err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	return nil
}

// Definitions returns the canonical definitions (JSON) of those activities that have one. It sees every write before it.
func (s *Service) Definitions(ctx context.Context, p auth.Principal, activityIDs []string) (map[string][]byte, error) {
	refs := make([]table.Ref, len(activityIDs))
	for i, id := range activityIDs {
		refs[i] = activityRef(p.Store, id)
	}
	items, err := s.batchGet(ctx, refs)
	if err != nil {
		return nil, unavailable("the activities could not be read", err)
	}
	definitions := make(map[string][]byte, len(items))
	for i, item := range items {
		if item == nil {
			continue
		}
		var canonical xapi.Canonical
		if err := decodeDefinition(item, &canonical); err != nil {
			return nil, err
		}
		definitions[activityIDs[i]] = canonical.JSON()
	}
	return definitions, nil
}

// definitionCache remembers, for each activity, the last definition that was merged, where this process is the only
// writer. A nil cache remembers nothing and locks nothing.
type definitionCache struct {
	seed    maphash.Seed
	stripes [64]definitionStripe
}

type definitionStripe struct {
	mu   sync.Mutex
	last map[string]uint64 // hash of the last definition and its day, by key
}

// maxRemembered bounds each stripe; a full one is emptied, which costs reads only.
const maxRemembered = 4096

func newDefinitionCache() *definitionCache { return &definitionCache{seed: maphash.MakeSeed()} }

// lock holds what is remembered of one activity; other writers of it wait.
func (c *definitionCache) lock(key string) knownDefinition {
	if c == nil {
		return knownDefinition{}
	}
	stripe := &c.stripes[maphash.String(c.seed, key)%uint64(len(c.stripes))]
	stripe.mu.Lock()
	return knownDefinition{c, stripe, key}
}

type knownDefinition struct {
	cache  *definitionCache
	stripe *definitionStripe
	key    string
}

func (k knownDefinition) unlock() {
	if k.cache != nil {
		k.stripe.mu.Unlock()
	}
}

// hash is of a definition and the day to the end of which bringing it again changes nothing.
func (c *definitionCache) hash(b brought) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	end := xapi.EndOfDay(b.position)
	h.Write(end[:]) // never fails
	h.Write(b.definition)
	return h.Sum64()
}

// holdsAll reports whether every one of the definitions is the last that was merged, on its day.
func (k knownDefinition) holdsAll(list []brought) bool {
	if k.cache == nil {
		return false
	}
	last, ok := k.stripe.last[k.key]
	for _, b := range list {
		ok = ok && k.cache.hash(b) == last
	}
	return ok
}

func (k knownDefinition) set(last *brought) {
	if k.cache == nil || last == nil {
		return
	}
	if len(k.stripe.last) >= maxRemembered || k.stripe.last == nil {
		k.stripe.last = map[string]uint64{}
	}
	k.stripe.last[k.key] = k.cache.hash(*last)
}
