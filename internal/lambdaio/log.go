package lambdaio

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/cairn-lrs/cairn/internal/config"
)

// Logger writes records the way Lambda's log settings ask for (JSON or text, and the level), each with the id and the
// trace of the invocation that its context belongs to.
// With CAIRN_METRICS, lines about requests and changes are metrics too.
// Source: AWS Lambda developer guide, "Advanced logging controls".
func Logger() *slog.Logger {
	var handler slog.Handler = traced{lambdacontext.NewLogHandler()}
	if c, err := config.Environment(); err == nil && c.Metrics { // an environment that is not valid is told by what is made of it
		handler = measured{handler, lambdacontext.FunctionName}
	}
	return slog.New(handler)
}

// traced adds the id of the trace, by which X-Ray finds what belongs to one request.
type traced struct{ slog.Handler }

// Handle implements slog.Handler.
func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if id := traceID(ctx); id != "" {
		r.AddAttrs(slog.String("trace", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

// traceID takes the id out of "Root=1-6920a1c4-0f2d5e6b7c8d9e0f1a2b3c4d;Parent=…;Sampled=1", which aws-lambda-go puts
// into the context under this name. Source: AWS X-Ray developer guide, "Tracing header".
func traceID(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	for part := range strings.SplitSeq(header, ";") {
		if id, ok := strings.CutPrefix(part, "Root="); ok {
			return id
		}
	}
	return ""
}

// panicError is a panic of a handler. Only the text of Go's own errors is kept: any other may hold what a learner sent.
type panicError struct {
	cause string
	stack []byte
}

func (e *panicError) Error() string { return "panic: " + e.cause }

// newPanicError is for the function that recovered, so that the stack is that of the panic.
func newPanicError(cause any) *panicError {
	text := fmt.Sprintf("%T", cause)
	if err, ok := cause.(runtime.Error); ok {
		text = err.Error()
	}
	return &panicError{cause: text, stack: debug.Stack()}
}
