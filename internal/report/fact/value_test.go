package fact_test

import (
	"encoding/json/v2"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

const (
	w3adl  = "https://w3id.org/xapi/adl/verbs/"
	vid    = "https://w3id.org/xapi/video/"
	did    = "http://example.com/did"
	stream = "http://activitystrea.ms/schema/1.0/"
)

func typed(activityType string) string {
	return `{"id":"http://example.com/a","definition":{"type":"` + activityType + `"}}`
}

const question = "http://adlnet.gov/expapi/activities/cmi.interaction"

func TestClasses(t *testing.T) {
	tests := []struct {
		name, verb, object, result string
		want                       fact.Class
		inconsistent               bool
	}{
		{"launched is not started", adl + "launched", "", "", fact.Launched, false},
		{"initialized", adl + "initialized", "", "", fact.Started, false},
		{"attempted", adl + "attempted", "", "", fact.Started, false},
		{"played", vid + "verbs/played", "", "", fact.Started, false},
		{"start", stream + "start", "", "", fact.Started, false},
		{"play", stream + "play", "", "", fact.Started, false},
		{"progressed", adl + "progressed", "", "", fact.Progressed, false},
		{"answered", adl + "answered", typed(question), `{"success":true}`, fact.Answered, false},
		{"answered, of an object of no kind", adl + "answered", "", `{"success":false}`, fact.Answered, false},
		{"answered, of a video", adl + "answered", typed(vid + "activity-type/video"), `{"success":false}`, fact.Failed, false},
		{"evaluated", "https://w3id.org/xapi/acrossx/verbs/evaluated", typed(question), "", fact.Answered, false},
		{"a question that is experienced", did, typed(question), `{"success":true}`, 0, false},
		{"completed", adl + "completed", "", "", fact.Completed, false},
		{"completed, and so it says", adl + "completed", "", `{"completion":true,"success":true}`, fact.Completed | fact.Passed, false},
		{"completed, and not", adl + "completed", "", `{"completion":false,"success":true}`, 0, true},
		{"completed by result", did, "", `{"completion":true}`, fact.Completed, false},
		{"not completed by result", did, "", `{"completion":false}`, 0, false},
		{"complete is the end of a video", stream + "complete", typed(vid + "activity-type/video"), "", 0, false},
		{"passed", adl + "passed", "", `{"success":true}`, fact.Passed, false},
		{"passed, and not", adl + "passed", "", `{"success":false}`, 0, true},
		{"failed", adl + "failed", "", `{"success":false}`, fact.Failed, false},
		{"failed, and not", adl + "failed", "", `{"success":true}`, 0, true},
		{"passed by result", did, "", `{"success":true}`, fact.Passed, false},
		{"failed by result", did, "", `{"success":false}`, fact.Failed, false},
		{"waived", w3adl + "waived", "", `{"success":true,"completion":true}`, fact.Waived | fact.Completed | fact.Passed, false},
		{"satisfied", w3adl + "satisfied", "", "", fact.Satisfied, false},
		{"abandoned", w3adl + "abandoned", "", "", fact.Abandoned | fact.Ended, false},
		{"terminated", adl + "terminated", "", "", fact.Ended, false},
		{"exited", adl + "exited", "", "", fact.Ended, false},
		{"left", "http://id.tincanapi.com/verb/left", "", "", fact.Ended, false},
		{"close", stream + "close", "", "", fact.Ended, false},
		{"another verb", did, "", "", 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			members := ""
			if test.result != "" {
				members = `"result":` + test.result
			}
			f := read(t, with(test.verb, test.object, members)).Fact
			if f.Class != test.want || (f.Flags&fact.Inconsistent != 0) != test.inconsistent {
				t.Errorf("class %b, flags %b; want class %b, inconsistent %v", f.Class, f.Flags, test.want, test.inconsistent)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	const h5p = `"context":{"contextActivities":{"category":[{"id":"http://example.com/x"},{"id":"http://h5p.org/libraries/H5P.%s-1.16"}]}}`
	tests := []struct {
		name, verb, object, members string
		want                        fact.Kind
	}{
		{"nothing said", did, "", "", fact.KindOther},
		{"an unknown type", did, typed("http://example.com/type"), "", fact.KindOther},
		{"course", did, typed("http://adlnet.gov/expapi/activities/course"), "", fact.KindCourse},
		{"page", did, typed("https://w3id.org/xapi/acrossx/activities/page"), "", fact.KindModule},
		{"lesson", did, typed("http://adlnet.gov/expapi/activities/lesson"), "", fact.KindModule},
		{"video", did, typed(vid + "activity-type/video"), "", fact.KindVideo},
		{"video of Activity Streams", did, typed(stream + "video"), "", fact.KindVideo},
		{"assessment", did, typed("http://adlnet.gov/expapi/activities/assessment"), "", fact.KindAssessment},
		{"file", did, typed("http://adlnet.gov/expapi/activities/file"), "", fact.KindDocument},
		{"meeting", did, typed("http://adlnet.gov/expapi/activities/meeting"), "", fact.KindLive},
		{"simulation", did, typed("http://adlnet.gov/expapi/activities/simulation"), "", fact.KindSimulation},
		{"a type goes before a library", did, typed("http://adlnet.gov/expapi/activities/course"), fmt.Sprintf(h5p, "MultiChoice"), fact.KindCourse},
		{"a library", did, "", fmt.Sprintf(h5p, "MultiChoice"), fact.KindQuestion},
		{"an unknown library", did, "", fmt.Sprintf(h5p, "Unheard"), fact.KindOther},
		{"a library of videos", did, "", fmt.Sprintf(h5p, "InteractiveVideo"), fact.KindVideo},
		{"a verb of videos", vid + "verbs/seeked", "", "", fact.KindVideo},
		{"an answer", adl + "answered", "", "", fact.KindQuestion},
		{"an interaction of another type", did, `{"id":"http://example.com/a","definition":{"type":"http://example.com/t","interactionType":"choice"}}`, "", fact.KindQuestion},
		{"no Activity", adl + "answered", `{"objectType":"Agent","mbox":"mailto:bob@example.com"}`, "", fact.KindOther},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := read(t, with(test.verb, test.object, test.members)).Fact.Kind; got != test.want {
				t.Errorf("kind %d, want %d", got, test.want)
			}
		})
	}
}

func TestScalesOfAgreementAreSurveys(t *testing.T) {
	for interaction, want := range map[string]fact.Flags{"likert": fact.Survey, "choice": 0, "Likert": 0} {
		object := `{"id":"http://example.com/a","definition":{"interactionType":"` + interaction + `"}}`
		if f := read(t, with(adl+"answered", object, `"result":{"score":{"scaled":1}}`)).Fact; f.Flags != want || !f.HasScore {
			t.Errorf("%s: flags %b, want %b; has a score: %v", interaction, f.Flags, want, f.HasScore)
		}
	}
}

func TestObjectsThatAreNoActivityHaveNoContent(t *testing.T) {
	for _, object := range []string{
		`{"objectType":"Agent","mbox":"mailto:bob@example.com"}`,
		`{"objectType":"Group","member":[{"mbox":"mailto:bob@example.com"}]}`,
		`{"objectType":"StatementRef","id":"` + id + `"}`,
		`{"objectType":"SubStatement","actor":{"mbox":"mailto:bob@example.com"},"verb":{"id":"` + did + `"},"object":{"id":"http://example.com/b"}}`,
	} {
		f := read(t, with(did, object, `"context":{"contextActivities":{"parent":{"id":"http://example.com/c"}}}`)).Fact
		if f.Content != (fact.Hash{}) || f.Parent != hasher.Activity("http://example.com/c") {
			t.Errorf("%s: content %x, parent %x", object, f.Content, f.Parent)
		}
	}
}

func TestParents(t *testing.T) {
	a := func(name string) string { return `{"id":"http://example.com/` + name + `"}` }
	h := func(name string) fact.Hash { return hasher.Activity("http://example.com/" + name) }
	tests := []struct {
		name, parents, groupings string
		parent                   fact.Hash
		under                    []fact.Hash
	}{
		{"none", "", "", fact.Hash{}, nil},
		{"one", a("p"), "", h("p"), nil},
		{"itself", a("a"), "", fact.Hash{}, nil},
		{"itself, then another", a("a") + "," + a("p"), "", fact.Hash{}, []fact.Hash{h("p")}},
		{"two", a("p") + "," + a("q"), "", h("p"), []fact.Hash{h("q")}},
		{"the parent is a grouping too", a("p"), a("p") + "," + a("a") + "," + a("g") + "," + a("g"), h("p"), []fact.Hash{h("g")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, with(did, "", `"context":{"contextActivities":{"parent":[`+test.parents+`],"grouping":[`+test.groupings+`]}}`)).Fact
			if f.Parent != test.parent || fmt.Sprint(f.Groupings) != fmt.Sprint(test.under) {
				t.Errorf("parent %x, groupings %x; want %x, %x", f.Parent, f.Groupings, test.parent, test.under)
			}
			if !f.Under(h("a")) || !f.Under(fact.Hash{}) || f.Under(h("z")) {
				t.Error("Under is wrong")
			}
		})
	}
}

func TestTimes(t *testing.T) {
	tests := []struct {
		timestamp string
		want      time.Time
		flags     fact.Flags
	}{
		{"2026-03-04T05:06:00.999Z", stored.Add(-6001 * time.Millisecond), 0},
		{"2026-03-04T05:16:07Z", stored.Add(10 * time.Minute), 0},
		{"2026-03-04T05:16:07.001Z", stored, fact.ClockSkew},
		{"9999-12-31T23:59:59.999Z", stored, fact.ClockSkew},
		{"0001-01-01T00:00:00Z", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), fact.LongAgo},
		{"2026-03-04T07:06:00+02:00", stored.Add(-7 * time.Second), 0},
	}
	for _, test := range tests {
		f := read(t, strings.Replace(with(did, "", ""), "2026-03-04T05:06:00Z", test.timestamp, 1)).Fact
		if f.T != test.want.UnixMilli() || f.Flags != test.flags {
			t.Errorf("%s: %v, flags %b; want %v, %b", test.timestamp, time.UnixMilli(f.T).UTC(), f.Flags, test.want, test.flags)
		}
	}
}

