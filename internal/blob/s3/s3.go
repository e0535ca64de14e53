// Package s3 keeps blobs in an S3 bucket. It is the blob driver of the cloud road.
//
// Put is a conditional PutObject (If-None-Match: *), so that a taken key is never overwritten; when the condition
// fails the key is taken, by somebody else's object or by this very Put whose reply was lost, and both are fine.
// Reads are strongly consistent. The SDK's own retries stay on: every request may be repeated.
//
// Without s3:ListBucket, which functions are not granted, S3 answers a Get or a Copy of an absent key by 403 and not by 404:
// it comes back as ErrDenied. Callers for whom an absent object is no damage ask blob.MayBeAbsent.
// Source: Amazon S3 API reference, GetObject, HeadObject and CopyObject.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// Store is a blob.Store, blob.Lister and blob.Transfer.
type Store struct {
	client *s3.Client
	bucket string
	prefix string
	pause  func(try int) time.Duration
}

var (
	_ blob.Store    = (*Store)(nil)
	_ blob.Lister   = (*Store)(nil)
	_ blob.Transfer = (*Store)(nil)
)

// New makes a driver for the objects of a bucket whose names begin with the prefix, which may be empty. It sends nothing.
func New(client *s3.Client, bucket, prefix string) *Store {
	return &Store{client: client, bucket: bucket, prefix: prefix, pause: pause}
}

// maxRaces bounds the tries of a Put that meets others of the same key under way.
const maxRaces = 6

func pause(try int) time.Duration { return rand.N(20 * time.Millisecond << try) }

func (s *Store) name(key string) *string { return aws.String(s.prefix + key) }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, body []byte) error {
	return s.PutFrom(ctx, key, bytes.NewReader(body))
}

// PutFrom implements blob.Transfer. Over TLS the checksum follows the bytes, which are therefore read once. Without TLS, as
// with a test server, they are read three times: for the checksum, for the signature, and to be sent.
func (s *Store) PutFrom(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	for try := 0; ; try++ {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("put object: %w", err)
		}
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket:      &s.bucket,
			Key:         s.name(key),
			Body:        body,
			IfNoneMatch: aws.String("*"),
		})
		switch status(err) {
		case http.StatusPreconditionFailed: // taken
			return nil
		case http.StatusConflict: // another conditional Put of the key is under way
			if try == maxRaces {
				return failure("put object", err)
			}
		default:
			return failure("put object", err)
		}
		if err := sleep(ctx, s.pause(try)); err != nil {
			return fmt.Errorf("put object: %w: %w", blob.ErrUnavailable, err)
		}
	}
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, int64, error) {
	if err := begin(ctx, key); err != nil {
		return nil, 0, err
	}
	if offset < 0 {
		return nil, 0, fmt.Errorf("read at offset %d: %w", offset, blob.ErrInvalid)
	}
	if length == 0 { // HTTP has no empty range
		return s.nothing(ctx, key)
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: s.name(key)}
	if length > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	} else if offset > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	}
	out, err := s.client.GetObject(ctx, in)
	if status(err) == http.StatusRequestedRangeNotSatisfiable { // it begins at the end or beyond
		return s.nothing(ctx, key)
	}
	if err != nil {
		return nil, 0, failure("get object", err)
	}
	size := aws.ToInt64(out.ContentLength)
	if in.Range != nil {
		if size, err = sizeOf(aws.ToString(out.ContentRange)); err != nil {
			return nil, 0, errors.Join(fmt.Errorf("get object: %w", err), out.Body.Close())
		}
	}
	return answerBody{out.Body}, size, nil
}

// answerBody is a body whose errors are the port's.
type answerBody struct{ io.ReadCloser }

// Read implements io.Reader.
func (b answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("read object: %w: %w", blob.ErrUnavailable, err)
	}
	return n, err
}

// nothing answers a range without bytes.
func (s *Store) nothing(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.name(key)})
	if err != nil {
		return nil, 0, failure("head object", err)
	}
	return http.NoBody, aws.ToInt64(out.ContentLength), nil
}

// sizeOf reads the whole object's size from a Content-Range, "bytes 0-9/100".
func sizeOf(contentRange string) (int64, error) {
	_, size, ok := strings.Cut(contentRange, "/")
	if !ok {
		return 0, fmt.Errorf("answer to a range has Content-Range %q", contentRange)
	}
	return strconv.ParseInt(size, 10, 64)
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: s.name(key)})
	if err = failure("delete object", err); errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	return err
}

// List implements blob.Lister by ListObjectsV2, 1,000 objects a request.
func (s *Store) List(ctx context.Context, prefix string, f func(blob.Info) error) error {
	if err := blob.CheckPrefix(prefix); err != nil {
		return err
	}
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: s.name(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failure("list objects", err)
		}
		for _, object := range page.Contents {
			info := blob.Info{
				Key:      strings.TrimPrefix(aws.ToString(object.Key), s.prefix),
				Size:     aws.ToInt64(object.Size),
				Modified: aws.ToTime(object.LastModified),
			}
			if err := f(info); err != nil {
				return err
			}
		}
	}
	return nil
}

// CreateBucket creates the bucket. It is for tests: a deployment's bucket is made by its template.
func (s *Store) CreateBucket(ctx context.Context) error {
	_, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.bucket})
	return failure("create bucket", err)
}

func begin(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return blob.CheckKey(key)
}

// failure translates an error: an absent object is ErrNotFound; no answer, a throttle and a 5xx are ErrUnavailable. Another
// refusal (no such bucket, access denied) keeps its own error.
func failure(verb string, err error) error {
	if err == nil {
		return nil
	}
	var answer smithy.APIError
	code := ""
	if errors.As(err, &answer) {
		code = answer.ErrorCode()
	}
	switch {
	case code == "NoSuchKey", code == "NotFound": // HeadObject has no body that could tell more than 404
		return fmt.Errorf("%s: %w", verb, blob.ErrNotFound)
	case code == "AccessDenied", code == "Forbidden":
		return fmt.Errorf("%s: %w: %w", verb, blob.ErrDenied, err)
	case code == "", status(err) >= http.StatusInternalServerError, status(err) == http.StatusConflict,
		status(err) == http.StatusTooManyRequests, code == "SlowDown", code == "RequestTimeout":
		return fmt.Errorf("%s: %w: %w", verb, blob.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", verb, err)
}

func status(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
