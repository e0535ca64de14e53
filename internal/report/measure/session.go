package measure

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// gap is how long a learner may be silent within a session (M10).
const gap = 30 * 60 * second

// Session is a stretch of one learner's work.
type Session struct {
	Start, End int64 // of its first and last event
	Events     int
}

// Sessions are M10, in order of their start: two events that follow each other within 30 minutes are in one session, and so are
// all events with one session id, and whatever these two rules connect.
func Sessions(facts Facts) []Session {
	sessions, _ := sessionsOf(facts)
	return sessions
}

// sessionsOf also says for each fact in which session it is.
func sessionsOf(facts Facts) (sessions []Session, of []int) {
	if len(facts) == 0 {
		return nil, nil
	}
	of = make([]int, len(facts))
	runs := newUnion() // of stretches without a gap
	byID := map[uint64]int{}
	for i, f := range facts {
		if i == 0 || f.T-facts[i-1].T > gap {
			runs.add()
		}
		of[i] = len(runs.parent) - 1
		if f.Session == 0 {
			continue
		}
		if first, ok := byID[f.Session]; ok {
			runs.join(first, of[i])
		} else {
			byID[f.Session] = of[i]
		}
	}
	index := make([]int, len(runs.parent))
	for i := range index {
		index[i] = -1
	}
	for i, f := range facts {
		root := runs.find(of[i])
		if index[root] < 0 {
			index[root] = len(sessions)
			sessions = append(sessions, Session{Start: f.T})
		}
		of[i] = index[root]
		s := &sessions[of[i]]
		s.End = f.T
		s.Events++
	}
	return sessions, of
}

// connected are the facts of the sessions that some of them, which are in order too, belong to.
func connected(facts, some Facts) Facts {
	if from, to := stretch(facts, some[0]); !facts[to-1].Before(some[len(some)-1]) && apart(facts, from, to) {
		return facts[from:to]
	}
	in := make([]bool, len(facts))
	var ids []uint64 // sorted
	newID := false
	join := func(from, to int) {
		for i := from; i < to; i++ {
			in[i] = true
			if at, known := slices.BinarySearch(ids, facts[i].Session); !known && facts[i].Session != 0 {
				ids = slices.Insert(ids, at, facts[i].Session)
				newID = true
			}
		}
	}
	for _, f := range some {
		join(stretch(facts, f))
	}
	for newID {
		newID = false
		for i, f := range facts {
			if in[i] || f.Session == 0 {
				continue
			}
			if _, known := slices.BinarySearch(ids, f.Session); known {
				join(stretch(facts, f))
			}
		}
	}
	var out Facts
	for i, f := range facts {
		if in[i] {
			out = append(out, f)
		}
	}
	return out
}

// stretch is from where to where facts lie without a gap around one of them.
func stretch(facts Facts, f *fact.Fact) (from, to int) {
	from, _ = slices.BinarySearchFunc(facts, f, compareFacts)
	to = from + 1
	for from > 0 && facts[from].T-facts[from-1].T <= gap {
		from--
	}
	for to < len(facts) && facts[to].T-facts[to-1].T <= gap {
		to++
	}
	return from, to
}

// fewIDs is how many session ids are looked for one by one.
const fewIDs = 16

// apart reports that no session id of a stretch comes again elsewhere; false also where there are many to look for.
func apart(facts Facts, from, to int) bool {
	var room [fewIDs]uint64
	ids := room[:0]
	for _, f := range facts[from:to] {
		if f.Session == 0 || slices.Contains(ids, f.Session) {
			continue
		}
		if len(ids) == fewIDs {
			return false
		}
		ids = append(ids, f.Session)
	}
	elsewhere := func(f *fact.Fact) bool { return slices.Contains(ids, f.Session) }
	return len(ids) == 0 || !slices.ContainsFunc(facts[:from], elsewhere) && !slices.ContainsFunc(facts[to:], elsewhere)
}

// SessionsIn are how many sessions begin in a period, and the time in them in milliseconds. All facts are needed: what is said in
// the period may belong to a session that began before.
func SessionsIn(facts Facts, p Period) (n, milliseconds int64) {
	sessions, of := sessionsOf(facts)
	for i, time := range sessionTimes(facts, sessions, of) {
		if p.Holds(sessions[i].Start) {
			n++
			milliseconds += time
		}
	}
	return n, milliseconds
}

// sessionTimes is the time in each session: M29 (d) over all events given, each session at most 4 hours: of a scope, where M29 is
// of an attempt.
func sessionTimes(facts Facts, sessions []Session, of []int) []int64 {
	times := make([]int64, len(sessions))
	for i, f := range facts {
		if i > 0 && f.T-facts[i-1].T <= gap {
			times[of[i]] += min(f.T-facts[i-1].T, idle)
		}
	}
	for i := range times {
		times[i] = min(times[i], sessionCap)
	}
	return times
}

// union keeps sets of numbers that are joined one by one. The smallest number stands for its set.
type union struct{ parent []int }

func newUnion() *union { return &union{} }

func (u *union) add() { u.parent = append(u.parent, len(u.parent)) }

func (u *union) find(i int) int {
	for u.parent[i] != i {
		u.parent[i] = u.parent[u.parent[i]]
		i = u.parent[i]
	}
	return i
}

func (u *union) join(i, j int) {
	i, j = u.find(i), u.find(j)
	u.parent[max(i, j)] = min(i, j)
}

// sorted returns a sorted copy.
func sorted(values []int64) []int64 {
	values = slices.Clone(values)
	slices.Sort(values)
	return values
}
