package tabletest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testApply(t *testing.T) {
	t.Run("put replaces the whole item", s.applyPut)
	t.Run("conditions", s.applyConditions)
	t.Run("updates", s.applyUpdates)
	t.Run("update makes the item", s.applyUpdateAbsent)
	t.Run("delete", s.applyDelete)
	t.Run("a context that is over", s.applyContext)
}

func (s *suite) applyPut(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	s.put(t, ctx, plain, table.Item{"pk": table.S(pk), "a": table.N(1), "b": table.N(2)})
	second := table.Item{"pk": table.S(pk), "b": table.N(3)}
	got, _, err := s.db.Apply(ctx, table.Put(plain, second))
	if err != nil || got != nil {
		t.Errorf("put answered %v, %v, want nothing", got, err)
	}
	s.want(t, ctx, plainRef(pk), second)
}

func (s *suite) applyConditions(t *testing.T) {
	pk := s.partition(t)
	stored := table.Item{
		"pk": table.S(pk), "s": table.S("text"), "n": table.N(7), "b": table.B([]byte{1}),
		"t": table.SetOf([]byte("x"), []byte("y")),
	}
	tests := []struct {
		name       string
		conditions []table.Condition
		holds      bool
	}{
		{"none", nil, true},
		{"present", []table.Condition{table.Present("s")}, true},
		{"present, but it is not", []table.Condition{table.Present("z")}, false},
		{"absent", []table.Condition{table.Absent("z")}, true},
		{"absent, but it is not", []table.Condition{table.Absent("pk")}, false},
		{"equal text", []table.Condition{table.Equals("s", table.S("text"))}, true},
		{"other text", []table.Condition{table.Equals("s", table.S("texts"))}, false},
		{"equal number", []table.Condition{table.Equals("n", table.N(7))}, true},
		{"other number", []table.Condition{table.Equals("n", table.N(-7))}, false},
		{"equal binary", []table.Condition{table.Equals("b", table.B([]byte{1}))}, true},
		{"other kind", []table.Condition{table.Equals("s", table.B([]byte("text")))}, false},
		{"equal set in another order", []table.Condition{table.Equals("t", table.SetOf([]byte("y"), []byte("x")))}, true},
		{"smaller set", []table.Condition{table.Equals("t", table.SetOf([]byte("y")))}, false},
		{"equal to what is absent", []table.Condition{table.Equals("z", table.S(""))}, false},
		{"all of several", []table.Condition{table.Present("s"), table.Equals("n", table.N(7)), table.Absent("z")}, true},
		{"not all of several", []table.Condition{table.Present("s"), table.Equals("n", table.N(8)), table.Absent("z")}, false},
	}
	writes := []struct {
		name string
		make func(...table.Condition) table.Write
		want table.Item
	}{
		{"put", func(c ...table.Condition) table.Write {
			return table.Put(plain, table.Item{"pk": table.S(pk), "new": table.N(1)}, c...)
		}, table.Item{"pk": table.S(pk), "new": table.N(1)}},
		{"update", func(c ...table.Condition) table.Write {
			return table.Update(plainRef(pk), []table.Action{table.Remove("t"), table.Remove("b"), table.Remove("n")}, c...)
		}, table.Item{"pk": table.S(pk), "s": table.S("text")}},
		{"delete", func(c ...table.Condition) table.Write { return table.Delete(plainRef(pk), c...) }, nil},
	}
	for _, write := range writes {
		for _, test := range tests {
			t.Run(write.name+" when "+test.name, func(t *testing.T) {
				ctx := within(t)
				s.put(t, ctx, plain, stored)
				_, _, err := s.db.Apply(ctx, write.make(test.conditions...))
				if test.holds {
					wantError(t, err, nil)
					s.want(t, ctx, plainRef(pk), write.want)
					return
				}
				wantOld(t, err, stored)
				s.want(t, ctx, plainRef(pk), stored)
			})
		}
	}
	t.Run("on an absent item", func(t *testing.T) {
		ctx, ref := within(t), plainRef(s.partition(t))
		item := table.Item{"pk": table.S(ref.Key.Partition), "n": table.N(1)}
		_, _, err := s.db.Apply(ctx, table.Put(plain, item, table.Present("pk")))
		wantOld(t, err, nil)
		_, _, err = s.db.Apply(ctx, table.Delete(ref, table.Equals("n", table.N(1))))
		wantOld(t, err, nil)
		s.want(t, ctx, ref, nil)
		_, _, err = s.db.Apply(ctx, table.Put(plain, item, table.Absent("pk")))
		wantError(t, err, nil)
		_, _, err = s.db.Apply(ctx, table.Put(plain, item, table.Absent("pk")))
		wantOld(t, err, item)
	})
}

// wantOld checks for the error of a failed condition that brings the item as it stands.
func wantOld(t *testing.T, err error, old table.Item) {
	t.Helper()
	var condition *table.ConditionError
	if !errors.As(err, &condition) || !errors.Is(err, table.ErrCondition) {
		t.Fatalf("error %v, want a failed condition", err)
	}
	if diff := cmp.Diff(old, condition.Old); diff != "" {
		t.Errorf("old item (-want +got):\n%s", diff)
	}
}

