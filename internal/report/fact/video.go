package fact

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"strings"
)

// video sets the fields of the Video Profile (definitions, section 4), unless there is none.
func (r *reader) video() {
	s := r.statement
	v := Video{Action: actionOf(s.Verb.ID), Length: -1, Time: -1, From: -1, To: -1, Threshold: -1, Speed: -1}
	lengths := []jsontext.Value{nil, nil, s.Object.Definition.Extensions.Length}
	if c := s.Context; c != nil {
		lengths[0] = c.Extensions.Length
		v.Threshold = r.positive(c.Extensions.Threshold, 1_000_000, 1_000_000)
		v.Speed = r.positive(withoutTimes(c.Extensions.Speed), 1000, 1_000_000)
	}
	if s.Result != nil {
		e := &s.Result.Extensions
		lengths[1] = e.Length
		v.Time = r.positive(e.Time, 1000, MaxVideo)
		v.From = r.positive(e.TimeFrom, 1000, MaxVideo)
		v.To = r.positive(e.TimeTo, 1000, MaxVideo)
		v.Segments = r.segments(e.Segments)
	}
	for _, length := range lengths {
		if n := r.positive(length, 1000, MaxVideo); n > 0 && v.Length < 0 {
			v.Length = n
		}
	}
	if v.Action == NoAction && v.Segments == nil && v.Length < 0 && v.Time < 0 && v.From < 0 && v.To < 0 && v.Threshold < 0 && v.Speed < 0 {
		return
	}
	r.out.Fact.Video = &v
}

// positive reads a number of 0 or more in units; -1 when it is absent or, flagged, of no use.
func (r *reader) positive(value jsontext.Value, unit float64, limit int64) int64 {
	if value == nil {
		return -1
	}
	n, ok := scaled(value, unit, limit)
	if !ok || n < 0 {
		r.flag(NumberLeftOut)
		return -1
	}
	return n
}

// withoutTimes takes the x from a speed such as "1.5x".
func withoutTimes(speed jsontext.Value) jsontext.Value {
	if text, ok := strings.CutSuffix(string(speed), `x"`); ok {
		return jsontext.Value(text + `"`)
	}
	return speed
}

// segments reads played-segments, a text.
func (r *reader) segments(value jsontext.Value) []Segment {
	if value == nil {
		return nil
	}
	var text string
	if json.Unmarshal(value, &text, lenient) != nil {
		r.flag(NumberLeftOut)
		return nil
	}
	segments, cut := ParseSegments(text)
	if cut {
		r.flag(SegmentsCut)
	}
	return segments
}

// ParseSegments reads played-segments, "from[.]to[,]from[.]to" in seconds (definition M40): parts that are no numbers or do not
// rise, and what lies beyond MaxVideo, are left out. The list is never nil: it was sent. cut says that there were more than
// MaxSegments.
func ParseSegments(text string) (segments []Segment, cut bool) {
	segments = make([]Segment, 0, min(MaxSegments, strings.Count(text, "[,]")+1))
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, "[,]")
		s, ok := parseSegment(part)
		if !ok {
			continue
		}
		if len(segments) == MaxSegments {
			return segments, true
		}
		segments = append(segments, s)
	}
	return segments, false
}

func parseSegment(part string) (Segment, bool) {
	from, to, ok := strings.Cut(part, "[.]")
	if !ok {
		return Segment{}, false
	}
	a, okFrom := milliseconds(from)
	b, okTo := milliseconds(to)
	if !okFrom || !okTo {
		return Segment{}, false
	}
	s := Segment{max(a, 0), b}
	return s, s.From < s.To
}

func milliseconds(seconds string) (int64, bool) {
	f, ok := decimal(strings.TrimSpace(seconds))
	if !ok {
		return 0, false
	}
	return rounded(f*1000, MaxVideo)
}
