package dynamo

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/table"
)

// firstOnly lets a fault happen to the first n requests of an operation.
func firstOnly(operation string, n int, fault cloudtest.Fault) func(string, int) cloudtest.Fault {
	return func(seen string, before int) cloudtest.Fault {
		if seen == operation && before < n {
			return fault
		}
		return nil
	}
}

// openFaulty makes tables on DynamoDB Local behind faults.
func openFaulty(t *testing.T, servers *cloudtest.Servers, choose func(string, int) cloudtest.Fault) (*DB, *cloudtest.Faulty) {
	through := &cloudtest.Faulty{Base: transport, Choose: choose}
	return openThrough(t, servers, through, plainSchemas), through
}

func TestAWriteWhoseReplyIsLostIsDoneAndUnknown(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	for name, lost := range map[string]cloudtest.Fault{"lost": cloudtest.ReplyLost, "broken": cloudtest.ReplyBroken} {
		t.Run(name, func(t *testing.T) {
			db, seen := openFaulty(t, servers, func(operation string, _ int) cloudtest.Fault {
				if operation == "PutItem" || operation == "TransactWriteItems" {
					return lost
				}
				return nil
			})
			_, _, err := db.Apply(t.Context(), table.Put("Plain", plainItem("apply")))
			if !errors.Is(err, table.ErrUnknown) {
				t.Errorf("Apply = %v, want ErrUnknown", err)
			}
			_, err = db.Group(t.Context(), "", []table.Write{table.Put("Plain", plainItem("group"))})
			if !errors.Is(err, table.ErrUnknown) {
				t.Errorf("Group = %v, want ErrUnknown", err)
			}
			if n := seen.Seen("PutItem") + seen.Seen("TransactWriteItems"); n != 2 {
				t.Errorf("%d requests, want 2", n)
			}
			for _, partition := range []string{"apply", "group"} {
				if item, _, err := db.Get(t.Context(), plainRef(partition), table.Strong); err != nil || item == nil {
					t.Errorf("Get of %s = %v, %v; want the item", partition, item, err)
				}
			}
		})
	}
}

func TestReadsAndBatchesGoOnAfterFaults(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	faults := map[string]cloudtest.Fault{
		"throttled":      cloudtest.DynamoDBError(400, "ProvisionedThroughputExceededException"),
		"internal error": cloudtest.DynamoDBError(500, "InternalServerError"),
		"reset":          cloudtest.Unsent,
		"reply lost":     cloudtest.ReplyLost,
		"reply broken":   cloudtest.ReplyBroken,
	}
	calls := []struct {
		operation string
		call      func(context.Context, *DB) error
	}{
		{"GetItem", func(ctx context.Context, db *DB) error {
			item, _, err := db.Get(ctx, plainRef("1"), table.Strong)
			return wantItems(err, item)
		}},
		{"Query", func(ctx context.Context, db *DB) error {
			page, _, err := db.Query(ctx, table.Query{Table: "Plain", Partition: "1", Consistency: table.Strong})
			return wantItems(err, page.Items...)
		}},
		{"Scan", func(ctx context.Context, db *DB) error {
			page, _, err := db.Scan(ctx, "Plain", 0, 1, nil)
			return wantItems(err, page.Items...)
		}},
		{"BatchGetItem", func(ctx context.Context, db *DB) error {
			items, _, err := db.BatchGet(ctx, []table.Ref{plainRef("1"), plainRef("1")}, table.Strong)
			return wantItems(err, items...)
		}},
		{"BatchWriteItem", func(ctx context.Context, db *DB) error {
			if _, err := db.Batch(ctx, []table.Write{table.Put("Plain", plainItem("2")), table.Delete(plainRef("3"))}); err != nil {
				return err
			}
			item, _, err := db.Get(ctx, plainRef("2"), table.Strong)
			return wantItems(err, item)
		}},
	}
	for name, fault := range faults {
		for _, c := range calls {
			t.Run(name+"/"+c.operation, func(t *testing.T) {
				const failures = 3
				db, seen := openFaulty(t, servers, firstOnly(c.operation, failures, fault))
				if _, _, err := db.Apply(t.Context(), table.Put("Plain", plainItem("1"))); err != nil {
					t.Fatal(err)
				}
				if err := c.call(t.Context(), db); err != nil {
					t.Error(err)
				}
				if n := seen.Seen(c.operation); n != failures+1 {
					t.Errorf("%d requests, want %d", n, failures+1)
				}
			})
		}
	}
}

