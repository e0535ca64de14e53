package measure

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Answer is one response to an item.
type Answer struct {
	T        int64
	Response string
	Correct  bool
	Judged   bool  // false: the statement does not say whether it is correct
	Duration int64 // M69 in milliseconds; -1: not known
	By       *fact.Fact
}

// Answers are what one learner answered to one item, an activity of kind question.
type Answers struct {
	Item, Parent fact.Hash
	Earliest     Answer // the first response, judged or not: all that surveys show
	First        Answer // M60: the first judged response; Judged is false when there is none
	Judged       int    // judged responses
	FirstCorrect int    // which of them was the first correct one, from 1; 0: none
	WrongSince   int    // judged wrong after the last correct one (S1)
}

// AnswersOf are the learner's answers, in order of the first answer to each item. Of an item's parents the last that was stated
// counts.
func AnswersOf(facts Facts) []Answers {
	var at map[fact.Hash]int
	var out []Answers
	for i, f := range facts {
		if !f.Class.Has(fact.Answered) || f.Content == (fact.Hash{}) {
			continue
		}
		if at == nil {
			at = map[fact.Hash]int{}
		}
		k, ok := at[f.Content]
		if !ok {
			k = len(out)
			at[f.Content] = k
			out = append(out, Answers{Item: f.Content})
		}
		out[k].add(f, answerOf(facts, i), !ok)
	}
	return out
}

// AnswersIn are the answers to the items that the learner first answered in a period: whose first judged response lies in it, or,
// if none was judged, the first. What came after the period is not seen. All facts are needed: an item that was answered before
// belongs there.
func AnswersIn(facts Facts, p Period) []Answers {
	until := facts.Where(func(f *fact.Fact) bool { return f.T < p.To })
	return slices.DeleteFunc(AnswersOf(until), func(a Answers) bool {
		if a.First.Judged {
			return !p.Holds(a.First.T)
		}
		return !p.Holds(a.Earliest.T)
	})
}

func (a *Answers) add(f *fact.Fact, answer Answer, earliest bool) {
	if earliest {
		a.Earliest = answer
	}
	if f.Parent != (fact.Hash{}) {
		a.Parent = f.Parent
	}
	if !answer.Judged {
		return
	}
	if a.Judged++; a.Judged == 1 {
		a.First = answer
	}
	a.WrongSince++
	if answer.Correct {
		a.WrongSince = 0
		if a.FirstCorrect == 0 {
			a.FirstCorrect = a.Judged
		}
	}
}

func answerOf(facts Facts, i int) Answer {
	f := facts[i]
	correct, judged := judge(f)
	return Answer{T: f.T, Response: f.Response, Correct: correct, Judged: judged, Duration: timeOn(facts, i), By: f}
}

// judge says whether a response is correct: as success says, else as a scaled score of 1 does. Never by the
// correctResponsesPattern. Nothing judges a response to a survey: its score says what was chosen, not how well.
func judge(f *fact.Fact) (correct, judged bool) {
	switch {
	case f.Flags&fact.Survey != 0:
		return false, false
	case f.Success != fact.Unsaid:
		return f.Success == fact.Yes, true
	case f.HasScore:
		return f.Score >= 1_000_000, true
	}
	return false, false
}

// timeOn is M69 of one response: its duration, else the time since the learner's previous event, if that is at most 30 minutes.
func timeOn(facts Facts, i int) int64 {
	f := facts[i]
	if f.Duration >= 0 {
		return min(f.Duration, sessionCap)
	}
	if i > 0 && f.T-facts[i-1].T <= gap {
		return f.T - facts[i-1].T
	}
	return -1
}

// Item sums the answers of any number of learners to one item.
type Item struct {
	Responses   int64 // M60: learners with a judged response
	Correct     int64 // of them, with a correct first response
	EverCorrect int64
	ToSuccess   []int64 // per learner ever correct: which response was the first correct one
	Times       []int64 // M69 of first responses, milliseconds, where known
}

// Add counts one learner.
func (s *Item) Add(a *Answers) {
	if !a.First.Judged {
		return
	}
	s.Responses++
	s.Correct += one(a.First.Correct)
	if a.FirstCorrect > 0 {
		s.EverCorrect++
		s.ToSuccess = append(s.ToSuccess, int64(a.FirstCorrect))
	}
	if a.First.Duration >= 0 {
		s.Times = append(s.Times, a.First.Duration)
	}
}

// Difficulty is M61 p = correct first responses / first responses.
func (s *Item) Difficulty() Rate { return Rate{s.Correct, s.Responses} }

// AttemptsToSuccess is M63, the median of ToSuccess; NaN when nobody was ever correct.
func (s *Item) AttemptsToSuccess() float64 { return Quantile(sorted(s.ToSuccess), 0.5) }
