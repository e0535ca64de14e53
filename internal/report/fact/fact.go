// Package fact says what a report needs to know of one statement. It is pure.
package fact

// Hash names something by the store's keyed hash of its identifier (Hasher), so that rows are small and hold no
// identifier: a learner, an activity, a verb, a group. The zero Hash is nothing.
type Hash [12]byte

// Fact is one live statement as reports see it. Its numbers are integers: sums are exact in any order.
type Fact struct {
	ID     uint64 // IDOf the statement's id
	T      int64  // event time (definition 0.3), milliseconds of Unix time
	Stored int64  // milliseconds of Unix time

	Verb      Hash
	Class     Class
	Kind      Kind   // what this statement says of its object (definition 0.8); KindOther when it says nothing
	Content   Hash   // the object, when it is an Activity
	Parent    Hash   // the first parent (definition 0.6)
	Groupings []Hash // at most MaxGroupings, distinct, neither Content nor Parent; all three are the fact's scopes

	Registration [16]byte // zero: none
	Session      uint64   // hash of the session id (definition M10); 0: none
	Group        Hash     // the identified group in context.team
	Platform     string   // at most MaxText bytes (see Shorten)
	Language     string   // at most MaxText bytes

	Success    Tri // result.success
	Completion Tri // result.completion
	HasScore   bool
	Score      int64  // millionths of the scaled score, at most MaxScore either way
	Duration   int64  // milliseconds, at most MaxDuration; -1: none
	Progress   int32  // millionths, 0 to 1,000,000; -1: none
	Response   string // at most MaxResponse bytes (see Shorten)
	Video      *Video // nil: nothing of the Video Profile
	Flags      Flags
}

// Limits of what a fact keeps. What goes beyond is flagged.
const (
	MaxGroupings = 7
	MaxText      = 64
	MaxResponse  = 1000
	MaxSegments  = 1000
	MaxDuration  = 366 * 24 * 3_600_000 // milliseconds; measures count at most 4 hours of a session anyway
	MaxScore     = 1000 * 1_000_000     // millionths; a scaled score lies within ±1, one derived from raw and max may not
	MaxVideo     = 31 * 24 * 3_600_000  // milliseconds: lengths of and places in a video
)

// Before orders facts as all measures read them: by event time, then by when they were stored, then by id.
func (f *Fact) Before(g *Fact) bool {
	switch {
	case f.T != g.T:
		return f.T < g.T
	case f.Stored != g.Stored:
		return f.Stored < g.Stored
	}
	return f.ID < g.ID
}

// Under reports whether the fact lies in the scope of an activity: the object itself, its parent or one of its groupings.
// Every fact is under the zero scope, which is the store.
func (f *Fact) Under(scope Hash) bool {
	if scope == f.Content || scope == f.Parent || scope == (Hash{}) {
		return true
	}
	for i := range f.Groupings {
		if f.Groupings[i] == scope {
			return true
		}
	}
	return false
}

// Tri is a boolean that may be absent.
type Tri uint8

// The values of a Tri.
const (
	Unsaid Tri = iota
	No
	Yes
)

// Class is a set of event classes (definitions, section 1).
type Class uint16

// The classes. The numbers are stored.
const (
	Launched Class = 1 << iota
	Started
	Progressed
	Answered
	Completed
	Passed
	Failed
	Waived
	Satisfied
	Abandoned
	Ended
)

// Has reports whether c has every class of d.
func (c Class) Has(d Class) bool { return c&d == d }

// Any reports whether c has one of the classes of d.
func (c Class) Any(d Class) bool { return c&d != 0 }

// Kind is what sort of thing an activity is (definition 0.8).
type Kind uint8

// The kinds. The numbers are stored.
const (
	KindOther Kind = iota
	KindCourse
	KindModule
	KindVideo
	KindAudio
	KindQuestion
	KindAssessment
	KindDocument
	KindSimulation
	KindLive
	KindDiscussion
)

// Flags mark a fact for the data quality report.
type Flags uint16

// The flags. The numbers are stored.
const (
	ClockSkew     Flags = 1 << iota // timestamp was more than 10 minutes after stored
	Inconsistent                    // verb and result contradict each other: the statement has no class
	ScoreDerived                    // from raw and max only
	DurationLong                    // years or months were converted
	DurationCut                     // more than MaxDuration
	GroupingsCut                    // more than MaxGroupings
	TextCut                         // response, platform or language was shortened
	SegmentsCut                     // more than MaxSegments played segments
	NumberLeftOut                   // a score, progress or place in a video was no number or out of its range
	LongAgo                         // the event is older than the year 2000
	Survey                          // no fault: an item on a scale of agreement, whose result judges nothing (definitions, 5)
)

// Video holds the fields of the Video Profile, in milliseconds; -1: absent.
type Video struct {
	Action                 Action
	Length, Time, From, To int64
	Threshold              int64     // completion-threshold in millionths; -1: absent
	Speed                  int64     // thousandths; -1: absent
	Segments               []Segment // played-segments in the order sent, those with From < To, before clipping; nil: absent
}

// Action is a verb of the Video Profile that definition M49 pairs.
type Action uint8

// The actions. The numbers are stored.
const (
	NoAction Action = iota
	Played
	Paused
	Seeked
)

// Segment is one played segment, in milliseconds, 0 ≤ From < To.
type Segment struct{ From, To int64 }
