package measure_test

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

var berlin = zone("Europe/Berlin")

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// at is a moment in Berlin in milliseconds.
func at(text string) int64 {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func hashOf(b byte) fact.Hash { return fact.Hash{b} }

var (
	course, module, video = hashOf(1), hashOf(2), hashOf(3)
	store                 fact.Hash
)

func order(facts []fact.Fact) []fact.Fact {
	slices.SortFunc(facts, func(a, b fact.Fact) int {
		if a.Before(&b) {
			return -1
		}
		return 1
	})
	return facts
}

func TestContributionCountsStatementsAndLearners(t *testing.T) {
	facts := []fact.Fact{
		{ID: 1, T: at("2025-12-28 23:59"), Content: video, Parent: course, Flags: fact.ClockSkew},
		{ID: 2, T: at("2025-12-29 00:00"), Content: video, Parent: course},
		{ID: 3, T: at("2025-12-29 10:00"), Content: module, Flags: fact.Inconsistent},
		{ID: 4, T: at("2026-01-12 10:00"), Content: video, Parent: course, Groupings: []fact.Hash{module}},
	}
	got := measure.Contribution(facts, berlin, false)
	sunday, monday, later := measure.DayOf(facts[0].T, berlin), measure.DayOf(facts[1].T, berlin), measure.DayOf(facts[3].T, berlin)
	week0, december, january := sunday-6, int32(55*12+11), int32(56*12)
	type cell = measure.Cell
	want := measure.Sums{
		{store, measure.Day, sunday, measure.Statements}: 1, {store, measure.Day, monday, measure.Statements}: 2, {store, measure.Day, later, measure.Statements}: 1,
		{store, measure.Day, sunday, measure.ClockSkewed}: 1, {store, measure.Day, monday, measure.Inconsistent}: 1,
		{store, measure.Day, sunday, measure.NewLearners}: 1,
		{store, measure.Day, sunday, measure.Learners}:    1, {store, measure.Day, monday, measure.Learners}: 1, {store, measure.Day, later, measure.Learners}: 1,
		{store, measure.Week, week0, measure.Learners}: 1, {store, measure.Week, monday, measure.Learners}: 1, {store, measure.Week, later, measure.Learners}: 1,
		{store, measure.Month, december, measure.Learners}: 1, {store, measure.Month, january, measure.Learners}: 1,
		{store, measure.Total, 0, measure.Learners}:          1,
		{store, measure.Cohort, week0, measure.RetainedWeek}: 1, {store, measure.Cohort, week0, measure.RetainedWeek + 1}: 1, {store, measure.Cohort, week0, measure.RetainedWeek + 3}: 1,

		{module, measure.Day, monday, measure.Statements}: 1, {module, measure.Day, later, measure.Statements}: 1, {module, measure.Day, monday, measure.Inconsistent}: 1,
		{module, measure.Day, monday, measure.Learners}: 1, {module, measure.Day, later, measure.Learners}: 1,
		{module, measure.Week, monday, measure.Learners}: 1, {module, measure.Week, later, measure.Learners}: 1,
		{module, measure.Month, december, measure.Learners}: 1, {module, measure.Month, january, measure.Learners}: 1, {module, measure.Total, 0, measure.Learners}: 1,
	}
	for _, scope := range []fact.Hash{video, course} {
		for c, n := range (measure.Sums{
			{scope, measure.Day, sunday, measure.Statements}: 1, {scope, measure.Day, monday, measure.Statements}: 1, {scope, measure.Day, later, measure.Statements}: 1,
			{scope, measure.Day, sunday, measure.ClockSkewed}: 1,
			{scope, measure.Day, sunday, measure.Learners}:    1, {scope, measure.Day, monday, measure.Learners}: 1, {scope, measure.Day, later, measure.Learners}: 1,
			{scope, measure.Week, week0, measure.Learners}: 1, {scope, measure.Week, monday, measure.Learners}: 1, {scope, measure.Week, later, measure.Learners}: 1,
			{scope, measure.Month, december, measure.Learners}: 1, {scope, measure.Month, january, measure.Learners}: 1, {scope, measure.Total, 0, measure.Learners}: 1,
		}) {
			want[c] = n
		}
	}
	for c := range got { // what later tests look at
		if c.Counter != measure.Learners && c.Counter > measure.NewLearners && c.Counter < measure.RetainedWeek {
			delete(got, c)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	nobody := measure.Contribution(facts, berlin, true)
	for c, n := range nobody {
		if c.Counter > measure.Inconsistent || c.Grain != measure.Day {
			t.Errorf("nobody's statements count %d in %v", n, c)
		}
	}
	if nobody[cell{course, measure.Day, monday, measure.Unattributed}] != 1 {
		t.Error("the statement is not counted as nobody's")
	}
}

// TestDifferenceIsExact adds facts to a ledger and takes some away: the difference is that of the contributions.
func TestDifferenceIsExact(t *testing.T) {
	zones := []*time.Location{berlin, time.UTC, zone("America/St_Johns"), zone("Pacific/Apia")}
	rapid.Check(t, func(t *rapid.T) {
		all := order(rapid.SliceOfNDistinct(drawFact(), 0, 40, func(f fact.Fact) uint64 { return f.ID }).Draw(t, "facts"))
		var old, new []fact.Fact
		for _, f := range all {
			if in := rapid.IntRange(0, 3).Draw(t, "in"); in > 0 { // most are in both
				old = append(old, f)
			} else {
				new = append(new, f)
				continue
			}
			if rapid.IntRange(0, 5).Draw(t, "stays") > 0 {
				new = append(new, f)
			}
		}
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		nobody := rapid.Bool().Draw(t, "nobody")
		want := measure.Contribution(new, zone, nobody)
		want.AddAll(measure.Contribution(old, zone, nobody), -1)
		if diff := cmp.Diff(want, measure.Difference(old, new, zone, nobody)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// In St. John's clocks went back at one minute past midnight: 7 November began, 6 November came again for an hour, and then the
// 7th. The learner was there on two days.
func TestADayThatComesAgainIsCountedOnce(t *testing.T) {
	var facts []fact.Fact
	for i, at := range []time.Time{
		time.Date(2010, 11, 7, 2, 30, 30, 0, time.UTC), // half a minute past midnight
		time.Date(2010, 11, 7, 2, 40, 0, 0, time.UTC),  // ten past eleven, the day before
		time.Date(2010, 11, 7, 3, 40, 0, 0, time.UTC),  // ten past midnight
	} {
		facts = append(facts, fact.Fact{ID: uint64(i), T: at.UnixMilli()})
	}
	sunday := int32(time.Date(2010, 11, 7, 0, 0, 0, 0, time.UTC).Unix() / 86_400)
	got := measure.Contribution(facts, zone("America/St_Johns"), false)
	for cell, want := range map[measure.Cell]int64{
		{store, measure.Day, sunday - 1, measure.Learners}: 1, {store, measure.Day, sunday, measure.Learners}: 1, {store, measure.Week, sunday - 6, measure.Learners}: 1,
		{store, measure.Day, sunday - 1, measure.Statements}: 1, {store, measure.Day, sunday, measure.Statements}: 2,
		{store, measure.Day, sunday, measure.NewLearners}: 1, {store, measure.Cohort, sunday - 6, measure.RetainedWeek}: 1,
	} {
		if got[cell] != want {
			t.Errorf("%v is %d, want %d", cell, got[cell], want)
		}
	}
}

// drawFact draws facts of a few activities within some weeks, crowded enough that sessions, attempts and items meet.
func drawFact() *rapid.Generator[fact.Fact] {
	return rapid.Custom(func(t *rapid.T) fact.Fact {
		hash := rapid.Custom(func(t *rapid.T) fact.Hash { return hashOf(rapid.Byte().Draw(t, "hash") % 4) })
		f := fact.Fact{
			ID:       rapid.Uint64Range(0, 1000).Draw(t, "id"),
			T:        at("2026-03-20 12:00") + rapid.Int64Range(0, 20).Draw(t, "days")*86_400_000 + rapid.Int64Range(0, 300).Draw(t, "minutes")*60_000,
			Content:  hash.Draw(t, "content"),
			Parent:   hash.Draw(t, "parent"),
			Class:    rapid.SampledFrom([]fact.Class{0, 0, fact.Launched, fact.Started, fact.Completed, fact.Passed, fact.Failed, fact.Ended, fact.Waived, fact.Completed | fact.Passed}).Draw(t, "class"),
			Kind:     rapid.SampledFrom([]fact.Kind{fact.KindOther, fact.KindVideo}).Draw(t, "kind"),
			Session:  rapid.Uint64Range(0, 2).Draw(t, "session"),
			Duration: rapid.SampledFrom([]int64{-1, 0, 60_000, 500 * 60_000}).Draw(t, "duration"),
			Success:  rapid.SampledFrom([]fact.Tri{fact.Unsaid, fact.No, fact.Yes}).Draw(t, "success"),
			HasScore: rapid.Bool().Draw(t, "has score"),
			Score:    rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "score"),
			Progress: -1,
			Flags:    fact.Flags(rapid.IntRange(0, 3).Draw(t, "flags")),
		}
		f.Registration[0] = rapid.Byte().Draw(t, "registration") % 2
		if rapid.Bool().Draw(t, "answer") {
			f.Kind, f.Class = fact.KindQuestion, fact.Answered
		}
		if f.Kind == fact.KindVideo {
			f.Video = &fact.Video{Length: 100_000, Segments: []fact.Segment{{From: 0, To: rapid.Int64Range(1, 120_000).Draw(t, "to")}}}
		}
		if g := hash.Draw(t, "grouping"); g != f.Content && g != f.Parent && g != (fact.Hash{}) {
			f.Groupings = []fact.Hash{g}
		}
		if f.Content == f.Parent {
			f.Parent = fact.Hash{}
		}
		f.Stored = f.T + rapid.Int64Range(0, 3).Draw(t, "delay")
		return f
	})
}

// TestCalendar compares day numbers with the time package over days on which zones change, skip a day or repeat an hour
// around midnight.
func TestCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := zone(rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "America/Havana", "Asia/Kolkata"}).Draw(t, "zone"))
		ms := rapid.Int64Range(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()).Draw(t, "ms")
		moment := time.UnixMilli(ms).In(zone)
		day := measure.DayOf(ms, zone)
		date := time.Unix(int64(day)*86_400, 0).UTC()
		if got, want := date.Format(time.DateOnly), moment.Format(time.DateOnly); got != want {
			t.Fatalf("day %d is %s, want %s", day, got, want)
		}
		monday := time.Unix(int64(measure.WeekOf(day))*86_400, 0).UTC()
		year, week := moment.ISOWeek()
		if gotYear, gotWeek := monday.ISOWeek(); monday.Weekday() != time.Monday || gotYear != year || gotWeek != week {
			t.Fatalf("week of %v begins on %v", moment, monday)
		}
		month := measure.MonthOf(day)
		first := time.Unix(int64(measure.FirstDayOf(month))*86_400, 0).UTC()
		if first.Day() != 1 || first.Month() != moment.Month() || first.Year() != moment.Year() {
			t.Fatalf("month of %v begins on %v", moment, first)
		}
	})
}

// TestContributionAgreesWithTheMeasures: in each scope the day cells add up to what the measures say of its facts.
func TestContributionAgreesWithTheMeasures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := order(rapid.SliceOfNDistinct(drawFact(), 1, 40, func(f fact.Fact) uint64 { return f.ID }).Draw(t, "facts"))
		got := map[fact.Hash]map[measure.Counter]int64{}
		for c, n := range measure.Contribution(ledger, berlin, false) {
			if c.Grain == measure.Day {
				if got[c.Scope] == nil {
					got[c.Scope] = map[measure.Counter]int64{}
				}
				got[c.Scope][c.Counter] += n
			}
		}
		for _, scope := range []fact.Hash{store, hashOf(1), hashOf(2), hashOf(3)} {
			facts := measure.Of(ledger).Under(scope)
			if diff := cmp.Diff(only(scope, measure.Contribution(ledger, berlin, false)), measure.InScope(scope, measure.Of(ledger), berlin, false)); diff != "" {
				t.Fatalf("scope %x alone (-want +got):\n%s", scope, diff)
			}
			if diff := cmp.Diff(nonZero(sumsOf(scope, facts)), nonZero(got[scope]), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("scope %x (-want +got):\n%s", scope, diff)
			}
		}
	})
}

