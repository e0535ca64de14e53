package front

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"time"
)

// lane makes batches of the records of a shard, or of a part of its items, and invokes the function with one after another.
type lane struct {
	*follower
	shard   Shard
	in      chan []Record
	pending []Record // read and not yet in a batch
	ended   bool     // nothing more will come in
}

func (l *lane) run(ctx context.Context) {
	for {
		batch := l.gather(ctx)
		if len(batch) == 0 {
			return
		}
		l.process(ctx, batch)
	}
}

// gather waits for a batch: it is full by number or by bytes, or the window after its first record is over. An empty batch is
// the end.
func (l *lane) gather(ctx context.Context) []Record {
	var window <-chan time.Time
	for {
		if n := l.fitting(); n > 0 && (n < len(l.pending) || n == l.BatchSize || l.ended) {
			return l.take(n)
		}
		if len(l.pending) > 0 && window == nil {
			window = time.After(l.Window)
		}
		if l.ended {
			return nil
		}
		select {
		case more, open := <-l.in:
			l.pending, l.ended = append(l.pending, more...), !open
		case <-window:
			return l.take(len(l.pending))
		case <-ctx.Done():
			return nil
		}
	}
}

// fitting counts the pending records that fit one batch.
func (l *lane) fitting() int {
	size := len(payload(nil))
	for i, record := range l.pending {
		if size += len(record.JSON) + 1; size > maxPayload || i == l.BatchSize {
			return i
		}
	}
	return len(l.pending)
}

func (l *lane) take(n int) []Record {
	batch := l.pending[:n:n]
	l.pending = l.pending[n:]
	return batch
}

// payload is the event of a batch.
func payload(batch []Record) []byte {
	text := []byte(`{"Records":[`)
	for i, record := range batch {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, record.JSON...)
	}
	return append(text, "]}"...)
}

// process invokes the function until the batch is done with, or ctx ends.
//
//   - Where the answer names what failed, the batch goes on with the lowest number. That is progress, so tries are counted anew.
//   - An invocation that fails halves the batch, where the mapping says so, and both halves are tried anew.
//   - Otherwise the same batch is tried again. An answer that names the first record of a batch leads here: there is nothing
//     before it to cut off. What Lambda does then is not documented; this is the worst that it can mean.
//
// Source: Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB", error handling, and "Configuring partial batch
// response with DynamoDB and Lambda".
func (l *lane) process(ctx context.Context, batch []Record) {
	pause := l.retry
	for try := 1; ; try++ {
		if batch = l.young(batch, try-1); len(batch) == 0 {
			return
		}
		id, answer, err := l.invoke(ctx, payload(batch))
		if ctx.Err() != nil {
			return
		}
		done := len(batch)
		if err == nil && l.Partial {
			done, err = progress(answer, batch)
		}
		if err == nil && done == len(batch) {
			return
		}
		l.write(l.Name, problem{What: "batch failed", Error: reason(err), Shard: l.shard.ID, First: batch[0].Sequence, Records: len(batch), Try: try})
		switch {
		case err == nil && done > 0:
			batch, try, pause = batch[done:], 0, l.retry
			continue
		case err != nil && l.Bisect && len(batch) > 1:
			half := len(batch) / 2
			l.process(ctx, batch[:half])
			batch, try, pause = batch[half:], 0, l.retry
			continue
		case l.Retries != forever && try > l.Retries:
			l.giveUp(batch, retriesExhausted, id, try, err)
			return
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, l.slowest)
	}
}

func reason(err error) string {
	if err == nil {
		return "the answer names a record"
	}
	return err.Error()
}

// young gives up the records that are older than the mapping allows, and returns the others.
func (l *lane) young(batch []Record, tries int) []Record {
	if l.MaxAge == 0 {
		return batch
	}
	now := l.now()
	n := slices.IndexFunc(batch, func(r Record) bool { return now.Sub(r.Created) <= l.MaxAge })
	if n < 0 {
		n = len(batch)
	}
	if n > 0 {
		l.giveUp(batch[:n], tooOld, "", tries, nil)
	}
	return batch[n:]
}

// progress reads which records of a batch failed, and returns how many before the first of them are done. An empty answer,
// and an empty list, mean success; a name that is none of the batch's fails all of it.
func progress(text []byte, batch []Record) (done int, err error) {
	done = len(batch)
	if len(text) == 0 {
		return done, nil
	}
	var answer struct {
		Failures []map[string]any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, fmt.Errorf("%w: read its answer: %w", ErrFunction, err)
	}
	for _, failure := range answer.Failures {
		sequence, _ := failure["itemIdentifier"].(string)
		i := slices.IndexFunc(batch, func(r Record) bool { return r.Sequence == sequence })
		if sequence == "" || i < 0 {
			return 0, errors.Join(ErrFunction, fmt.Errorf("its answer names %q, which is no record of the batch", sequence))
		}
		done = min(done, i)
	}
	return done, nil
}
