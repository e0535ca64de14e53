package fact

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"math"
	"strconv"
	"strings"
)

// scaled reads a number, or a text that is one, times unit and rounded half away from zero. ok is false when it is no number or
// exceeds limit either way.
func scaled(value jsontext.Value, unit float64, limit int64) (n int64, ok bool) {
	f, ok := number(value)
	if !ok {
		return 0, false
	}
	return rounded(f*unit, limit)
}

// rounded is f as an integer of at most limit either way. NaN and infinities are not ok.
func rounded(f float64, limit int64) (n int64, ok bool) {
	if !(math.Abs(f) <= float64(limit)) {
		return 0, false
	}
	return int64(math.Round(f)), true
}

// number reads a JSON number, or a text that is a decimal number; players send both.
func number(value jsontext.Value) (float64, bool) {
	text := string(value)
	if value.Kind() == jsontext.KindString {
		if len(value) > maxNumber || json.Unmarshal(value, &text) != nil {
			return 0, false
		}
	}
	return decimal(strings.TrimSpace(text))
}

// maxNumber bounds the characters of a number that comes as text.
const maxNumber = 64

// decimal reads a decimal number: no NaN, no infinity, no hexadecimal.
func decimal(text string) (float64, bool) {
	if strings.Trim(text, "0123456789+-.eE") != "" || strings.Contains(text, "_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

type score struct {
	Scaled jsontext.Value `json:"scaled"`
	Raw    jsontext.Value `json:"raw"`
	Min    jsontext.Value `json:"min"`
	Max    jsontext.Value `json:"max"`
}

// read gives the scaled score in millionths: as sent, else (raw−min)/(max−min), else raw/max, which is flagged (definitions,
// section 1).
func (s *score) read() (millionths int64, ok bool, flags Flags) {
	value, ok := number(s.Scaled)
	if s.Scaled == nil {
		if s.Raw == nil || s.Max == nil {
			return 0, false, 0
		}
		value, ok = s.share()
		if s.Min == nil {
			flags = ScoreDerived
		}
	}
	if ok {
		millionths, ok = rounded(value*1_000_000, MaxScore)
	}
	if !ok {
		return 0, false, NumberLeftOut
	}
	return millionths, true, flags
}

// share is where raw lies between min, or 0, and max. Halves keep the differences of the largest numbers finite.
func (s *score) share() (float64, bool) {
	raw, okRaw := number(s.Raw)
	high, okHigh := number(s.Max)
	low, okLow := 0.0, true
	if s.Min != nil {
		low, okLow = number(s.Min)
	}
	if !okRaw || !okHigh || !okLow || low >= high {
		return 0, false
	}
	if s.Min == nil {
		return raw / high, true
	}
	return (raw/2 - low/2) / (high/2 - low/2), true
}
