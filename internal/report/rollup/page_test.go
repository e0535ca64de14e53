package rollup

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// factOf draws any fact that the type can hold, plausible ones more often.
func factOf() *rapid.Generator[fact.Fact] {
	return rapid.Custom(func(t *rapid.T) fact.Fact {
		hash := func(label string) (h fact.Hash) {
			if n := rapid.IntRange(0, 3).Draw(t, label); n > 0 {
				h[0], h[11] = byte(n), 1
			}
			return h
		}
		number := rapid.OneOf(rapid.Int64Range(-2, 100_000), rapid.Int64())
		f := fact.Fact{
			ID: rapid.Uint64().Draw(t, "id"), T: number.Draw(t, "t"), Stored: number.Draw(t, "stored"),
			Verb: hash("verb"), Content: hash("content"), Parent: hash("parent"), Group: hash("group"),
			Class: fact.Class(rapid.Uint16().Draw(t, "class")), Kind: fact.Kind(rapid.Uint8().Draw(t, "kind")),
			Session:  rapid.Uint64Range(0, 3).Draw(t, "session"),
			Platform: rapid.StringN(0, 5, -1).Draw(t, "platform"), Language: rapid.SampledFrom([]string{"", "en"}).Draw(t, "language"),
			Success: fact.Tri(rapid.IntRange(0, 2).Draw(t, "success")), Completion: fact.Tri(rapid.IntRange(0, 2).Draw(t, "completion")),
			Duration: number.Draw(t, "duration"), Progress: rapid.Int32().Draw(t, "progress"),
			Response: rapid.StringN(0, 5, -1).Draw(t, "response"), Flags: fact.Flags(rapid.Uint16().Draw(t, "flags")),
		}
		for range rapid.IntRange(0, fact.MaxGroupings).Draw(t, "groupings") {
			f.Groupings = append(f.Groupings, hash("grouping"))
		}
		if rapid.Bool().Draw(t, "registered") {
			f.Registration[3] = 1
		}
		if f.HasScore = rapid.Bool().Draw(t, "scored"); f.HasScore {
			f.Score = number.Draw(t, "score")
		}
		if rapid.Bool().Draw(t, "video") {
			f.Video = &fact.Video{Action: fact.Action(rapid.IntRange(0, 3).Draw(t, "action")), Length: number.Draw(t, "length"), Time: number.Draw(t, "time"),
				From: number.Draw(t, "from"), To: number.Draw(t, "to"), Threshold: number.Draw(t, "threshold"), Speed: number.Draw(t, "speed")}
			for i := range rapid.IntRange(0, 6).Draw(t, "segments") {
				from := int64(10 * i)
				if rapid.IntRange(0, 4).Draw(t, "odd") == 0 {
					from = number.Draw(t, "segment")
				}
				f.Video.Segments = append(f.Video.Segments, fact.Segment{From: from, To: from + 5})
			}
		}
		return f
	})
}

// Whatever is written is read.
func TestPageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := page{facts: rapid.SliceOfN(factOf(), 0, 12).Draw(t, "facts")}
		for range rapid.IntRange(0, 4).Draw(t, "tombs") {
			p.tombs = append(p.tombs, tomb{rapid.Uint64().Draw(t, "id"), rapid.Int64().Draw(t, "until")})
		}
		got, err := decodePage(encodePage(p))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got, cmp.AllowUnexported(page{}, tomb{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("page (-written +read):\n%s", diff)
		}
	})
}

// A damaged page is an error, never a panic or a memory without bound.
func FuzzDecodePage(f *testing.F) {
	f.Add(encodePage(page{}))
	f.Add(encodePage(page{
		facts: []fact.Fact{
			{ID: 1, T: 5, Verb: fact.Hash{1}, Duration: -1, Progress: -1, Video: &fact.Video{Segments: []fact.Segment{{From: 1, To: 2}}}},
			{ID: 2, T: 6, Verb: fact.Hash{1}, Duration: 7, Progress: 3, Groupings: []fact.Hash{{2}}, Platform: "p"},
		},
		tombs: []tomb{{3, 4}},
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePage(b)
		if err != nil {
			return
		}
		again, err := decodePage(encodePage(page{bytesOf(p.facts), p.tombs}))
		if err != nil || len(again.facts) != len(p.facts) || len(again.tombs) != len(p.tombs) {
			t.Errorf("%d facts and %d tombstones, then %d and %d: %v", len(p.facts), len(p.tombs), len(again.facts), len(again.tombs), err)
		}
	})
}

func bytesOf(facts []fact.Fact) []fact.Fact { return append([]fact.Fact(nil), facts...) }

// Equal pages have equal bytes, whatever order their facts came in.
func TestPageIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := rapid.SliceOfNDistinct(factOf(), 0, 8, func(f fact.Fact) uint64 { return f.ID }).Draw(t, "facts")
		shuffled := rapid.Permutation(facts).Draw(t, "shuffled")
		if !bytes.Equal(encodePage(page{facts: bytesOf(facts)}), encodePage(page{facts: bytesOf(shuffled)})) {
			t.Fatal("the order shows")
		}
	})
}