func TestScores(t *testing.T) {
	none := int64(-1 << 62)
	tests := []struct {
		score string
		want  int64
		flags fact.Flags
	}{
		{`{"scaled":0.7}`, 700_000, 0},
		{`{"scaled":-1}`, -1_000_000, 0},
		{`{"scaled":0.9999995}`, 1_000_000, 0},
		{`{"scaled":0.5,"raw":1,"min":0,"max":10}`, 500_000, 0},
		{`{"scaled":1e-320}`, 0, 0},
		{`{"scaled":1e308}`, none, fact.NumberLeftOut},
		{`{"raw":7,"min":2,"max":12}`, 500_000, 0},
		{`{"raw":7,"max":10}`, 700_000, fact.ScoreDerived},
		{`{"raw":7}`, none, 0},
		{`{"raw":7,"min":1}`, none, 0},
		{`{"raw":7,"max":0}`, none, fact.NumberLeftOut},
		{`{"raw":-5,"max":10}`, -500_000, fact.ScoreDerived},
		{`{"raw":-1e308,"max":1e-300}`, none, fact.NumberLeftOut},
		{`{"raw":1e308,"min":-1e308,"max":1.7e308}`, 740_741, 0},
		{`{"raw":1e400,"max":1e400}`, none, fact.NumberLeftOut},
		{`{}`, none, 0},
	}
	for _, test := range tests {
		f := read(t, with(did, "", `"result":{"score":`+test.score+`}`)).Fact
		got := f.Score
		if !f.HasScore {
			got = none
		}
		if got != test.want || f.Flags != test.flags {
			t.Errorf("%s: %d, flags %b; want %d, %b", test.score, got, f.Flags, test.want, test.flags)
		}
	}
}

