package xapi

import (
	"encoding/json/jsontext"
	"strconv"
)

// Result is the outcome, kept for the parts that rules need. Source: Data 2.4.5.
type Result struct {
	Duration string // ISO 8601, as received; "" when absent
}

func (d *decoder) result() (*Result, error) {
	r := new(Result)
	err := d.object(onResult, func(name string) error {
		var err error
		switch name {
		case "score":
			err = d.score()
		case "success", "completion":
			err = d.boolean(onResult)
		case "response":
			_, err = d.string(onResult)
		case "duration":
			r.Duration, err = d.format(onDurations, ValidDuration, `must be an ISO 8601 duration with designators, such as "PT4H35M59.14S"`)
		case "extensions":
			err = d.extensions()
		default:
			err = d.unknown(onResult)
		}
		return err
	})
	return r, err
}

// score checks the numbers of a score and their order. Source: Data 2.4.5.1.
func (d *decoder) score() error {
	var scaled, raw, low, high *float64
	err := d.object(onScore, func(name string) error {
		var err error
		switch name {
		case "scaled":
			scaled, err = d.number()
		case "raw":
			raw, err = d.number()
		case "min":
			low, err = d.number()
		case "max":
			high, err = d.number()
		default:
			err = d.unknown(onScore)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case scaled != nil && (*scaled < -1 || *scaled > 1):
		return d.faultAt("/scaled", onScore, "must lie between -1 and 1")
	case low != nil && high != nil && *low >= *high:
		return d.faultAt("/min", onScore, "must be less than max")
	case raw != nil && low != nil && *raw < *low:
		return d.faultAt("/raw", onScore, "must not be less than min")
	case raw != nil && high != nil && *raw > *high:
		return d.faultAt("/raw", onScore, "must not be greater than max")
	}
	return nil
}

// number reads a number for comparison only: its text is what is stored. One beyond
// the range of a float64 counts as infinite.
func (d *decoder) number() (*float64, error) {
	if err := d.want(jsontext.KindNumber, onScore); err != nil {
		return nil, err
	}
	raw, err := d.tokens.ReadValue()
	if err != nil {
		return nil, d.malformed(err)
	}
	f, _ := strconv.ParseFloat(string(raw), 64)
	return &f, nil
}
