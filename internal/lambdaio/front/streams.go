package front

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Streams are the streams of DynamoDB's tables.
type Streams interface {
	// Shards lists the shards of a table's stream, in any order.
	Shards(ctx context.Context, table string) ([]Shard, error)

	// Records reads a shard after a sequence number ("" begins at its oldest record), at most limit records. open=false
	// says that nothing will follow them.
	Records(ctx context.Context, shard Shard, after string, limit int) (records []Record, open bool, err error)
}

// Shard is one shard of a stream.
type Shard struct {
	Stream string // ARN
	ID     string
	Parent string // "" when it has none
}

// Record is one record of a stream.
type Record struct {
	JSON     jsontext.Value // as Lambda hands it to a function
	Item     string         // the same text for the records of one item
	Sequence string
	Created  time.Time
}

// Server is a server that speaks DynamoDB's protocol and checks no signature, as DynamoDB Local. It hands out records as
// they come over the wire, which is the form that Lambda's events have: with the SDK they would be decoded, and encoded by
// code that makes the mistakes of the code that reads them.
type Server struct {
	Endpoint  string // URL
	Region    string
	AccessKey string
}

// Source: DynamoDB API reference, "DynamoDB Streams"; it is the version of its protocol.
const streamsTarget = "DynamoDBStreams_20120810."

// call does one operation.
func (s Server) call(ctx context.Context, operation string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", streamsTarget+operation)
	// DynamoDB Local has a database for each access key and region, and reads both here.
	request.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s/%s/dynamodb/aws4_request, SignedHeaders=host, Signature=none",
		s.AccessKey, time.Now().UTC().Format("20060102"), s.Region))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	defer response.Body.Close() // it was read
	if response.StatusCode != http.StatusOK {
		var problem struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		err := json.UnmarshalRead(response.Body, &problem, json.MatchCaseInsensitiveNames(true))
		return errors.Join(fmt.Errorf("%s: status %d: %s: %s", operation, response.StatusCode, problem.Type, problem.Message), err)
	}
	if err := json.UnmarshalRead(response.Body, output); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// Shards implements Streams by ListStreams and DescribeStream.
func (s Server) Shards(ctx context.Context, table string) ([]Shard, error) {
	var streams struct {
		Streams []struct {
			StreamArn string `json:"StreamArn"`
		} `json:"Streams"`
	}
	if err := s.call(ctx, "ListStreams", map[string]any{"TableName": table}, &streams); err != nil {
		return nil, err
	}
	if len(streams.Streams) != 1 {
		return nil, fmt.Errorf("the table %s has %d streams, want one", table, len(streams.Streams))
	}
	arn := streams.Streams[0].StreamArn
	var shards []Shard
	input := map[string]any{"StreamArn": arn}
	for {
		var page struct {
			StreamDescription struct {
				LastEvaluatedShardID string `json:"LastEvaluatedShardId"`
				Shards               []struct {
					ShardID       string `json:"ShardId"`
					ParentShardID string `json:"ParentShardId"`
				} `json:"Shards"`
			} `json:"StreamDescription"`
		}
		if err := s.call(ctx, "DescribeStream", input, &page); err != nil {
			return nil, err
		}
		for _, shard := range page.StreamDescription.Shards {
			shards = append(shards, Shard{Stream: arn, ID: shard.ShardID, Parent: shard.ParentShardID})
		}
		last := page.StreamDescription.LastEvaluatedShardID
		if last == "" {
			return shards, nil
		}
		input["ExclusiveStartShardId"] = last
	}
}

const (
	maxRecords = 1000 // of one GetRecords. Source: API reference
	maxEmpty   = 4    // pages without a record are followed by others that have some; so many are read at once
)

// Records implements Streams by GetShardIterator and GetRecords. It keeps no iterator, which would expire.
func (s Server) Records(ctx context.Context, shard Shard, after string, limit int) ([]Record, bool, error) {
	input := map[string]any{"StreamArn": shard.Stream, "ShardId": shard.ID, "ShardIteratorType": "TRIM_HORIZON"}
	if after != "" {
		input["ShardIteratorType"], input["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", after
	}
	var iterator struct {
		ShardIterator string `json:"ShardIterator"`
	}
	if err := s.call(ctx, "GetShardIterator", input, &iterator); err != nil {
		return nil, false, err
	}
	next := iterator.ShardIterator
	for range maxEmpty {
		var page struct {
			Records           []jsontext.Value `json:"Records"`
			NextShardIterator string           `json:"NextShardIterator"`
		}
		if err := s.call(ctx, "GetRecords", map[string]any{"ShardIterator": next, "Limit": min(limit, maxRecords)}, &page); err != nil {
			return nil, false, err
		}
		next = page.NextShardIterator
		if len(page.Records) > 0 || next == "" {
			records, err := readRecords(page.Records, shard.Stream)
			return records, next != "", err
		}
	}
	return nil, true, nil
}

func readRecords(texts []jsontext.Value, stream string) ([]Record, error) {
	records := make([]Record, len(texts))
	for i, text := range texts {
		var err error
		if records[i], err = newRecord(text, stream); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// newRecord reads what the mapping needs of a record, and adds what Lambda adds.
func newRecord(text jsontext.Value, stream string) (Record, error) {
	var record struct {
		DynamoDB struct {
			Created        float64        `json:"ApproximateCreationDateTime"` // Unix seconds
			Keys           jsontext.Value `json:"Keys"`
			SequenceNumber string         `json:"SequenceNumber"`
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return Record{}, fmt.Errorf("read record of %s: %w", stream, err)
	}
	keys := record.DynamoDB.Keys
	if err := keys.Canonicalize(); err != nil {
		return Record{}, fmt.Errorf("read keys of record of %s: %w", stream, err)
	}
	open := strings.TrimSuffix(strings.TrimSpace(string(text)), "}")
	return Record{
		JSON:     jsontext.Value(fmt.Sprintf(`%s,"eventSourceARN":%q}`, open, stream)),
		Item:     string(keys),
		Sequence: record.DynamoDB.SequenceNumber,
		Created:  time.UnixMilli(int64(record.DynamoDB.Created * 1000)),
	}, nil
}