func TestDurations(t *testing.T) {
	const year = int64(31_557_600_000)
	tests := []struct {
		duration string
		want     int64
		flags    fact.Flags
	}{
		{"PT6M", 360_000, 0},
		{"PT1H2M3.4567S", 3_723_457, 0},
		{"PT0.0005S", 1, 0},
		{"PT0,25S", 250, 0},
		{"PT0S", 0, 0},
		{"P1DT1H", 90_000_000, 0},
		{"P2W", 14 * 86_400_000, 0},
		{"P1Y", year, fact.DurationLong},
		{"P1M", year / 12, fact.DurationLong},
		{"P0.5Y", year / 2, fact.DurationLong},
		{"P2Y", fact.MaxDuration, fact.DurationLong | fact.DurationCut},
		{"P1000000000Y", fact.MaxDuration, fact.DurationLong | fact.DurationCut},
		{"PT" + strings.Repeat("9", 5000) + "S", fact.MaxDuration, fact.DurationCut},
		{"PT1." + strings.Repeat("0", 5000) + "S", 1000, 0},
		{"soon", -1, fact.NumberLeftOut},
		{"P", -1, fact.NumberLeftOut},
		{"PT", -1, fact.NumberLeftOut},
		{"PT1", -1, fact.NumberLeftOut},
		{"PTS", -1, fact.NumberLeftOut},
		{"PT1S1M", -1, fact.NumberLeftOut},
	}
	for _, test := range tests {
		f := read(t, with(did, "", `"result":{"duration":"`+test.duration+`"}`)).Fact
		if f.Duration != test.want || f.Flags != test.flags {
			t.Errorf("%.40s: %d, flags %b; want %d, %b", test.duration, f.Duration, f.Flags, test.want, test.flags)
		}
	}
}

