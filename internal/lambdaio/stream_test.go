package lambdaio

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/table"
)

const samplePrefix = "cairn-"

// consume invokes a Stream and returns the sequence numbers of its answer, and what it logged.
func consume(t *testing.T, consumer Consumer, payload []byte) (failures []string, logged string, err error) {
	t.Helper()
	var log bytes.Buffer
	out, err := NewStream(samplePrefix, consumer, slog.New(slog.NewTextHandler(&log, nil))).Invoke(t.Context(), payload)
	if err != nil {
		return nil, log.String(), err
	}
	var answer struct {
		Failures []struct {
			Identifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(out, &answer, json.RejectUnknownMembers(true)); err != nil || answer.Failures == nil {
		t.Fatalf("answer %s: %v", out, err)
	}
	for _, f := range answer.Failures {
		failures = append(failures, f.Identifier)
	}
	return failures, log.String(), nil
}

// record returns a record with a sequence number, changed as a test needs it.
func record(sequence string, replace ...string) string {
	text := `{"eventID":"e-1","eventName":"INSERT","eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/cairn-Statements/stream/2026",` +
		`"dynamodb":{"Keys":{"pk":{"S":"store#1"}},"NewImage":{"pk":{"S":"store#1"},"n":{"N":"4"}},"SequenceNumber":"` + sequence + `"}}`
	return strings.NewReplacer(replace...).Replace(text)
}

func payloadOf(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// dumpChanges writes changes as a consumer sees them; long binaries as their length.
func dumpChanges(changes []table.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s %s %x at %s shard %q\n", c.Table, c.Key.Partition, c.Key.Sort, c.Sequence, c.Shard)
		for _, image := range []struct {
			name string
			item table.Item
		}{{"old", c.Old}, {"new", c.New}} {
			if image.item == nil {
				fmt.Fprintf(&b, "  no %s image\n", image.name)
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(image.item)) {
				fmt.Fprintf(&b, "  %s %-2s = %s\n", image.name, name, dumpValue(image.item[name]))
			}
		}
	}
	return b.String()
}

func dumpValue(v table.Value) string {
	switch v.Kind {
	case table.Text:
		return fmt.Sprintf("%q", v.S)
	case table.Number:
		return fmt.Sprint(v.N)
	case table.Set:
		return fmt.Sprintf("%x", v.Set)
	default:
		if len(v.B) > 64 {
			return fmt.Sprintf("%d bytes from %x", len(v.B), v.B[:8])
		}
		return fmt.Sprintf("%x", v.B)
	}
}

func TestSampleEventsBecomeChanges(t *testing.T) {
	paths, err := filepath.Glob("../../events/aggregate-*.json")
	if err != nil || len(paths) < 4 {
		t.Fatalf("found %d sample events (%v), want an insert, a void, a removal and a large body at least", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			payload, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			failures, logged, err := consume(t, func(_ context.Context, changes []table.Change) (int, error) {
				got = dumpChanges(changes)
				return len(changes), nil
			}, payload)
			if err != nil || len(failures) > 0 || strings.Count(logged, "\n") != 1 {
				t.Fatalf("failures %v, error %v, log %s", failures, err, logged)
			}
			golden(t, name, got)
		})
	}
}

// TestWhereAStreamGoesOn has batches of three records, 11, 12 and 13.
func TestWhereAStreamGoesOn(t *testing.T) {
	wrong := errors.New("no such luck")
	returns := func(done int, err error) Consumer {
		return func(context.Context, []table.Change) (int, error) { return done, err }
	}
	good := []string{record("11"), record("12"), record("13")}
	with := func(i int, bad string) []string {
		records := slices.Clone(good)
		records[i] = bad
		return records
	}
	foreign := record("12", `"N":"4"`, `"SS":["a"]`)
	tests := []struct {
		name     string
		consumer Consumer
		records  []string
		goesOn   string // sequence number; "" when all is done
		fails    string // part of the error of the invocation
	}{
		{"all done", returns(3, nil), good, "", ""},
		{"one done", returns(1, wrong), good, "12", ""},
		{"two done", returns(2, wrong), good, "13", ""},
		{"stopped early without an error", returns(2, nil), good, "13", ""},
		{"none done", returns(0, wrong), good, "", "no such luck"},
		{"an error although all is done", returns(3, wrong), good, "13", ""},
		{"more done than there is", returns(4, nil), good, "", "4 of 3"},
		{"less than nothing", returns(-1, wrong), good, "", "-1 of 3"},
		{"panic", func(context.Context, []table.Change) (int, error) { panic("mailto:learner@example.com") }, good, "", "panic: string"},
		{"runtime error", func(_ context.Context, c []table.Change) (int, error) { return len(c[len(c)].Sequence), nil }, good, "", "index out of range"},
		{"unreadable in the middle, the one before done", returns(1, nil), with(1, foreign), "12", ""},
		{"unreadable in the middle, the one before not done", returns(0, wrong), with(1, foreign), "", "no such luck"},
		{"unreadable at the beginning", nil, with(0, strings.Replace(foreign, "12", "11", 1)), "", `read record 1 of 3: `},
		{"unreadable without a number", nil, with(1, `{"dynamodb":{}}`), "", "read record 2 of 3"},
		{"no records at all", nil, nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failures, logged, err := consume(t, tt.consumer, payloadOf(tt.records...))
			if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("error %v, want one with %q", err, tt.fails)
			}
			if want := slices.DeleteFunc([]string{tt.goesOn}, func(s string) bool { return s == "" }); !slices.Equal(failures, want) {
				t.Errorf("failures %q, want %q", failures, want)
			}
			if failed := tt.fails != "" || tt.goesOn != ""; strings.Count(logged, "\n") != 1 || failed != strings.Contains(logged, "level=ERROR") {
				t.Errorf("log: %s", logged)
			}
			if strings.Contains(logged, "learner") {
				t.Errorf("the log tells what a learner sent: %s", logged)
			}
		})
	}
}

