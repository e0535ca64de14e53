package dynamo

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// answered is a transport whose server is asked at one time of its clock; the answer takes as long as it takes.
type answered func() (date string)

func (a answered) RoundTrip(*http.Request) (*http.Response, error) {
	response := &http.Response{Header: http.Header{}}
	if date := a(); date != "" {
		response.Header.Set("Date", date)
	}
	return response, nil
}

func TestClockIsHeldAgainstTheAnswers(t *testing.T) {
	const second = time.Second
	begin := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name       string
		off        time.Duration // of the process's clock, ahead
		there      time.Duration // from sending to the server's look at its clock
		back       time.Duration // from there to the answer
		at         time.Duration // when it is sent, in the server's time after begin
		wrong      bool
		withoutOne bool // the answer has no Date
	}{
		{name: "right"},
		{name: "right, at the end of a second", at: 999 * time.Millisecond},
		{name: "right, and the answer takes long", there: 5 * second, back: 20 * second},
		{name: "ahead within the allowance", off: second},
		{name: "ahead by what whole seconds may hide", off: 1900 * time.Millisecond},
		{name: "ahead", off: 3100 * time.Millisecond, wrong: true},
		{name: "behind within the allowance", off: -second},
		{name: "behind", off: -2100 * time.Millisecond, wrong: true},
		{name: "behind, and the answer takes too long to tell", off: -2100 * time.Millisecond, back: 2 * second},
		{name: "an hour behind", off: -time.Hour, there: second, back: second, wrong: true},
		{name: "no date", off: time.Hour, withoutOne: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := begin.Add(tt.at)
			c := NewClock(answered(func() string {
				server = server.Add(tt.there)
				date := server.Format(http.TimeFormat)
				server = server.Add(tt.back)
				if tt.withoutOne {
					return ""
				}
				return date
			}), func() time.Time { return server.Add(tt.off) }, second)
			if err := c.Check(); err != nil {
				t.Fatalf("before any answer: %v", err)
			}
			if _, err := c.RoundTrip(nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Check(); (err != nil) != tt.wrong {
				t.Errorf("got %v, want an error: %v", err, tt.wrong)
			}
			if tt.wrong {
				tt.off = 0 // set right
				if _, err := c.RoundTrip(nil); err != nil {
					t.Fatal(err)
				}
				if err := c.Check(); err != nil {
					t.Errorf("after it was set right: %v", err)
				}
			}
		})
	}
}

func TestAnswersThatFailSayNothingOfTheClock(t *testing.T) {
	c := NewClock(Transport(), nil, time.Second)
	r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.RoundTrip(r); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v, want the transport's error", err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}
