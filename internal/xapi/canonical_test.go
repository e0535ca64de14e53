package xapi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// at is a position n hours after the beginning of 1970.
func at(n uint64) (position [16]byte) {
	binary.BigEndian.PutUint64(position[:], n*60*60*1000<<16)
	return position
}

// brought is a definition and the position of its statement.
type brought struct {
	definition string
	at         uint64
}

func merge(t testing.TB, list ...brought) *Canonical {
	t.Helper()
	c := new(Canonical)
	for _, b := range list {
		if _, err := c.Merge([]byte(b.definition), at(b.at)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestCanonical(t *testing.T) {
	tests := []struct {
		name  string
		list  []brought
		merge string
	}{
		{"nothing", nil, `{}`},
		{"an empty definition", []brought{{`{}`, 1}}, `{}`},
		{"empty maps", []brought{{`{"name":{},"extensions":{}}`, 1}}, `{}`},
		{"union of languages, the latest text wins",
			[]brought{{`{"name":{"en":"one","fr":"un"}}`, 1}, {`{"name":{"en":"two","de":"zwei"}}`, 2}},
			`{"name":{"de":"zwei","en":"two","fr":"un"}}`},
		{"a text that comes again on its day was there before", []brought{{`{"type":"x:a"}`, 1}, {`{"type":"x:b"}`, 2}, {`{"type":"x:a"}`, 3}}, `{"type":"x:b"}`},
		{"a text that comes again on another day is the latest", []brought{{`{"type":"x:a"}`, 1}, {`{"type":"x:b"}`, 2}, {`{"type":"x:a"}`, 25}}, `{"type":"x:a"}`},
		{"tags are one language in any case", []brought{{`{"name":{"en-us":"one"}}`, 1}, {`{"name":{"en-US":"two"}}`, 2}}, `{"name":{"en-US":"two"}}`},
		{"type and moreInfo: the latest", []brought{{`{"type":"x:a","moreInfo":"x:m"}`, 2}, {`{"type":"x:b"}`, 1}}, `{"moreInfo":"x:m","type":"x:a"}`},
		{"extensions by key", []brought{{`{"extensions":{"x:a":1.0,"x:b":[1]}}`, 1}, {`{"extensions":{"x:b":{"c":2}}}`, 2}}, `{"extensions":{"x:a":1.0,"x:b":{"c":2}}}`},
		{"interactionType and answers: the first",
			[]brought{{`{"interactionType":"choice","correctResponsesPattern":["a"]}`, 1}, {`{"interactionType":"likert","correctResponsesPattern":["b"]}`, 2}},
			`{"correctResponsesPattern":["a"],"interactionType":"choice"}`},
		{"answers that come later are taken", []brought{{`{"interactionType":"choice"}`, 1}, {`{"interactionType":"choice","correctResponsesPattern":["b"]}`, 2}},
			`{"correctResponsesPattern":["b"],"interactionType":"choice"}`},
		{"components: the first list, the latest texts",
			[]brought{{`{"interactionType":"choice","choices":[{"id":"b","description":{"en":"old"}},{"id":"a"}]}`, 1},
				{`{"interactionType":"choice","choices":[{"id":"a","description":{"fr":"neuf"}},{"id":"b","description":{"en":"new","fr":"neuf"}},{"id":"c","description":{"en":"gone"}}]}`, 2}},
			`{"choices":[{"id":"b","description":{"en":"new","fr":"neuf"}},{"id":"a","description":{"fr":"neuf"}}],"interactionType":"choice"}`},
		{"a component with an empty id", []brought{{`{"interactionType":"choice","choices":[{"id":"","description":{"en":"x"}}]}`, 1}, {`{"interactionType":"choice","choices":[{"id":"","description":{"en":"y"}}]}`, 2}},
			`{"choices":[{"id":"","description":{"en":"y"}}],"interactionType":"choice"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			backwards := make([]brought, len(test.list))
			for i, b := range test.list {
				backwards[len(test.list)-1-i] = b
			}
			for _, list := range [][]brought{test.list, backwards} {
				if diff := cmp.Diff(test.merge, string(merge(t, list...).JSON())); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestMergeSaysWhatChanged(t *testing.T) {
	var c Canonical
	for _, step := range []struct {
		brought
		changed bool
	}{
		{brought{`{"name":{"en":"two"}}`, 2}, true},
		{brought{`{"name":{"en":"two"}}`, 2}, false},
		{brought{`{"name":{"en":"one"}}`, 1}, true}, // in storage: the text that counts is the same
		{brought{`{"name":{"en":"one"}}`, 5}, false},
		{brought{`{"name":{"fr":"un"}}`, 1}, true},
		{brought{`{"name":{"en":"two"}}`, 23}, false}, // the same day
		{brought{`{"name":{"en":"two"}}`, 24}, true},
		{brought{`{"name":{"en":"one"}}`, 23}, false},
		{brought{`{}`, 48}, false},
	} {
		changed, err := c.Merge([]byte(step.definition), at(step.at))
		if err != nil || changed != step.changed {
			t.Errorf("%s at %d: changed %v, error %v", step.definition, step.at, changed, err)
		}
	}
	for _, text := range []string{"", "[]", `{"name":{"en":1,"en":2}}`} {
		if changed, err := c.Merge([]byte(text), at(9)); err == nil || changed {
			t.Errorf("%q is merged", text)
		}
	}
}

// TestMergeIsASemilattice: any order, any repetition, any grouping over storage give
// the same bytes.
func TestMergeIsASemilattice(t *testing.T) {
	definition := rapid.Custom(func(t *rapid.T) string {
		var parts []string
		for _, part := range [][]string{
			{`"name":{"en":"a"}`, `"name":{"en":"b","fr":"b"}`, `"name":{"EN":"c"}`, `"name":{}`},
			{`"description":{"de":"a"}`, `"description":{"de":"b","en":"b"}`},
			{`"type":"x:a"`, `"type":"x:b"`},
			{`"moreInfo":"x:m"`, `"moreInfo":"x:n"`},
			{`"interactionType":"choice"`, `"interactionType":"likert"`},
			{`"correctResponsesPattern":["a"]`, `"correctResponsesPattern":[]`},
			{`"choices":[{"id":"a"},{"id":"b","description":{"en":"b"}}]`, `"choices":[{"id":"b","description":{"en":"c","fr":"c"}}]`, `"choices":[]`},
			{`"scale":[{"id":"a","description":{"en":"b"}}]`},
			{`"extensions":{"x:a":1}`, `"extensions":{"x:a":2,"x:b":null}`},
		} {
			if rapid.Bool().Draw(t, "with") {
				parts = append(parts, rapid.SampledFrom(part).Draw(t, "part"))
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	})
	rapid.Check(t, func(rt *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) brought {
			// Positions repeat: one statement can describe an Activity more than once.
			return brought{definition.Draw(t, "definition"), rapid.SampledFrom([]uint64{0, 1, 2, 23, 24, 25, 48}).Draw(t, "at")}
		}), 0, 6).Draw(rt, "list")
		want := marshal(rt, merge(t, list...))
		shuffled := rapid.Permutation(append(append([]brought{}, list...), list...)).Draw(rt, "order")
		c := new(Canonical)
		for _, b := range shuffled {
			if _, err := c.Merge([]byte(b.definition), at(b.at)); err != nil {
				rt.Fatal(err)
			}
			stored := new(Canonical)
			if err := stored.UnmarshalBinary(marshal(rt, c)); err != nil {
				rt.Fatal(err)
			}
			c = stored
		}
		if got := marshal(rt, c); string(got) != string(want) {
			rt.Fatalf("in order\n%s\nshuffled\n%s", merge(t, list...).JSON(), c.JSON())
		}
	})
}

func marshal(t interface{ Fatal(...any) }, c *Canonical) []byte {
	data, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestMergeIsBounded(t *testing.T) {
	extensions := func(from, to int) string {
		var parts []string
		for i := from; i < to; i++ {
			parts = append(parts, fmt.Sprintf(`"x:%05d":1`, i))
		}
		return `{"interactionType":"choice","extensions":{` + strings.Join(parts, ",") + `}}`
	}
	list := []brought{{extensions(0, 3000), 1}, {extensions(2000, 5000), 30}, {extensions(0, 100), 60}}
	want := string(marshal(t, merge(t, list[0], list[1], list[2])))
	for _, order := range [][]brought{{list[2], list[1], list[0]}, {list[1], list[0], list[2]}, {list[0], list[2], list[1], list[0]}} {
		if got := string(marshal(t, merge(t, order...))); got != want {
			t.Fatal("what is left depends on the order")
		}
	}
	c := merge(t, list...)
	if len(c.parts) != maxParts+1 { // and the interactionType, which nothing can add to
		t.Errorf("%d parts, want %d", len(c.parts), maxParts+1)
	}
	if changed, err := c.Merge([]byte(`{"extensions":{"x:new":1}}`), at(0)); err != nil || changed {
		t.Errorf("what is beyond the bound changes it: %v, %v", changed, err)
	}
}

// TestRivalsAreBounded sends many texts for one slot on one day.
func TestRivalsAreBounded(t *testing.T) {
	c := new(Canonical)
	for n := range uint64(3 * maxRivals) {
		changed, err := c.Merge(fmt.Appendf(nil, `{"type":"x:%d"}`, n), at(0))
		if err != nil {
			t.Fatal(err)
		}
		if !changed && n < maxRivals {
			t.Errorf("text %d changes nothing", n)
		}
	}
	if got := len(c.parts[slot{property: "type"}]); got != maxRivals {
		t.Errorf("%d texts are kept, want %d", got, maxRivals)
	}
	if got := string(c.JSON()); got != `{"type":"x:9"}` { // the greatest bytes
		t.Errorf("the definition is %s", got)
	}
}

func TestEndOfDay(t *testing.T) {
	for _, hour := range []uint64{0, 23, 24, 500_000} {
		start := at(hour)
		end := EndOfDay(start)
		if day(end) != hour/24 || bytes.Compare(end[:], start[:]) < 0 {
			t.Errorf("hour %d ends at %x", hour, end)
		}
		next := end
		for i := 5; ; i-- { // one millisecond later
			if next[i]++; next[i] != 0 {
				break
			}
		}
		if day(next) != hour/24+1 {
			t.Errorf("the day of hour %d goes on after its end %x", hour, end)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"name":{"en":"a"},"interactionType":"choice","choices":[{"id":"a","description":{"en":"b"}}]}`))
	f.Add([]byte(`{"choices":[1,{"id":[]}],"name":5,"extensions":[]}`))
	f.Fuzz(func(t *testing.T, definition []byte) {
		c := new(Canonical)
		if _, err := c.Merge(definition, at(1)); err != nil {
			return
		}
		var again Canonical
		if err := again.UnmarshalBinary(marshal(t, c)); err != nil {
			t.Fatal(err)
		}
		if string(again.JSON()) != string(c.JSON()) {
			t.Fatalf("stored as\n%s\nread as\n%s", c.JSON(), again.JSON())
		}
	})
}

func FuzzUnmarshalCanonical(f *testing.F) {
	f.Add(marshal(f, merge(f, brought{`{"name":{"en":"a"},"type":"x:t"}`, 1})))
	f.Add([]byte{canonicalFormat, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Canonical
		if err := c.UnmarshalBinary(data); err != nil {
			return
		}
		var again Canonical
		if err := again.UnmarshalBinary(marshal(t, &c)); err != nil {
			t.Fatalf("what was read cannot be stored: %v", err)
		}
		c.JSON()
	})
}

func TestUnmarshalRefusesDamage(t *testing.T) {
	whole := marshal(t, merge(t, brought{`{"name":{"en":"a","fr":"b"},"type":"x:t"}`, 1}))
	var c Canonical
	for i := range whole {
		if err := c.UnmarshalBinary(whole[:i]); err == nil && i != 1 && string(marshal(t, &c)) != string(whole[:i]) {
			t.Errorf("the first %d bytes are read", i)
		}
	}
	for _, data := range [][]byte{nil, {2}, append(append([]byte{}, whole...), whole[1:]...)} {
		if err := c.UnmarshalBinary(data); err == nil {
			t.Errorf("%d bytes of damage are read", len(data))
		}
	}
}
