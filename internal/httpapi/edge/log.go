package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"
)

// recorder notes what was answered, and drops the body of an answer to HEAD.
type recorder struct {
	http.ResponseWriter
	status   int // 0 until the header is written
	bytes    int64
	noBody   bool // the request is a HEAD, by its method or by the alternate request syntax
	wireHead bool // the request on the wire is a HEAD: then Content-Length may stand without a body
	cut      bool // the answer failed in its middle
}

// WriteHeader fixes the status and sends the header.
func (w *recorder) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.noBody && !w.wireHead {
		w.Header().Del("Content-Length")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.noBody {
		return len(p), nil
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// panicError is a panic of a handler. Only the text of Go's own errors is kept: any other may hold what a learner sent.
type panicError struct {
	cause string
	stack []byte
}

func (e *panicError) Error() string { return "panic: " + e.cause }

// protect makes a panic an error, so that one request cannot end the process.
func protect(f func() error) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case runtime.Error:
			err = &panicError{cause: cause.Error(), stack: debug.Stack()}
		default:
			err = &panicError{cause: fmt.Sprintf("%T", cause), stack: debug.Stack()}
		}
	}()
	return f()
}

// logRequest writes the request's one line. It holds no query string, body, identity or secret; the path only as the
// name of its resource. Refusals name the section of the specification, failures their cause.
func (e *Edge) logRequest(r *Request, w *recorder, err error) {
	cost, calls := r.meter.Total()
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs,
		slog.String("id", r.id),
		slog.String("method", r.Method),
		slog.String("route", r.route),
		slog.Int("status", w.status),
		slog.Float64("ms", float64(e.Now().Sub(r.start))/float64(time.Millisecond)),
		slog.Int64("bytes", w.bytes),
	)
	if r.Principal.Store.ID != "" {
		attrs = append(attrs, slog.String("store", r.Principal.Store.ID))
	}
	if calls > 0 {
		attrs = append(attrs, slog.Int("calls", calls), slog.Float64("readUnits", cost.Read), slog.Float64("writeUnits", cost.Write))
	}
	level := slog.LevelInfo
	if err != nil {
		refusal := asError(err)
		if refusal.Section != "" {
			attrs = append(attrs, slog.String("section", refusal.Section))
		}
		if w.status >= http.StatusInternalServerError || w.cut {
			if !errors.Is(err, context.Canceled) { // a client that went away is no failure of ours
				level = slog.LevelError
			}
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		if p, ok := errors.AsType[*panicError](err); ok {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
	}
	e.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// maxRequestID bounds a request id that a front hands over.
const maxRequestID = 128

// requestID takes the id of a trusted front, when there is one and it is harmless in a log line, or makes one.
func (e *Edge) requestID(h http.Header) string {
	if e.RequestIDHeader != "" {
		if id := h.Get(e.RequestIDHeader); validRequestID(id) {
			return id
		}
	}
	return e.NewID()
}

func validRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '=', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}