func TestUnreadableRecords(t *testing.T) {
	arn := "arn:aws:dynamodb:eu-west-1:123456789012:table/cairn-Statements/stream/2026"
	tests := []struct{ name, old, new, want string }{
		{"number with a fraction", `"N":"4"`, `"N":"4.5"`, "no int64"},
		{"number beyond int64", `"N":"4"`, `"N":"9223372036854775808"`, "no int64"},
		{"number that is no text", `"N":"4"`, `"N":4`, "within \"/dynamodb/NewImage/n"},
		{"kind that the port has not", `"N":"4"`, `"BOOL":true`, `type "BOOL"`},
		{"two kinds", `"N":"4"`, `"N":"4","S":"4"`, "two types"},
		{"no kind", `{"N":"4"}`, `{}`, "without a type"},
		{"no value", `"N":"4"`, `"S":null`, "without a value"},
		{"no object", `{"N":"4"}`, `"4"`, "is an object"},
		{"binary that is no base64", `"N":"4"`, `"B":"mailto:learner@example.com"`, "base64"},
		{"text in a set of binaries", `"N":"4"`, `"BS":["mailto:learner@example.com"]`, "base64"},
		{"number that is a text", `"N":"4"`, `"N":"mailto:learner@example.com"`, "no int64"},
		{"another deployment's table", "table/cairn-", "table/other-", `begins with "cairn-"`},
		{"no stream", arn, "arn:aws:sqs:eu-west-1:123456789012:queue", "is not the stream of a table"},
		{"no key", `"Keys":{"pk":{"S":"store#1"}}`, `"Keys":{}`, "no partition key"},
		{"two texts in a key", `"Keys":{`, `"Keys":{"sk":{"S":"a"},`, "one text and at most one binary"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, logged, err := consume(t, nil, payloadOf(record("11", tt.old, tt.new)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(logged, "sequence=11") {
				t.Errorf("error %v, want one with %q; log: %s", err, tt.want, logged)
			}
			if strings.Contains(logged, "learner") {
				t.Errorf("the log tells what a learner sent: %s", logged)
			}
		})
	}
	for name, payload := range map[string]string{"not JSON": `{`, "empty test event": `{}`, "HTTP API event": `{"version":"2.0"}`, "name twice": `{"Records":[{"a":1,"a":2}]}`} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := consume(t, nil, []byte(payload)); err == nil {
				t.Error("want an error")
			}
		})
	}
}

