package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// quickRetries are the SDK's retries without their pauses.
func quickRetries(o *s3.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
}

func noRetries(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// openFaulty makes a store whose requests meet the faults that choose picks, on a bucket of its own.
func openFaulty(t *testing.T, servers *cloudtest.Servers, choose func(string, int) cloudtest.Fault, options ...func(*s3.Options)) (*Store, *cloudtest.Faulty) {
	t.Helper()
	plain := open(t, servers)
	through := &cloudtest.Faulty{Base: http.DefaultTransport, Choose: choose}
	return faulty(through, servers.S3, plain.bucket, plain.prefix, options...), through
}

// faulty makes a store whose requests meet faults, and which hardly pauses.
func faulty(through *cloudtest.Faulty, endpoint, bucket, prefix string, options ...func(*s3.Options)) *Store {
	s := New(newClient(endpoint, through, options...), bucket, prefix)
	s.pause = func(int) time.Duration { return time.Millisecond }
	return s
}

// firstOnly lets a fault happen to the first n requests of a method.
func firstOnly(method string, n int, fault cloudtest.Fault) func(string, int) cloudtest.Fault {
	return func(seen string, before int) cloudtest.Fault {
		if seen == method && before < n {
			return fault
		}
		return nil
	}
}

func TestPutSurvivesFaults(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	for name, fault := range map[string]cloudtest.Fault{
		"slow down":      cloudtest.S3Error(503, "SlowDown"),
		"internal error": cloudtest.S3Error(500, "InternalError"),
		"race":           cloudtest.S3Error(409, "ConditionalRequestConflict"),
		"reset":          cloudtest.Unsent,
		"reply lost":     cloudtest.ReplyLost, // the second try finds the key taken
	} {
		t.Run(name, func(t *testing.T) {
			s, seen := openFaulty(t, servers, firstOnly("PUT", 2, fault), quickRetries)
			if err := s.Put(t.Context(), "k", []byte("body")); err != nil {
				t.Fatalf("Put = %v", err)
			}
			if n := seen.Seen("PUT"); n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
			body, _, err := s.Get(t.Context(), "k", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if err := errors.Join(err, body.Close()); err != nil || string(got) != "body" {
				t.Errorf("object %q, %v; want %q", got, err, "body")
			}
		})
	}
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name  string
		fault cloudtest.Fault
		want  error // nil: none of the port's
	}{
		{"slow down", cloudtest.S3Error(503, "SlowDown"), blob.ErrUnavailable},
		{"internal error", cloudtest.S3Error(500, "InternalError"), blob.ErrUnavailable},
		{"too many requests", cloudtest.S3Error(429, "TooManyRequests"), blob.ErrUnavailable},
		{"endless race", cloudtest.S3Error(409, "ConditionalRequestConflict"), blob.ErrUnavailable},
		{"reset", cloudtest.Unsent, blob.ErrUnavailable},
		{"a proxy's page", cloudtest.Answer(502, "text/html", "<html>"), blob.ErrUnavailable},
		{"no answer in time", cloudtest.NoAnswer, blob.ErrUnavailable},
		{"denied", cloudtest.S3Error(403, "AccessDenied"), nil},
		{"no bucket", cloudtest.S3Error(404, "NoSuchBucket"), nil},
	}
	calls := map[string]func(context.Context, *Store) error{
		"Put":    func(ctx context.Context, s *Store) error { return s.Put(ctx, "k", []byte("x")) },
		"Get":    func(ctx context.Context, s *Store) error { _, _, err := s.Get(ctx, "k", 0, -1); return err },
		"Delete": func(ctx context.Context, s *Store) error { return s.Delete(ctx, "k") },
		"List": func(ctx context.Context, s *Store) error {
			return s.List(ctx, "", func(blob.Info) error { return nil })
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for verb, call := range calls {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
					defer cancel()
					through := &cloudtest.Faulty{Choose: func(string, int) cloudtest.Fault { return tt.fault }} // nothing reaches a server
					err := call(ctx, faulty(through, "http://127.0.0.1:1", "bucket", "", noRetries))
					if err == nil {
						t.Errorf("%s succeeded", verb)
					}
					if tt.want != nil && !errors.Is(err, tt.want) {
						t.Errorf("%s = %v, want %v", verb, err, tt.want)
					}
					if tt.want == nil && (errors.Is(err, blob.ErrUnavailable) || errors.Is(err, blob.ErrNotFound)) {
						t.Errorf("%s = %v, want an error of its own", verb, err)
					}
				})
			}
		})
	}
}

// TestDeniedMayBeAbsent: S3 says 403 of what is not there to whoever may not list the bucket, of a HEAD without a body.
func TestDeniedMayBeAbsent(t *testing.T) {
	for _, fault := range []cloudtest.Fault{cloudtest.S3Error(403, "AccessDenied"), cloudtest.Answer(403, "application/xml", "")} {
		s := faulty(&cloudtest.Faulty{Choose: func(string, int) cloudtest.Fault { return fault }}, "http://127.0.0.1:1", "bucket", "", noRetries)
		_, _, get := s.Get(t.Context(), "k", 0, -1)
		_, _, head := s.Get(t.Context(), "k", 0, 0)
		for verb, err := range map[string]error{"Get": get, "Get of nothing": head, "Copy": s.Copy(t.Context(), "k", "l")} {
			if !errors.Is(err, blob.ErrDenied) || !blob.MayBeAbsent(err) {
				t.Errorf("%s = %v, want ErrDenied", verb, err)
			}
		}
	}
}

// A connection that breaks in the middle of an object is no reason to fail while the object is there.
func TestReadSurvivesBrokenReplies(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	for _, test := range []struct {
		breaks int
		want   error
	}{{1, nil}, {2, nil}, {1000, blob.ErrUnavailable}} {
		s, seen := openFaulty(t, servers, firstOnly("GET", test.breaks, cloudtest.ReplyBroken), quickRetries)
		if err := s.Put(t.Context(), "k", []byte("a body")); err != nil {
			t.Fatal(err)
		}
		body, err := blob.Read(t.Context(), s, "k")
		if !errors.Is(err, test.want) || err == nil && string(body) != "a body" {
			t.Errorf("%d replies break: %q, %v; want %v", test.breaks, body, err, test.want)
		}
		if n := seen.Seen("GET"); n != min(test.breaks+1, 3) {
			t.Errorf("%d replies break: %d requests", test.breaks, n)
		}
	}
}
