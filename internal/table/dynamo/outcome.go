package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/cairn-lrs/cairn/internal/table"
)

// outcome translates the error of a request that was sent. Only an answer of DynamoDB proves that a write was not
// applied; no answer, a broken one or a 5xx leaves it open. Refusals that are none of the port's outcomes (no such
// table, access denied) keep their own error: nothing was applied and trying again is of no use. Source: DynamoDB
// developer guide, "Error handling"; API reference, TransactWriteItems.
func outcome(verb string, err error) error {
	if err == nil {
		return nil
	}
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		return conditionError(verb, condition)
	}
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return cancellation(verb, cancelled)
	}
	var answer smithy.APIError
	if !errors.As(err, &answer) || status(err) >= http.StatusInternalServerError {
		return fmt.Errorf("%s: %w: %w", verb, table.ErrUnknown, err)
	}
	if sentinel := sentinels[answer.ErrorCode()]; sentinel != nil {
		return fmt.Errorf("%s: %w: %w", verb, sentinel, err)
	}
	return fmt.Errorf("%s: %w", verb, err)
}

// sentinels has the outcome for each error code of an answer below 500, and for each reason code of a cancelled
// transaction.
var sentinels = map[string]error{
	"ProvisionedThroughputExceededException": table.ErrThrottled,
	"RequestLimitExceeded":                   table.ErrThrottled,
	"ThrottlingException":                    table.ErrThrottled,
	"Throttling":                             table.ErrThrottled,
	"LimitExceededException":                 table.ErrThrottled, // too many reads of a stream's shard

	"TransactionConflictException":     table.ErrConflict,
	"ReplicatedWriteConflictException": table.ErrConflict,
	"TransactionInProgressException":   table.ErrUnknown, // the same token is being applied right now

	"ValidationException":                      table.ErrInvalid,
	"IdempotentParameterMismatchException":     table.ErrInvalid,
	"ItemCollectionSizeLimitExceededException": table.ErrInvalid,

	"TrimmedDataAccessException": table.ErrTrimmed,

	"TransactionConflict":             table.ErrConflict,
	"ThrottlingError":                 table.ErrThrottled,
	"ProvisionedThroughputExceeded":   table.ErrThrottled,
	"ValidationError":                 table.ErrInvalid,
	"ItemCollectionSizeLimitExceeded": table.ErrInvalid,
}

func conditionError(verb string, e *types.ConditionalCheckFailedException) error {
	old, err := item(e.Item)
	if err != nil {
		return fmt.Errorf("%s: read old item: %w", verb, err)
	}
	return &table.ConditionError{Old: old}
}

// cancellation translates the reasons of a cancelled transaction, one for each of its writes. A failed condition
// comes before a conflict: it is news for the caller, who will meet the conflict again if it lasts.
func cancellation(verb string, e *types.TransactionCanceledException) error {
	failed := map[int]table.Item{}
	var first error // of the other reasons, in the order of the writes
	for i, reason := range e.CancellationReasons {
		switch code := aws.ToString(reason.Code); code {
		case "None", "":
		case "ConditionalCheckFailed":
			old, err := item(reason.Item)
			if err != nil {
				return fmt.Errorf("%s: read old item %d: %w", verb, i, err)
			}
			failed[i] = old
		default:
			if first == nil {
				first = fmt.Errorf("%s: write %d: %w: %s", verb, i, reasonSentinel(code), aws.ToString(reason.Message))
			}
		}
	}
	if len(failed) > 0 {
		return &table.GroupError{Failed: failed}
	}
	if first == nil {
		return fmt.Errorf("%s: %w: %w", verb, table.ErrConflict, e) // cancelled, and nobody says why
	}
	return first
}

// reasonSentinel is ErrThrottled for an unknown reason: whatever it is, nothing was applied.
func reasonSentinel(code string) error {
	if sentinel := sentinels[code]; sentinel != nil {
		return sentinel
	}
	return table.ErrThrottled
}

func status(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// failedCost is what an answer that is an error tells of its cost: the server's time.
func failedCost(err error) table.Cost {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil {
		return table.Cost{}
	}
	date, parseErr := http.ParseTime(response.Response.Header.Get("Date"))
	if parseErr != nil {
		return table.Cost{}
	}
	return table.Cost{Date: date}
}

const (
	firstPause  = 20 * time.Millisecond
	longestWait = time.Second
	maxFailures = 8 // tries in a row that got no usable answer, before a read gives up
)

// repeat calls try until it says that nothing is left to do. It goes on after a throttle and after a part of
// the work until the context ends, and after maxFailures tries without an answer. It is for what may be
// done twice: reads and unconditional writes.
func (d *DB) repeat(ctx context.Context, try func(ctx context.Context) (done bool, err error)) error {
	failures := 0
	for n := 0; ; n++ {
		attempt, cancel := context.WithTimeout(ctx, d.options.Attempt)
		done, err := try(attempt)
		cancel()
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			err = table.ErrThrottled // the engine left something
			failures = 0
		case errors.Is(err, table.ErrThrottled):
		case errors.Is(err, table.ErrUnknown):
			if failures++; failures == maxFailures {
				return err
			}
		default:
			return err
		}
		if ended := d.pause(ctx, n); ended != nil {
			return fmt.Errorf("%w, until %w", err, ended)
		}
	}
}

// pause waits a random time whose bound doubles with each try ("full jitter"; AWS Architecture Blog, "Exponential
// Backoff And Jitter").
func (d *DB) pause(ctx context.Context, n int) error {
	most := longestWait
	if n < 6 {
		most = min(firstPause<<n, longestWait)
	}
	return table.Sleep(ctx, d.options.Jitter(most))
}
