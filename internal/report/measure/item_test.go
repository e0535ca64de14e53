package measure_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

// response is a fact about an item of the course.
func response(t int64, item byte, success fact.Tri, change ...func(*fact.Fact)) fact.Fact {
	f := event(t, fact.Answered, change...)
	f.ID += uint64(item) << 40
	f.Kind, f.Content, f.Parent, f.Success = fact.KindQuestion, fact.Hash{9, item}, course, success
	return f
}

func TestAnswers(t *testing.T) {
	const yes, no, unsaid = fact.Yes, fact.No, fact.Unsaid
	tests := []struct {
		name  string
		facts []fact.Fact
		want  measure.Answers
	}{
		{"correct at once", []fact.Fact{response(1, 1, yes)}, measure.Answers{First: measure.Answer{Correct: true, Judged: true}, Judged: 1, FirstCorrect: 1}},
		{"at the third", []fact.Fact{response(1, 1, no), response(2, 1, no), response(3, 1, yes), response(4, 1, no)}, measure.Answers{First: measure.Answer{Judged: true}, Judged: 4, FirstCorrect: 3, WrongSince: 1}},
		{"never", []fact.Fact{response(1, 1, no), response(2, 1, no), response(3, 1, no)}, measure.Answers{First: measure.Answer{Judged: true}, Judged: 3, WrongSince: 3}},
		{"judged by a full score", []fact.Fact{response(1, 1, unsaid, scored(1_000_000))}, measure.Answers{First: measure.Answer{Correct: true, Judged: true}, Judged: 1, FirstCorrect: 1}},
		{"judged by a part of the score", []fact.Fact{response(1, 1, unsaid, scored(999_999))}, measure.Answers{First: measure.Answer{Judged: true}, Judged: 1, WrongSince: 1}},
		{"success goes before the score", []fact.Fact{response(1, 1, no, scored(1_000_000))}, measure.Answers{First: measure.Answer{Judged: true}, Judged: 1, WrongSince: 1}},
		{"not judged, then judged", []fact.Fact{response(1, 1, unsaid), response(2, 1, yes)}, measure.Answers{First: measure.Answer{Correct: true, Judged: true}, Judged: 1, FirstCorrect: 1}},
		{"a survey", []fact.Fact{response(1, 1, unsaid)}, measure.Answers{}},
		{"a survey with scores", []fact.Fact{response(1, 1, yes, scored(1_000_000), func(f *fact.Fact) { f.Flags = fact.Survey })}, measure.Answers{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := measure.AnswersOf(measure.Of(test.facts))
			if len(got) != 1 {
				t.Fatalf("%d items", len(got))
			}
			a := got[0]
			if a.Item != (fact.Hash{9, 1}) || a.Parent != course || a.Earliest.T != 1 {
				t.Errorf("%+v", a)
			}
			a.Item, a.Parent, a.Earliest, a.First.T, a.First.Duration, a.First.By = fact.Hash{}, fact.Hash{}, measure.Answer{}, 0, 0, nil
			if a != test.want {
				t.Errorf("got %+v, want %+v", a, test.want)
			}
		})
	}
}

func TestAnswersInAPeriod(t *testing.T) {
	facts := measure.Of([]fact.Fact{
		response(1, 1, fact.No), response(5, 1, fact.Yes), response(9, 1, fact.Yes),
		response(2, 2, fact.Unsaid), response(6, 2, fact.Yes), // first judged later
		response(3, 3, fact.Unsaid), // a survey
	})
	tests := []struct {
		period measure.Period
		items  []byte
	}{
		{measure.Period{From: 0, To: 10}, []byte{1, 2, 3}}, {measure.Period{From: 0, To: 2}, []byte{1}}, {measure.Period{From: 2, To: 5}, []byte{2, 3}},
		{measure.Period{From: 5, To: 10}, []byte{2}}, {measure.Period{From: 7, To: 10}, nil},
	}
	for _, test := range tests {
		var items []byte
		for _, a := range measure.AnswersIn(facts, test.period) {
			items = append(items, a.Item[1])
		}
		if !slices.Equal(items, test.items) {
			t.Errorf("in %v items %v, want %v", test.period, items, test.items)
		}
	}
	if a := measure.AnswersIn(facts, measure.Period{From: 0, To: 5})[0]; a.Judged != 1 || a.FirstCorrect != 0 || a.First.By != facts[0] {
		t.Errorf("what came later is seen: %+v", a)
	}
}

