package tabletest

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testGet(t *testing.T) {
	t.Run("every kind of value comes back", s.getKinds)
	t.Run("absent", s.getAbsent)
	t.Run("batch is parallel to its references", s.getBatch)
	t.Run("rows of some attributes", s.getRows)
}

func (s *suite) getKinds(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	long := make([]byte, 1000)
	for i := range long {
		long[i] = byte(i)
	}
	item := recordItem(pk, "\x00\xff\x00", table.Item{
		"text": table.S("ä\x00\u2028😀"), "empty text": table.S(""),
		"zero": table.N(0), "most": table.N(math.MaxInt64), "least": table.N(math.MinInt64),
		"binary": table.B(long), "empty binary": table.B([]byte{}),
		"set": table.SetOf([]byte{2}, []byte{0}, []byte{1, 1}), "one": table.SetOf(long),
	})
	s.put(t, ctx, records, item)
	s.want(t, ctx, record(pk, "\x00\xff\x00"), item)

	key := table.Item{"pk": table.S(pk)}
	s.put(t, ctx, plain, key)
	s.want(t, ctx, plainRef(pk), key)
	eventually(t, func() string {
		got, _, err := s.db.Get(ctx, plainRef(pk), table.Eventual)
		if err != nil {
			t.Fatal(err)
		}
		return cmp.Diff(key, got)
	})
}

func (s *suite) getRows(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	item := recordItem(pk, "1", table.Item{
		"b": table.B([]byte("left out")), "name": table.S("a reserved word"), "n": table.N(-7), "set": table.SetOf([]byte{1}, []byte{2, 2}),
		"t": table.SetOf([]byte("left out")), "x": table.B([]byte("y")), "empty": table.B([]byte{}),
	})
	s.put(t, ctx, records, item, recordItem(pk, "2", table.Item{"b": table.B([]byte("left out"))}))
	s.put(t, ctx, plain, table.Item{"pk": table.S(pk), "x": table.S("y"), "b": table.N(1)})
	refs := []table.Ref{record(pk, "1"), record(pk, "2"), record(pk, "3"), plainRef(pk), record(pk, "1")}
	for _, test := range []struct {
		attributes []string
		want       []table.Row
	}{
		{[]string{"x", "set", "absent", "empty", "name", "n"}, []table.Row{
			{item["x"], item["set"], {}, item["empty"], item["name"], item["n"]}, {{}, {}, {}, {}, {}, {}}, nil, {table.S("y"), {}, {}, {}, {}, {}},
			{item["x"], item["set"], {}, item["empty"], item["name"], item["n"]},
		}},
		{[]string{"sk", "n", "pk"}, []table.Row{
			{item["sk"], item["n"], item["pk"]}, {table.B([]byte("2")), {}, table.S(pk)}, nil, {{}, {}, table.S(pk)}, {item["sk"], item["n"], item["pk"]},
		}},
		{[]string{"absent"}, []table.Row{{{}}, {{}}, nil, {{}}, {{}}}},
	} {
		got, _, err := s.db.Select(ctx, refs, table.Strong, test.attributes...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.attributes, diff)
		}
	}
	none, _, err := s.db.Select(ctx, nil, table.Strong, "x")
	if err != nil || len(none) != 0 {
		t.Errorf("no references: %d rows, error %v", len(none), err)
	}
}

func (s *suite) getAbsent(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	s.put(t, ctx, records, recordItem(pk, "b", nil))
	for _, sort := range []string{"a", "b\x00", "c"} {
		s.want(t, ctx, record(pk, sort), nil)
	}
	s.want(t, ctx, record(pk+"x", "b"), nil)
	s.want(t, ctx, plainRef(pk), nil)
}

func (s *suite) getBatch(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	const n = 250 // more than DynamoDB takes in one call
	var refs []table.Ref
	var want []table.Item
	var puts []table.Write
	for i := range n {
		sort := string([]byte{1, byte(i)})
		refs = append(refs, record(pk, sort))
		if i%3 == 0 {
			want = append(want, nil)
			continue
		}
		item := recordItem(pk, sort, table.Item{"n": table.N(int64(i))})
		want = append(want, item)
		puts = append(puts, table.Put(records, item))
	}
	other := table.Item{"pk": table.S(pk), "x": table.S("y")}
	puts = append(puts, table.Put(plain, other))
	if _, err := s.db.Batch(ctx, puts); err != nil {
		t.Fatal(err)
	}
	refs, want = append(refs, plainRef(pk), refs[1], refs[0]), append(want, other, want[1], want[0])
	s.wantAll(t, ctx, refs, want)
	none, _, err := s.db.BatchGet(ctx, nil, table.Strong)
	if err != nil || len(none) != 0 {
		t.Errorf("no references: %d items, error %v", len(none), err)
	}
}
