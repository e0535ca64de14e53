package measure

// Audience sums what learners watched of one video (M41 to M46).
type Audience struct {
	Learners          int64   // with a viewing, whether they watched anything or not
	WatchTime, Unique int64   // Σ M41 and Σ M42, milliseconds of content
	Reported          int64   // M45: learners with a completed event
	Measured          int64   // M45: learners with coverage of the threshold or more
	InFull            int64   // M46
	Estimated         int64   // learners some of whose watching is estimated (M49)
	Coverages         []int64 // M43 of each learner in millionths, when the video's length is known
}

// Add counts one learner.
func (s *Audience) Add(w *Watch) {
	s.Learners++
	s.WatchTime += w.WatchTime
	s.Unique += w.Unique
	s.Reported += one(w.Reported)
	s.Measured += one(w.Completed())
	s.InFull += one(w.InFull())
	s.Estimated += one(w.Estimated)
	if w.Length > 0 {
		s.Coverages = append(s.Coverages, w.Unique*1_000_000/w.Length)
	}
}

// Rewatch is M44 over all learners = Σ M41/Σ M42 − 1; NaN when nothing was watched.
func (s *Audience) Rewatch() float64 { return Rate{s.WatchTime, s.Unique}.Value() - 1 }
