package measure

import (
	"cmp"
	"math"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Matrix holds the first scores of learners on the items of one parent (M64 to M66): only learners who answered at least 80 % of
// the items; what they left out counts as wrong; items on which all have one score are left out.
type Matrix struct {
	Items    []fact.Hash // sorted; those of no variance left out
	Learners []fact.Hash // in the order of their first responses to any of the items, then sorted
	Scores   [][]uint8   // by learner and item: 0 or 1
}

// The least on which M64 to M66 are shown.
const (
	EnoughLearners = 30
	EnoughItems    = 5
)

// Enough reports whether the figures of the matrix may be shown.
func (m *Matrix) Enough() bool {
	return len(m.Learners) >= EnoughLearners && len(m.Items) >= EnoughItems
}

// Scores collects the first judged responses of learners to the items of one parent: by learner, then item.
type Scores map[fact.Hash]map[fact.Hash]Answer

// Add takes in a learner's answers. Those of other parents and those that were not judged are passed over.
func (s Scores) Add(learner, parent fact.Hash, answers []Answers) {
	for _, a := range answers {
		if a.Parent != parent || !a.First.Judged {
			continue
		}
		if s[learner] == nil {
			s[learner] = map[fact.Hash]Answer{}
		}
		s[learner][a.Item] = a.First
	}
}

// Matrix arranges the scores. The items of the parent are those that anybody answered.
func (s Scores) Matrix() *Matrix {
	all := map[fact.Hash]bool{}
	for _, answers := range s {
		for item := range answers {
			all[item] = true
		}
	}
	m := &Matrix{}
	began := map[fact.Hash]int64{}
	for learner, answers := range s {
		if 5*len(answers) >= 4*len(all) {
			m.Learners = append(m.Learners, learner)
			began[learner] = earliest(answers)
		}
	}
	// By time first, which is the same wherever the statements are stored; a hash is not.
	slices.SortFunc(m.Learners, func(a, b fact.Hash) int {
		return cmp.Or(cmp.Compare(began[a], began[b]), compareHashes(a, b))
	})
	for item := range all {
		if k := s.correct(m.Learners, item); k > 0 && k < len(m.Learners) {
			m.Items = append(m.Items, item)
		}
	}
	slices.SortFunc(m.Items, compareHashes)
	for _, learner := range m.Learners {
		row := make([]uint8, len(m.Items))
		for i, item := range m.Items {
			row[i] = uint8(one(s[learner][item].Correct))
		}
		m.Scores = append(m.Scores, row)
	}
	return m
}

func (s Scores) correct(learners []fact.Hash, item fact.Hash) (k int) {
	for _, learner := range learners {
		if s[learner][item].Correct {
			k++
		}
	}
	return k
}

// earliest is the time of the first of some responses.
func earliest(answers map[fact.Hash]Answer) int64 {
	first := int64(math.MaxInt64)
	for _, a := range answers {
		first = min(first, a.T)
	}
	return first
}

func compareHashes(a, b fact.Hash) int { return slices.Compare(a[:], b[:]) }

// Item is the index of an item; false when it was left out.
func (m *Matrix) Item(item fact.Hash) (int, bool) {
	return slices.BinarySearchFunc(m.Items, item, compareHashes)
}

// rest is a learner's score on all items but one.
func (m *Matrix) rest(learner, but int) (sum int64) {
	for i, x := range m.Scores[learner] {
		if i != but {
			sum += int64(x)
		}
	}
	return sum
}

// Discrimination is M64, the correlation of an item's score x with the rest score y:
// r = Σ(x−x̄)(y−ȳ)/√(Σ(x−x̄)²Σ(y−ȳ)²). NaN when the rest scores are all equal.
func (m *Matrix) Discrimination(item int) float64 {
	x, y := make([]float64, len(m.Learners)), make([]float64, len(m.Learners))
	for l := range m.Learners {
		x[l], y[l] = float64(m.Scores[l][item]), float64(m.rest(l, item))
	}
	return pearson(x, y)
}

// Groups are the learners of M65: the ⌈0.27 n⌉ with the lowest and with the highest rest score, ties in the order of Learners.
func (m *Matrix) Groups(item int) (bottom, top []int) {
	byRest := make([]int, len(m.Learners))
	rest := make([]int64, len(m.Learners))
	for l := range byRest {
		byRest[l], rest[l] = l, m.rest(l, item)
	}
	slices.SortStableFunc(byRest, func(a, b int) int { return int(rest[a] - rest[b]) })
	n := (27*len(byRest) + 99) / 100
	return byRest[:n], byRest[len(byRest)-n:]
}

// UpperLower is M65 = p(top 27 %) − p(bottom 27 %).
func (m *Matrix) UpperLower(item int) float64 {
	bottom, top := m.Groups(item)
	share := func(learners []int) float64 {
		r := Rate{N: int64(len(learners))}
		for _, l := range learners {
			r.K += int64(m.Scores[l][item])
		}
		return r.Value()
	}
	return share(top) - share(bottom)
}

// Alpha is M66 = k/(k−1)·(1 − Σs²ᵢ/s²ₜ) with sample variances; NaN for fewer than two items or without variance.
func (m *Matrix) Alpha() float64 {
	k := float64(len(m.Items))
	if k < 2 || len(m.Learners) < 2 {
		return math.NaN()
	}
	items := 0.0
	for i := range m.Items {
		items += variance(len(m.Learners), func(l int) int64 { return int64(m.Scores[l][i]) })
	}
	total := variance(len(m.Learners), func(l int) int64 { return m.rest(l, -1) })
	if total == 0 {
		return math.NaN()
	}
	return k / (k - 1) * (1 - items/total)
}

// variance is the sample variance of n whole numbers; sums are exact, so that their order does not matter.
func variance(n int, value func(int) int64) float64 {
	var sum, squares int64
	for i := range n {
		x := value(i)
		sum, squares = sum+x, squares+x*x
	}
	return float64(int64(n)*squares-sum*sum) / (float64(n) * float64(n-1))
}

// ItemFlag is a warning about an item or an option of it (M68).
type ItemFlag string

// The flags.
const (
	Hard     ItemFlag = "hard"                     // p < 0.3
	Easy     ItemFlag = "easy"                     // p > 0.9
	CheckKey ItemFlag = "check the key"            // r < 0
	Weak     ItemFlag = "weak"                     // 0 ≤ r < 0.2
	Unused   ItemFlag = "unused"                   // an option that fewer than 5 % chose
	Attracts ItemFlag = "attracts strong learners" // a wrong option with a larger share at the top than at the bottom
)

// ItemFlags are M68 of an item by its difficulty and, where it may be shown, its discrimination; NaN otherwise.
func ItemFlags(p Rate, r float64) (flags []ItemFlag) {
	switch {
	case p.N > 0 && 10*p.K < 3*p.N:
		flags = append(flags, Hard)
	case p.N > 0 && 10*p.K > 9*p.N:
		flags = append(flags, Easy)
	}
	switch {
	case r < 0:
		flags = append(flags, CheckKey)
	case r < 0.2:
		flags = append(flags, Weak)
	}
	return flags
}
