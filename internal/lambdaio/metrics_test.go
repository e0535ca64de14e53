package lambdaio

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestMetricsLines: what CloudWatch takes metrics from, as it stands in the log.
func TestMetricsLines(t *testing.T) {
	var log bytes.Buffer
	h := measured{slog.NewJSONHandler(&log, nil), "cairn-StatementsFunction-Yp8zQ4tVw2Lk"}
	request := []slog.Attr{
		slog.String("id", "JKJaXmPLvHcESHA="), slog.String("method", "POST"), slog.String("route", "/xapi/statements"), slog.Int("status", 200),
		slog.Float64("ms", 12.345), slog.Int64("bytes", 40), slog.String("store", "s-0123456789"),
		slog.Int("calls", 4), slog.Float64("readUnits", 1.5), slog.Float64("writeUnits", 14),
	}
	for _, line := range []struct {
		level slog.Level
		attrs []slog.Attr
	}{
		{slog.LevelInfo, request},
		{slog.LevelError, request[:6]}, // nothing was asked of a table
		{slog.LevelWarn, []slog.Attr{slog.String("error", "something else")}},
	} {
		r := slog.NewRecord(time.UnixMilli(1795256100123).UTC(), line.level, "request", 0)
		r.AddAttrs(line.attrs...)
		if err := slog.New(h).Handler().Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "metrics", log.String())
	for line := range strings.Lines(log.String()) {
		if len(line) > 600 {
			t.Errorf("a line of %d bytes: a gigabyte of them costs as much as 2.5 million requests", len(line))
		}
	}
}
