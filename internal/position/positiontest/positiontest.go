// Package positiontest has a clock for tests of what depends on the age of positions.
package positiontest

import (
	"sync"
	"time"
)

// step is the longest time between two readings of an unhurried clock.
const step = 10 * time.Millisecond

// Unhurried makes a clock of another one, mostly time.Now, that goes on by 10 ms at most from one reading to the next, and so
// catches up bit by bit. However long the machine of a test is busy with something else between two readings, no position
// grows too old for its commit and no page is cut short. It is safe for concurrent use.
func Unhurried(now func() time.Time) func() time.Time {
	var mu sync.Mutex
	last := now()
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if wall, most := now(), last.Add(step); wall.Before(most) {
			last = wall
		} else {
			last = most
		}
		return last
	}
}