func wantItems(err error, items ...table.Item) error {
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return errors.New("no items")
	}
	for _, item := range items {
		if item == nil {
			return errors.New("an item is absent")
		}
	}
	return nil
}

func TestBatchesOfManyRequests(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	// Every third request is throttled once.
	db, seen := openFaulty(t, servers, func(operation string, n int) cloudtest.Fault {
		if (operation == "BatchWriteItem" || operation == "BatchGetItem") && n%3 == 0 {
			return cloudtest.DynamoDBError(400, "ThrottlingException")
		}
		return nil
	})
	const n = 260
	var ws []table.Write
	var refs []table.Ref
	for i := range n {
		partition := fmt.Sprint("p", i)
		if i%2 == 0 {
			ws = append(ws, table.Put("Plain", plainItem(partition)))
		}
		refs = append(refs, plainRef(partition))
	}
	cost, err := db.Batch(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	if cost.Write != n/2 {
		t.Errorf("%v write units, want %d", cost.Write, n/2)
	}
	items, _, err := db.BatchGet(t.Context(), refs, table.Strong)
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range items {
		if there := item != nil; there != (i%2 == 0) {
			t.Fatalf("item %d there: %t", i, there)
		}
	}
	if puts, gets := seen.Seen("BatchWriteItem"), seen.Seen("BatchGetItem"); puts <= 6 || gets <= 3 {
		t.Errorf("%d and %d requests: none was tried again", puts, gets)
	}
}

func TestLeftoversAreAskedUntilTheContextEnds(t *testing.T) {
	leaves := map[string]cloudtest.Fault{
		"BatchGetItem": cloudtest.Answer(200, "application/x-amz-json-1.0",
			`{"Responses":{},"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"1"}}]}}}`),
		"BatchWriteItem": cloudtest.Answer(200, "application/x-amz-json-1.0",
			`{"UnprocessedItems":{"t":[{"DeleteRequest":{"Key":{"pk":{"S":"1"}}}}]}}`),
	}
	calls := map[string]func(context.Context, *DB) error{
		"BatchGetItem": func(ctx context.Context, db *DB) error {
			_, _, err := db.BatchGet(ctx, []table.Ref{plainRef("1")}, table.Eventual)
			return err
		},
		"BatchWriteItem": func(ctx context.Context, db *DB) error {
			_, err := db.Batch(ctx, []table.Write{table.Delete(plainRef("1"))})
			return err
		},
	}
	for operation, call := range calls {
		synctest.Test(t, func(t *testing.T) {
			db, seen := faulty(t, always(leaves[operation]))
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			if err := call(ctx, db); !errors.Is(err, table.ErrThrottled) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s = %v, want ErrThrottled at the deadline", operation, err)
			}
			const pauses = 1 + 2 + 4 + 8 + 16 + 32 + 6*50 // ms, of which the next one would reach past the deadline
			if n := seen.Seen(operation); n != 13 {
				t.Errorf("%s was asked %d times, want 13 times in %d ms", operation, n, pauses)
			}
		})
	}
}

func TestAReadWithoutAnswersGivesUp(t *testing.T) {
	db, seen := faulty(t, always(cloudtest.Unsent))
	_, _, err := db.Get(t.Context(), plainRef("1"), table.Strong)
	if !errors.Is(err, table.ErrUnknown) || !errors.Is(err, cloudtest.ErrReset) {
		t.Errorf("Get = %v, want ErrUnknown with its cause", err)
	}
	if n := seen.Seen("GetItem"); n != maxFailures {
		t.Errorf("%d requests, want %d", n, maxFailures)
	}
}
