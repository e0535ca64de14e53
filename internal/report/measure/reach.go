package measure

// Stickiness is M04 of a period of whole days, usually a month = mean(daily M03)/M02, the mean over the days of the period until
// today. learnerDays is the sum of the daily M03, learners is M02, the rest are day numbers. NaN without learners or days.
func Stickiness(learnerDays, learners int64, from, to, today int32) float64 {
	return Rate{learnerDays, learners * max(0, int64(min(to, today))-int64(from)+1)}.Value()
}
