package lambdaio

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"
)

// BenchmarkGateway is the way of a request through this package: event to http.Request, a handler that only reads the body and
// writes a page, and its answer to JSON. The target is 1 ms at the median.
func BenchmarkGateway(b *testing.B) {
	page := make([]byte, 64<<10)
	for i := range page {
		page[i] = "{\"a\":1}\n"[i%8]
	}
	for _, name := range []string{"statements-post", "statements-post-multipart", "statements-get"} {
		b.Run(name, func(b *testing.B) {
			payload, err := os.ReadFile("../../events/" + name + ".json")
			if err != nil {
				b.Fatal(err)
			}
			gateway := NewGateway(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					b.Error(err)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(page) // it fits
			}), slog.New(slog.DiscardHandler))
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if _, err := gateway.Invoke(b.Context(), payload); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2])/float64(time.Millisecond), "median-ms")
		})
	}
}
