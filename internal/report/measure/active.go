package measure

import (
	"slices"
	"sort"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

const (
	idle       = 5 * 60 * second      // at most this much of a gap between two events counts (M29 d)
	sessionCap = 4 * 60 * 60 * second // at most this much of one session counts (M29)
)

// Source says how an active time was measured (M29).
type Source uint8

// The sources, in the order in which they are tried.
const (
	NoSource   Source = iota
	FromEnded         // (a) durations of the statements that end sessions
	FromVideo         // (b) watch time, M41
	FromLeaves        // (c) durations of statements about what has nothing under it
	FromGaps          // (d) gaps between events
)

// Active is an active time.
type Active struct {
	Milliseconds int64
	Source       Source
	Capped       bool // a session was longer than 4 hours and counts as that
	Estimated    bool // from M49
}

// AttemptsAt are the learner's attempts at one activity, each with the facts of everything under the activity: those with its
// registration; without a registration those from the attempt's first event to the next attempt's.
func AttemptsAt(facts Facts, content fact.Hash) []Attempt {
	attempts := Attempts(facts.About(content))
	if len(attempts) == 0 {
		return nil
	}
	var byRegistration map[[16]byte][]*Attempt
	for _, f := range facts {
		if f.Content == content || !f.Under(content) {
			continue
		}
		if byRegistration == nil {
			byRegistration = map[[16]byte][]*Attempt{}
			for i := range attempts {
				a := &attempts[i]
				byRegistration[a.Registration] = append(byRegistration[a.Registration], a)
			}
		}
		of := byRegistration[f.Registration]
		// The last attempt that had begun when the fact happened, or the first, if none had.
		after := sort.Search(len(of), func(i int) bool { return f.Before(of[i].Facts[0]) })
		if len(of) > 0 {
			a := of[max(0, after-1)]
			a.Below = append(a.Below, f)
		}
	}
	return attempts
}

// ActiveTimes are M29 of a learner's attempts at one activity, given in order: the first of the four sources that applies to
// each.
func ActiveTimes(attempts []Attempt) []Active {
	out := make([]Active, len(attempts))
	videos := activeFromVideo(attempts)
	for i := range attempts {
		a := &attempts[i]
		facts := a.inside()
		for _, source := range []func(Facts) Active{
			activeFromEnded,
			func(Facts) Active { return videos[i] },
			activeFromLeaves,
			activeFromGaps,
		} {
			if out[i] = source(facts); out[i].Source != NoSource {
				break
			}
		}
	}
	return out
}

// inside is the attempt's facts and those under it, in order.
func (a *Attempt) inside() Facts {
	if len(a.Below) == 0 {
		return a.Facts
	}
	facts := slices.Concat(a.Facts, a.Below)
	slices.SortFunc(facts, compareFacts)
	return facts
}

// activeFromEnded is M29 (a): Σ durations of ended statements, the longest of each session: cmi5 puts the duration into passed
// and completed too, so that all of them together would count the same time up to three times. Without a session id the
// statements of one moment are one session.
func activeFromEnded(facts Facts) Active {
	type key struct {
		session uint64
		t       int64 // of a statement without a session id
	}
	var longest map[key]int64
	for _, f := range facts {
		if !f.Class.Has(fact.Ended) || f.Duration < 0 {
			continue
		}
		if longest == nil {
			longest = map[key]int64{}
		}
		k := key{session: f.Session}
		if f.Session == 0 {
			k.t = f.T
		}
		longest[k] = max(longest[k], f.Duration)
	}
	return sumCapped(longest, FromEnded)
}

// activeFromLeaves is M29 (c): Σ durations of statements whose object has no child among the facts, one per object and moment.
func activeFromLeaves(facts Facts) Active {
	type key struct {
		content fact.Hash
		t       int64
	}
	parents := map[fact.Hash]bool{}
	for _, f := range facts {
		parents[f.Parent] = true
	}
	longest := map[key]int64{}
	for _, f := range facts {
		if f.Duration >= 0 && !parents[f.Content] {
			k := key{f.Content, f.T}
			longest[k] = max(longest[k], f.Duration)
		}
	}
	return sumCapped(longest, FromLeaves)
}

// sumCapped adds up durations, each at most 4 hours.
func sumCapped[K comparable](durations map[K]int64, source Source) Active {
	if len(durations) == 0 {
		return Active{}
	}
	a := Active{Source: source}
	for _, ms := range durations {
		a.add(ms)
	}
	return a
}

func (a *Active) add(session int64) {
	if session > sessionCap {
		session, a.Capped = sessionCap, true
	}
	a.Milliseconds += session
}

// activeFromGaps is M29 (d): Σ over events that follow each other within 30 minutes of min(gap, 5 minutes).
func activeFromGaps(facts Facts) Active {
	a := Active{Source: FromGaps}
	for _, ms := range gapTimes(facts) {
		a.add(ms)
	}
	return a
}

// gapTimes is M29 (d) of each stretch of facts without a gap of more than 30 minutes, in order.
func gapTimes(facts Facts) []int64 {
	var out []int64
	for i, f := range facts {
		if i == 0 || f.T-facts[i-1].T > gap {
			out = append(out, 0)
		} else {
			out[len(out)-1] += min(f.T-facts[i-1].T, idle)
		}
	}
	return out
}

// activeFromVideo is M29 (b): what the attempts' own statements about a video add to M41. Lists of played segments are cumulative
// within a registration, or without one, so that an attempt has what its lists add to those of the attempts before it.
func activeFromVideo(attempts []Attempt) []Active {
	out := make([]Active, len(attempts))
	played := func(a *Attempt) bool {
		return a.Kind == fact.KindVideo && slices.ContainsFunc(a.Facts, func(f *fact.Fact) bool { return f.Video != nil })
	}
	videos := false
	for i := range attempts {
		videos = videos || played(&attempts[i])
	}
	if !videos {
		return out
	}
	var facts Facts
	of := map[*fact.Fact]int{}
	for i := range attempts {
		facts = append(facts, attempts[i].Facts...)
		for _, f := range attempts[i].Facts {
			of[f] = i
		}
	}
	slices.SortFunc(facts, compareFacts)
	times, estimated := watchTimes(facts)
	for i, f := range facts {
		a := &out[of[f]]
		if attempts[of[f]].Kind != fact.KindVideo || f.Video == nil || f.Video.Segments == nil && !estimated[f] {
			continue
		}
		a.Source = FromVideo
		a.Milliseconds += times[i]
		a.Estimated = a.Estimated || estimated[f]
	}
	return out
}
