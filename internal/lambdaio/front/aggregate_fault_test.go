package front

import (
	"context"
	"net/http"
	"strings"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// disturb lets a share of all calls go wrong, until calm.
func (a *aggregation) disturb(share float64, deadly bool, kill func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.share, a.deadly, a.kill = share, deadly, kill
}

// calm ends disturb, and says whether the process died.
func (a *aggregation) calm() (died bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	died = a.dead
	a.kill()
	a.share, a.dead = 0, false
	return died
}

func (a *aggregation) count(what string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[what] += n
}

// meddle decides what becomes of a call.
func (a *aggregation) meddle(r *http.Request, body []byte) cloudtest.Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead {
		return cloudtest.Unsent
	}
	_, operation, ofTables := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	group := operation == "TransactWriteItems"
	share := a.share
	if group { // which is where it matters most
		share *= 3
	}
	if share == 0 || a.Float64() >= share {
		return nil
	}
	batch := operation == "BatchGetItem" || operation == "BatchWriteItem"
	note := func(what string, fault cloudtest.Fault) cloudtest.Fault {
		a.seen[what]++
		return fault
	}
	switch x := a.IntN(100); {
	case a.deadly || x < 12:
		return a.death(note)
	case !ofTables:
		return note("a call failed", cloudtest.S3Error(http.StatusServiceUnavailable, "SlowDown"))
	case x < 30:
		return note("another process came between", a.overtaken(operation))
	case x < 35:
		return note("a call was refused for good", cloudtest.DynamoDBError(http.StatusBadRequest, "AccessDeniedException"))
	case x < 55 && group:
		return note("a group met another", cloudtest.DynamoDBCancelled(body, a.IntN, pickOne(a.Rand, "TransactionConflict", "ThrottlingError")))
	case x < 55 && batch:
		return note("a batch of calls was done in part", cloudtest.DynamoDBLeftovers(body))
	case x < 75:
		return note("a call failed", pickOne(a.Rand, cloudtest.Unsent, cloudtest.DynamoDBError(http.StatusInternalServerError, "InternalServerError"),
			cloudtest.DynamoDBError(http.StatusBadRequest, "ProvisionedThroughputExceededException")))
	}
	return note("a call did its work and its reply was lost", pickOne(a.Rand, cloudtest.ReplyLost, cloudtest.ReplyBroken,
		cloudtest.Done(cloudtest.DynamoDBError(http.StatusInternalServerError, "InternalServerError"))))
}

// death ends the process before or after a call. What it still sends goes nowhere.
func (a *aggregation) death(note func(string, cloudtest.Fault) cloudtest.Fault) cloudtest.Fault {
	a.dead = true
	kill := a.kill
	if a.IntN(2) == 0 {
		kill()
		return note("the process died before a call", cloudtest.Unsent)
	}
	return note("the process died after a call", func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
		response, err := cloudtest.ReplyLost(base, r)
		kill()
		return response, err
	})
}

// overtaken lets another process handle some of the records, from the first to the last call, before the call is made.
func (a *aggregation) overtaken(operation string) cloudtest.Fault {
	from := a.IntN(len(a.current))
	records := a.current[from:min(len(a.current), from+1+a.IntN(15))]
	share := a.share
	a.share = 0
	return func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
		if _, err := a.other.Invoke(context.WithoutCancel(r.Context()), payload(records)); err != nil {
			a.t.Errorf("another process, at %s: %v", operation, err)
		}
		a.mu.Lock()
		a.share = share
		a.mu.Unlock()
		return base.RoundTrip(r)
	}
}