func (s *suite) applyUpdates(t *testing.T) {
	x, y, z := []byte("x"), []byte("y"), []byte("z")
	tests := []struct {
		name          string
		before, after table.Item
		actions       []table.Action
		want          error
	}{
		{"set a new one", table.Item{}, table.Item{"a": table.S("1")}, []table.Action{table.SetTo("a", table.S("1"))}, nil},
		{"set to another kind", table.Item{"a": table.N(1)}, table.Item{"a": table.S("1")}, []table.Action{table.SetTo("a", table.S("1"))}, nil},
		{"add to nothing", table.Item{}, table.Item{"a": table.N(-5)}, []table.Action{table.Add("a", table.N(-5))}, nil},
		{"add to a number", table.Item{"a": table.N(7)}, table.Item{"a": table.N(2)}, []table.Action{table.Add("a", table.N(-5))}, nil},
		{"unite with nothing", table.Item{}, table.Item{"a": table.SetOf(x, y)}, []table.Action{table.Add("a", table.SetOf(y, x))}, nil},
		{"unite with a set", table.Item{"a": table.SetOf(x, y)}, table.Item{"a": table.SetOf(x, y, z)}, []table.Action{table.Add("a", table.SetOf(z, y))}, nil},
		{"set a set", table.Item{"a": table.SetOf(x, y)}, table.Item{"a": table.SetOf(z)}, []table.Action{table.SetTo("a", table.SetOf(z))}, nil},
		{"remove", table.Item{"a": table.N(1), "b": table.N(2)}, table.Item{"b": table.N(2)}, []table.Action{table.Remove("a")}, nil},
		{"remove what is not there", table.Item{"b": table.N(2)}, table.Item{"b": table.N(2)}, []table.Action{table.Remove("a")}, nil},
		{"several at once", table.Item{"a": table.N(1), "b": table.N(2)}, table.Item{"a": table.N(2), "c": table.B(x)},
			[]table.Action{table.Remove("b"), table.Add("a", table.N(1)), table.SetTo("c", table.B(x))}, nil},
		{"add a number to a text", table.Item{"a": table.S("1")}, table.Item{"a": table.S("1")}, []table.Action{table.Add("a", table.N(1))}, table.ErrInvalid},
		{"add a set to a number", table.Item{"a": table.N(1)}, table.Item{"a": table.N(1)}, []table.Action{table.Add("a", table.SetOf(x))}, table.ErrInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, pk := within(t), s.partition(t)
			s.put(t, ctx, records, recordItem(pk, "k", test.before))
			got, _, err := s.db.Apply(ctx, table.Update(record(pk, "k"), test.actions))
			wantError(t, err, test.want)
			after := recordItem(pk, "k", test.after)
			s.want(t, ctx, record(pk, "k"), after)
			if test.want != nil {
				return
			}
			if diff := cmp.Diff(after, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func (s *suite) applyUpdateAbsent(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	want := recordItem(pk, "k", table.Item{"n": table.N(3)})
	got, _, err := s.db.Apply(ctx, table.Update(record(pk, "k"), []table.Action{table.Add("n", table.N(3))}, table.Absent("pk")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	s.want(t, ctx, record(pk, "k"), want)
}

func (s *suite) applyDelete(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	s.put(t, ctx, records, recordItem(pk, "a", nil), recordItem(pk, "b", nil))
	for range 2 {
		got, _, err := s.db.Apply(ctx, table.Delete(record(pk, "a")))
		if err != nil || got != nil {
			t.Errorf("delete answered %v, %v, want nothing", got, err)
		}
	}
	s.want(t, ctx, record(pk, "a"), nil)
	s.want(t, ctx, record(pk, "b"), recordItem(pk, "b", nil))
}

// applyContext checks that a call with an ended context does nothing and says so.
func (s *suite) applyContext(t *testing.T) {
	pk := s.partition(t)
	over, cancel := context.WithDeadline(within(t), time.Now().Add(-time.Second))
	defer cancel()
	item := table.Item{"pk": table.S(pk)}
	calls := []struct {
		name string
		call func() error
	}{
		{"get", func() error { _, _, err := s.db.Get(over, plainRef(pk), table.Strong); return err }},
		{"batch get", func() error {
			_, _, err := s.db.BatchGet(over, []table.Ref{plainRef(pk)}, table.Strong)
			return err
		}},
		{"select", func() error {
			_, _, err := s.db.Select(over, []table.Ref{plainRef(pk)}, table.Strong, "pk")
			return err
		}},
		{"query", func() error { _, _, err := s.db.Query(over, table.Query{Table: plain, Partition: pk}); return err }},
		{"apply", func() error { _, _, err := s.db.Apply(over, table.Put(plain, item)); return err }},
		{"group", func() error { _, err := s.db.Group(over, "", []table.Write{table.Put(plain, item)}); return err }},
		{"batch", func() error { _, err := s.db.Batch(over, []table.Write{table.Put(plain, item)}); return err }},
	}
	for _, test := range calls {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			if err := test.call(); err == nil {
				t.Error("no error")
			}
			if took := time.Since(start); took > patience {
				t.Errorf("it took %v", took)
			}
		})
	}
	s.want(t, within(t), plainRef(pk), nil)
}