// only keeps the cells of one scope.
func only(scope fact.Hash, sums measure.Sums) measure.Sums {
	maps.DeleteFunc(sums, func(c measure.Cell, _ int64) bool { return c.Scope != scope })
	return sums
}

// nonZero leaves out what is 0, and Learners, which do not add up.
func nonZero(m map[measure.Counter]int64) map[measure.Counter]int64 {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(c measure.Counter, n int64) bool { return n == 0 || c == measure.Learners })
	return m
}

// sumsOf counts by the measures what the day cells of a scope should add up to.
func sumsOf(scope fact.Hash, facts measure.Facts) map[measure.Counter]int64 {
	want := map[measure.Counter]int64{measure.Statements: int64(len(facts))}
	for _, f := range facts {
		want[measure.ClockSkewed] += int64(f.Flags & fact.ClockSkew)
		want[measure.Inconsistent] += int64(f.Flags & fact.Inconsistent / fact.Inconsistent)
	}
	if scope == store && len(facts) > 0 {
		want[measure.NewLearners] = 1
	}
	want[measure.SessionStarts], want[measure.SessionTime] = measure.SessionsIn(facts, measure.Period{From: math.MinInt64, To: math.MaxInt64})
	for _, a := range measure.AnswersOf(facts) {
		var item measure.Item
		item.Add(&a)
		want[measure.FirstResponse] += item.Responses
		want[measure.CorrectFirst] += item.Correct
	}
	attempts := measure.Attempts(facts)
	own := func(a measure.Attempt) bool { return scope == store || a.Content == scope }
	for _, a := range attempts {
		below := measure.Counter(0)
		if !own(a) {
			below = measure.Below
		}
		var c measure.Completion
		c.Add([]measure.Attempt{a}, 1<<60, measure.Maturity.Milliseconds())
		want[measure.Starts+below] += c.Starts + c.Waived
		want[measure.Waived+below] += c.Waived
		want[measure.Completions+below] += c.Completed
		want[measure.CompletedIn+below] += c.InTime
		want[measure.Judged+below] += c.Judged
		want[measure.PassedLast+below] += c.Passed
	}
	for _, a := range measure.FirstJudgedAttempts(attempts) {
		below := measure.Counter(0)
		if !own(a) {
			below = measure.Below
		}
		want[measure.FirstJudged+below]++
		if a.Passed {
			want[measure.FirstPassed+below]++
		}
	}
	for _, a := range measure.Scored(attempts, measure.First) {
		if own(a) {
			want[measure.ScoreBins+measure.Counter(measure.ScoreBin(a.Score))]++
		}
	}
	if scope != store {
		at := measure.AttemptsAt(facts, scope)
		for i, a := range measure.ActiveTimes(at) {
			if !at[i].Waived {
				want[measure.AttemptTime] += a.Milliseconds
			}
		}
	}
	return want
}

// ledgerOf makes a ledger of n facts over a year: sessions of 20 events about the parts of a few courses.
func ledgerOf(n int) []fact.Fact {
	facts := make([]fact.Fact, n)
	for i := range facts {
		session := i / 20
		f := event(at("2025-01-06 09:00")+int64(session)*(365*86_400_000/int64(n/20+1))+int64(i%20)*40_000, []fact.Class{fact.Started, 0, 0, fact.Answered, fact.Completed | fact.Ended}[i%5])
		f.ID = uint64(i)
		f.Content = fact.Hash{1, byte(i / 5 % 50), byte(session % 4)}
		f.Parent = fact.Hash{2, byte(session % 4)}
		f.Groupings = []fact.Hash{{3, byte(session % 2)}}
		f.Success = fact.Tri(i % 3)
		facts[i] = f
	}
	return facts
}

// BenchmarkContribution computes what a ledger of 10,000 facts adds to some 200 scopes, and the difference that one more fact
// makes.
func BenchmarkContribution(b *testing.B) {
	facts := ledgerOf(10_000)
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			measure.Contribution(facts, berlin, false)
		}
	})
	b.Run("one more", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			measure.Difference(facts[:len(facts)-1], facts, berlin, false)
		}
	})
}
