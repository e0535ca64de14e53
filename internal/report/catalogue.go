package report

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// Report is a report of the catalogue: what pages, JSON, CSV, documentation and OpenAPI are made from, so that none of them shows
// a figure without a definition.
type Report struct {
	ID      string
	Title   string
	About   string // one sentence
	Row     string // what a row is about
	Columns []result.Column
	Chart   string // that shows it best: "figures", "bars", "line", "table", "heat", "scatter", "funnel"
	Roads   []Road // by which it can be answered
	Params  []string
	Bare    bool   // takes none of the common parameters
	Sort    string // the order of rows where none is asked for; "" leaves them as they come

	// Personal says that rows are about learners by name: a store that hides names does not have the report, and there are no
	// small numbers to protect.
	Personal bool

	Caption string // always told with it

	answer func(*asking) (*result.Table, error)
}

// catalogue is filled by init, since answers look their report up.
var catalogue []*Report

// Catalogue lists the reports.
func Catalogue() []*Report { return catalogue }

// ReportOf finds a report that the store has.
func ReportOf(id string, store auth.Store) (*Report, error) {
	i := slices.IndexFunc(catalogue, func(r *Report) bool { return r.ID == id })
	if i < 0 {
		return nil, notFound("there is no report %q: /reports/v1 lists them", id)
	}
	r := catalogue[i]
	if r.Personal && store.HideNames {
		return nil, notFound("this store hides names: it has no report %q", id)
	}
	return r, nil
}

func count(id, title, measure string) result.Column {
	return result.Column{ID: id, Title: title, Measure: measure, Kind: result.Count}
}

func share(id, title, measure string) result.Column {
	return result.Column{ID: id, Title: title, Measure: measure, Kind: result.Rate, Unit: result.Share}
}

func amount(id, title, measure string, unit result.Unit) result.Column {
	return result.Column{ID: id, Title: title, Measure: measure, Kind: result.Amount, Unit: unit}
}

func label(id, title string) result.Column { return result.Column{ID: id, Title: title} }

func text(id, title string) result.Column {
	return result.Column{ID: id, Title: title, Kind: result.Text}
}

func sums(c result.Column) result.Column {
	c.Sums = true
	return c
}