func TestProgress(t *testing.T) {
	const cmi5, video = `"https://w3id.org/xapi/cmi5/result/extensions/progress":`, `"https://w3id.org/xapi/video/extensions/progress":`
	tests := []struct {
		extensions string
		want       int32
		flags      fact.Flags
	}{
		{cmi5 + "50", 500_000, 0},
		{cmi5 + `"50"`, 500_000, 0},
		{cmi5 + "0", 0, 0},
		{video + "0.29", 290_000, 0},
		{video + "0.2," + cmi5 + "30", 300_000, 0},
		{video + "0.2," + cmi5 + "300", 200_000, fact.NumberLeftOut},
		{cmi5 + "-1", -1, fact.NumberLeftOut},
		{video + "1.5", -1, fact.NumberLeftOut},
		{video + `"NaN"`, -1, fact.NumberLeftOut},
		{video + `"Infinity"`, -1, fact.NumberLeftOut},
		{video + `"0x1p-2"`, -1, fact.NumberLeftOut},
		{video + "null", -1, fact.NumberLeftOut},
		{video + `{"a":[` + strings.Repeat("1,", 100_000) + `1]}`, -1, fact.NumberLeftOut},
	}
	for _, test := range tests {
		f := read(t, with(did, "", `"result":{"extensions":{`+test.extensions+`}}`)).Fact
		if f.Progress != test.want || f.Flags != test.flags {
			t.Errorf("%.80s: %d, flags %b; want %d, %b", test.extensions, f.Progress, f.Flags, test.want, test.flags)
		}
	}
}

func TestVideoFields(t *testing.T) {
	none := fact.Video{Length: -1, Time: -1, From: -1, To: -1, Threshold: -1, Speed: -1}
	video := func(change func(*fact.Video)) *fact.Video { v := none; change(&v); return &v }
	const e = vid + "extensions/"
	tests := []struct {
		name, verb, object, members string
		want                        *fact.Video
		flags                       fact.Flags
	}{
		{"nothing", did, "", "", nil, 0},
		{"played", vid + "verbs/played", "", `"result":{"extensions":{"` + e + `time":1.5}}`, video(func(v *fact.Video) { v.Action, v.Time = fact.Played, 1500 }), 0},
		{"paused", vid + "verbs/paused", "", "", video(func(v *fact.Video) { v.Action = fact.Paused }), 0},
		{"seeked", vid + "verbs/seeked", "", `"result":{"extensions":{"` + e + `time-from":1,"` + e + `time-to":"2"}}`, video(func(v *fact.Video) { v.Action, v.From, v.To = fact.Seeked, 1000, 2000 }), 0},
		{"length in the definition", did, `{"id":"http://example.com/a","definition":{"extensions":{"` + e + `length":9}}}`, "", video(func(v *fact.Video) { v.Length = 9000 }), 0},
		{"length in the result", did, "", `"result":{"extensions":{"` + e + `length":9}},"context":{"extensions":{"` + e + `length":0}}`, video(func(v *fact.Video) { v.Length = 9000 }), 0},
		{"a length of years", did, "", `"context":{"extensions":{"` + e + `length":1e12}}`, nil, fact.NumberLeftOut},
		{"a time before the beginning", did, "", `"result":{"extensions":{"` + e + `time":-1}}`, nil, fact.NumberLeftOut},
		{"speed", did, "", `"context":{"extensions":{"` + e + `speed":"1.25x"}}`, video(func(v *fact.Video) { v.Speed = 1250 }), 0},
		{"segments of another type", did, "", `"result":{"extensions":{"` + e + `played-segments":[[0,1]]}}`, nil, fact.NumberLeftOut},
		{"no segments yet", did, "", `"result":{"extensions":{"` + e + `played-segments":""}}`, video(func(v *fact.Video) { v.Segments = []fact.Segment{} }), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, with(test.verb, test.object, test.members)).Fact
			if fmt.Sprintf("%+v", f.Video) != fmt.Sprintf("%+v", test.want) || f.Flags != test.flags {
				t.Errorf("%+v, flags %b; want %+v, %b", f.Video, f.Flags, test.want, test.flags)
			}
		})
	}
}

