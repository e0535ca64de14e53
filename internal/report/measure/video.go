package measure

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Viewing is what one learner played of one video, before the video's length is known: the length is the latest that any
// learner's player told.
type Viewing struct {
	Content   fact.Hash
	Length    Length
	Threshold int64 // the latest completion-threshold, millionths; 1,000,000 unless one was sent
	Reported  bool  // holds a completed event
	Estimated bool  // M49: some of it is of a registration without played-segments

	lists [][]playedList // by registration, those that do not count first
}

// Length is the length of a video as a statement told it. Of two the later counts, whichever came first.
type Length struct {
	Milliseconds int64 // 0: none was told
	when
}

// Later is the length that counts of two.
func (l Length) Later(m Length) Length {
	if l.Milliseconds == 0 || m.Milliseconds > 0 && l.before(m.when) {
		return m
	}
	return l
}

// lengthOf is the length that a statement told.
func lengthOf(f *fact.Fact) Length {
	if f.Video == nil || f.Video.Length <= 0 {
		return Length{}
	}
	return Length{f.Video.Length, whenOf(f)}
}

// Lengths are those of videos as this learner's statements told them until a period ends, whether anything was played in it or
// not.
func Lengths(facts Facts, p Period) map[fact.Hash]Length {
	lengths := map[fact.Hash]Length{}
	for _, f := range facts {
		if l := lengthOf(f); l.Milliseconds > 0 && f.T < p.To {
			lengths[f.Content] = lengths[f.Content].Later(l)
		}
	}
	return lengths
}

// ViewingsIn are the learner's viewings in a period, of the videos about which something was sent in it. All facts are needed:
// players send again what was played before, and a list that goes on where one from before the period ended counts from there.
func ViewingsIn(facts Facts, p Period) []Viewing {
	var out []Viewing
	facts.eachContent(func(content fact.Hash, facts Facts) {
		sent := func(f *fact.Fact) bool { return f.Video != nil && p.Holds(f.T) }
		if slices.ContainsFunc(facts, sent) {
			out = append(out, newViewing(content, facts, p))
		}
	})
	return out
}

func newViewing(content fact.Hash, facts Facts, p Period) Viewing {
	v := Viewing{Content: content, Threshold: 1_000_000}
	for i, f := range facts {
		if f.T >= p.To {
			facts = facts[:i]
			break
		}
		v.Reported = v.Reported || f.Class.Has(fact.Completed) && p.Holds(f.T)
		if f.Video == nil {
			continue
		}
		v.Length = v.Length.Later(lengthOf(f))
		if f.Video.Threshold >= 0 {
			v.Threshold = f.Video.Threshold
		}
	}
	eachRegistration(facts, func(facts Facts) {
		lists, estimated := playedLists(facts)
		var all, earlier played
		for _, l := range lists {
			v.Estimated = v.Estimated || estimated && p.Holds(l.by.T)
			if all.add(l.segments, p.Holds(l.by.T)); !p.Holds(l.by.T) {
				earlier.add(l.segments, false)
			}
		}
		// What a base was, and what counts: enough to do the same again once the length is known.
		counting := slices.DeleteFunc(all.lists, func(l playedList) bool { return !l.counts })
		v.lists = append(v.lists, append(earlier.lists, counting...))
	})
	return v
}

// eachRegistration calls do for the facts of each registration, in order of their first fact.
func eachRegistration(facts Facts, do func(Facts)) {
	if facts.share(func(a, b *fact.Fact) bool { return a.Registration == b.Registration }) {
		if len(facts) > 0 {
			do(facts)
		}
		return
	}
	var order [][16]byte
	groups := map[[16]byte]Facts{}
	for _, f := range facts {
		if groups[f.Registration] == nil {
			order = append(order, f.Registration)
		}
		groups[f.Registration] = append(groups[f.Registration], f)
	}
	for _, r := range order {
		do(groups[r])
	}
}

// sentList is a list of played segments and the fact that told it, or the last that it was estimated by.
type sentList struct {
	segments
	by *fact.Fact
}

// playedLists are the lists of played segments of one registration, in order of their statements; without any, what M49
// estimates, a list that grows with each statement that ends playing.
func playedLists(facts Facts) (lists []sentList, estimated bool) {
	told := false
	for _, f := range facts {
		if f.Video != nil && f.Video.Segments != nil {
			told = true
			lists = append(lists, sentList{f.Video.Segments, f})
		}
	}
	if told {
		return lists, false
	}
	lists = estimate(facts)
	return lists, len(lists) > 0
}

