package front

import (
	"errors"
	"time"
	"uuid"
)

// Why a batch was given up.
const (
	retriesExhausted = "RetryAttemptsExhausted"
	tooOld           = "RecordAgeExceeded"
)

// failure is what the queue of a mapping is told of a batch that was given up. The records are not in it: whoever wants them
// reads them from the stream, within a day.
// Source: Lambda developer guide, "Retain discarded batch records for a DynamoDB event source".
type failure struct {
	RequestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"`
		InvokeCount int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	ResponseContext struct {
		StatusCode      int    `json:"statusCode"`
		ExecutedVersion string `json:"executedVersion"`
		FunctionError   string `json:"functionError,omitempty"`
	} `json:"responseContext"`
	Version   string `json:"version"`
	Timestamp string `json:"timestamp"`
	Batch     struct {
		ShardID   string `json:"shardId"`
		Start     string `json:"startSequenceNumber"`
		End       string `json:"endSequenceNumber"`
		FirstTime string `json:"approximateArrivalOfFirstRecord"`
		LastTime  string `json:"approximateArrivalOfLastRecord"`
		Size      int    `json:"batchSize"`
		StreamARN string `json:"streamArn"`
	} `json:"DDBStreamBatchInfo"`
}

// giveUp tells the mapping's queue, as a line of the log whose source is the queue. Without a queue the mapping itself is the
// source, where Lambda would say nothing.
func (l *lane) giveUp(batch []Record, condition, requestID string, tries int, err error) {
	first, last := batch[0], batch[len(batch)-1]
	var f failure
	f.RequestContext.RequestID = requestID
	if requestID == "" { // no invocation had these records alone
		f.RequestContext.RequestID = uuid.NewV4().String()
	}
	f.RequestContext.FunctionARN = functionARN(l.function)
	f.RequestContext.Condition, f.RequestContext.InvokeCount = condition, tries
	f.ResponseContext.StatusCode, f.ResponseContext.ExecutedVersion = 200, "$LATEST"
	if errors.Is(err, ErrFunction) {
		f.ResponseContext.FunctionError = "Unhandled"
	}
	f.Version, f.Timestamp = "1.0", l.now().UTC().Format("2006-01-02T15:04:05.000Z")
	f.Batch.ShardID, f.Batch.StreamARN, f.Batch.Size = l.shard.ID, l.shard.Stream, len(batch)
	f.Batch.Start, f.Batch.End = first.Sequence, last.Sequence
	f.Batch.FirstTime, f.Batch.LastTime = first.Created.UTC().Format(time.RFC3339), last.Created.UTC().Format(time.RFC3339)
	source := l.Destination
	if source == "" {
		source = l.Name
	}
	l.write(source, f)
}
