package front

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// trial runs a mapping over a ledger, in a bubble of its own time, for five minutes, when nothing happens any more.
type trial struct {
	*ledger
	mu       sync.Mutex
	batches  []string // sequence numbers of each invocation, joined by spaces
	failures []failure
	problems int
}

func (tr *trial) run(m Mapping, consumer func(ctx context.Context, batch []change) (answer string, err error)) {
	m.Name, m.Table = "TestFunction.Changes", "test-Items"
	f := &follower{
		Mapping: m, pace: lambdaPace, function: "TestFunction", streams: tr.ledger, now: time.Now,
		invoke: func(ctx context.Context, payload []byte) (string, []byte, error) {
			batch, err := changes(payload)
			if err != nil {
				return "", nil, err
			}
			numbers := make([]string, len(batch))
			for i, c := range batch {
				numbers[i] = c.sequence
			}
			tr.mu.Lock()
			tr.batches = append(tr.batches, strings.Join(numbers, " "))
			tr.mu.Unlock()
			answer, err := consumer(ctx, batch)
			return "invocation-1", []byte(answer), err
		},
		log: func(line Line) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			var given failure
			if err := json.Unmarshal([]byte(line.Text), &given); err == nil && given.Version != "" {
				tr.failures = append(tr.failures, given)
			} else {
				tr.problems++
			}
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.run(ctx); close(done) }()
	time.Sleep(5 * time.Minute)
	cancel()
	<-done
}

// failed is the answer that names a record.
func failed(sequences ...string) string {
	var names []string
	for _, s := range sequences {
		names = append(names, fmt.Sprintf(`{"itemIdentifier":%q}`, s))
	}
	return `{"batchItemFailures":[` + strings.Join(names, ",") + `]}`
}

var errPoison = errors.New("poison")

