package front

import (
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

const ledgerARN = "arn:aws:dynamodb:us-east-1:123456789012:table/test-Items/stream/2026-11-21T10:00:00.000"

// ledger is a stream in memory, whose shards can be split.
type ledger struct {
	mu      sync.Mutex
	shards  []Shard
	records map[string][]Record // by shard
	ended   map[string]bool
	last    int // sequence number
	fail    int // so many calls fail
}

// split adds a shard, and ends its parent.
func (l *ledger) split(id, parent string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.records == nil {
		l.records, l.ended = make(map[string][]Record), make(map[string]bool)
	}
	l.ended[parent] = true
	l.shards = append([]Shard{{Stream: ledgerARN, ID: id, Parent: parent}}, l.shards...) // children before parents
}

// add writes a record: the n-th change of an item, on which the consumer of these tests does what do says.
func (l *ledger) add(shard, item string, n int, do string, created time.Time) (sequence string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	sequence = strconv.Itoa(l.last)
	text := fmt.Sprintf(`{"eventID":"e-%s","eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{"pk":{"S":%q}},`+
		`"NewImage":{"pk":{"S":%q},"n":{"N":"%d"},"do":{"S":%q}},"SequenceNumber":"%s"}}`, sequence, created.Unix(), item, item, n, do, sequence)
	record, err := newRecord(jsontext.Value(text), ledgerARN)
	if err != nil {
		panic(err)
	}
	l.records[shard] = append(l.records[shard], record)
	return sequence
}

func (l *ledger) failing() error {
	if l.fail > 0 {
		l.fail--
		return errors.New("the stream cannot be read now")
	}
	return nil
}

// Shards implements Streams.
func (l *ledger) Shards(context.Context, string) ([]Shard, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.shards), l.failing()
}

// Records implements Streams.
func (l *ledger) Records(_ context.Context, shard Shard, after string, limit int) ([]Record, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.failing(); err != nil {
		return nil, false, err
	}
	all := l.records[shard.ID]
	first := slices.IndexFunc(all, func(r Record) bool { return r.Sequence == after }) + 1
	last := min(first+limit, len(all))
	return all[first:last], last < len(all) || !l.ended[shard.ID], nil
}

// change is a record as a consumer of these tests reads it.
type change struct {
	sequence, item, do string
	n                  int
}

// changes reads an event.
func changes(payload []byte) ([]change, error) {
	var event struct {
		Records []struct {
			EventSourceARN string `json:"eventSourceARN"`
			DynamoDB       struct {
				SequenceNumber string
				NewImage       struct {
					PK struct{ S string } `json:"pk"`
					N  struct {
						N int `json:",string"`
					} `json:"n"`
					Do struct{ S string } `json:"do"`
				}
			} `json:"dynamodb"`
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	var all []change
	for _, r := range event.Records {
		if r.EventSourceARN == "" {
			return nil, errors.New("a record does not tell its stream")
		}
		image := r.DynamoDB.NewImage
		all = append(all, change{sequence: r.DynamoDB.SequenceNumber, item: image.PK.S, n: image.N.N, do: image.Do.S})
	}
	return all, nil
}
