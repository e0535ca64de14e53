package cloudtest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Fault is what becomes of one request on its way to a server. nil lets it through.
type Fault func(base http.RoundTripper, r *http.Request) (*http.Response, error)

// ErrReset is the error of a request whose connection broke.
var ErrReset = errors.New("cloudtest: connection reset by fault")

// Answer makes a fault that answers in the server's place; the request does not reach it.
func Answer(status int, contentType, body string) Fault {
	return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		now := time.Now().UTC().Format(http.TimeFormat) // the SDK adjusts its clock to it
		return &http.Response{
			StatusCode:    status,
			Proto:         "HTTP/1.1",
			ProtoMajor:    1,
			ProtoMinor:    1,
			Header:        http.Header{"Content-Type": {contentType}, "Date": {now}},
			ContentLength: int64(len(body)),
			Body:          io.NopCloser(strings.NewReader(body)),
			Request:       r,
		}, nil
	}
}

// DynamoDBError makes a fault that answers with an error of DynamoDB.
func DynamoDBError(status int, code string) Fault {
	return Answer(status, "application/x-amz-json-1.0",
		`{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"injected"}`)
}

// S3Error makes a fault that answers with an error of S3.
func S3Error(status int, code string) Fault {
	return Answer(status, "application/xml", `<Error><Code>`+code+`</Code><Message>injected</Message></Error>`)
}

// Unsent breaks the connection before the server has the request.
func Unsent(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, ErrReset }

// ReplyLost lets the server do what is asked, and breaks the connection before its reply.
func ReplyLost(base http.RoundTripper, r *http.Request) (*http.Response, error) {
	response, err := base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return nil, errors.Join(ErrReset, err, response.Body.Close())
}

// ReplyBroken lets the server do what is asked, and breaks the connection in the middle of its reply.
func ReplyBroken(base http.RoundTripper, r *http.Request) (*http.Response, error) {
	response, err := base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	whole, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	half := strings.NewReader(string(whole[:len(whole)/2]))
	response.Body = io.NopCloser(io.MultiReader(half, brokenReader{}))
	return response, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, ErrReset }

// NoAnswer never answers; the request does not reach the server. It ends with the request's context.
func NoAnswer(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Done lets the server do what is asked, and answers otherwise.
func Done(otherwise Fault) Fault {
	return func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
		if _, err := ReplyLost(base, r); !errors.Is(err, ErrReset) {
			return nil, err
		}
		return otherwise(base, r)
	}
}

// Late lets the server do what is asked, and holds its reply back.
func Late(delay time.Duration) Fault {
	return func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
		response, err := base.RoundTrip(r)
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
		return response, err
	}
}

// Faulty is a RoundTripper that asks Choose what becomes of each request.
type Faulty struct {
	Base http.RoundTripper
	// Choose is given the operation (DynamoDB's, or the HTTP method) and how many requests of it were before. It may be nil.
	Choose func(operation string, n int) Fault

	mu   sync.Mutex
	seen map[string]int
}

// RoundTrip implements http.RoundTripper.
func (f *Faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	operation := r.Method
	if _, target, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		operation = target
	}
	f.mu.Lock()
	n := f.seen[operation]
	if f.seen == nil {
		f.seen = make(map[string]int)
	}
	f.seen[operation]++
	var fault Fault
	if f.Choose != nil {
		fault = f.Choose(operation, n)
	}
	f.mu.Unlock()
	if fault == nil {
		return f.Base.RoundTrip(r)
	}
	return fault(f.Base, r)
}

// Seen returns how many requests of an operation came by.
func (f *Faulty) Seen(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[operation]
}