// estimate is M49: within one session id, else in the attempt, each played with the next paused, terminated or completed, at its
// time, or seeked, at its time-from. Kept if 0 < end−start ≤ 1.1·speed·Δt + 2 s. A played that follows another takes its place.
func estimate(facts Facts) (lists []sentList) {
	type open struct{ at, t, speed int64 }
	var opens map[uint64]open // by session
	var out segments
	for _, f := range facts {
		v := f.Video
		if v != nil && v.Action == fact.Played {
			delete(opens, f.Session)
			if v.Time >= 0 {
				if opens == nil {
					opens = map[uint64]open{}
				}
				opens[f.Session] = open{v.Time, f.T, speedOf(v)}
			}
			continue
		}
		end, closes := endOf(f)
		o, ok := opens[f.Session]
		if !closes || !ok {
			continue
		}
		delete(opens, f.Session)
		played := end - o.at
		if end >= 0 && played > 0 && 10_000*played <= 11*o.speed*min(f.T-o.t, fact.MaxVideo)+10_000*2*second {
			out = append(out, fact.Segment{From: o.at, To: end})
			lists = append(lists, sentList{out[:len(out):len(out)], f})
		}
	}
	return lists
}

// speedOf is the speed in thousandths, 1,000 unless one was sent.
func speedOf(v *fact.Video) int64 {
	if v.Speed > 0 {
		return v.Speed
	}
	return 1000
}

// endOf is where playing ended, -1 when the statement that ends it does not say where.
func endOf(f *fact.Fact) (at int64, closes bool) {
	v := f.Video
	action := fact.NoAction
	if v != nil {
		action = v.Action
	}
	switch {
	case action == fact.Seeked:
		return v.From, true
	case action == fact.Paused, f.Class.Any(fact.Ended | fact.Completed):
		if v == nil {
			return -1, true
		}
		return v.Time, true
	}
	return 0, false
}

// Watch is what one learner watched of a video of a known length.
type Watch struct {
	Length            int64 // L in milliseconds; 0: no player told one
	WatchTime, Unique int64 // M41 and M42 in milliseconds of content
	Threshold         int64
	Reported          bool // M45 "reported"
	Estimated         bool

	watched, union segments
}

// Watch clips the viewing to the length of the video.
func (v *Viewing) Watch(length Length) Watch {
	w := Watch{Length: length.Milliseconds, Threshold: v.Threshold, Reported: v.Reported, Estimated: v.Estimated}
	for _, lists := range v.lists {
		var p played
		for _, list := range lists {
			p.add(list.clip(w.Length), list.counts)
		}
		w.watched = append(w.watched, p.counted()...)
	}
	w.union = w.watched.union()
	w.WatchTime, w.Unique = w.watched.total(), w.union.total()
	return w
}

// WatchTimes says of each fact, by its index, how many milliseconds it adds to M41: what the lists of its registration come to
// with it, less what they came to before. So watch time can be counted by day, or by whatever else statements differ in, and adds
// up to M41. Lengths are those that this learner's players told.
func WatchTimes(facts Facts) []int64 {
	times, _ := watchTimes(facts)
	return times
}

// watchTimes also says by which facts watch time was estimated (M49); nil when by none.
func watchTimes(facts Facts) (times []int64, estimated map[*fact.Fact]bool) {
	times = make([]int64, len(facts))
	facts.eachContent(func(_ fact.Hash, about Facts) {
		var length Length
		for _, f := range about {
			length = length.Later(lengthOf(f))
		}
		eachRegistration(about, func(about Facts) {
			lists, estimates := playedLists(about)
			var p played
			at := 0
			for _, l := range lists { // in the order of the facts
				for facts[at] != l.by {
					at++
				}
				times[at] += p.add(l.clip(length.Milliseconds), true)
				if estimates {
					if estimated == nil {
						estimated = map[*fact.Fact]bool{}
					}
					estimated[l.by] = true
				}
			}
		})
	})
	return times, estimated
}

// Coverage is M43 = M42/L as a rate of milliseconds; Value is NaN when no length is known.
func (w *Watch) Coverage() Rate { return Rate{w.Unique, w.Length} }

// Completed is M45 "measured": M43 ≥ the completion-threshold.
func (w *Watch) Completed() bool { return w.covers(w.Threshold) }

// InFull is M46: M43 ≥ 0.95.
func (w *Watch) InFull() bool { return w.covers(950_000) }

// covers compares without dividing: both sides stay far below 2⁶³.
func (w *Watch) covers(millionths int64) bool {
	return w.Length > 0 && w.Unique*1_000_000 >= millionths*w.Length
}
