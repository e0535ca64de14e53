// Package measure holds the figures of reports: what each learner's facts come to, and sums of that over learners. What each
// figure means is told by DEFINITIONS.md in the folder above; M01 and the like are its ids. Everything here is a pure function of
// facts.
//
// Two roads lead to a figure. Contribution says what one learner adds to sums by day: M01 to M03, M05, M06, M10, M20 to M26, M29,
// M60 and M61; InScope says the same of facts that pass a filter. Whatever needs a row per learner is a step over its facts
// (Attempts, AttemptsAt, ActiveTimes, ViewingsIn, AnswersOf, Signs, CourseOf) and a sum that takes the steps of one learner after
// the other:
//
//	M04         Stickiness
//	M10         Sessions, SessionsIn
//	M20 to M28  Attempts; Completion, FirstJudgedAttempts, Scored, Funnel, Elapsed
//	M29         ActiveTimes
//	M30         Newcombe over MaturedRate of kinds
//	M40 to M46  ViewingsIn, WatchTimes; Watch, Audience
//	M47 to M50  Heat
//	M60 to M63  AnswersOf; Item
//	M64 to M66  Scores; Matrix
//	M67 to M69  Interaction, Distractor; ItemFlags; Answer.Duration
//	M70 to M72  Signs; Elements
//	M73         CourseOf; Peers
//	M80         Correlate
//
// M07 to M09 count learners and M74 to M76 statements as they come: package report does so where it reads them.
package measure