func TestSessions(t *testing.T) {
	const cmi5, video = `"https://w3id.org/xapi/cmi5/context/extensions/sessionid":`, `"https://w3id.org/xapi/video/extensions/session-id":`
	session := func(extensions string) uint64 {
		return read(t, with(did, "", `"context":{"extensions":{`+extensions+`}}`)).Fact.Session
	}
	if session("") != 0 || session(cmi5+`""`) != 0 || session(cmi5+`null`) != 0 {
		t.Error("a session without an id")
	}
	if a := session(cmi5 + `"a"`); a == 0 || a != session(video+`"a"`) || a == session(cmi5+`"b"`) {
		t.Error("a session is not told by its id")
	}
	if session(cmi5+`"a",`+video+`"b"`) != session(cmi5+`"a"`) || session(video+"7") == 0 {
		t.Error("cmi5's session id does not go first, or a number is none")
	}
}

// TestHostileStatements is what would break a careless reader: each comes through, small.
func TestHostileStatements(t *testing.T) {
	many := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	var groupings []string
	for i := range 1000 {
		groupings = append(groupings, fmt.Sprintf(`{"id":"http://example.com/%d"}`, i))
	}
	tests := []struct {
		name, statement string
		flags           fact.Flags
	}{
		{"a million members", strings.Replace(with(did, "", ""), `"name":"Ada"`, `"objectType":"Group","member":[`+many(1_000_000, `{"mbox":"mailto:a@b.c"}`)+`]`, 1), 0},
		{"a long answer", with(did, "", `"result":{"response":"`+strings.Repeat("ä", 100_000)+`"}`), fact.TextCut},
		{"a long platform", with(did, "", `"context":{"platform":"`+strings.Repeat("p", 100_000)+`"}`), fact.TextCut},
		{"100,000 segments", with(did, "", `"result":{"extensions":{"`+vid+`extensions/played-segments":"`+strings.Repeat("0[.]1[,]", 100_000)+`"}}`), fact.SegmentsCut},
		{"segments that are none", with(did, "", `"result":{"extensions":{"`+vid+`extensions/played-segments":"`+strings.Repeat("[.][,]", 100_000)+`"}}`), 0},
		{"1,000 groupings", with(did, "", `"context":{"contextActivities":{"grouping":[`+strings.Join(groupings, ",")+`]}}`), fact.GroupingsCut},
		{"a huge extension", with(did, "", `"context":{"extensions":{"http://example.com/x":[`+many(500_000, `{"a":"b"}`)+`]}}`), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := read(t, test.statement)
			if r.Fact.Flags != test.flags {
				t.Errorf("flags %b, want %b", r.Fact.Flags, test.flags)
			}
			bounded(t, r.Fact)
		})
	}
}

// TestHostileNames is what would not fit a row.
func TestHostileNames(t *testing.T) {
	long := strings.Repeat("ä", 100_000)
	languages := `{"en":"A film"`
	for i := range 5000 {
		languages += fmt.Sprintf(`,"x-%d":"\u0000%s"`, i, long[:300])
	}
	languages += "}"
	object := `{"id":"http://example.com/` + long + `","definition":{"type":"http://example.com/` + long + `","name":` + languages + `}}`
	statement := strings.Replace(with(did, object, ""), `{"mbox":"mailto:ada@Example.com","name":"Ada"}`, `{"account":{"homePage":"http://example.com/`+long+`","name":"`+long+`"},"name":"`+long+`"}`, 1)
	r := read(t, statement)
	n := r.Names[1]
	if len(n.IRI) > fact.MaxIRI || len(n.Type) > fact.MaxIRI || len(n.Display) > fact.MaxDisplay || len(r.Actor.Name) > fact.MaxName || len(r.Actor.Identity) > 3*fact.MaxIRI {
		t.Errorf("IRI %d, type %d, display %d, name %d, identity %d bytes", len(n.IRI), len(n.Type), len(n.Display), len(r.Actor.Name), len(r.Actor.Identity))
	}
	var texts map[string]string
	if err := json.Unmarshal(n.Display, &texts); err != nil || len(texts) < 2 || texts["en"] != "A film" {
		t.Errorf("display %.200s: %v", n.Display, err)
	}
	if other := read(t, strings.Replace(statement, `","definition"`, `x","definition"`, 1)).Names[1]; other.IRI == n.IRI || other.Hash == n.Hash {
		t.Error("two activities became one")
	}
	for _, display := range []string{`{"` + long + `":"A film"}`, `{"en":{"a":"` + long + `"}}`, `["` + long + `"]`} {
		object := `{"id":"http://example.com/a","definition":{"name":` + display + `}}`
		if got := read(t, with(did, object, "")).Names[1].Display; got != nil {
			t.Errorf("display %.100s", got)
		}
	}
}

