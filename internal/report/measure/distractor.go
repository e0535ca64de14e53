package measure

import (
	"cmp"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Distractor is a row of M67: one option of an item, or one exact set of options.
type Distractor struct {
	Option      string
	Set         bool // an exact set of several options; else one option, or a whole response
	Key         bool // stands in the correctResponsesPattern: for display only
	Responses   int64
	Top, Bottom Rate // of the groups of M65; N is 0 when they are not to be had
}

// Flags are M68 of an option, of so many first responses.
func (d *Distractor) Flags(responses int64) (flags []ItemFlag) {
	if !d.Set && 100*d.Responses < 5*responses {
		flags = append(flags, Unused)
	}
	if !d.Key && d.Top.N > 0 && d.Top.K*d.Bottom.N > d.Bottom.K*d.Top.N {
		flags = append(flags, Attracts)
	}
	return flags
}

// Distractors is M67 over the first responses of learners. choices are the options of the definition, which have a row even if
// nobody chose them. matrix and item give the groups of M65; a nil matrix gives none.
func (i Interaction) Distractors(responses map[fact.Hash]string, choices []string, matrix *Matrix, item int) []Distractor {
	type key struct {
		option string
		set    bool
	}
	rows := map[key]*Distractor{}
	row := func(k key) *Distractor {
		if rows[k] == nil {
			rows[k] = &Distractor{Option: k.option, Set: k.set, Key: i.isKey(k.option, k.set)}
		}
		return rows[k]
	}
	chosen := func(response string) []key {
		options := i.Options(response)
		var keys []key
		for _, option := range options {
			keys = append(keys, key{option, false})
		}
		if len(options) > 1 {
			keys = append(keys, key{i.Whole(response), true})
		}
		return keys
	}
	for _, choice := range choices {
		row(key{choice, false})
	}
	for _, response := range responses {
		for _, k := range chosen(response) {
			row(k).Responses++
		}
	}
	if matrix != nil {
		bottom, top := matrix.Groups(item)
		groups := func(learners []int, rate func(*Distractor) *Rate) {
			for _, d := range rows {
				rate(d).N = int64(len(learners))
			}
			for _, l := range learners {
				for _, k := range chosen(responses[matrix.Learners[l]]) {
					rate(row(k)).K++
				}
			}
		}
		groups(bottom, func(d *Distractor) *Rate { return &d.Bottom })
		groups(top, func(d *Distractor) *Rate { return &d.Top })
	}
	out := make([]Distractor, 0, len(rows))
	for _, d := range rows {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Distractor) int {
		return cmp.Or(cmp.Compare(one(a.Set), one(b.Set)), cmp.Compare(b.Responses, a.Responses), cmp.Compare(a.Option, b.Option))
	})
	return out
}

// isKey marks an option that a right answer holds, and a set that is one.
func (i Interaction) isKey(option string, set bool) bool {
	if !set {
		return i.IsKey(option)
	}
	return slices.ContainsFunc(i.Correct, func(pattern string) bool { return i.Whole(pattern) == option })
}
