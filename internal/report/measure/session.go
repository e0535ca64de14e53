package measure

import "slices"

// gap is how long a learner may be silent within a session (M10).
const gap = 30 * 60 * second

// Session is a stretch of one learner's work.
type Session struct {
	Start, End int64 // of its first and last event
	Events     int
}

// Sessions are M10, in order of their start: two events that follow each other within 30 minutes are in one session, and so are all
// events with one session id, and whatever these two rules connect.
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
	if first, last := facts[0].T, facts[len(facts)-1].T; last-first <= gap {
		return []Session{{first, last, len(facts)}}, of
	}
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
	in := make([]bool, len(facts))
	var ids []uint64 // sorted
	newID := false
	join := func(i int) { // the stretch without a gap around a fact
		from, to := i, i+1
		for from > 0 && facts[from].T-facts[from-1].T <= gap {
			from--
		}
		for to < len(facts) && facts[to].T-facts[to-1].T <= gap {
			to++
		}
		for k := from; k < to; k++ {
			in[k] = true
			if at, known := slices.BinarySearch(ids, facts[k].Session); !known && facts[k].Session != 0 {
				ids = slices.Insert(ids, at, facts[k].Session)
				newID = true
			}
		}
	}
	for _, f := range some {
		if i, there := slices.BinarySearchFunc(facts, f, compareFacts); there && !in[i] {
			join(i)
		}
	}
	for newID {
		newID = false
		for i, f := range facts {
			if in[i] || f.Session == 0 {
				continue
			}
			if _, known := slices.BinarySearch(ids, f.Session); known {
				join(i)
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

// SessionsIn are how many sessions begin in a period, and the time in them in milliseconds. All facts are needed: what is said in the period may
// belong to a session that began before.
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

// sessionTimes is the time in each session: M29 (d) over all events given, each session at most 4 hours: of a scope, where M29 is of an attempt.
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
