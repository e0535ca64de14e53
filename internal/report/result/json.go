package result

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
)

// figure is a cell that is not a label, as JSON. Exactly one of Value, Count without a Value, Suppressed and Missing says what
// the figure is.
type figure struct {
	Value      *float64 `json:"value,omitzero"`
	Count      *int64   `json:"count,omitzero"`
	Of         *int64   `json:"of,omitzero"`
	N          *int64   `json:"n,omitzero"`
	Low        *float64 `json:"low,omitzero"`
	High       *float64 `json:"high,omitzero"`
	Suppressed string   `json:"suppressed,omitzero"` // "<5", "withheld", "banded"
	Band       string   `json:"band,omitzero"`
	Missing    string   `json:"missing,omitzero"` // "not tracked", "not enough data"
}

// Words of figures that are not numbers.
const (
	WithheldWord  = "withheld"
	BandedWord    = "banded"
	UntrackedWord = "not tracked"
	NotEnoughWord = "not enough data"
)

// JSON writes a cell of the column: a string for a label or text, else an object.
func (c Cell) JSON(of Column) (jsontext.Value, error) {
	if of.Kind == Label || of.Kind == Text {
		return marshal(c.Text)
	}
	f := figure{}
	switch c.State {
	case Small:
		f.Suppressed = c.Text
	case Withheld:
		f.Suppressed = WithheldWord
	case Banded:
		f.Suppressed, f.Band = BandedWord, c.Text
	case Untracked:
		f.Missing = UntrackedWord
	case NotEnough:
		f.Missing = NotEnoughWord
	case Few:
		f.Count, f.Of = &c.Count, &c.Of
	case Shown:
		f.Value = &c.Value
		if of.Kind == Rate {
			f.Count, f.Of = &c.Count, &c.Of
		} else if c.Of > 0 {
			f.N = &c.Of
		}
		if c.Interval {
			f.Low, f.High = &c.Low, &c.High
		}
	}
	return marshal(f)
}

func marshal(v any) (jsontext.Value, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write cell: %w", err)
	}
	return text, nil
}
