package xapi

import (
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
		{"an earlier text that comes again is the latest", []brought{{`{"type":"x:a"}`, 1}, {`{"type":"x:b"}`, 2}, {`{"type":"x:a"}`, 3}}, `{"type":"x:a"}`},
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
		{brought{`{"name":{"en":"one"}}`, 1}, false}, // it came before
		{brought{`{"name":{"fr":"un"}}`, 1}, true},
		{brought{`{"name":{"en":"two"}}`, 24}, false}, // it counts already
		{brought{`{"name":{"en":"one"}}`, 25}, true},
		{brought{`{"name":{"en":"two"}}`, 23}, false},
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

// definitionWith draws definitions of which every text says n, or one of a few texts when n is negative.
func definitionWith(t *rapid.T, n int) string {
	var parts []string
	for _, part := range []string{
		`"name":{"en":"%[1]d"}`, `"description":{"de":"%[1]d","en":"%[1]d"}`, `"type":"x:%[1]d"`, `"moreInfo":"x:%[1]d"`,
		`"interactionType":"choice","correctResponsesPattern":["%[1]d"]`,
		`"choices":[{"id":"a"},{"id":"b","description":{"en":"%[1]d"}}]`, `"scale":[{"id":"a","description":{"en":"%[1]d"}}]`,
		`"extensions":{"x:a":%[1]d,"x:b":null}`,
	} {
		if rapid.Bool().Draw(t, "with") {
			text := n
			if n < 0 {
				text = rapid.IntRange(0, 2).Draw(t, "text")
			}
			parts = append(parts, fmt.Sprintf(part, text))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// TestMergeOfWhatComesInOrder: the text of the last statement that has one counts, also when it was there before; and
// whatever comes once more, at its own position, changes nothing.
func TestMergeOfWhatComesInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var list []brought
		name := ""
		for i := range rapid.IntRange(1, 8).Draw(rt, "statements") {
			definition := definitionWith(rt, -1)
			list = append(list, brought{definition, uint64(i)})
			if _, rest, has := strings.Cut(definition, `"name":{"en":"`); has {
				name = rest[:1]
			}
		}
		c := merge(t, list...)
		if want := `"name":{"en":"` + name + `"}`; name != "" && !strings.Contains(string(c.JSON()), want) {
			rt.Fatalf("%v come to %s, want %s", list, c.JSON(), want)
		}
		want := string(marshal(rt, c))
		for _, b := range rapid.Permutation(list).Draw(rt, "again") {
			if changed, err := c.Merge([]byte(b.definition), at(b.at)); err != nil || changed {
				rt.Fatalf("%s at %d once more: changed %v, %v", b.definition, b.at, changed, err)
			}
		}
		if got := string(marshal(rt, c)); got != want {
			rt.Fatal("what came once more left a trace")
		}
	})
}

// TestMergeInAnyOrder: where no text comes twice, any order, any repetition and any grouping over storage give the same
// bytes. (Of a text that comes twice the second leaves no position: a different one from between that comes late wins.)
func TestMergeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var list []brought
		for i := range rapid.IntRange(0, 6).Draw(rt, "statements") {
			list = append(list, brought{definitionWith(rt, i), uint64(i)})
		}
		withoutNull := strings.NewReplacer(`,"x:b":null`, "")
		for i := range list {
			list[i].definition = withoutNull.Replace(list[i].definition)
		}
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
	c := merge(t, list...)
	if len(c.parts) != maxParts+1 { // and the interactionType, which nothing can add to
		t.Errorf("%d parts, want %d", len(c.parts), maxParts+1)
	}
	if changed, err := c.Merge([]byte(`{"extensions":{"x:new":1}}`), at(0)); err != nil || changed {
		t.Errorf("what is beyond the bound changes it: %v, %v", changed, err)
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
