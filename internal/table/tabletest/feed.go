package tabletest

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testFeed(t *testing.T) {
	t.Run("what changed, in the order of each item", s.feedOrder)
	t.Run("what changes nothing feeds nothing", s.feedNothing)
	t.Run("goes on after a sequence number", s.feedGoesOn)
}

// changesOf reads the whole feed of records, all shards, and returns the changes of one partition by sort key. It checks
// that sequence numbers rise within shards and that parents come before children.
func (s *suite) changesOf(t *testing.T, ctx context.Context, partition string) map[string][]table.Change {
	t.Helper()
	shards, err := s.db.Shards(ctx, records)
	if err != nil {
		t.Fatalf("shards: %v", err)
	}
	if len(shards) == 0 {
		t.Fatal("no shard")
	}
	listed := map[string]bool{}
	changes := map[string][]table.Change{}
	for i, shard := range shards {
		if listed[shard.ID] {
			t.Fatalf("shard %s is listed twice", shard.ID)
		}
		for _, later := range shards[i:] {
			if shard.Parent == later.ID {
				t.Fatalf("shard %s stands before its parent", shard.ID)
			}
		}
		listed[shard.ID] = true
		for _, c := range s.readShard(t, ctx, shard.ID) {
			if c.Key.Partition == partition {
				sort := string(c.Key.Sort)
				changes[sort] = append(changes[sort], c)
			}
		}
	}
	return changes
}

// readShard reads what a shard has now.
func (s *suite) readShard(t *testing.T, ctx context.Context, shard string) []table.Change {
	t.Helper()
	var all []table.Change
	after := ""
	for {
		changes, open, err := s.db.Changes(ctx, records, shard, after, 1000)
		if err != nil {
			t.Fatalf("changes: %v", err)
		}
		for _, c := range changes {
			if c.Shard != shard || c.Table != records {
				t.Fatalf("a change of shard %s and table %s in shard %s", c.Shard, c.Table, shard)
			}
			if !follows(after, c.Sequence) {
				t.Fatalf("sequence number %s after %s", c.Sequence, after)
			}
			after = c.Sequence
		}
		all = append(all, changes...)
		if len(changes) == 0 || !open {
			return all
		}
	}
}

// follows reports whether the sequence number b is higher than a. Both are decimal; DynamoDB's differ in length.
func follows(a, b string) bool {
	return b != "" && (len(a) < len(b) || len(a) == len(b) && a < b)
}

// eventualChanges waits until the changes of a partition are those wanted, by sort key. Only old and new items are
// compared.
func (s *suite) eventualChanges(t *testing.T, ctx context.Context, partition string, want map[string][]table.Change) {
	t.Helper()
	images := cmpopts.IgnoreFields(table.Change{}, "Table", "Key", "Shard", "Sequence")
	eventually(t, func() string {
		if diff := cmp.Diff(want, s.changesOf(t, ctx, partition), images, cmpopts.EquateEmpty()); diff != "" {
			return "changes (-want +got):\n" + diff
		}
		return ""
	})
}

func (s *suite) feedOrder(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	want := map[string][]table.Change{}
	for _, sort := range []string{"a", "b", "c"} {
		one := recordItem(pk, sort, table.Item{"n": table.N(1), "t": table.SetOf([]byte("x"))})
		two := recordItem(pk, sort, table.Item{"n": table.N(2), "t": table.SetOf([]byte("x"))})
		s.put(t, ctx, records, one)
		if _, _, err := s.db.Apply(ctx, table.Update(record(pk, sort), []table.Action{table.Add("n", table.N(1))})); err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.Group(ctx, "", []table.Write{table.Delete(record(pk, sort))}); err != nil {
			t.Fatal(err)
		}
		three := recordItem(pk, sort, nil)
		if _, err := s.db.Batch(ctx, []table.Write{table.Put(records, three)}); err != nil {
			t.Fatal(err)
		}
		want[sort] = []table.Change{{New: one}, {Old: one, New: two}, {Old: two}, {New: three}}
	}
	s.eventualChanges(t, ctx, pk, want)
}

func (s *suite) feedNothing(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	item := recordItem(pk, "a", table.Item{"n": table.N(1), "t": table.SetOf([]byte("x"), []byte("y"))})
	s.put(t, ctx, records, item, item)
	writes := []table.Write{
		table.Update(record(pk, "a"), []table.Action{table.Add("n", table.N(0)), table.Add("t", table.SetOf([]byte("y")))}),
		table.Update(record(pk, "a"), []table.Action{table.SetTo("n", table.N(1)), table.Remove("absent")}),
		table.Delete(record(pk, "absent")),
		table.Put(records, recordItem(pk, "a", nil), table.Absent("pk")), // fails
	}
	for i, w := range writes {
		if _, _, err := s.db.Apply(ctx, w); (err != nil) != (i == 3) {
			t.Fatalf("write %d: %v", i, err)
		}
	}
	same := []table.Write{table.Put(records, item), table.Check(record(pk, "absent"), table.Absent("pk"))}
	if _, err := s.db.Group(ctx, "", same); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Batch(ctx, []table.Write{table.Put(records, item), table.Delete(record(pk, "absent"))}); err != nil {
		t.Fatal(err)
	}
	last := recordItem(pk, "a", table.Item{"last": table.N(1)})
	s.put(t, ctx, records, last)
	s.eventualChanges(t, ctx, pk, map[string][]table.Change{"a": {{New: item}, {Old: item, New: last}}})
}

func (s *suite) feedGoesOn(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	const n = 25
	var want []table.Change
	var old table.Item
	for i := range n {
		item := recordItem(pk, "a", table.Item{"n": table.N(int64(i))})
		s.put(t, ctx, records, item)
		want = append(want, table.Change{Old: old, New: item})
		old = item
	}
	s.eventualChanges(t, ctx, pk, map[string][]table.Change{"a": want})
	changes := s.changesOf(t, ctx, pk)["a"]
	for i, c := range changes[:n-1] {
		next := changes[i+1]
		if next.Shard != c.Shard {
			continue
		}
		answer, _, err := s.db.Changes(ctx, records, c.Shard, c.Sequence, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(answer) != 1 || !follows(c.Sequence, answer[0].Sequence) {
			t.Fatalf("after change %d came %s", i, describe(answer))
		}
	}
	last := changes[n-1]
	rest, _, err := s.db.Changes(ctx, records, last.Shard, last.Sequence, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rest {
		if c.Key.Partition == pk {
			t.Errorf("a change of the item after its last: %s", c.Sequence)
		}
	}
}

func describe(changes []table.Change) string {
	text := fmt.Sprintf("%d changes", len(changes))
	for _, c := range changes {
		text += " " + c.Sequence
	}
	return text
}
