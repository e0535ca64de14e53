package lrs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// What statements say of an activity (its definition) and of an agent (its name) is merged into one item each: a
// merged item. A merge is decided by the positions of the statements, so racing writers and repeated requests leave what
// they should. What changes nothing costs no write; where one process is the only writer it costs no read either, and what
// changes something waits in memory until the follower writes its next checkpoint (waiting.go).

// contribution is what statements bring for one merged item.
type contribution interface {
	// ref names the item.
	ref() table.Ref

	// marks are the hashes of the pieces that are brought: a piece that is settled changes nothing when it comes again, as
	// long as the item stays as it is.
	marks(hash func(piece ...[]byte) uint64) []uint64

	// merge takes the pieces into the item as it is stored, nil when there is none. next is what the item becomes, without
	// its key and version, and nil when nothing changes. settled says that all pieces are settled then.
	merge(stored table.Item) (next table.Item, settled bool, err error)

	// own is a copy that keeps no part of a request in memory.
	own() contribution

	// join is this and the other one for the same item, as one. It changes neither.
	join(other contribution) contribution

	// size is how many pieces are brought, and their bytes.
	size() (pieces, bytes int)
}

// contributions collects what statements of one store bring, each activity and each agent once.
type contributions struct {
	store      auth.Store
	packing    packing                 // of definitions
	activities map[string]*definitions // by id
	persons    map[xapi.IFI]*names     // by Hashed identifier
}

func (s *Service) newContributions(store auth.Store) contributions {
	return contributions{store, s.packing, map[string]*definitions{}, map[xapi.IFI]*names{}}
}

// add takes what one statement brings. Its authority is nil when the statement did not bring it.
func (c contributions) add(in *xapi.Statement, authority *xapi.Actor, at position.Position) {
	in.EachActivity(func(a *xapi.Activity) { c.addDefinition(a, at) })
	in.EachActor(func(a *xapi.Actor) { c.addName(a, at) })
	authority.Each(func(a *xapi.Actor) { c.addName(a, at) })
}

func (c contributions) all() []contribution {
	all := make([]contribution, 0, len(c.activities)+len(c.persons))
	for _, d := range c.activities {
		all = append(all, d)
	}
	for _, n := range c.persons {
		all = append(all, n)
	}
	return all
}

// describe merges what the request's new statements say of activities and agents, if the credential may say it. Of an
// equal re-send it takes what the stored statement says, which changes nothing unless the first sending died before it
// came here. Source: xAPI 1.0.3 Data 2.4.4.1, Communication 4.2 (define).
func (w *write) describe(ctx context.Context) error {
	if !w.p.Scopes.MayDefine() {
		return nil
	}
	brought := w.newContributions(w.p.Store)
	for _, st := range w.statements {
		if st.stored != nil {
			if err := w.describeAgain(ctx, brought, st.stored); err != nil {
				return err
			}
			continue
		}
		var authority *xapi.Actor
		if st.authority == nil {
			authority = st.in.Authority
		}
		brought.add(st.in, authority, st.record.position)
	}
	return w.contribute(ctx, brought.all())
}

// describeAgain adds what a stored statement of the same authority brought.
func (w *write) describeAgain(ctx context.Context, brought contributions, stored *record) error {
	if !w.owns(stored) {
		return nil
	}
	in, err := w.decoded(ctx, stored)
	if err != nil {
		return err
	}
	brought.add(in, nil, stored.position)
	return nil
}

// decoded reads a stored statement.
func (s *Service) decoded(ctx context.Context, r *record) (*xapi.Statement, error) {
	body, err := s.body(ctx, r)
	if err != nil {
		return nil, err
	}
	in, err := xapi.DecodeStatement(body, xapi.V2, xapi.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("read stored statement: %w", err)
	}
	return in, nil
}

// mergesAtOnce is how many items of one request are merged side by side where others write too: the list of a class brings a
// name for each learner.
const mergesAtOnce = 16

// contribute merges those contributions into their items that may change something.
func (s *Service) contribute(ctx context.Context, list []contribution) error {
	list = slices.DeleteFunc(list, s.merged.holds)
	if len(list) == 0 {
		return nil
	}
	if s.merged != nil {
		return s.await(ctx, list)
	}
	refs := make([]table.Ref, len(list))
	for i, c := range list {
		refs[i] = c.ref()
	}
	stored, err := s.batchGet(ctx, refs)
	if err != nil {
		return fmt.Errorf("read merged items: %w", err)
	}
	if len(list) == 1 {
		return s.contributeOne(ctx, list[0], stored[0], true)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(mergesAtOnce)
	for i, c := range list {
		group.Go(func() error { return s.contributeOne(ctx, c, stored[i], true) })
	}
	return group.Wait()
}

// contributeOne merges one contribution. read says that stored was read already.
func (s *Service) contributeOne(ctx context.Context, c contribution, stored table.Item, read bool) error {
	var err error
	for try := range maxCommits {
		if try > 0 {
			if err := table.Pause(ctx, try); err != nil {
				return err
			}
		}
		var settled bool
		if settled, err = s.mergeInto(ctx, c, stored, read); err == nil {
			if settled {
				s.merged.remember(c)
			}
			return nil
		}
		if !errors.Is(err, table.ErrCondition) && !table.Retryable(err) {
			return err
		}
		read = false
	}
	return fmt.Errorf("merge %d times in vain: %w", maxCommits, err)
}

// mergeInto merges once: it reads the item unless that was done, and swaps it for the merged one under its version.
func (s *Service) mergeInto(ctx context.Context, c contribution, stored table.Item, read bool) (settled bool, err error) {
	ref := c.ref()
	if !read {
		if stored, _, err = s.Tables.Get(ctx, ref, table.Strong); err != nil {
			return false, fmt.Errorf("read merged item: %w", err)
		}
	}
	next, settled, err := c.merge(stored)
	if err != nil || next == nil {
		return settled, err
	}
	next[schema.PK] = table.S(ref.Key.Partition)
	next[schema.Version] = table.N(stored[schema.Version].N + 1)
	if err := s.putMerged(ctx, ref.Table, next, stored); err != nil {
		return false, fmt.Errorf("write merged item: %w", err)
	}
	return settled, nil
}

// putMerged replaces a merged item. An only writer holds its turn, so it needs no condition. Nor does it wait for the disk: the
// log is written in order, so the next checkpoint makes the item durable.
func (s *Service) putMerged(ctx context.Context, name string, next, stored table.Item) error {
	if s.merged != nil {
		return s.batch(ctx, []table.Write{table.Put(name, next)})
	}
	condition := table.Absent(schema.PK)
	if stored != nil {
		condition = table.Equals(schema.Version, stored[schema.Version])
	}
	_, _, err := s.Tables.Apply(ctx, table.Put(name, next, condition))
	return err
}
