package lambdaio

import (
	"context"
	"log/slog"
)

// metricsNamespace is where CloudWatch shows the metrics.
const metricsNamespace = "Cairn"

// measured makes CloudWatch read metrics off the lines of requests and changes: it says beside their figures which of them
// are metrics (embedded metric format). A line grows by about 250 bytes, and each metric of each function is priced by the
// hour in which it is written ($0.30 a month): hence one dimension, few metrics, and a switch.
// Source: Amazon CloudWatch user guide, "Specification: Embedded metric format", and the price list of 2026-11.
type measured struct {
	slog.Handler
	function string
}

// embedded is the member "_aws" of a line.
type embedded struct {
	Timestamp  int64       `json:"Timestamp"` // milliseconds of Unix time
	Directives []directive `json:"CloudWatchMetrics"`
}

type directive struct {
	Namespace  string     `json:"Namespace"`
	Dimensions [][]string `json:"Dimensions"`
	Metrics    []metric   `json:"Metrics"`
}

// metric names a member of the line.
type metric struct {
	Name string `json:"Name"`
	Unit string `json:"Unit,omitempty"`
}

// Handle implements slog.Handler. Lines without a duration measure nothing.
func (h measured) Handle(ctx context.Context, r slog.Record) error {
	var metrics []metric
	timed := false
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "ms":
			timed = true
			metrics = append(metrics, metric{"ms", "Milliseconds"})
		case "readUnits", "writeUnits":
			metrics = append(metrics, metric{Name: a.Key})
		}
		return true
	})
	if timed {
		failed := 0
		if r.Level >= slog.LevelError {
			failed = 1
		}
		r.AddAttrs(slog.Int("errors", failed), slog.String("function", h.function), slog.Any("_aws", embedded{
			Timestamp: r.Time.UnixMilli(),
			Directives: []directive{{
				Namespace: metricsNamespace, Dimensions: [][]string{{"function"}}, Metrics: append(metrics, metric{Name: "errors"}),
			}},
		}))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h measured) WithAttrs(attrs []slog.Attr) slog.Handler {
	return measured{h.Handler.WithAttrs(attrs), h.function}
}

// WithGroup implements slog.Handler. A group takes the figures off the top of the line, where CloudWatch looks for them.
func (h measured) WithGroup(name string) slog.Handler { return h.Handler.WithGroup(name) }