func TestTimeOnItems(t *testing.T) {
	facts := []fact.Fact{
		response(0, 1, fact.Yes), // nothing before
		response(2*minute, 2, fact.Yes),
		response(3*minute, 3, fact.Yes, lasting(7*second)),
		response(33*minute+1, 4, fact.Yes), // more than 30 minutes later
	}
	want := []int64{-1, 2 * minute, 7 * second, -1}
	for i, a := range measure.AnswersOf(measure.Of(facts)) {
		if a.First.Duration != want[i] {
			t.Errorf("item %d took %d, want %d", i+1, a.First.Duration, want[i])
		}
	}
}

func TestItemFigures(t *testing.T) {
	learners := [][]fact.Fact{
		{response(1, 1, fact.Yes)},
		{response(1, 1, fact.No), response(2, 1, fact.Yes)},
		{response(1, 1, fact.No), response(2, 1, fact.No), response(3, 1, fact.No), response(4, 1, fact.Yes)},
		{response(1, 1, fact.No)},
		{response(1, 1, fact.Unsaid)},
	}
	var s measure.Item
	for _, facts := range learners {
		for _, a := range measure.AnswersOf(measure.Of(facts)) {
			s.Add(&a)
		}
	}
	if p := s.Difficulty(); p != (measure.Rate{K: 1, N: 4}) {
		t.Errorf("p = %v", p)
	}
	if s.EverCorrect != 3 || s.Responses != 4 {
		t.Errorf("%d of %d ever correct", s.EverCorrect, s.Responses)
	}
	if got := s.AttemptsToSuccess(); got != 2 {
		t.Errorf("attempts to success %v", got)
	}
	var none measure.Item
	if !math.IsNaN(none.Difficulty().Value()) || !math.IsNaN(none.AttemptsToSuccess()) {
		t.Error("figures of no answers")
	}
}

// goldenScores are golden vector 6: rows are learners.
func goldenScores() measure.Scores {
	scores := measure.Scores{}
	for l, row := range []string{"11111", "11110", "11101", "11010", "10100", "11000", "10001", "00001"} {
		var facts []fact.Fact
		for i, x := range row {
			facts = append(facts, response(int64(i), byte(i+1), map[rune]fact.Tri{'0': fact.No, '1': fact.Yes}[x]))
		}
		scores.Add(fact.Hash{byte(l + 1)}, course, measure.AnswersOf(measure.Of(facts)))
	}
	return scores
}

func TestItemAnalysis(t *testing.T) { // golden 6
	m := goldenScores().Matrix()
	if m.Enough() || len(m.Learners) != 8 || len(m.Items) != 5 {
		t.Fatalf("%d learners, %d items, enough %v", len(m.Learners), len(m.Items), m.Enough())
	}
	p := []float64{.875, .625, .5, .375, .5}
	r := []float64{.338062, .466667, .377964, .387298, -.284747}
	for i := range m.Items {
		var k int64
		for l := range m.Learners {
			k += int64(m.Scores[l][i])
		}
		if got := (measure.Rate{K: k, N: 8}).Value(); !near(got, p[i]) {
			t.Errorf("item %d: p %v, want %v", i+1, got, p[i])
		}
		if got := m.Discrimination(i); !near(got, r[i]) {
			t.Errorf("item %d: r %v, want %v", i+1, got, r[i])
		}
	}
	if got := m.Alpha(); !near(got, .412621) {
		t.Errorf("alpha %v", got)
	}
	// Item 5, by rest score and key: learners 8 7 5 6 3 4 1 2; of ⌈0.27·8⌉ = 3 on each side 1 1 0 were correct below, 0 1 0
	// above.
	bottom, top := m.Groups(4)
	if len(bottom) != 3 || len(top) != 3 {
		t.Errorf("groups of %d and %d", len(bottom), len(top))
	}
	if got := m.UpperLower(4); !near(got, 1.0/3-2.0/3) {
		t.Errorf("D = %v", got)
	}
	if flags := measure.ItemFlags(measure.Rate{K: 4, N: 8}, m.Discrimination(4)); !slices.Equal(flags, []measure.ItemFlag{measure.CheckKey}) {
		t.Errorf("flags %v", flags)
	}
}

