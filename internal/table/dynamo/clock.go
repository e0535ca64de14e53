package dynamo

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// Clock is a transport that holds this process's clock against DynamoDB's, which each answer tells by its Date. That has whole
// seconds, and an answer takes time: the clock counts as wrong only when it is for sure.
type Clock struct {
	base    http.RoundTripper
	now     func() time.Time
	allowed time.Duration
	apart   atomic.Int64 // a Duration: what the latest answer said for sure, negative when the clock is behind
}

// NewClock makes a Clock over a transport; the clock may be apart as far as is allowed. now may be nil: time.Now.
func NewClock(base http.RoundTripper, now func() time.Time, allowed time.Duration) *Clock {
	if now == nil {
		now = time.Now
	}
	return &Clock{base: base, now: now, allowed: allowed}
}

// RoundTrip implements http.RoundTripper. The server looked at its clock after the request was sent and before the answer came.
func (c *Clock) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := c.now()
	response, err := c.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil { // an answer without says nothing
		ahead, behind := sent.Sub(date.Add(time.Second)), date.Sub(c.now())
		c.apart.Store(int64(max(ahead, 0) - max(behind, 0)))
	}
	return response, nil
}

// Check tells whether the clock is apart further than is allowed, as the latest answer said it.
func (c *Clock) Check() error {
	if apart := time.Duration(c.apart.Load()); apart.Abs() > c.allowed {
		return fmt.Errorf("the clock of this process is %v apart from DynamoDB's: %v are allowed", apart, c.allowed)
	}
	return nil
}
