package measure

import (
	"cmp"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// when is a fact's place in the order of definition 0.3: that of two statements that tell the same thing the later counts.
type when struct {
	t, stored int64
	id        uint64
}

func whenOf(f *fact.Fact) when { return when{f.T, f.Stored, f.ID} }

func (a when) before(b when) bool {
	return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.stored, b.stored), cmp.Compare(a.id, b.id)) < 0
}

// Parents are the parents of activities, each as the latest statement named it that named one (definition 0.6).
type Parents map[fact.Hash]parent

type parent struct {
	id fact.Hash
	when
}

// Add takes in what the statements of one learner say. The order of learners does not matter.
func (p Parents) Add(facts Facts) {
	for _, f := range facts {
		if none := (fact.Hash{}); f.Content == none || f.Parent == none {
			continue
		}
		if old, known := p[f.Content]; !known || old.before(whenOf(f)) {
			p[f.Content] = parent{f.Parent, whenOf(f)}
		}
	}
}

// Of is the parent of an activity; zero when no statement named one.
func (p Parents) Of(activity fact.Hash) fact.Hash { return p[activity].id }