func init() {
	both, ledgers := []Road{Buckets, Ledgers}, []Road{Ledgers}
	rate := share("completionRateSoFar", "Completion rate so far", "M22")
	rate.Outcome, rate.Whole = "completions", ""
	attempts := []result.Column{
		count("starts", "Starts", "M20"), count("completions", "Completions", "M21"), rate, share("passRate", "Pass rate", "M24"),
		amount("activeTime", "Active time", "M29", result.Seconds),
	}
	catalogue = []*Report{
		{
			ID: "overview", Title: "Overview", About: "How many people, using what, succeeding?",
			Row: "the store, or the content that is named", Chart: "figures", Roads: both,
			Columns: slices.Concat([]result.Column{
				label("scope", "Scope"), count("statements", "Statements", "M01"), count("learners", "Learners", "M02"),
				count("new", "New learners", "M05"), count("returning", "Returning learners", "M05"),
				amount("stickiness", "Stickiness", "M04", result.Share), count("sessions", "Sessions", "M10"),
			}, attempts),
			answer: overview,
		}, {
			ID: "activity", Title: "Activity over time",
			About: "How does use change from day to day, week to week or month to month?",
			Row:   "a day, week or month",
			Chart: "bars", Roads: both, Params: []string{"by"},
			Columns: slices.Concat([]result.Column{
				label("at", "Day, Monday of the week, or month"), count("statements", "Statements", "M01"),
				count("learners", "Active learners", "M03"), count("new", "New learners", "M05"),
				count("returning", "Returning learners", "M05"), count("sessions", "Sessions", "M10"),
			}, attempts),
			answer: activity,
		}, {
			ID: "retention", Title: "Retention by week",
			About: "Of those who came for the first time in a week, how many came again later?",
			Row:   "a week and how many weeks later",
			Chart: "heat", Roads: []Road{Buckets},
			Columns: []result.Column{
				label("week", "Monday of the first week"), label("later", "Weeks later"),
				count("learners", "Learners of the week", "M06"), count("active", "Active then", "M06"),
				{ID: "retention", Title: "Retention", Measure: "M06", Kind: result.Rate, Unit: result.Share, Outcome: "active", Whole: "learners"},
			},
			answer: retention,
		}, {
			ID: "contents", Title: "Contents", About: "What is used, by how many, and how do they fare?",
			Row: "a content that was touched in the period", Chart: "table", Roads: ledgers, Sort: "-learners",
			Columns: slices.Concat(contentColumns, []result.Column{
				count("learners", "Learners", "M09"), share("use", "Use among the learners of its parent", "M07"),
			}, attemptColumns, []result.Column{text("lastUsed", "Last used")}),
			answer: contents,
		}, {
			ID: "unused", Title: "Unused contents", About: "What was seen before and not touched in the period?",
			Row: "a content", Chart: "table", Roads: ledgers,
			Columns: slices.Concat(contentColumns,
				[]result.Column{{ID: "lastUsed", Title: "Last used", Measure: "M08", Kind: result.Text}}),
			answer: unused,
		}, {
			ID: "kinds", Title: "Comparison of formats",
			About: "Which kinds of content are used, and how do learners fare with them?",
			Row:   "a kind of content", Chart: "bars", Roads: ledgers, Sort: "-learners",
			Columns: slices.Concat([]result.Column{label("kind", "Kind"), count("learners", "Learners", "M30")}, attemptColumns,
				[]result.Column{amount("difference", "Completion rate less that of all other kinds", "M30", result.Share)}),
			Caption: "Learners choose formats; differences are not effects.",
			answer:  kinds,
		}, {
			ID: "content", Title: "One content",
			About: "How do the attempts at one content end, and how long do they take?",
			Row:   "the content that is named", Chart: "figures", Roads: ledgers,
			Columns: slices.Concat(contentColumns,
				[]result.Column{count("learners", "Learners", "M02")}, attemptColumns, quartileColumns),
			answer: content,
		}, {
			ID: "funnel", Title: "Funnel", About: "How far do learners get with a content?",
			Row: "a step", Chart: "funnel", Roads: ledgers,
			Columns: funnelColumns, answer: usualFunnel,
		}, {
			ID: "scores", Title: "Scores", About: "How are first scores spread?",
			Row: "a tenth of the scale", Chart: "bars", Roads: ledgers,
			Columns: []result.Column{label("bin", "Score"), sums(count("attempts", "First scored attempts", "M26"))},
			answer:  scores,
		}, {
			ID: "videos", Title: "Videos", About: "How much of which video is watched?",
			Row: "a video", Chart: "table", Roads: ledgers, Sort: "-viewers",
			Columns: videoColumns, answer: videos,
		}, {
			ID: "video-heatmap", Title: "Heat map of a video",
			About: "Which parts of a video are watched, watched again, or skipped?",
			Row:   "a hundredth of the video, or a second", Chart: "heat", Roads: ledgers, Params: []string{"width"},
			Columns: []result.Column{
				label("bin", "Bin"), amount("from", "From", "M47", result.Seconds), amount("to", "To", "M47", result.Seconds),
				count("viewers", "Viewers", "M47"), count("passes", "Passes", "M47"), count("repeats", "Repeats", "M47"),
				{ID: "retention", Title: "Retention", Measure: "M48", Kind: result.Rate, Unit: result.Share, Outcome: "viewers"},
				{ID: "spot", Title: "Spot", Measure: "M50", Kind: result.Text},
			},
			answer: heatmap,
		}, {
			ID: "video-coverage", Title: "Coverage of a video", About: "How much of a video did its viewers watch?",
			Row: "a tenth of the coverage", Chart: "bars", Roads: ledgers,
			Columns: []result.Column{label("bin", "Coverage"), sums(count("learners", "Viewers", "M43"))},
			answer:  coverage,
		}, {
			ID: "questions", Title: "Questions",
			About: "Which questions work, and which are too hard, too easy or keyed wrong?",
			Row:   "a question", Chart: "scatter", Roads: ledgers,
			Columns: questionColumns, answer: questions,
		}, {
			ID: "question-answers", Title: "Answers to a question",
			About: "What was answered first, and by whom: the best or the weakest?",
			Row:   "an option, or a set of options", Chart: "bars", Roads: ledgers, Sort: "-responses",
			Columns: answerColumns, answer: distractors,
		}, {
			ID: "stuck", Title: "Sticking points", About: "Where do people get stuck, and why?",
			Row: "a question, module or video that was reached in the period", Chart: "table", Roads: ledgers,
			Columns: stuckColumns, answer: stuck,
		}, {
			ID: "support", Title: "Needs support", About: "Who needs a look, and why?",
			Row: "a learner and a content", Chart: "table", Roads: ledgers, Personal: true,
			Columns: slices.Concat(learnerColumns, []result.Column{
				label("content", "Content"), text("contentName", "Name of the content"), text("kind", "Kind"),
				{ID: "reasons", Title: "Reasons", Measure: "M73", Kind: result.Text}, text("start", "Started"),
				text("last", "Last event"),
			}),
			answer: support,
		}, {
			ID: "kpi-link", Title: "KPI link", About: "Does learning go with a figure of the business?",
			Row: "the KPI and the measure that are named", Chart: "scatter", Roads: ledgers,
			Params:  []string{"kpi", "measure", "by", "lag"},
			Columns: linkColumns, Caption: "Association, not cause.", answer: kpiLink,
		}, {
			ID: "kpi-points", Title: "Points of a KPI link", About: "Which units make up a KPI link?",
			Row: "a learner, or a group in a period", Chart: "scatter", Roads: ledgers, Personal: true,
			Params:  []string{"kpi", "measure", "by", "lag"},
			Columns: pointColumns, Caption: "Association, not cause.", answer: kpiPoints,
		}, {
			ID: "sessions", Title: "Sessions", About: "How long do learners stay?",
			Row: "sessions of a length", Chart: "bars", Roads: ledgers,
			Columns: []result.Column{
				label("length", "Length"), sums(count("sessions", "Sessions", "M10")), count("learners", "Learners", "M10"),
				sums(count("statements", "Statements", "M01")),
			},
			answer: sessions,
		}, {
			ID: "learners", Title: "Learners", About: "What has each learner done?",
			Row: "a learner", Chart: "table", Roads: ledgers, Personal: true, Sort: "-statements",
			Columns: slices.Concat(learnerColumns, []result.Column{
				count("statements", "Statements", "M01"), count("days", "Active days", "M03"),
				count("sessions", "Sessions", "M10"), count("contents", "Contents touched", "M09"),
				count("starts", "Starts", "M20"), count("completions", "Completions", "M21"),
				amount("score", "Mean of the first scores", "M26", result.Score),
				amount("activeTime", "Active time", "M29", result.Seconds),
				amount("watchTime", "Watch time", "M41", result.Seconds), text("first", "First statement"),
				text("last", "Last statement"),
			}),
			answer: learners,
		}, {
			ID: "learner", Title: "One learner", About: "What has one learner done with each content?",
			Row: "a content", Chart: "table", Roads: ledgers, Personal: true, Params: []string{"learner"},
			Columns: slices.Concat(contentColumns, []result.Column{
				count("statements", "Statements", "M01"), count("starts", "Starts", "M20"),
				count("completions", "Completions", "M21"), count("passed", "Passed attempts", "M24"),
				count("failed", "Failed attempts", "M24"), amount("score", "First score", "M26", result.Score),
				amount("activeTime", "Active time", "M29", result.Seconds),
				amount("watchTime", "Watch time", "M41", result.Seconds),
				amount("uniqueSeconds", "Unique seconds", "M42", result.Seconds),
				amount("coverage", "Coverage", "M43", result.Share), count("responses", "Judged responses", "M60"),
				{ID: "answer", Title: "Answer", Measure: "M61", Kind: result.Text}, text("first", "First statement"),
				text("last", "Last statement"),
			}),
			answer: oneLearner,
		}, {
			ID: "data-quality", Title: "Data quality",
			About: "What is wrong or odd in statements, so that figures may mislead?",
			Row:   "a thing that is wrong", Chart: "table", Roads: ledgers,
			Columns: []result.Column{
				label("flag", "Flag"), text("about", "About"), count("statements", "Statements", "M01"),
				count("learners", "Learners", "M02"),
				{ID: "share", Title: "Share of the statements", Measure: "M01", Kind: result.Rate, Unit: result.Share, Outcome: "statements"},
			},
			answer: quality,
		},
	}
}
