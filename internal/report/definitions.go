package report

// Definition says how a figure is counted.
type Definition struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// definitions are the figures by their ids, in the order of the page of definitions, of which this is the short form.
var definitions = []Definition{
	{"M01", "Statements", "Live statements: each id once, without voided ones and those that void them, by event time (timestamp; stored when the timestamp is more than 10 minutes later than it)."},
	{"M02", "Learners", "Distinct learners with at least one statement in the period and scope. It is never the sum of daily values. Groups are no learners."},
	{"M03", "Active learners", "M02 of each day, ISO week or month, in the store's time zone."},
	{"M04", "Stickiness", "Mean of the active learners of each day, divided by the active learners of the whole period."},
	{"M05", "New learners", "Learners whose first statement ever lies in the period; the others are returning."},
	{"M06", "Weekly retention", "Of the learners first seen in a week, those who were active k weeks later. Blank while that week is not over."},
	{"M07", "Use of an element", "Learners who touched an element, divided by learners who touched its parent."},
	{"M08", "Unused elements", "Elements that were ever seen and that nobody touched in the period."},
	{"M09", "Popularity", "Learners, starts and active time of each content or kind."},
	{"M10", "Sessions", "A learner's statements with the same session id of cmi5 or the Video Profile, or with gaps of at most 30 minutes."},
	{"M20", "Starts", "Attempts that were started. An attempt is a learner, a content and a registration; it belongs to the period in which it starts."},
	{"M21", "Completions", "Attempts that were completed, of those that started in the period."},
	{"M22", "Completion rate so far", "Attempts started in the period and completed by now, of those started in the period. Waived ones are left out."},
	{"M23", "Completion rate", "Of the attempts of the period that started at least 30 days ago, those completed within 30 days. Waived ones are left out."},
	{"M24", "Pass rate", "Attempts whose last verdict is passed, of those with a verdict."},
	{"M25", "First-attempt pass rate", "Learners whose first attempt with a verdict was passed, of those with one."},
	{"M26", "Score", "The score (scaled, times 100) of each learner's first scored attempt: median, quartiles and histogram."},
	{"M27", "Funnel", "Learners who reach the first step in the period, and each further step after the one before it and within the window (30 days), taking the earliest event each time."},
	{"M28", "Time to complete", "Time from start to completion of an attempt that started at least 30 days ago and was completed within 30 days: median and quartiles."},
	{"M29", "Active time", "Time in an attempt: the durations that sessions report at their end, else watched video, else the durations of its elements, else gaps between statements of at most 5 minutes each. One session counts 4 hours at most."},
	{"M30", "Comparison of formats", "Learners, starts, completion rate, active time and first score of each kind. Learners choose formats; differences are not effects."},
	{"M40", "Played segments", "What was watched, from the played-segments of the Video Profile: of lists that continue each other only the longest counts."},
	{"M41", "Watch time", "Seconds of video watched, watched again included."},
	{"M42", "Unique seconds", "Seconds of the video that were watched at least once."},
	{"M43", "Coverage", "Unique seconds, divided by the length of the video."},
	{"M44", "Rewatch ratio", "Watch time, divided by unique seconds, less 1."},
	{"M45", "Video completed", "Reported: learners whose player said so. Measured: learners whose coverage reached the completion threshold."},
	{"M46", "Watched in full", "Learners with a coverage of at least 95 %."},
	{"M47", "Heat map", "For each bin of the video: learners who watched it (viewers), how often it was watched (passes), and passes less viewers (repeats)."},
	{"M48", "Retention curve", "Viewers of a bin, divided by viewers of any part."},
	{"M49", "Estimated watch time", "Where no played-segments came: played to the next paused, terminated, completed or seeked of the session."},
	{"M50", "Hot and drop spots", "Hot: passes per viewer above mean plus 2 standard deviations. Drop: the 3 largest falls of the retention curve before the last 5 %."},
	{"M60", "First responses", "Each learner's earliest judged response to a question."},
	{"M61", "Difficulty p", "Correct first responses, divided by first responses."},
	{"M62", "Eventual success", "Learners who were ever correct, of those who answered."},
	{"M63", "Attempts to success", "Of learners who were ever correct, the median number of the response that was."},
	{"M64", "Discrimination r", "Correlation of a question's first score with the score of the other questions of the same parent, over learners who answered 80 % of them. From 30 learners and 5 questions on."},
	{"M65", "Upper less lower", "Difficulty among the best 27 % less that among the weakest 27 % by the score of the other questions."},
	{"M66", "Alpha", "Cronbach's alpha of the questions of one parent. From 30 learners and 5 questions on."},
	{"M67", "Answers", "First responses by option, and their shares among all, the best and the weakest 27 %."},
	{"M68", "Flags of questions", "p below 0.3 hard, above 0.9 easy; r below 0 check the key, below 0.2 weak."},
	{"M69", "Time on a question", "Median of the durations that answers report, else of the time since the statement before in the session, 30 minutes at most."},
	{"M70", "Stuck learners", "S1: at least 3 wrong responses and none right after. S2: longer there than 90 % of those who got past and than 3 times their median, without completing. S3: the last element touched in an attempt that is silent for 7 days. A learner counts once."},
	{"M71", "Stuck rate", "Stuck learners, of those who reached the element; ranked by the lower bound of the interval, so that 2 of 2 does not beat 60 of 100."},
	{"M72", "Excess drop-off", "S3 of the learners who reached the element, less the median of its siblings."},
	{"M73", "Needs support", "A learner who started a content and neither completed nor passed it, with a reason: R1 silent for 7 days, R2 last verdict failed or stuck on a question, R3 progress below that of 75 % of the others after as many days."},
	{"M74", "Live now", "Distinct learners with a statement stored in the last 5 minutes."},
	{"M75", "Statements a minute", "Statements stored in each of the last 60 minutes."},
	{"M76", "Delay", "Median of stored less timestamp over the last 1,000 statements."},
	{"M80", "KPI link", "Correlation of a measure per learner or group with a figure of the business, by Pearson and Spearman, with 95 % intervals. From 30 learners or 12 groups on. Association, not cause."},
}

// Definitions lists how every figure is counted.
func Definitions() []Definition { return definitions }

// DefinitionOf finds a definition.
func DefinitionOf(id string) (Definition, bool) {
	for _, d := range definitions {
		if d.ID == id {
			return d, true
		}
	}
	return Definition{}, false
}
