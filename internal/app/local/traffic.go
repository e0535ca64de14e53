package local

import (
	"net/http"
	"sync/atomic"
	"time"
)

// traffic knows whether there are requests. It is safe for concurrent use.
type traffic struct {
	inFlight atomic.Int64
	ended    atomic.Int64 // when the last request ended, nanoseconds of Unix time
}

// lull is how long there must have been no request until there are none: clients that ask one thing after another pause less, and
// a client that is further away leaves the machine idle in between.
const lull = 10 * time.Millisecond

// through counts the requests that a handler serves.
func (t *traffic) through(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.inFlight.Add(1)
		defer func() {
			t.ended.Store(time.Now().UnixNano())
			t.inFlight.Add(-1)
		}()
		h.ServeHTTP(w, r)
	})
}

// busy reports whether there are requests.
func (t *traffic) busy() bool {
	return t.inFlight.Load() > 0 || time.Since(time.Unix(0, t.ended.Load())) < lull
}
