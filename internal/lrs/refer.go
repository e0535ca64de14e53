package lrs

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The protocol of references and voids is told in README.md ("References and voids") and model-checked in
// refer_model_test.go.

// inlineCompletions is how many waiting statements a request completes itself; the consumer of the change feed
// (Complete) does the rest.
const inlineCompletions = 25

// lookBatch is how many items are read together.
const lookBatch = 100

// The sort keys of References.
var referenceMarker = []byte{0}

const (
	voiderEntry   byte = 1
	referrerEntry byte = 2
)

func referencePartition(store string, target statementID) string {
	return store + "#" + target.String()
}

func markerRef(store string, target statementID) table.Ref {
	return table.Ref{Table: schema.References, Key: table.Key{Partition: referencePartition(store, target), Sort: referenceMarker}}
}

// referenceEntries are the entry and the marker that a statement leaves under its target.
func referenceEntries(r *record) []table.Write {
	kind := referrerEntry
	if r.voiding {
		kind = voiderEntry
	}
	target := table.S(referencePartition(r.store, r.refers))
	return []table.Write{
		table.Put(schema.References, table.Item{schema.PK: target, schema.SK: table.B(append([]byte{kind}, r.id[:]...))}),
		table.Put(schema.References, table.Item{schema.PK: target, schema.SK: table.B(referenceMarker)}),
	}
}

// effectiveTerms closes the terms of statements about to be put over the references among them and to what is stored.
func (w *write) effectiveTerms(fresh []*incoming) (effective map[statementID]termSet, truncated map[statementID]bool) {
	effective = make(map[statementID]termSet, len(fresh))
	truncated = map[statementID]bool{}
	for _, st := range fresh {
		effective[st.id] = st.own.all
		if st.target != (statementID{}) {
			effective[st.id] = maps.Clone(st.own.all)
		}
	}
	for changed := true; changed; {
		changed = false
		for _, st := range fresh {
			if st.target == (statementID{}) {
				continue
			}
			source, ok := effective[st.target]
			if !ok && w.targets[st.target] != nil {
				source = w.targets[st.target].effective()
			}
			lacks, over := inherit(effective[st.id], source)
			for _, t := range lacks {
				effective[st.id].add(t)
			}
			changed = changed || len(lacks) > 0
			truncated[st.id] = over
		}
	}
	return effective, truncated
}

// inherit returns what a statement with the terms have still takes from the terms of its target, and whether the bound
// of effective terms keeps it from taking all.
func inherit(have, source termSet) (lacks []term, over bool) {
	lacks = have.missing(source.inheritable())
	if room := max(MaxEffectiveTerms-len(have), 0); len(lacks) > room {
		return lacks[:room], true
	}
	return lacks, false
}

// completion links statements that are stored with what they refer to and with what refers to them.
type completion struct {
	*Service
	budget  int              // waiting statements that may still be changed; negative: no bound
	queue   []*record        // whose referrers are still to be told
	damaged map[string]error // by statement: what could not be read, and was passed over so that it holds up nobody else
}

// passOver notes an error that says an item is damaged and reports true; for any other error it reports false.
func (c *completion) passOver(key string, err error) bool {
	if !errors.Is(err, errDamaged) && !errors.Is(err, table.ErrInvalid) {
		return false
	}
	if c.damaged == nil {
		c.damaged = map[string]error{}
	}
	c.damaged[key] = err
	return true
}

// complete does the steps after the commit: every statement of the request takes what its target has, and those that
// wait for it are told, up to inlineCompletions. It runs for equal re-sends too: the first sending may have died here.
func (w *write) complete(ctx context.Context) error {
	c := completion{Service: w.Service, budget: inlineCompletions}
	inGroup := map[statementID]bool{}
	var records []*record
	for _, st := range w.statements {
		if st.stored != nil {
			records = append(records, st.stored)
			continue
		}
		inGroup[st.id] = true
		records = append(records, st.record)
	}
	return c.run(ctx, records, inGroup)
}

