// Package dynamo is the table driver for DynamoDB. It translates the port's calls into single requests and reports
// the units and the time that the server reports.
//
// What keeps the port's promises:
//
//   - The SDK's retries are off. Apply and Group send one request. Reads and Batch, which may be repeated, are
//     repeated here, with jitter, inside the context.
//   - A call past its deadline closes its connection, and what was not sent yet is thrown away (see Transport), so
//     nothing of a write goes out after its call has returned.
//   - A failed write is ErrUnknown unless the answer proves that it was not applied (see outcome).
//   - The limits of the port are checked before anything is sent.
//
// Where DynamoDB Local differs from DynamoDB, the tests say so.
package dynamo

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go/middleware"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Options are what New needs beyond its arguments. The zero value is right for functions.
type Options struct {
	Streams *dynamodbstreams.Client           // reads the feed; Shards and Changes need it
	Attempt time.Duration                     // longest time of one request; 0 is 5 s
	Jitter  func(time.Duration) time.Duration // draws a pause between 0 and its argument; nil draws at random
}

const (
	defaultAttempt = 5 * time.Second
	parallel       = 8 // requests that one BatchGet or Batch has under way
)

// DB is a table.DB and table.Scanner.
type DB struct {
	client  *dynamodb.Client
	prefix  string
	schemas table.Schemas
	options Options
	order   []table.Schema // as given, for CreateTables
	streams streams
}

var (
	_ table.DB      = (*DB)(nil)
	_ table.Scanner = (*DB)(nil)
)

// New makes a driver for tables whose names in DynamoDB are the prefix and the schema's. It sends nothing.
func New(client *dynamodb.Client, prefix string, schemas []table.Schema, options Options) *DB {
	if options.Attempt == 0 {
		options.Attempt = defaultAttempt
	}
	if options.Jitter == nil {
		options.Jitter = func(most time.Duration) time.Duration { return rand.N(most + 1) }
	}
	return &DB{client: client, prefix: prefix, schemas: table.NewSchemas(schemas), options: options, order: schemas}
}

func (d *DB) name(tableName string) *string { return aws.String(d.prefix + tableName) }

// once switches the SDK's retries off for one request.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// readCost and writeCost read the units that requests ask for by ReturnConsumedCapacity=TOTAL: they include indexes.
func readCost(metadata middleware.Metadata, consumed ...types.ConsumedCapacity) table.Cost {
	return table.Cost{Read: units(consumed), Date: serverTime(metadata)}
}

func writeCost(metadata middleware.Metadata, consumed ...types.ConsumedCapacity) table.Cost {
	return table.Cost{Write: units(consumed), Date: serverTime(metadata)}
}

func units(consumed []types.ConsumedCapacity) (sum float64) {
	for _, c := range consumed {
		sum += aws.ToFloat64(c.CapacityUnits)
	}
	return sum
}

// one makes a list of what single-item requests answer.
func one(c *types.ConsumedCapacity) []types.ConsumedCapacity {
	if c == nil {
		return nil
	}
	return []types.ConsumedCapacity{*c}
}

func serverTime(metadata middleware.Metadata) time.Time {
	date, _ := awsmiddleware.GetServerTime(metadata)
	return date
}

// begin refuses a call whose context has ended, so that what follows is known to be unsent.
func begin(ctx context.Context, checked error) error {
	if checked != nil {
		return checked
	}
	return ctx.Err()
}