// TestBatches has six records, of which the fourth is the poison.
func TestBatches(t *testing.T) {
	poisoned := func(batch []change) int {
		return slices.IndexFunc(batch, func(c change) bool { return c.do == "poison" })
	}
	fails := func(_ context.Context, batch []change) (string, error) {
		if poisoned(batch) >= 0 {
			return "", fmt.Errorf("%w: %w", ErrFunction, errPoison)
		}
		return "{}", nil
	}
	// names is what Cairn's functions do, see lambdaio.Stream.
	names := func(ctx context.Context, batch []change) (string, error) {
		if i := poisoned(batch); i > 0 {
			return failed(batch[i].sequence), nil
		}
		return fails(ctx, batch)
	}
	always := func(answer string) func(context.Context, []change) (string, error) {
		return func(_ context.Context, batch []change) (string, error) {
			if poisoned(batch) < 0 {
				return "", nil
			}
			return answer, nil
		}
	}
	tests := []struct {
		name     string
		mapping  Mapping
		consumer func(context.Context, []change) (string, error)
		batches  []string
		given    []string // condition, first and last sequence number, size, invocations
	}{
		{"batches of two, the poison tried three times", Mapping{BatchSize: 2, Retries: 2}, fails,
			[]string{"1 2", "3 4", "3 4", "3 4", "5 6"}, []string{"RetryAttemptsExhausted 3-4 2 3"}},
		{"halved", Mapping{BatchSize: 100, Bisect: true, Retries: 1}, fails,
			[]string{"1 2 3 4 5 6", "1 2 3", "4 5 6", "4", "4", "5 6"}, []string{"RetryAttemptsExhausted 4-4 1 2"}},
		{"named and halved", Mapping{BatchSize: 100, Bisect: true, Partial: true, Retries: 1}, names,
			[]string{"1 2 3 4 5 6", "4 5 6", "4", "4", "5 6"}, []string{"RetryAttemptsExhausted 4-4 1 2"}},
		{"named, the lowest counts", Mapping{BatchSize: 100, Partial: true, Retries: 0},
			func(_ context.Context, batch []change) (string, error) {
				if batch[0].sequence == "1" {
					return failed("6", "3", "5"), nil
				}
				return failed(), nil
			},
			[]string{"1 2 3 4 5 6", "3 4 5 6"}, nil},
		{"first one named: all of the batch is given up", Mapping{BatchSize: 100, Bisect: true, Partial: true, Retries: 1},
			func(_ context.Context, batch []change) (string, error) { return failed(batch[0].sequence), nil },
			[]string{"1 2 3 4 5 6", "1 2 3 4 5 6"}, []string{"RetryAttemptsExhausted 1-6 6 2"}},
		{"names are not read unless the mapping says so", Mapping{BatchSize: 100, Retries: 0}, always(failed("4")),
			[]string{"1 2 3 4 5 6"}, nil},
		{"an empty answer is success", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always(""), []string{"1 2 3 4 5 6"}, nil},
		{"an answer of null is success", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always("null"), []string{"1 2 3 4 5 6"}, nil},
		{"a list of null is success", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always(`{"batchItemFailures":null}`), []string{"1 2 3 4 5 6"}, nil},
		{"an empty list is success", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always(failed()), []string{"1 2 3 4 5 6"}, nil},
		{"an empty name fails the batch", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always(failed("")), []string{"1 2 3 4 5 6"},
			[]string{"RetryAttemptsExhausted 1-6 6 1"}},
		{"another member's name fails the batch", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always(`{"batchItemFailures":[{"id":"4"}]}`),
			[]string{"1 2 3 4 5 6"}, []string{"RetryAttemptsExhausted 1-6 6 1"}},
		{"the id of the event is no sequence number", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always(failed("e-4")),
			[]string{"1 2 3 4 5 6"}, []string{"RetryAttemptsExhausted 1-6 6 1"}},
		{"an answer that is no JSON fails the batch", Mapping{BatchSize: 100, Partial: true, Retries: 0}, always("done"),
			[]string{"1 2 3 4 5 6"}, []string{"RetryAttemptsExhausted 1-6 6 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &trial{ledger: &ledger{fail: 2}}
				tr.split("shard-1", "")
				for i := range 6 {
					do := ""
					if i == 3 {
						do = "poison"
					}
					tr.add("shard-1", fmt.Sprint("item-", i), 0, do, time.Now())
				}
				tt.mapping.Lanes = 1
				tr.run(tt.mapping, tt.consumer)
				if diff := cmp.Diff(tt.batches, tr.batches); diff != "" {
					t.Errorf("batches (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.given, tr.given()); diff != "" {
					t.Errorf("given up (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func (tr *trial) given() []string {
	var all []string
	for _, f := range tr.failures {
		all = append(all, fmt.Sprintf("%s %s-%s %d %d", f.RequestContext.Condition, f.Batch.Start, f.Batch.End, f.Batch.Size, f.RequestContext.InvokeCount))
	}
	return all
}

func TestRecordsGrowTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{ledger: &ledger{}}
		tr.split("shard-1", "")
		tr.add("shard-1", "a", 1, "", time.Now().Add(-2*time.Minute))
		tr.add("shard-1", "a", 2, "", time.Now())
		began := time.Now()
		tr.run(Mapping{BatchSize: 10, Lanes: 1, Retries: forever, MaxAge: time.Minute}, func(context.Context, []change) (string, error) {
			if time.Since(began) > 90*time.Second {
				t.Error("a record is tried for longer than its age allows")
			}
			return "", ErrFunction
		})
		if got := tr.given(); len(got) != 2 || got[0] != "RecordAgeExceeded 1-1 1 0" || !strings.HasPrefix(got[1], "RecordAgeExceeded 2-2 1 ") {
			t.Errorf("given up %q", got)
		}
		if len(tr.batches) < 10 || tr.batches[0] != "2" {
			t.Errorf("batches %q", tr.batches)
		}
	})
}

func TestWindowGathers(t *testing.T) {
	for _, tt := range []struct {
		window time.Duration
		want   []string
	}{
		{5 * time.Second, []string{"1 2 3 4 5", "6 7 8 9 10"}},
		{0, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}},
		{time.Minute, []string{"1 2 3 4 5 6 7 8", "9 10"}}, // the size of a batch ends it first
	} {
		t.Run(tt.window.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &trial{ledger: &ledger{}}
				tr.split("shard-1", "")
				go func() {
					for i := range 10 {
						tr.add("shard-1", fmt.Sprint(i), 0, "", time.Now())
						time.Sleep(1100 * time.Millisecond)
					}
				}()
				tr.run(Mapping{BatchSize: 8, Lanes: 1, Window: tt.window}, func(context.Context, []change) (string, error) { return "", nil })
				if diff := cmp.Diff(tt.want, tr.batches); diff != "" {
					t.Errorf("batches (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestBatchFitsAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{ledger: &ledger{}}
		tr.split("shard-1", "")
		for i := range 30 {
			tr.add("shard-1", "item", i, strings.Repeat("x", 390<<10), time.Now())
		}
		tr.run(Mapping{BatchSize: 1000, Lanes: 1}, func(_ context.Context, batch []change) (string, error) { return "", nil })
		if len(tr.batches) != 2 || len(strings.Fields(tr.batches[0])) != 15 {
			t.Errorf("batches %q, want 15 records of 390 KB in 6 MB", tr.batches)
		}
	})
}

func TestFailureMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{ledger: &ledger{}}
		tr.split("shard-1", "")
		tr.add("shard-1", "a", 1, "", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		tr.add("shard-1", "b", 1, "", time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC))
		tr.run(Mapping{BatchSize: 2, Lanes: 1, Retries: 0}, func(context.Context, []change) (string, error) { return "", ErrFunction })
		var want failure
		want.RequestContext.RequestID = "invocation-1"
		want.RequestContext.FunctionARN = "arn:aws:lambda:us-east-1:123456789012:function:TestFunction"
		want.RequestContext.Condition, want.RequestContext.InvokeCount = "RetryAttemptsExhausted", 1
		want.ResponseContext.StatusCode, want.ResponseContext.ExecutedVersion, want.ResponseContext.FunctionError = 200, "$LATEST", "Unhandled"
		want.Version, want.Timestamp = "1.0", "2000-01-01T00:00:00.000Z"
		want.Batch.ShardID, want.Batch.StreamARN, want.Batch.Size = "shard-1", ledgerARN, 2
		want.Batch.Start, want.Batch.End, want.Batch.FirstTime, want.Batch.LastTime = "1", "2", "2000-01-01T00:00:00Z", "2000-01-01T00:00:01Z"
		if diff := cmp.Diff([]failure{want}, tr.failures); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
	})
}

// TestEveryRecordInOrder: whatever fails, each record is consumed, those of an item in their order, and only poison is given
// up, each alone. The stream's shard is split in two.
func TestEveryRecordInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tr := &trial{ledger: &ledger{fail: rapid.IntRange(0, 3).Draw(rt, "failing calls")}}
		o := &oracle{trial: tr, random: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "luck"), 0))}
		fates := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "", "", "", "", "", "poison"}), 0, 60).Draw(rt, "fates")
		split := rapid.IntRange(0, len(fates)).Draw(rt, "split")
		tr.split("root", "")
		for i, do := range fates {
			item := rapid.IntRange(0, 4).Draw(rt, "item")
			shard := "root"
			if i >= split {
				shard = []string{"left", "right"}[item%2]
			}
			o.write(shard, item, do)
		}
		tr.split("left", "root")
		tr.split("right", "root")
		m := Mapping{
			BatchSize: rapid.IntRange(1, 20).Draw(rt, "batch"), Lanes: rapid.IntRange(1, 4).Draw(rt, "lanes"),
			Window: time.Duration(rapid.IntRange(0, 2).Draw(rt, "window")) * time.Second,
			Bisect: true, Partial: true, Retries: rapid.IntRange(0, 3).Draw(rt, "retries"),
		}
		synctest.Test(t, func(*testing.T) { tr.run(m, o.consume) })
		o.judge(rt)
	})
}

