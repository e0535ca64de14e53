package dynamo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/cairn-lrs/cairn/internal/table"
)

// The feed is for tests and operators: in the cloud, Lambda's event source reads the streams. Every call of Changes
// takes a new iterator and keeps nothing, at the price of two requests or more. Sequence numbers are decimal and rise
// as numbers, not as strings.

const (
	maxRecords = 1000 // of one request. Source: API reference, GetRecords
	maxEmpty   = 4    // a stream answers empty pages before it reaches its records; so many are followed in one call
)

// streams remembers the stream of each table.
type streams struct {
	mu   sync.Mutex
	arns map[string]string
}

var errNoStream = errors.New("dynamo: the table has no stream, or the driver no client for it")

func onceStream(o *dynamodbstreams.Options) { o.Retryer = aws.NopRetryer{} }

func (d *DB) stream(ctx context.Context, tableName string) (string, error) {
	s, err := d.schemas.Find(tableName)
	if err != nil {
		return "", err
	}
	if !s.Stream || d.options.Streams == nil {
		return "", fmt.Errorf("read feed of %s: %w", tableName, errNoStream)
	}
	d.streams.mu.Lock()
	defer d.streams.mu.Unlock()
	if arn := d.streams.arns[tableName]; arn != "" {
		return arn, nil
	}
	out, err := d.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: d.name(tableName)}, once)
	if err != nil {
		return "", outcome("describe table", err)
	}
	arn := aws.ToString(out.Table.LatestStreamArn)
	if arn == "" {
		return "", fmt.Errorf("read feed of %s: %w", tableName, errNoStream)
	}
	if d.streams.arns == nil {
		d.streams.arns = make(map[string]string)
	}
	d.streams.arns[tableName] = arn
	return arn, nil
}

// Shards implements table.Feed by DescribeStream. A parent that has left the stream, after a day, is not named.
func (d *DB) Shards(ctx context.Context, tableName string) ([]table.Shard, error) {
	arn, err := d.stream(ctx, tableName)
	if err != nil {
		return nil, err
	}
	var all []types.Shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &arn}
	for {
		var out *dynamodbstreams.DescribeStreamOutput
		err := d.repeat(ctx, func(ctx context.Context) (bool, error) {
			out, err = d.options.Streams.DescribeStream(ctx, in, onceStream)
			return true, outcome("describe stream", err)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return parentsFirst(all), nil
		}
	}
}

// parentsFirst orders shards so that each comes after its parent.
func parentsFirst(all []types.Shard) []table.Shard {
	byID := make(map[string]types.Shard, len(all))
	for _, s := range all {
		byID[aws.ToString(s.ShardId)] = s
	}
	ordered := make([]table.Shard, 0, len(all))
	placed := make(map[string]bool, len(all))
	var place func(s types.Shard)
	place = func(s types.Shard) {
		id, parent := aws.ToString(s.ShardId), aws.ToString(s.ParentShardId)
		if placed[id] {
			return
		}
		placed[id] = true
		if above, ok := byID[parent]; ok {
			place(above)
		} else {
			parent = ""
		}
		ordered = append(ordered, table.Shard{ID: id, Parent: parent})
	}
	for _, s := range all {
		place(s)
	}
	return ordered
}

// Changes implements table.Feed by GetShardIterator and GetRecords.
func (d *DB) Changes(ctx context.Context, tableName, shard, after string, limit int) ([]table.Change, bool, error) {
	if limit < 1 {
		return nil, false, fmt.Errorf("read changes, limit %d: %w", limit, table.ErrInvalid)
	}
	arn, err := d.stream(ctx, tableName)
	if err != nil {
		return nil, false, err
	}
	iterator, err := d.iterator(ctx, arn, shard, after)
	if err != nil {
		return nil, false, err
	}
	for range maxEmpty {
		var out *dynamodbstreams.GetRecordsOutput
		err := d.repeat(ctx, func(ctx context.Context) (bool, error) {
			var err error
			out, err = d.options.Streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{
				ShardIterator: iterator,
				Limit:         aws.Int32(int32(min(limit, maxRecords))),
			}, onceStream)
			return true, outcome("get records", err)
		})
		if err != nil {
			return nil, false, err
		}
		iterator = out.NextShardIterator
		if len(out.Records) > 0 || iterator == nil {
			changes, err := d.changes(tableName, shard, out.Records)
			return changes, iterator != nil, err
		}
	}
	return nil, true, nil
}

func (d *DB) iterator(ctx context.Context, arn, shard, after string) (iterator *string, err error) {
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn:         &arn,
		ShardId:           &shard,
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if after != "" {
		in.ShardIteratorType = types.ShardIteratorTypeAfterSequenceNumber
		in.SequenceNumber = &after
	}
	err = d.repeat(ctx, func(ctx context.Context) (bool, error) {
		out, err := d.options.Streams.GetShardIterator(ctx, in, onceStream)
		if err != nil {
			return false, outcome("get shard iterator", err)
		}
		iterator = out.ShardIterator
		return true, nil
	})
	return iterator, err
}

func (d *DB) changes(tableName, shard string, records []types.Record) ([]table.Change, error) {
	changes := make([]table.Change, len(records))
	for i, record := range records {
		keys, err := streamItem(record.Dynamodb.Keys)
		if err != nil {
			return nil, err
		}
		key, err := d.schemas[tableName].KeyOf(keys)
		if err != nil {
			return nil, err
		}
		before, err := streamItem(record.Dynamodb.OldImage)
		if err != nil {
			return nil, err
		}
		now, err := streamItem(record.Dynamodb.NewImage)
		if err != nil {
			return nil, err
		}
		changes[i] = table.Change{
			Table:    tableName,
			Key:      key,
			Shard:    shard,
			Sequence: aws.ToString(record.Dynamodb.SequenceNumber),
			Old:      before,
			New:      now,
		}
	}
	return changes, nil
}
