package tabletest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testGroup(t *testing.T) {
	t.Run("a hundred of all kinds", s.groupHundred)
	t.Run("all or none, with the old items", s.groupAllOrNone)
	t.Run("a check of an absent item", s.groupCheck)
	t.Run("a token applies once", s.groupToken)
	t.Run("a token of another group", s.groupOtherToken)
	t.Run("a token of a failed group", s.groupFailedToken)
}

func (s *suite) groupHundred(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	var ws []table.Write
	var refs []table.Ref
	var want []table.Item
	for i := range table.MaxGroup {
		ref := record(pk, fmt.Sprintf("%03d", i))
		sort := string(ref.Key.Sort)
		refs = append(refs, ref)
		if i%4 != 0 {
			s.put(t, ctx, records, recordItem(pk, sort, table.Item{"n": table.N(1)}))
		}
		switch i % 4 {
		case 0:
			ws = append(ws, table.Put(records, recordItem(pk, sort, table.Item{"n": table.N(5)}), table.Absent("pk")))
			want = append(want, recordItem(pk, sort, table.Item{"n": table.N(5)}))
		case 1:
			ws = append(ws, table.Update(ref, []table.Action{table.Add("n", table.N(int64(i)))}, table.Equals("n", table.N(1))))
			want = append(want, recordItem(pk, sort, table.Item{"n": table.N(int64(i) + 1)}))
		case 2:
			ws = append(ws, table.Delete(ref))
			want = append(want, nil)
		case 3:
			ws = append(ws, table.Check(ref, table.Present("n")))
			want = append(want, recordItem(pk, sort, table.Item{"n": table.N(1)}))
		}
	}
	ws[99] = table.Put(plain, table.Item{"pk": table.S(pk)})
	refs[99], want[99] = plainRef(pk), table.Item{"pk": table.S(pk)}
	if _, err := s.db.Group(ctx, "", ws); err != nil {
		t.Fatal(err)
	}
	s.wantAll(t, ctx, refs, want)
}

func (s *suite) groupAllOrNone(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	two := recordItem(pk, "2", table.Item{"n": table.N(2), "t": table.SetOf([]byte("x"))})
	four := recordItem(pk, "4", nil)
	s.put(t, ctx, records, two, four)
	_, err := s.db.Group(ctx, "", []table.Write{
		table.Put(records, recordItem(pk, "0", nil)),
		table.Put(records, recordItem(pk, "1", nil), table.Present("pk")),
		table.Update(record(pk, "2"), []table.Action{table.Add("n", table.N(1))}, table.Equals("n", table.N(3))),
		table.Put(records, recordItem(pk, "3", nil), table.Absent("pk")),
		table.Delete(record(pk, "4"), table.Present("pk")),
	})
	wantFailed(t, err, map[int]table.Item{1: nil, 2: two})
	for _, sort := range []string{"0", "1", "3"} {
		s.want(t, ctx, record(pk, sort), nil)
	}
	s.want(t, ctx, record(pk, "2"), two)
	s.want(t, ctx, record(pk, "4"), four)
}

// wantFailed checks for the error of a group, and the old items that it brings.
func wantFailed(t *testing.T, err error, want map[int]table.Item) {
	t.Helper()
	var group *table.GroupError
	if !errors.As(err, &group) || !errors.Is(err, table.ErrCondition) {
		t.Fatalf("error %v, want one of a group", err)
	}
	if diff := cmp.Diff(want, group.Failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}

func (s *suite) groupCheck(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	put := table.Put(records, recordItem(pk, "a", nil))
	if _, err := s.db.Group(ctx, "", []table.Write{put, table.Check(record(pk, "b"), table.Absent("pk"))}); err != nil {
		t.Fatal(err)
	}
	_, err := s.db.Group(ctx, "", []table.Write{
		table.Delete(record(pk, "a")), table.Check(record(pk, "b"), table.Present("pk")),
	})
	wantFailed(t, err, map[int]table.Item{1: nil})
	s.want(t, ctx, record(pk, "a"), recordItem(pk, "a", nil))
	s.want(t, ctx, record(pk, "b"), nil)
}

// token makes a token that only this test uses, as short as tokens must be.
func (s *suite) token(t *testing.T) string {
	sum := 0
	for _, c := range t.Name() {
		sum = 31*sum + int(c)
	}
	return fmt.Sprintf("%s-%x", s.run, uint32(sum))
}

func (s *suite) groupToken(t *testing.T) {
	ctx, pk, token := within(t), s.partition(t), s.token(t)
	ws := []table.Write{
		table.Update(record(pk, "a"), []table.Action{table.Add("n", table.N(1))}),
		table.Put(records, recordItem(pk, "b", nil), table.Absent("pk")),
	}
	for range 3 { // without the token the second time fails
		if _, err := s.db.Group(ctx, token, ws); err != nil {
			t.Fatal(err)
		}
	}
	s.want(t, ctx, record(pk, "a"), recordItem(pk, "a", table.Item{"n": table.N(1)}))
	if _, err := s.db.Group(ctx, "", ws[:1]); err != nil {
		t.Fatal(err)
	}
	s.want(t, ctx, record(pk, "a"), recordItem(pk, "a", table.Item{"n": table.N(2)}))
}

func (s *suite) groupOtherToken(t *testing.T) {
	ctx, pk, token := within(t), s.partition(t), s.token(t)
	if _, err := s.db.Group(ctx, token, []table.Write{table.Put(records, recordItem(pk, "a", nil))}); err != nil {
		t.Fatal(err)
	}
	_, err := s.db.Group(ctx, token, []table.Write{table.Put(records, recordItem(pk, "b", nil))})
	wantError(t, err, table.ErrInvalid)
	s.want(t, ctx, record(pk, "b"), nil)
}

func (s *suite) groupFailedToken(t *testing.T) {
	ctx, pk, token := within(t), s.partition(t), s.token(t)
	ws := []table.Write{table.Put(records, recordItem(pk, "a", nil), table.Absent("pk"))}
	s.put(t, ctx, records, recordItem(pk, "a", table.Item{"n": table.N(1)}))
	_, err := s.db.Group(ctx, token, ws)
	wantFailed(t, err, map[int]table.Item{0: recordItem(pk, "a", table.Item{"n": table.N(1)})})
	if _, _, err := s.db.Apply(ctx, table.Delete(record(pk, "a"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Group(ctx, token, ws); err != nil {
		t.Fatal(err)
	}
	s.want(t, ctx, record(pk, "a"), recordItem(pk, "a", nil))
}
