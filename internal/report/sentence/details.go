package sentence

import (
	"encoding/json/jsontext"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

type result struct {
	Score      *score                    `json:"score"`
	Success    *bool                     `json:"success"`
	Response   string                    `json:"response"`
	Duration   string                    `json:"duration"`
	Extensions map[string]jsontext.Value `json:"extensions"`
}

type score struct {
	Scaled *float64 `json:"scaled"`
	Raw    *float64 `json:"raw"`
	Max    *float64 `json:"max"`
}

type context struct {
	Extensions map[string]jsontext.Value `json:"extensions"`
}

const video = "https://w3id.org/xapi/video/extensions/"

// details say the result: success, response, score, duration and progress, as far as they are there.
func (o Options) details(e event) []string {
	var all []string
	answered := e.Verb.ID == "http://adlnet.gov/expapi/verbs/answered"
	if s := e.Result.Success; s != nil {
		switch {
		case *s && answered:
			all = append(all, "correct")
		case answered:
			all = append(all, "incorrect")
		case *s && e.Verb.ID != "http://adlnet.gov/expapi/verbs/passed":
			all = append(all, "passed")
		case !*s && e.Verb.ID != "http://adlnet.gov/expapi/verbs/failed":
			all = append(all, "not passed")
		}
	}
	if r := o.response(e); r != "" {
		all = append(all, "response "+isolate(r))
	}
	if text := e.Result.Score.text(); text != "" {
		all = append(all, text)
	}
	if d, ok := parseDuration(e.Result.Duration); ok {
		all = append(all, Span(d))
	}
	if p, ok := number(e.Result.Extensions["https://w3id.org/xapi/cmi5/result/extensions/progress"]); ok && p >= 0 && p <= 100 {
		all = append(all, fmt.Sprintf("progress %.0f %%", p))
	} else if p, ok := number(e.Result.Extensions[video+"progress"]); ok && p >= 0 && p <= 1 {
		all = append(all, fmt.Sprintf("watched %.0f %%", math.Floor(p*100)))
	}
	return all
}

// response is the label of the choice that was taken, or what was answered. An answer in own words can tell who it was.
func (o Options) response(e event) string {
	if e.Result.Response == "" || o.Anonymous {
		return ""
	}
	choices := append(e.Object.Definition.Choices, o.canonical(e.Object.ID).Choices...)
	var labels []string
	for id := range strings.SplitSeq(e.Result.Response, "[,]") {
		label := id
		for _, c := range choices {
			if text := pick(c.Description); c.ID == id && text != "" {
				label = text
				break
			}
		}
		labels = append(labels, label)
	}
	return clean(strings.Join(labels, ", "))
}

func (s *score) text() string {
	switch {
	case s == nil:
		return ""
	case s.Scaled != nil:
		return fmt.Sprintf("%.0f %%", *s.Scaled*100)
	case s.Raw != nil && s.Max != nil:
		return fmt.Sprintf("%g of %g", *s.Raw, *s.Max)
	case s.Raw != nil:
		return fmt.Sprintf("%g points", *s.Raw)
	}
	return ""
}

// position says where in a video something happened.
func position(e event) (string, bool) {
	at, ok := number(e.Result.Extensions[video+"time"])
	if !ok || at < 0 || at > 1e6 {
		return "", false
	}
	text := "at " + clock(at)
	if length, ok := number(e.Context.Extensions[video+"length"]); ok && length > 0 && length < 1e6 {
		text += " of " + clock(length)
	}
	return text, true
}

func clock(seconds float64) string {
	s := int(seconds)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func number(v jsontext.Value) (float64, bool) {
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// parseDuration reads the part of ISO 8601 that content sends: hours, minutes and seconds; longer ones are not worth a word.
func parseDuration(text string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(text, "PT")
	if !ok || rest == "" {
		return 0, false
	}
	d, err := time.ParseDuration(strings.ToLower(strings.ReplaceAll(rest, ",", ".")))
	return d, err == nil && d > 0
}

// Span writes a time in its two largest units: "3 min 20 s".
func Span(d time.Duration) string {
	d = d.Round(time.Second)
	units := []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.of {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.of, u.name)
		if i+1 < len(units) {
			if rest := d % u.of / units[i+1].of; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "0 s"
}
