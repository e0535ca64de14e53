package front

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// benchmarkEnvironment is what functions need to start. Nothing is asked of the servers that it names.
var benchmarkEnvironment = map[string]string{
	"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_LAMBDA_LOG_FORMAT": "JSON",
	"CAIRN_TABLE_PREFIX": "bench-", "CAIRN_BUCKET": "bench",
	"CAIRN_DYNAMODB_ENDPOINT": "http://127.0.0.1:1", "CAIRN_S3_ENDPOINT": "http://127.0.0.1:1",
}

func benchmarkPool(b *testing.B, pkg string) *pool {
	b.Helper()
	return newPool(launcher{
		function: Function{Name: filepath.Base(pkg), Memory: 512, Timeout: 10 * time.Second}, binary: buildFunction(b, pkg), environment: benchmarkEnvironment,
		initTimeout: initTimeout, log: func(Line) {}, now: time.Now,
	}, 1)
}

// BenchmarkInit starts the statements function and an empty one in turns: from the start of the process until it asks for its
// first event. The target is 5 times the empty one at most.
func BenchmarkInit(b *testing.B) {
	pools := []*pool{benchmarkPool(b, "./testdata/empty"), benchmarkPool(b, "../../../functions/statements")}
	took := make([][]time.Duration, len(pools))
	for b.Loop() {
		for i, p := range pools {
			began := time.Now()
			e, err := p.start(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(began))
			if err := e.close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	empty, statements := median(took[0]), median(took[1])
	b.ReportMetric(0, "ns/op") // of no meaning: a start of each
	b.ReportMetric(milliseconds(empty), "empty-ms")
	b.ReportMetric(milliseconds(statements), "statements-ms")
	b.ReportMetric(float64(statements)/float64(empty), "times")
}

// BenchmarkInvoke asks a warm about function, which does next to nothing: what is left is the Runtime API of the front, freezing
// and thawing, aws-lambda-go, the edge of lambdaio and that of httpapi.
func BenchmarkInvoke(b *testing.B) {
	p := benchmarkPool(b, "../../../functions/about")
	defer func() {
		if err := p.close(); err != nil {
			b.Error(err)
		}
	}()
	event := []byte(`{"version":"2.0","rawPath":"/xapi/about","requestContext":{"http":{"method":"GET"}}}`)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := p.invoke(b.Context(), invocation{payload: event}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	b.ReportMetric(milliseconds(median(took)), "median-ms")
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