// bounded checks the promises that a ledger relies on.
func bounded(t *testing.T, f fact.Fact) {
	t.Helper()
	in := func(name string, n, low, high int64) {
		if n < low || n > high {
			t.Errorf("%s is %d, not within %d and %d", name, n, low, high)
		}
	}
	in("groupings", int64(len(f.Groupings)), 0, fact.MaxGroupings)
	in("response", int64(len(f.Response)), 0, fact.MaxResponse)
	in("platform", int64(len(f.Platform)), 0, fact.MaxText)
	in("language", int64(len(f.Language)), 0, fact.MaxText)
	in("score", f.Score, -fact.MaxScore, fact.MaxScore)
	in("duration", f.Duration, -1, fact.MaxDuration)
	in("progress", int64(f.Progress), -1, 1_000_000)
	if v := f.Video; v != nil {
		for _, n := range []int64{v.Length, v.Time, v.From, v.To} {
			in("place in a video", n, -1, fact.MaxVideo)
		}
		in("threshold", v.Threshold, -1, 1_000_000)
		in("speed", v.Speed, -1, 1_000_000)
		in("segments", int64(len(v.Segments)), 0, fact.MaxSegments)
		for _, s := range v.Segments {
			in("from", s.From, 0, s.To-1)
			in("to", s.To, s.From+1, fact.MaxVideo)
		}
	}
	if f.T > f.Stored+600_000 {
		t.Errorf("event time %d after stored %d", f.T, f.Stored)
	}
}

func FuzzFrom(f *testing.F) {
	f.Add(with(adl+"completed", typed(question), `"result":{"score":{"raw":1,"max":2},"duration":"PT1S"},"context":{"registration":"`+id+`"}`))
	f.Add(with(vid+"verbs/played", "", `"result":{"extensions":{"`+vid+`extensions/played-segments":"0[.]1[,]2","`+vid+`extensions/time":1e3}}`))
	f.Add(`{"actor":{"objectType":"Group"},"verb":{"id":"x"},"object":{"objectType":"Agent"},"timestamp":"0000-01-01T00:00:00+14:00"}`)
	f.Fuzz(func(t *testing.T, statement string) {
		r, err := fact.From(fact.Input{Statement: []byte(statement), ID: id, Stored: stored, Hash: hash})
		if err == nil {
			bounded(t, r.Fact)
		}
	})
}

func FuzzParseSegments(f *testing.F) {
	f.Add("0.000[.]12.000[,]14.000[.]21.000[,]18.000[.]30.000")
	f.Add("1e9[.]-1[,][.][,]NaN[.]1")
	f.Fuzz(func(t *testing.T, text string) {
		segments, cut := fact.ParseSegments(text)
		if segments == nil || cut && len(segments) != fact.MaxSegments {
			t.Errorf("%d segments, cut %v", len(segments), cut)
		}
		bounded(t, fact.Fact{Duration: -1, Progress: -1, Video: &fact.Video{Segments: segments, Speed: -1, Threshold: -1}})
	})
}

func FuzzDuration(f *testing.F) {
	f.Add("PT1H0.5S")
	f.Add("P1Y2M3W")
	f.Fuzz(func(t *testing.T, duration string) {
		if strings.ContainsFunc(duration, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > 126 }) {
			return
		}
		bounded(t, read(t, with(did, "", `"result":{"duration":"`+duration+`"}`)).Fact)
	})
}
