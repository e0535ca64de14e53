package measure

import (
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Reach sums who was active in a period and scope (M01 to M05), learner by learner.
type Reach struct {
	Period Period
	Zone   *time.Location

	Statements int64           // M01
	Learners   int64           // M02, never the sum of daily values
	New        int64           // M05: their first statement ever lies in the period
	Daily      map[int32]int64 // M03 by day number; a day without learners is not in it
	Weekly     map[int32]int64 // M03 by the day number of the week's Monday
	Monthly    map[int32]int64 // M03 by months since January 1970
}

// Add counts one learner: all its facts, and those of them in the scope. Facts of no learner go to AddUnattributed.
func (r *Reach) Add(all, scope Facts) {
	in := scope.In(r.Period)
	r.Statements += int64(len(in))
	if len(in) == 0 {
		return
	}
	r.Learners++
	r.New += one(r.Period.Holds(all[0].T))
	calendar := calendar{zone: r.Zone}
	seen := [3]map[int32]bool{{}, {}, {}}
	for _, f := range in {
		day := calendar.dayOf(f.T)
		for i, at := range [3]int32{day, WeekOf(day), MonthOf(day)} {
			if !seen[i][at] {
				seen[i][at] = true
				count(r.counts(i), at)
			}
		}
	}
}

func (r *Reach) counts(grain int) *map[int32]int64 {
	return [3]*map[int32]int64{&r.Daily, &r.Weekly, &r.Monthly}[grain]
}

func count[K comparable](counts *map[K]int64, at K) {
	if *counts == nil {
		*counts = map[K]int64{}
	}
	(*counts)[at]++
}

// AddUnattributed counts statements of Groups and of nobody: they are statements and no learner's.
func (r *Reach) AddUnattributed(scope Facts) { r.Statements += int64(len(scope.In(r.Period))) }

// Returning is M05 = M02 − New.
func (r *Reach) Returning() int64 { return r.Learners - r.New }

// Stickiness is M04 of a month = mean(daily M03)/monthly M03, the mean over the days of the month until today. NaN without learners.
func Stickiness(daily map[int32]int64, month int32, monthly int64, today int32) float64 {
	first, end := FirstDayOf(month), min(FirstDayOf(month+1), today+1)
	sum := int64(0)
	for day := first; day < end; day++ {
		sum += daily[day]
	}
	return Rate{sum, monthly * int64(max(0, end-first))}.Value()
}

// Cohorts are M06: for each week in which learners were first seen, how many of them were active k weeks later.
type Cohorts map[int32]*[RetainedWeeks + 1]int64

// Add counts one learner by all its facts. Those in the scope say when it was active.
func (c Cohorts) Add(all, scope Facts, zone *time.Location) {
	if len(all) == 0 {
		return
	}
	first := WeekOf(DayOf(all[0].T, zone))
	if c[first] == nil {
		c[first] = &[RetainedWeeks + 1]int64{}
	}
	calendar := calendar{zone: zone}
	var active [RetainedWeeks + 1]bool
	for _, f := range scope {
		if k := (WeekOf(calendar.dayOf(f.T)) - first) / 7; k >= 0 && k <= RetainedWeeks {
			active[k] = true
		}
	}
	for k, is := range active {
		c[first][k] += one(is)
	}
}

// Retention is M06(c, k) of size learners first seen in the week of a Monday, of whom active were active k weeks later. finished is false while
// that week is not over: it is shown blank. today is a day number.
func Retention(active, size int64, monday int32, k int, today int32) (r Rate, finished bool) {
	return Rate{active, size}, today >= monday+int32(k+1)*7
}

// Use counts who touched activities (M07, M08).
type Use struct {
	Touched  map[fact.Hash]int64 // learners who touched an activity or what is under it
	Together map[Child]int64     // learners who touched an activity under a parent
}

// Child is an activity under its parent.
type Child struct{ Activity, Parent fact.Hash }

// Add counts one learner by its facts in the period.
func (u *Use) Add(facts Facts) {
	seen, children := map[fact.Hash]bool{}, map[Child]bool{}
	for _, f := range facts {
		seen[f.Content], seen[f.Parent] = true, true // what touches an activity touches what it is under
		for _, g := range f.Groupings {
			seen[g] = true
		}
		if f.Content != (fact.Hash{}) && f.Parent != (fact.Hash{}) {
			children[Child{f.Content, f.Parent}] = true
		}
	}
	delete(seen, fact.Hash{})
	for activity := range seen {
		count(&u.Touched, activity)
	}
	for child := range children {
		count(&u.Together, child)
	}
}

// ElementUse is M07 = learners who touched e under its parent / learners who touched the parent or anything under it. A known child that
// nobody touched is M08, an unused element.
func (u *Use) ElementUse(e, parent fact.Hash) Rate {
	return Rate{u.Together[Child{e, parent}], u.Touched[parent]}
}
