package dynamo

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/table"
)

var plainSchemas = []table.Schema{{Name: "Plain", Partition: "pk"}}

func plainRef(partition string) table.Ref {
	return table.Ref{Table: "Plain", Key: table.Key{Partition: partition}}
}

func plainItem(partition string) table.Item { return table.Item{"pk": table.S(partition)} }

// cancelled is a fault: the transaction is cancelled for the reasons, one for each of its writes.
func cancelled(reasons string) cloudtest.Fault {
	return cloudtest.Answer(http.StatusBadRequest, "application/x-amz-json-1.0",
		`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"m","CancellationReasons":[`+reasons+`]}`)
}

// unreachable is the base of transports whose faults answer everything.
type unreachable struct{ t *testing.T }

func (u unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	u.t.Error("a request went past the fault")
	return nil, errors.New("unreachable")
}

// faulty makes a driver whose every request meets the fault that choose picks.
func faulty(t *testing.T, choose func(operation string, n int) cloudtest.Fault) (*DB, *cloudtest.Faulty) {
	through := &cloudtest.Faulty{Base: unreachable{t}, Choose: choose}
	return connect("http://127.0.0.1:1", through, plainSchemas), through
}

func always(fault cloudtest.Fault) func(string, int) cloudtest.Fault {
	return func(string, int) cloudtest.Fault { return fault }
}

func TestWritesAreSentOnceAndTheirFailuresTold(t *testing.T) {
	tests := []struct {
		name  string
		fault cloudtest.Fault
		want  error
	}{
		{"throughput exceeded", cloudtest.DynamoDBError(400, "ProvisionedThroughputExceededException"), table.ErrThrottled},
		{"request limit", cloudtest.DynamoDBError(400, "RequestLimitExceeded"), table.ErrThrottled},
		{"throttling", cloudtest.DynamoDBError(400, "ThrottlingException"), table.ErrThrottled},
		{"transaction in the way", cloudtest.DynamoDBError(400, "TransactionConflictException"), table.ErrConflict},
		{"refused by validation", cloudtest.DynamoDBError(400, "ValidationException"), table.ErrInvalid},
		{"token in progress", cloudtest.DynamoDBError(400, "TransactionInProgressException"), table.ErrUnknown},
		{"internal error", cloudtest.DynamoDBError(500, "InternalServerError"), table.ErrUnknown},
		{"unavailable", cloudtest.DynamoDBError(503, "ServiceUnavailable"), table.ErrUnknown},
		{"throttle code with a 500", cloudtest.DynamoDBError(500, "ThrottlingException"), table.ErrUnknown},
		{"a proxy's page", cloudtest.Answer(502, "text/html", "<html>bad gateway</html>"), table.ErrUnknown},
		{"an answer that is no JSON", cloudtest.Answer(200, "application/x-amz-json-1.0", "{"), table.ErrUnknown},
		{"connection reset", cloudtest.Unsent, table.ErrUnknown},
		{"no answer in time", cloudtest.NoAnswer, table.ErrUnknown}, // which Options.Attempt bounds
	}
	writes := []struct {
		operation string
		call      func(context.Context, *DB) error
	}{
		{"PutItem", func(ctx context.Context, db *DB) error {
			_, _, err := db.Apply(ctx, table.Put("Plain", plainItem("x")))
			return err
		}},
		{"UpdateItem", func(ctx context.Context, db *DB) error {
			_, _, err := db.Apply(ctx, table.Update(plainRef("x"), []table.Action{table.Add("n", table.N(1))}))
			return err
		}},
		{"DeleteItem", func(ctx context.Context, db *DB) error {
			_, _, err := db.Apply(ctx, table.Delete(plainRef("x")))
			return err
		}},
		{"TransactWriteItems", func(ctx context.Context, db *DB) error {
			_, err := db.Group(ctx, "token", []table.Write{table.Put("Plain", plainItem("x"))})
			return err
		}},
	}
	for _, tt := range tests {
		for _, write := range writes {
			t.Run(tt.name+"/"+write.operation, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					db, seen := faulty(t, always(tt.fault))
					if err := write.call(t.Context(), db); !errors.Is(err, tt.want) {
						t.Errorf("error %v, want %v", err, tt.want)
					}
					if n := seen.Seen(write.operation); n != 1 {
						t.Errorf("%d requests, want 1", n)
					}
				})
			})
		}
	}
}

