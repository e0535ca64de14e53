package front

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"hash/fnv"
	"os"
	"sync"
	"time"
)

// pace is how often things are done that wait for nothing.
type pace struct {
	discover time.Duration // between two looks for new shards
	poll     time.Duration // between two looks for records of an idle shard
	retry    time.Duration // before the first retry; doubles up to slowest
	slowest  time.Duration
}

// lambdaPace polls as often as Lambda does (developer guide, "Using AWS Lambda with Amazon DynamoDB": four times a second).
// How it spaces retries is not documented.
var lambdaPace = pace{discover: time.Second, poll: 250 * time.Millisecond, retry: 100 * time.Millisecond, slowest: 2 * time.Second}

// invoker runs a function and names the invocation.
type invoker func(ctx context.Context, payload []byte) (id string, answer []byte, err error)

// follower is a mapping at work: it reads a stream and invokes a function. It knows nothing across a restart: then it begins
// anew with the oldest record, as the consumer must bear anyway.
type follower struct {
	Mapping
	pace
	function string // logical id
	invoke   invoker
	streams  Streams
	now      func() time.Time
	log      func(Line)
}

// run follows every shard until ctx ends, a child only when its parent has been read to its end.
func (f *follower) run(ctx context.Context) {
	var following sync.WaitGroup
	defer following.Wait()
	ended := make(map[string]chan struct{}) // by the id of a shard
	for {
		shards, err := f.streams.Shards(ctx, f.Table)
		if err != nil {
			f.complain(ctx, "list shards", err)
		}
		var found []Shard
		for _, shard := range shards {
			if ended[shard.ID] == nil {
				ended[shard.ID] = make(chan struct{})
				found = append(found, shard)
			}
		}
		for _, shard := range found {
			parent, end := ended[shard.Parent], ended[shard.ID] // a parent that is not listed has left the stream
			following.Go(func() {
				if parent != nil {
					select {
					case <-parent:
					case <-ctx.Done():
						return
					}
				}
				f.follow(ctx, shard)
				close(end)
			})
		}
		if !sleep(ctx, f.discover) {
			return
		}
	}
}

// follow reads a shard to its end, or until ctx ends, and returns when its records are done with.
func (f *follower) follow(ctx context.Context, shard Shard) {
	lanes := make([]*lane, f.Lanes)
	var working sync.WaitGroup
	for i := range lanes {
		lanes[i] = &lane{follower: f, shard: shard, in: make(chan []Record)}
		working.Go(func() { lanes[i].run(ctx) })
	}
	f.read(ctx, shard, lanes)
	for _, l := range lanes {
		close(l.in)
	}
	working.Wait()
}

// read hands the records of a shard to its lanes. It reads no further while a lane is full.
func (f *follower) read(ctx context.Context, shard Shard, lanes []*lane) {
	after := ""
	for {
		records, open, err := f.streams.Records(ctx, shard, after, f.BatchSize)
		if err != nil {
			f.complain(ctx, "read shard "+shard.ID, err)
			open = true
		}
		parts := make([][]Record, len(lanes))
		for _, record := range records {
			after = record.Sequence
			i := laneOf(record.Item, len(lanes))
			parts[i] = append(parts[i], record)
		}
		for i, part := range parts {
			if len(part) == 0 {
				continue
			}
			select {
			case lanes[i].in <- part:
			case <-ctx.Done():
				return
			}
		}
		if !open || len(records) == 0 && !sleep(ctx, f.poll) {
			return
		}
	}
}

// laneOf is the same for the records of an item, so that they keep their order.
func laneOf(item string, lanes int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(item)) // never fails
	return int(h.Sum32() % uint32(lanes))
}

// sleep reports whether it was not interrupted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// problem is a line of a mapping.
type problem struct {
	What    string `json:"message"`
	Error   string `json:"error"`
	Shard   string `json:"shard,omitempty"`
	First   string `json:"first,omitempty"` // sequence number
	Records int    `json:"records,omitempty"`
	Try     int    `json:"try,omitempty"`
}

// complain writes a line, but not about the end.
func (f *follower) complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		f.write(f.Name, problem{What: what, Error: err.Error()})
	}
}

// write writes a value as a line.
func (f *follower) write(source string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text = fmt.Appendf(nil, `{"message":"encode line","error":%q}`, err.Error())
	}
	f.log(Line{Source: source, PID: os.Getpid(), Text: string(text)})
}