// Complete repeats, for changes of the Statements table, what the requests that made them did after their commit, or should have
// done. It is the safety net under a crash, and completes the waiting statements that were too many for a request. It writes only
// where the state differs, so it may be repeated at will. A damaged statement is logged and holds up no other.
func (s *Service) Complete(ctx context.Context, changes ...table.Change) error {
	c := completion{Service: s, budget: -1}
	var records []*record
	for _, change := range changes {
		if change.Table != schema.Statements || change.New == nil || !grew(change) {
			continue
		}
		r, err := recordOf(change.New)
		if err != nil {
			c.passOver(change.Key.Partition, err)
			continue
		}
		records = append(records, r)
	}
	if err := c.run(ctx, records, nil); err != nil {
		return err
	}
	for statement, err := range c.damaged {
		s.Log.Error("a damaged statement is passed over: cairn fsck tells more", "statement", statement, "error", err)
	}
	return nil
}

// grew reports whether a change brought a statement or gave it more terms. Only then is there anything to pass on.
func grew(change table.Change) bool {
	return change.Old == nil || len(change.Old[schema.EffectiveTerms].Set) != len(change.New[schema.EffectiveTerms].Set)
}

// run completes the records. closed names those whose references to each other are closed already.
func (c *completion) run(ctx context.Context, records []*record, closed map[statementID]bool) error {
	c.queue = records
	var referrers []*record
	var targets []table.Ref
	for _, r := range records {
		if r.refers != (statementID{}) && !closed[r.refers] {
			referrers = append(referrers, r)
			targets = append(targets, statementRef(r.store, r.refers))
		}
	}
	items, err := c.batchGet(ctx, targets)
	if err != nil {
		return fmt.Errorf("read targets: %w", err)
	}
	for i, item := range items {
		if item == nil {
			continue
		}
		if err := c.takeFrom(ctx, referrers[i], item); err != nil && !c.passOver(targets[i].Key.Partition, err) {
			return err
		}
	}
	for len(c.queue) > 0 && c.budget != 0 {
		batch := c.queue[:min(len(c.queue), lookBatch)]
		c.queue = c.queue[len(batch):]
		if err := c.tellReferrers(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// takeFrom lets a referrer take what its target has, and void it if it does so.
func (c *completion) takeFrom(ctx context.Context, referrer *record, item table.Item) error {
	target, err := recordOf(item)
	if err != nil {
		return err
	}
	if referrer.voiding {
		if err := c.void(ctx, target); err != nil {
			return err
		}
	}
	_, err = c.grow(ctx, referrer, target.effective())
	return err
}

// tellReferrers looks, in one strong batch, for which of the records somebody waits, and passes their terms on.
func (c *completion) tellReferrers(ctx context.Context, batch []*record) error {
	refs := make([]table.Ref, len(batch))
	for i, r := range batch {
		refs[i] = markerRef(r.store, r.id)
	}
	markers, err := c.batchGet(ctx, refs)
	if err != nil {
		return fmt.Errorf("read markers: %w", err)
	}
	for i, marker := range markers {
		if marker == nil {
			continue
		}
		if err := c.tellReferrersOf(ctx, batch[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *completion) tellReferrersOf(ctx context.Context, target *record) error {
	q := table.Query{
		Table: schema.References, Partition: referencePartition(target.store, target.id),
		From: []byte{voiderEntry}, Limit: lookBatch, Consistency: table.Strong,
	}
	for page, err := range table.QueryPages(ctx, c.Tables, q) {
		if err != nil {
			return err
		}
		if err := c.tell(ctx, target, page.Items); err != nil {
			return err
		}
		if c.budget >= 0 {
			return nil // a request looks at the first page, which has the voids; the rest is the consumer's
		}
	}
	return nil
}

// tell passes the terms of the target to the statements that the entries name, and voids it if one of them does so.
func (c *completion) tell(ctx context.Context, target *record, entries []table.Item) error {
	refs := make([]table.Ref, 0, len(entries))
	for _, entry := range entries {
		key := entry[schema.SK].B
		if len(key) != 1+len(statementID{}) {
			c.passOver(entry[schema.PK].S, fmt.Errorf("%w: a reference to it has a key of %d bytes", errDamaged, len(key)))
			continue
		}
		refs = append(refs, statementRef(target.store, statementID(key[1:])))
	}
	items, err := c.batchGet(ctx, refs)
	if err != nil {
		return fmt.Errorf("read referrers: %w", err)
	}
	for i, item := range items {
		if item == nil {
			continue // not stored yet, or never: once it is, it reads its target after its commit
		}
		if err := c.tellOne(ctx, target, item); err != nil && !c.passOver(refs[i].Key.Partition, err) {
			return err
		}
	}
	return nil
}

// tellOne passes the terms of the target to one referrer, while the budget lasts, and voids the target if it does so.
func (c *completion) tellOne(ctx context.Context, target *record, item table.Item) error {
	referrer, err := recordOf(item)
	if err != nil {
		return err
	}
	if referrer.refers != target.id {
		return nil
	}
	if referrer.voiding {
		if err := c.void(ctx, target); err != nil {
			return err
		}
	}
	if c.budget == 0 {
		return nil
	}
	grown, err := c.grow(ctx, referrer, target.effective())
	if err != nil {
		return err
	}
	if grown {
		c.queue = append(c.queue, referrer)
		c.budget--
	}
	return nil
}

// void voids a stored statement unless it is voided or voids another. Source: xAPI 1.0.3 Data 2.3.2.
func (c *completion) void(ctx context.Context, target *record) error {
	if target.voided || target.voiding {
		return nil
	}
	_, err := c.update(ctx, voidWrite(statementRef(target.store, target.id)))
	if err != nil && !errors.Is(err, table.ErrCondition) {
		return fmt.Errorf("void statement %s: %w", target.id, err)
	}
	target.voided = true
	return nil
}

// grow adds to a stored statement what it lacks of its target's terms: the entries first, then the terms, by set addition.
// The caller must queue a statement that grew: whoever waits for it has to be told afterwards. A statement that was removed since
// it was read, and perhaps stored anew as another, does not grow.
func (c *completion) grow(ctx context.Context, r *record, source termSet) (grown bool, err error) {
	lacks, over := inherit(r.effective(), source)
	if len(lacks) > 0 && len(r.terms)+len(lacks) > MaxEffectiveTerms/2 {
		// A record from the feed can be older than the statement, which may have less room than the record has.
		there, err := c.refresh(ctx, r)
		if err != nil || !there {
			return false, err
		}
		lacks, over = inherit(r.effective(), source)
	}
	flag := over && !r.truncated
	if len(lacks) == 0 && !flag {
		return false, nil
	}
	var actions []table.Action
	if len(lacks) > 0 {
		added := make(termSet, len(lacks))
		for _, t := range lacks {
			added.add(t)
		}
		if !r.voided {
			if err := c.batch(ctx, termEntries(r, inherited(added, nil))); err != nil {
				return false, fmt.Errorf("put term entries: %w", err)
			}
		}
		actions = append(actions, table.Add(schema.EffectiveTerms, termValue(added)))
	}
	if flag {
		actions = append(actions, table.SetTo(schema.Truncated, table.N(1)))
	}
	item, err := c.update(ctx, table.Update(statementRef(r.store, r.id), actions, table.Equals(schema.Position, table.B(r.position[:]))))
	if errors.Is(err, table.ErrCondition) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("pass terms on to statement %s: %w", r.id, err)
	}
	after, err := recordOf(item)
	if err != nil {
		return false, err
	}
	*r = *after // the caller's record is the statement as it stands now
	return true, nil
}

// refresh reads a record again and reports whether it is still there. It reads by batch, as completion does everywhere, so that
// the function needs no other right.
func (c *completion) refresh(ctx context.Context, r *record) (there bool, err error) {
	items, err := c.batchGet(ctx, []table.Ref{statementRef(r.store, r.id)})
	if err != nil {
		return false, fmt.Errorf("read statement %s again: %w", r.id, err)
	}
	if items[0] == nil {
		return false, nil
	}
	now, err := recordOf(items[0])
	if err != nil || now.position != r.position {
		return false, err
	}
	*r = *now
	return true, nil
}

// update does a write that may be repeated, and repeats it a few times. If it gave up, the statements behind this one would wait
// for the consumer of the feed.
func (c *completion) update(ctx context.Context, w table.Write) (item table.Item, err error) {
	for try := range maxCommits {
		if try > 0 {
			if err := table.Pause(ctx, try); err != nil {
				return nil, err
			}
		}
		if item, _, err = c.Tables.Apply(ctx, w); err == nil || !table.Retryable(err) {
			return item, err
		}
	}
	return nil, err
}