func TestRefusalsThatAreNoOutcomeOfThePort(t *testing.T) {
	for _, code := range []string{"ResourceNotFoundException", "AccessDeniedException", "UnrecognizedClientException"} {
		db, _ := faulty(t, always(cloudtest.DynamoDBError(400, code)))
		_, _, err := db.Apply(t.Context(), table.Put("Plain", plainItem("x")))
		if err == nil {
			t.Errorf("%s: no error", code)
		}
		for _, outcome := range []error{table.ErrUnknown, table.ErrThrottled, table.ErrConflict, table.ErrInvalid, table.ErrCondition} {
			if errors.Is(err, outcome) {
				t.Errorf("%s is reported as %v", code, outcome)
			}
		}
	}
}

func TestCancelledGroups(t *testing.T) {
	const (
		fine      = `{"Code":"None"}`
		conflict  = `{"Code":"TransactionConflict","Message":"m"}`
		throttled = `{"Code":"ThrottlingError","Message":"m"}`
		exceeded  = `{"Code":"ProvisionedThroughputExceeded","Message":"m"}`
		invalid   = `{"Code":"ValidationError","Message":"m"}`
		strange   = `{"Code":"SomethingNew","Message":"m"}`
		absent    = `{"Code":"ConditionalCheckFailed","Message":"m"}`
		present   = `{"Code":"ConditionalCheckFailed","Message":"m","Item":{"pk":{"S":"old"}}}`
	)
	tests := []struct {
		name, reasons string
		want          error
		failed        map[int]table.Item // of a *table.GroupError
	}{
		{"conflict", fine + "," + conflict, table.ErrConflict, nil},
		{"throttled", throttled, table.ErrThrottled, nil},
		{"throughput", exceeded + "," + fine, table.ErrThrottled, nil},
		{"first reason decides", throttled + "," + conflict, table.ErrThrottled, nil},
		{"invalid", invalid, table.ErrInvalid, nil},
		{"unknown reason", strange, table.ErrThrottled, nil},
		{"no reason", fine + "," + fine, table.ErrConflict, nil},
		{"condition on an absent item", fine + "," + absent, table.ErrCondition, map[int]table.Item{1: nil}},
		{"conditions", present + "," + fine + "," + absent, table.ErrCondition, map[int]table.Item{0: plainItem("old"), 2: nil}},
		{"condition and conflict", conflict + "," + present, table.ErrCondition, map[int]table.Item{1: plainItem("old")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, _ := faulty(t, always(cancelled(tt.reasons)))
			_, err := db.Group(t.Context(), "", []table.Write{table.Put("Plain", plainItem("x"))})
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			var group *table.GroupError
			var failed map[int]table.Item
			if errors.As(err, &group) {
				failed = group.Failed
			}
			if diff := cmp.Diff(tt.failed, failed); diff != "" {
				t.Errorf("failed conditions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFailedCallsTellTheServersTime(t *testing.T) {
	db, _ := faulty(t, always(cloudtest.DynamoDBError(400, "TransactionConflictException")))
	_, cost, err := db.Apply(t.Context(), table.Put("Plain", plainItem("x")))
	if !errors.Is(err, table.ErrConflict) {
		t.Fatal(err)
	}
	if age := time.Since(cost.Date); age < 0 || age > time.Minute { // the header has whole seconds
		t.Errorf("date %v, want now", cost.Date)
	}
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	db, seen := faulty(t, always(cloudtest.Unsent))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := db.Apply(ctx, table.Put("Plain", plainItem("x")))
	if !errors.Is(err, context.Canceled) || errors.Is(err, table.ErrUnknown) {
		t.Errorf("error %v, want that of the context alone", err)
	}
	if _, err := db.Batch(ctx, []table.Write{table.Put("Plain", plainItem("x"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("error of Batch %v, want that of the context", err)
	}
	if n := seen.Seen("PutItem") + seen.Seen("BatchWriteItem"); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}