func TestMatrixLeavesOut(t *testing.T) {
	scores, right := goldenScores(), measure.Answer{Judged: true, Correct: true}
	for _, answers := range scores {
		answers[fact.Hash{9, 6}] = right // no variance
	}
	scores[fact.Hash{20}] = map[fact.Hash]measure.Answer{{9, 1}: right, {9, 2}: right, {9, 3}: right, {9, 4}: right}                // 4 of 6
	scores[fact.Hash{21}] = map[fact.Hash]measure.Answer{{9, 1}: right, {9, 2}: right, {9, 3}: right, {9, 4}: right, {9, 6}: right} // 5 of 6: missing is 0
	m := scores.Matrix()
	if len(m.Learners) != 9 || len(m.Items) != 5 {
		t.Fatalf("%d learners, %d items", len(m.Learners), len(m.Items))
	}
	if _, ok := m.Item(fact.Hash{9, 6}); ok {
		t.Error("an item without variance is in the matrix")
	}
	if i, ok := m.Item(fact.Hash{9, 5}); !ok || m.Scores[8][i] != 0 {
		t.Error("a missing answer is not 0")
	}
	empty := measure.Scores{}.Matrix()
	if empty.Enough() || !math.IsNaN(empty.Alpha()) {
		t.Error("figures of nobody")
	}
}

// TestTiesGoByTime: who is among the best and the weakest does not depend on a store's hashes.
func TestTiesGoByTime(t *testing.T) {
	late, soon := fact.Hash{1}, fact.Hash{2}
	scores := measure.Scores{}
	for learner, at := range map[fact.Hash]int64{late: 100, soon: 1} {
		scores.Add(learner, course, measure.AnswersOf(measure.Of([]fact.Fact{
			response(at, 1, map[bool]fact.Tri{true: fact.Yes, false: fact.No}[learner == soon]), response(at+1, 2, map[bool]fact.Tri{true: fact.Yes, false: fact.No}[learner == late]),
		})))
	}
	if m := scores.Matrix(); m.Learners[0] != soon || m.Learners[1] != late {
		t.Errorf("learners in the order %v", m.Learners)
	}
}

func TestItemFlags(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		k, n int64
		r    float64
		want []measure.ItemFlag
	}{
		{29, 100, nan, []measure.ItemFlag{measure.Hard}}, {30, 100, nan, nil}, {90, 100, nan, nil}, {91, 100, nan, []measure.ItemFlag{measure.Easy}},
		{50, 100, -.01, []measure.ItemFlag{measure.CheckKey}}, {50, 100, 0, []measure.ItemFlag{measure.Weak}}, {50, 100, .2, nil}, {0, 0, nan, nil},
	}
	for _, test := range tests {
		if got := measure.ItemFlags(measure.Rate{K: test.k, N: test.n}, test.r); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestResponses(t *testing.T) {
	tests := []struct {
		name, kind, response string
		options              []string
		whole                string
	}{
		{"one option", "choice", "a", []string{"a"}, "a"},
		{"several, in any order, once each", "choice", "b[,]a[,]b", []string{"b", "a"}, "a[,]b"},
		{"true or false", "true-false", "true", []string{"true"}, "true"},
		{"sequencing is one response", "sequencing", "b[,]a", []string{"b[,]a"}, "b[,]a"},
		{"matching", "matching", "a[.]1[,]b[.]2", []string{"a[.]1[,]b[.]2"}, "a[.]1[,]b[.]2"},
		{"order matters is no part of it", "choice", "{order_matters=false}{case_matters=true}a[,]b", []string{"a", "b"}, "a[,]b"},
		{"fill-in folds", "fill-in", " Bob's Your Uncle ", []string{"bob's your uncle"}, "bob's your uncle"},
		{"unless case matters", "fill-in", "{case_matters=true} Bob", []string{"Bob"}, "Bob"},
		{"languages of parts", "fill-in", "{lang=en}Yes[,]{lang=fr}Oui", []string{"yes[,]oui"}, "yes[,]oui"},
		{"braces that mean nothing", "choice", "{a}[,]{lang", []string{"{a}", "{lang"}, "{a}[,]{lang"},
		{"no type known", "", "a[,]b", []string{"a", "b"}, "a[,]b"},
		{"nothing", "choice", "", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := measure.Interaction{Type: test.kind}
			if got := i.Options(test.response); !slices.Equal(got, test.options) {
				t.Errorf("options %q, want %q", got, test.options)
			}
			if got := i.Whole(test.response); got != test.whole {
				t.Errorf("whole %q, want %q", got, test.whole)
			}
		})
	}
	caseMatters := measure.Interaction{Type: "fill-in", Correct: []string{"{case_matters=true}Bob"}}
	if got := caseMatters.Whole("Bob"); got != "Bob" {
		t.Errorf("the definition says that case matters: %q", got)
	}
}