func TestChangesLogLine(t *testing.T) {
	var log bytes.Buffer
	handler := slog.NewJSONHandler(&log, nil)
	stream := NewStream(samplePrefix, func(ctx context.Context, changes []table.Change) (int, error) {
		db := table.Metered(priced{})
		if _, _, err := db.Get(ctx, table.Ref{}, table.Strong); err != nil {
			return 0, err
		}
		_, err := db.Batch(ctx, nil)
		return len(changes), err
	}, slog.New(traced{handler}))
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	//lint:ignore SA1029 it is the key that aws-lambda-go uses
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-6920a1c4-0f2d5e6b7c8d9e0f1a2b3c4d;Parent=53995c3f42cd8ad8;Sampled=1")
	if _, err := stream.Invoke(ctx, payloadOf(record("11"), record("12"))); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(log.Bytes(), &got); err != nil {
		t.Fatalf("log %s: %v", log.Bytes(), err)
	}
	delete(got, "time")
	if ms, ok := got["ms"].(float64); !ok || ms < 0 || ms > 60_000 {
		t.Errorf("ms is %v", got["ms"])
	}
	delete(got, "ms")
	want := map[string]any{
		"level": "INFO", "msg": "changes", "table": "Statements", "records": 2.0, "done": 2.0,
		"calls": 2.0, "readUnits": 1.5, "writeUnits": 7.0, "trace": "1-6920a1c4-0f2d5e6b7c8d9e0f1a2b3c4d",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
}

// priced is a database of which only the prices matter.
type priced struct{ table.DB }

func (priced) Get(context.Context, table.Ref, table.Consistency) (table.Item, table.Cost, error) {
	return nil, table.Cost{Read: 1.5}, nil
}

func (priced) Batch(context.Context, []table.Write) (table.Cost, error) {
	return table.Cost{Write: 7}, nil
}

func TestConsumerEndsBeforeTheFunctionDoes(t *testing.T) {
	deadline := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	var got time.Time
	stream := NewStream(samplePrefix, func(ctx context.Context, changes []table.Change) (int, error) {
		got, _ = ctx.Deadline()
		return len(changes), nil
	}, slog.New(slog.DiscardHandler))
	if _, err := stream.Invoke(ctx, payloadOf(record("11"))); err != nil {
		t.Fatal(err)
	}
	if want := deadline.Add(-replyMargin); !got.Equal(want) {
		t.Errorf("deadline %v, want %v", got, want)
	}
}

// TestChangesSurviveTheEvent: what DynamoDB writes of a change, as aws-lambda-go's types describe it, is read as that change.
func TestChangesSurviveTheEvent(t *testing.T) {
	text := rapid.StringN(1, 20, 40)
	binary := rapid.SliceOfN(rapid.Byte(), 1, 40)
	value := rapid.Custom(func(t *rapid.T) table.Value {
		switch rapid.IntRange(1, 4).Draw(t, "kind") {
		case 1:
			return table.S(rapid.String().Draw(t, "text"))
		case 2:
			return table.N(rapid.Int64().Draw(t, "number"))
		case 3:
			return table.B(rapid.SliceOf(rapid.Byte()).Draw(t, "binary"))
		default:
			return table.SetOf(rapid.SliceOfN(binary, 1, 4).Draw(t, "set")...)
		}
	})
	item := rapid.MapOfN(text, value, 1, 6)
	rapid.Check(t, func(t *rapid.T) {
		want := table.Change{Table: "T", Sequence: "7", Key: table.Key{Partition: text.Draw(t, "partition")}}
		if rapid.Bool().Draw(t, "sorted") {
			want.Key.Sort = binary.Draw(t, "sort")
		}
		if rapid.Bool().Draw(t, "was there") {
			want.Old = item.Draw(t, "old")
		}
		if rapid.Bool().Draw(t, "is there") {
			want.New = item.Draw(t, "new")
		}
		encoded, err := json.Marshal(eventRecord(want))
		if err != nil {
			t.Fatal(err)
		}
		got, err := readChange(encoded, "p-")
		if err != nil {
			t.Fatalf("read %s: %v", encoded, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("change (-want +got):\n%s", diff)
		}
	})
}

// eventRecord writes a change as aws-lambda-go would.
func eventRecord(c table.Change) events.DynamoDBEventRecord {
	keys := map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute(c.Key.Partition)}
	if c.Key.Sort != nil {
		keys["sk"] = events.NewBinaryAttribute(c.Key.Sort)
	}
	return events.DynamoDBEventRecord{
		EventSourceArn: "arn:aws:dynamodb:eu-west-1:123456789012:table/p-" + c.Table + "/stream/2026",
		Change: events.DynamoDBStreamRecord{
			Keys: keys, SequenceNumber: c.Sequence, OldImage: eventImage(c.Old), NewImage: eventImage(c.New),
		},
	}
}

func eventImage(item table.Item) map[string]events.DynamoDBAttributeValue {
	if item == nil {
		return nil
	}
	image := make(map[string]events.DynamoDBAttributeValue, len(item))
	for name, v := range item {
		switch v.Kind {
		case table.Text:
			image[name] = events.NewStringAttribute(v.S)
		case table.Number:
			image[name] = events.NewNumberAttribute(fmt.Sprint(v.N))
		case table.Binary:
			image[name] = events.NewBinaryAttribute(v.B)
		default:
			image[name] = events.NewBinarySetAttribute(v.Set)
		}
	}
	return image
}

// FuzzStream looks for payloads that break the process, or that are answered with a number that is none of theirs.
func FuzzStream(f *testing.F) {
	for _, payload := range sampleEvents(f, "aggregate-*") {
		f.Add(payload, 1)
	}
	f.Add(payloadOf(record("11"), record("12", `"N":"4"`, `"SS":["a"]`)), 1)
	f.Fuzz(func(t *testing.T, payload []byte, done int) {
		out, err := NewStream(samplePrefix, func(_ context.Context, changes []table.Change) (int, error) {
			for _, c := range changes {
				if c.Table == "" || c.Sequence == "" || c.Key.Partition == "" {
					t.Errorf("change %+v", c)
				}
			}
			return done, nil
		}, slog.New(slog.DiscardHandler)).Invoke(t.Context(), payload)
		if err != nil {
			return
		}
		var answer events.DynamoDBEventResponse
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatalf("answer %q: %v", out, err)
		}
		for _, failure := range answer.BatchItemFailures {
			if failure.ItemIdentifier == "" {
				t.Errorf("answer %q", out)
			}
		}
	})
}
