package lambdaio

import (
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Consumer handles changes in the order that they have. It returns how many of them, counted from the first, are done for
// good: when that is not all of them, changes[done] is the one to go on with, and err says what it failed at. They may come
// again, also those that are done, and the same changes cut into other batches.
//
// The context ends shortly before the function's time does: a Consumer that notices returns what is done until then. Calls
// of a metered database are charged to the invocation's log line.
type Consumer func(ctx context.Context, changes []table.Change) (done int, err error)

// Stream is a lambda.Handler that hands the records of DynamoDB streams to a Consumer. It is safe for concurrent use.
//
// Its event source mapping must have ReportBatchItemFailures and BisectBatchOnFunctionError. It must have no tumbling
// window, whose answers need a state. When some of a batch is done, the answer names the first change that is not, by its
// sequence number, and Lambda goes on there. When none is, the invocation fails: then Lambda halves the batch, which in
// the end leaves a bad record alone and lets the others pass. An answer that named the first record of a batch would get
// the same batch again, until its retries are used up and all of it is given up.
// Source: AWS Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda".
type Stream struct {
	prefix  string
	consume Consumer
	log     *slog.Logger
}

// NewStream makes a Stream. The prefix is what the deployment puts before the names of its tables; changes have names
// without it. The logger gets one record for each invocation.
func NewStream(prefix string, consume Consumer, log *slog.Logger) *Stream {
	return &Stream{prefix: prefix, consume: consume, log: log}
}

// batch is what became of one event.
type batch struct {
	changes []table.Change // those before the first one that cannot be read
	records int
	done    int
	failed  string // sequence number of the record that failed
	err     error  // of that record
}

// Invoke serves one event. An error means that the payload was no stream event, or that nothing of it is done.
func (s *Stream) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := time.Now()
	ctx, cancel := withMargin(ctx)
	defer cancel()
	meter := new(table.Meter)
	b, err := s.read(payload)
	if err == nil {
		s.run(table.WithMeter(ctx, meter), b)
		err = b.err
	}
	s.report(ctx, b, meter, time.Since(began), err)
	answer := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
	if err != nil {
		if b.done == 0 {
			return nil, err
		}
		answer.BatchItemFailures = append(answer.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: b.failed})
	}
	return json.Marshal(answer)
}

// read decodes an event up to the first record that cannot be read, which is the one to fail when those before it are done.
func (s *Stream) read(payload []byte) (*batch, error) {
	b := new(batch)
	var event struct {
		Records []jsontext.Value `json:"Records"`
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return b, fmt.Errorf("decode stream event: %w", err)
	}
	if event.Records == nil {
		return b, errors.New("decode stream event: it has no records")
	}
	b.records = len(event.Records)
	b.changes = make([]table.Change, 0, b.records)
	for i, text := range event.Records {
		change, err := readChange(text, s.prefix)
		if err == nil {
			b.changes = append(b.changes, change)
			continue
		}
		b.failed, b.err = sequenceOf(text), fmt.Errorf("read record %d of %d: %w", i+1, b.records, err)
		if b.failed == "" { // nothing could be named in an answer
			return b, b.err
		}
		break
	}
	return b, nil
}

// run lets the consumer handle the changes and notes how far it came.
func (s *Stream) run(ctx context.Context, b *batch) {
	if len(b.changes) == 0 {
		return
	}
	done, err := s.protect(ctx, b.changes)
	if done < 0 || done > len(b.changes) {
		done, err = 0, fmt.Errorf("consume changes: the consumer says that %d of %d are done", done, len(b.changes))
	}
	if err == nil && done < len(b.changes) {
		err = errors.New("consume changes: the consumer stopped early")
	}
	if err != nil && done == len(b.changes) {
		done-- // whatever failed, the last one is not known to be done
	}
	b.done = done
	if err != nil {
		b.failed, b.err = b.changes[done].Sequence, err
	}
}

// protect makes a panic an error: the process lives on. How far the consumer came is not known then, so nothing is done.
func (s *Stream) protect(ctx context.Context, changes []table.Change) (done int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			done, err = 0, newPanicError(cause)
		}
	}()
	return s.consume(ctx, changes)
}

// report writes the invocation's one line.
func (s *Stream) report(ctx context.Context, b *batch, meter *table.Meter, took time.Duration, err error) {
	cost, calls := meter.Total()
	attrs := make([]slog.Attr, 0, 10)
	if len(b.changes) > 0 {
		attrs = append(attrs, slog.String("table", b.changes[0].Table))
	}
	attrs = append(attrs,
		slog.Int("records", b.records),
		slog.Int("done", b.done),
		slog.Float64("ms", float64(took)/float64(time.Millisecond)),
	)
	if calls > 0 {
		attrs = append(attrs, slog.Int("calls", calls), slog.Float64("readUnits", cost.Read), slog.Float64("writeUnits", cost.Write))
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("sequence", b.failed), slog.String("error", err.Error()))
		if p, ok := errors.AsType[*panicError](err); ok {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
	}
	s.log.LogAttrs(ctx, level, "changes", attrs...)
}
