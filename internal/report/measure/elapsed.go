package measure

// Elapsed is M28 over learners: how long completed attempts took from start to completion, of those that had time enough.
type Elapsed struct {
	Times   []int64 // milliseconds, of the matured attempts that were completed in time: Distribute them
	Matured int64   // "n completed of m matured"
}

// Add counts the attempts of one learner, taken from the facts up to asOf. maturity is N of M23 in milliseconds.
func (s *Elapsed) Add(attempts []Attempt, asOf, maturity int64) {
	for i := range attempts {
		a := &attempts[i]
		if !a.Start.Is || a.Waived || a.Start.At > asOf-maturity {
			continue
		}
		s.Matured++
		if ms, ok := a.Elapsed(); ok && ms <= maturity {
			s.Times = append(s.Times, ms)
		}
	}
}
