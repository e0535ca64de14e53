package front

import (
	"encoding/json/v2"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/cloud/stacktest"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

const streamTemplate = `
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default}}
  Items: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "${AWS::StackName}-Statements"}}
  TestFunction:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 60
      Environment: {Variables: {PREFIX: !Sub "${AWS::StackName}-"}}
      LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: INFO}
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 100
            ParallelizationFactor: 3
            MaximumRetryAttempts: 1
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
`

// taken returns the changes of an item that the processes of a function say they took, in the order of the first time.
func (j *journal) taken(item string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []string
	for _, line := range j.lines {
		if n, ok := strings.CutPrefix(line.Text, "took "+item+" "); ok && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// TestStreamReachesAFunction: a process that dies is followed by another that gets the same records, and a bad record ends
// alone in the queue.
func TestStreamReachesAFunction(t *testing.T) {
	stream := &ledger{}
	stream.split("shard-1", "")
	var want []string
	poison := ""
	for i := range 40 {
		do := ""
		switch i {
		case 11:
			do = "exit:" + filepath.Join(t.TempDir(), "marker")
		case 23:
			do = "poison"
		}
		if sequence := stream.add("shard-1", "item", i, do, time.Now()); do == "poison" {
			poison = sequence
		} else {
			want = append(want, fmt.Sprintf("%d.", i))
		}
	}
	w := newStack(t, "test", streamTemplate, "consume", 0, stream)
	w.log.find(t, "took item 39.")
	if got := w.log.taken("item"); !slices.Equal(got, want) {
		t.Errorf("took %q, want %q", got, want)
	}
	line := w.log.find(t, "RetryAttemptsExhausted")
	var message failure
	if err := json.Unmarshal([]byte(line.Text), &message); err != nil {
		t.Fatal(err)
	}
	if line.Source != "Dead" || message.Batch.Size != 1 || message.Batch.Start != poison {
		t.Errorf("%s was told of %+v, want the record %s", line.Source, message.Batch, poison)
	}
	w.log.find(t, "the process ended: exit status 7")
	w.log.find(t, `"trace":"1-`)
}

// TestDynamoDBStreamReachesAFunction with every change of a table, those of an item in their order.
func TestDynamoDBStreamReachesAFunction(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	stack, cairn := stacktest.Open(t, servers, slog.New(slog.DiscardHandler))
	w := newStack(t, stack, streamTemplate, "consume", 0, Server{Endpoint: servers.DynamoDB, Region: cloudtest.Region, AccessKey: cloudtest.AccessKey})

	const items, changes = 5, 30
	var want []string
	for n := range changes {
		want = append(want, fmt.Sprintf("%d.", n))
		for i := range items {
			write := table.Put(schema.Statements, table.Item{
				schema.PK: table.S(fmt.Sprint("item-", i)), "n": table.N(int64(n)),
				schema.Body: table.B([]byte{0, 0xff, byte(n)}), schema.EffectiveTerms: table.SetOf([]byte{1, 0xfe}, []byte{2}),
			})
			if _, _, err := cairn.Tables.Apply(t.Context(), write); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range items {
		item := fmt.Sprint("item-", i)
		w.log.find(t, "took "+item+" "+want[changes-1])
		if got := w.log.taken(item); !slices.Equal(got, want) {
			t.Errorf("%s: took %q, want %q", item, got, want)
		}
	}
}