// oracle knows what was written and what became of it.
type oracle struct {
	*trial
	random  *rand.Rand
	written []change

	done     map[string]bool // by sequence number; guarded by the trial's mutex
	disorder []string
}

func (o *oracle) write(shard string, item int, do string) {
	n := len(o.written)
	sequence := o.add(shard, fmt.Sprint("item-", item), n, do, time.Unix(0, 0))
	o.written = append(o.written, change{sequence: sequence, item: fmt.Sprint("item-", item), do: do, n: n})
}

// consume fails at poison, and now and then at another record that is not alone.
func (o *oracle) consume(_ context.Context, batch []change) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, c := range batch {
		if c.do == "poison" || len(batch) > 1 && o.random.IntN(6) == 0 {
			if i == 0 {
				return "", ErrFunction
			}
			return failed(c.sequence), nil
		}
		for _, before := range o.written[:c.n] {
			if before.item == c.item && !o.done[before.sequence] && !o.givenUp(before.sequence) {
				o.disorder = append(o.disorder, before.sequence+" comes after "+c.sequence)
			}
		}
		if o.done == nil {
			o.done = make(map[string]bool)
		}
		o.done[c.sequence] = true
	}
	return failed(), nil
}

func (o *oracle) givenUp(sequence string) bool {
	return slices.ContainsFunc(o.failures, func(f failure) bool { return f.Batch.Size == 1 && f.Batch.Start == sequence })
}

func (o *oracle) judge(t *rapid.T) {
	for _, disorder := range o.disorder {
		t.Error(disorder)
	}
	poisons := 0
	for _, c := range o.written {
		if c.do == "poison" {
			poisons++
		}
		if o.done[c.sequence] == (c.do == "poison") || o.givenUp(c.sequence) != (c.do == "poison") {
			t.Errorf("%+v: done %v, given up %v", c, o.done[c.sequence], o.givenUp(c.sequence))
		}
	}
	if len(o.failures) != poisons {
		t.Errorf("%d batches were given up, and %d records are poison", len(o.failures), poisons)
	}
}
