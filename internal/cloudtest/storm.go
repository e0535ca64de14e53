package cloudtest

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Storm lets a share of all calls go wrong, in every way that AWS documents or networks have: refused before it was done,
// failed with or without having been done, done without a reply, done in part. It is safe for concurrent use; with one
// caller at a time a seed gives the same faults.
type Storm struct {
	share float64

	mu     sync.Mutex
	random *rand.Rand
	calls  int
	gale   bool
}

// A storm has gales, in which a request and its repetitions can fail together: a stretch of calls in eight is one.
const (
	stretch      = 300 // calls
	galesAmong   = 8
	galeStrength = 12 // times the share
)

// NewStorm makes a storm. share is between 0 and 1.
func NewStorm(seed uint64, share float64) *Storm {
	return &Storm{share: share, random: rand.New(rand.NewPCG(seed, 0x5702))}
}

// weighed is a fault with how often it comes among the others.
type weighed struct {
	weight int
	fault  Fault
}

// late is longer than Cairn waits for one try of a read, and for a commit.
const late = 6 * time.Second

// The faults of networks, and of both services.
var networkFaults = []weighed{
	{20, Unsent},
	{30, ReplyLost},
	{10, ReplyBroken},
	{1, NoAnswer},
	{1, Late(late)},
}

var dynamoDBFaults = append([]weighed{
	{20, DynamoDBError(http.StatusBadRequest, "ProvisionedThroughputExceededException")},
	{10, DynamoDBError(http.StatusBadRequest, "ThrottlingException")},
	{10, DynamoDBError(http.StatusBadRequest, "RequestLimitExceeded")},
	{10, DynamoDBError(http.StatusInternalServerError, "InternalServerError")},
	{5, DynamoDBError(http.StatusServiceUnavailable, "ServiceUnavailable")},
	{15, Done(DynamoDBError(http.StatusInternalServerError, "InternalServerError"))},
}, networkFaults...)

var s3Faults = append([]weighed{
	{20, S3Error(http.StatusServiceUnavailable, "SlowDown")},
	{10, S3Error(http.StatusInternalServerError, "InternalError")},
	{10, Done(S3Error(http.StatusInternalServerError, "InternalError"))},
}, networkFaults...)

// Reasons for which a group of writes is cancelled. Source: DynamoDB API reference, TransactionCanceledException.
var cancellations = []string{"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

// Choose picks what becomes of a request; nil lets it through.
func (s *Storm) Choose(r *http.Request, body []byte) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls%stretch == 0 {
		s.gale = s.random.IntN(galesAmong) == 0
	}
	s.calls++
	share := s.share
	if s.gale {
		share *= galeStrength
	}
	if s.random.Float64() >= share {
		return nil
	}
	_, operation, dynamoDB := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	own := s.random.IntN(3) == 0
	switch {
	case own && operation == "TransactWriteItems":
		return DynamoDBCancelled(body, s.random.IntN, cancellations[s.random.IntN(len(cancellations))])
	case own && (operation == "BatchWriteItem" || operation == "BatchGetItem"):
		return DynamoDBLeftovers(body)
	case dynamoDB:
		return s.draw(dynamoDBFaults)
	}
	return s.draw(s3Faults)
}

func (s *Storm) draw(from []weighed) Fault {
	sum := 0
	for _, w := range from {
		sum += w.weight
	}
	n := s.random.IntN(sum)
	for _, w := range from {
		if n -= w.weight; n < 0 {
			return w.fault
		}
	}
	return nil // never: n was below the sum
}
