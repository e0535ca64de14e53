package lambdaio

import (
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// MaxPayload is the largest event that Lambda takes and the largest answer that it gives, in bytes of JSON:
// base64 and escapes count. Source: AWS Lambda developer guide, "Quotas" (6 MB each for request and response).
const MaxPayload = 6 << 20

// replyMargin is what a handler leaves of the function's time limit, so that a request which runs out of
// time is answered by its handler and not by a kill.
const replyMargin = 500 * time.Millisecond

// Gateway is a lambda.Handler that serves HTTP API events (payload format 2.0) with an http.Handler.
// It is safe for concurrent use.
type Gateway struct {
	handler http.Handler
	log     *slog.Logger
}

// NewGateway makes a Gateway. The logger gets one record for each panic, and nothing else.
func NewGateway(handler http.Handler, log *slog.Logger) *Gateway {
	return &Gateway{handler: handler, log: log}
}

// Invoke serves one event. An error means that the payload was no HTTP API event; everything that a
// client can cause is an answer.
func (g *Gateway) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return refuse(http.StatusRequestEntityTooLarge, tooLargeIn, "").appendJSON(nil)
	}
	event, isText, err := readEvent(payload)
	if err != nil {
		return nil, fmt.Errorf("decode HTTP API event: %w", err)
	}
	id := event.RequestContext.RequestID
	if !isText {
		return refuse(http.StatusBadRequest, "the request has text that is not UTF-8", id).appendJSON(nil)
	}
	ctx, cancel := withMargin(ctx)
	defer cancel()
	request, err := newRequest(ctx, event)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error(), id).appendJSON(nil)
	}
	w := newResponseWriter(request.Method)
	if g.serve(w, request) {
		w.replace(http.StatusInternalServerError, "internal error", id)
	}
	if w.tooLarge() {
		w.replace(http.StatusRequestEntityTooLarge, tooLargeOut, id)
	}
	answer, err := w.appendJSON(nil)
	if err != nil || len(answer) <= MaxPayload {
		return answer, err
	}
	w.replace(http.StatusRequestEntityTooLarge, tooLargeOut, id)
	return w.appendJSON(answer[:0])
}

// readEvent decodes an event. No page of AWS says that the gateway mends text of a client that is not UTF-8: where that is all
// that is wrong, it is told apart from a payload that is no event.
func readEvent(payload []byte) (event *events.APIGatewayV2HTTPRequest, isText bool, err error) {
	event = new(events.APIGatewayV2HTTPRequest)
	strict := json.Unmarshal(payload, event)
	if strict != nil {
		*event = events.APIGatewayV2HTTPRequest{}
		if err := json.Unmarshal(payload, event, jsontext.AllowInvalidUTF8(true)); err != nil {
			return nil, false, err
		}
	}
	if event.Version != "2.0" || event.RequestContext.HTTP.Method == "" {
		return nil, false, errors.New("not payload format 2.0")
	}
	return event, strict == nil, nil
}

// withMargin ends a context before the function's time does.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-replyMargin))
}

// serve calls the handler and reports whether it panicked.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) (panicked bool) {
	defer func() {
		if cause := recover(); cause != nil {
			panicked = true
			p := newPanicError(cause)
			g.log.ErrorContext(r.Context(), "handler panicked", "cause", p.cause, "stack", string(p.stack))
		}
	}()
	g.handler.ServeHTTP(w, r)
	return false
}
