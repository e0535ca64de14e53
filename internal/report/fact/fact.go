// Package fact says what a report needs to know of one statement. It is pure.
package fact

// Hash names something by the store's keyed hash of its identifier (auth.Store.Term), so that rows are small and hold no
// identifier: a learner, an activity, a verb, a group. The zero Hash is nothing.
type Hash [12]byte

// Fact is one live statement as reports see it. Its numbers are integers: sums are exact in any order.
type Fact struct {
	ID     uint64 // the first 8 bytes of SHA-256 of the statement's id in lower case
	T      int64  // event time (definition 0.3), milliseconds of Unix time
	Stored int64  // milliseconds of Unix time

	Verb      Hash
	Class     Class
	Kind      Kind   // what this statement says of its object (definition 0.8); KindOther when it says nothing
	Content   Hash   // the object, when it is an Activity
	Parent    Hash   // the first parent (definition 0.6)
	Groupings []Hash // at most MaxGroupings; with Content and Parent the scopes that the fact is under

	Registration [16]byte // zero: none
	Session      uint64   // hash of the session id (definition M10); 0: none
	Group        Hash     // the identified group in context.team
	Platform     string   // cut at MaxText bytes
	Language     string   // cut at MaxText bytes

	Success    Tri // result.success
	Completion Tri // result.completion
	HasScore   bool
	Score      int64  // millionths of the scaled score
	Duration   int64  // milliseconds; -1: none
	Progress   int32  // 0 to 100; -1: none
	Response   string // cut at MaxResponse bytes
	Video      *Video // nil: no field of the Video Profile
	Flags      Flags
}

// Limits of what a fact keeps.
const (
	MaxGroupings = 7
	MaxText      = 64
	MaxResponse  = 250
)

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

// The classes.
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
	VideoPlayed // of the Video Profile, for M49
	VideoPaused
	VideoSeeked
)

// Has reports whether c has every class of d.
func (c Class) Has(d Class) bool { return c&d == d }

// Kind is what sort of thing an activity is (definition 0.8).
type Kind uint8

// The kinds.
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
type Flags uint8

// The flags.
const (
	ClockSkew    Flags = 1 << iota // timestamp was more than 10 minutes after stored
	Inconsistent                   // verb completed with completion false, and the like
	ScoreDerived                   // from raw and max only
	DurationLong                   // years or months were converted
	GroupingsCut                   // more than MaxGroupings
	ResponseCut
)

// Video holds the fields of the Video Profile, in milliseconds; -1: absent.
type Video struct {
	Length, Time, From, To int64
	Threshold              int64     // completion-threshold in millionths; -1: absent
	Speed                  int64     // thousandths; -1: absent
	Segments               []Segment // played-segments as sent, in order, before clipping; nil: absent
}

// Segment is one played segment, in milliseconds. To is -1 when it was left open.
type Segment struct{ From, To int64 }