func TestKeys(t *testing.T) {
	tests := []struct {
		kind, pattern, option string
		want                  bool
	}{
		{"choice", "a[,]b", "a", true}, {"choice", "a[,]b", "c", false}, {"choice", "a[,]b", "a[,]b", true},
		{"numeric", "4[:]6", "5", true}, {"numeric", "4[:]", "3.9", false}, {"numeric", "[:]6", "-1e9", true}, {"numeric", "4", "4.0", true}, {"numeric", "4[:]6", "five", false},
		{"fill-in", "{case_matters=false}Bob", "bob", true}, {"true-false", "true", "true", true},
	}
	for _, test := range tests {
		if got := (measure.Interaction{Type: test.kind, Correct: []string{test.pattern}}).IsKey(test.option); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestDistractors(t *testing.T) {
	i := measure.Interaction{Type: "choice", Correct: []string{"a[,]b"}}
	responses := map[fact.Hash]string{}
	for l, r := range []string{"c", "a[,]b", "b[,]a", "c", "a", "c", "a[,]b", "d"} {
		responses[fact.Hash{byte(l + 1)}] = r
	}
	m := goldenScores().Matrix() // without item 1, by rest score and key: learners 5 6 7 8 4 2 3 1
	got := i.Distractors(responses, []string{"a", "b", "c", "d", "e"}, m, 0)
	third := func(k int64) measure.Rate { return measure.Rate{K: k, N: 3} }
	want := []measure.Distractor{
		{Option: "a", Key: true, Responses: 4, Top: third(2), Bottom: third(2)},
		{Option: "b", Key: true, Responses: 3, Top: third(2), Bottom: third(1)},
		{Option: "c", Responses: 3, Top: third(1), Bottom: third(1)},
		{Option: "d", Responses: 1, Top: third(0), Bottom: third(0)},
		{Option: "e", Top: third(0), Bottom: third(0)},
		{Option: "a[,]b", Set: true, Key: true, Responses: 3, Top: third(2), Bottom: third(1)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if flags := got[4].Flags(8); !slices.Equal(flags, []measure.ItemFlag{measure.Unused}) {
		t.Errorf("flags %v", flags)
	}
	attracts := measure.Distractor{Responses: 4, Top: third(2), Bottom: third(1)}
	if flags := attracts.Flags(8); !slices.Equal(flags, []measure.ItemFlag{measure.Attracts}) {
		t.Errorf("flags %v", flags)
	}
	if none := i.Distractors(nil, nil, nil, 0); len(none) != 0 {
		t.Errorf("options of nothing: %v", none)
	}
}

// TestItemLaws: shares add up, and no figure leaves its range.
func TestItemLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := measure.Scores{}
		items := rapid.IntRange(1, 6).Draw(t, "items")
		for l := range rapid.IntRange(1, 12).Draw(t, "learners") {
			for i := range items {
				if answered := rapid.IntRange(0, 9).Draw(t, "answered"); answered > 0 {
					if scores[fact.Hash{byte(l)}] == nil {
						scores[fact.Hash{byte(l)}] = map[fact.Hash]measure.Answer{}
					}
					scores[fact.Hash{byte(l)}][fact.Hash{byte(i)}] = measure.Answer{Judged: true, Correct: rapid.Bool().Draw(t, "correct")}
				}
			}
		}
		m := scores.Matrix()
		for i := range m.Items {
			if r := m.Discrimination(i); r < -1 || r > 1 {
				t.Errorf("r = %v", r)
			}
			if d := m.UpperLower(i); d < -1 || d > 1 {
				t.Errorf("D = %v", d)
			}
		}
		if a := m.Alpha(); a > 1 {
			t.Errorf("alpha = %v", a)
		}
	})
}

// FuzzOptions: a response is read without harm, and reading what was read changes nothing.
func FuzzOptions(f *testing.F) {
	f.Add("choice", "{order_matters=false}a[,]{lang=en}b")
	f.Add("fill-in", "{case_matters=true}{lang=de}Ä")
	f.Fuzz(func(t *testing.T, kind, response string) {
		i := measure.Interaction{Type: kind, Correct: []string{response}}
		options := i.Options(response)
		for _, o := range options {
			if slices.Index(options, o) != slices.IndexFunc(options, func(x string) bool { return x == o }) {
				t.Errorf("option %q twice", o)
			}
		}
		i.IsKey(i.Whole(response))
	})
}
