package front

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of an HTTP API. Source: API Gateway developer guide, "Quotas for HTTP APIs".
const (
	maxHead = 10240            // bytes of request line and headers together
	maxBody = 10 << 20         // bytes
	maxWait = 30 * time.Second // for an integration
)

// requestIDBytes become an id of 16 characters, the last of them padding.
const requestIDBytes = 11

// RequestIDHeader carries the gateway's id of the request to the client.
const RequestIDHeader = "Apigw-Requestid"

var randomReader = rand.Reader

// gateway is one HTTP API: an http.Handler that serves requests by invocations.
type gateway struct {
	API
	routes  map[string]route // by route key
	options Options
	wait    time.Duration   // maxWait, but in a test
	working *sync.WaitGroup // the invocations under way
}

// refusal is an answer that the gateway gives by itself.
type refusal struct {
	status  int
	message string
	cause   error // for the access log
}

// ServeHTTP serves one request as API Gateway does.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := arrival{request: r, at: g.options.Now()}
	recorded := &recorder{ResponseWriter: w}
	entry := accessEntry{at: a.at}
	if err := g.name(&a); err != nil {
		recorded.refuse(refusal{http.StatusInternalServerError, "Internal Server Error", err}, &entry)
	} else if refused := g.serve(recorded, &a, &entry); refused != nil {
		recorded.refuse(*refused, &entry)
	}
	entry.id, entry.route, entry.status, entry.bytes = a.id, a.route, recorded.status, recorded.bytes
	entry.total = g.options.Now().Sub(a.at)
	if format := g.AccessLog; format != "" {
		g.options.Log(Line{Source: Gateway, PID: os.Getpid(), Text: entry.render(format)})
	}
}

// name gives the request its ids.
func (g *gateway) name(a *arrival) error {
	id := make([]byte, requestIDBytes)
	if _, err := io.ReadFull(g.options.Random, id); err != nil {
		return fmt.Errorf("make request id: %w", err)
	}
	a.id = base64.URLEncoding.EncodeToString(id)
	if a.trace = a.request.Header.Get("X-Amzn-Trace-Id"); a.trace != "" {
		return nil
	}
	var err error
	a.trace, err = newTrace(a.at, g.options.Random)
	return err
}

// newTrace begins a trace. Source: AWS X-Ray developer guide, "Trace ID format".
func newTrace(at time.Time, random io.Reader) (string, error) {
	trace := make([]byte, 12)
	if _, err := io.ReadFull(random, trace); err != nil {
		return "", fmt.Errorf("make trace id: %w", err)
	}
	return fmt.Sprintf("Root=1-%08x-%s", at.Unix(), hex.EncodeToString(trace)), nil
}

// serve invokes the function of the route. It has written an answer, or returns the refusal to write.
func (g *gateway) serve(w *recorder, a *arrival, entry *accessEntry) *refusal {
	w.Header().Set(RequestIDHeader, a.id)
	if headSize(a.request) > maxHead {
		// That it is refused is documented; with what is not.
		return &refusal{http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large", nil}
	}
	route, ok := g.match(a.request)
	if !ok {
		return &refusal{http.StatusNotFound, "Not Found", nil}
	}
	a.route = route.key
	var err error
	if a.body, err = io.ReadAll(http.MaxBytesReader(w, a.request.Body, maxBody)); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return &refusal{http.StatusRequestEntityTooLarge, "Request Entity Too Large", err}
		}
		return &refusal{http.StatusBadRequest, "Bad Request", err}
	}
	payload, err := newEvent(*a)
	if err != nil {
		return &refusal{http.StatusInternalServerError, "Internal Server Error", err}
	}

	begun := g.options.Now()
	returned, err := g.invoke(a.request.Context(), route.pool, invocation{payload: payload, trace: a.trace})
	entry.integration = g.options.Now().Sub(begun)
	switch {
	case errors.Is(err, errPayloadTooLarge):
		return &refusal{http.StatusRequestEntityTooLarge, "Request Entity Too Large", err}
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{http.StatusServiceUnavailable, "Service Unavailable", err}
	case err != nil:
		return &refusal{http.StatusInternalServerError, "Internal Server Error", err}
	}
	made, err := readAnswer(returned)
	if err != nil {
		return &refusal{http.StatusInternalServerError, "Internal Server Error", err}
	}
	entry.handler = made.StatusCode
	made.write(w)
	return nil
}

// invoke waits for an invocation, as long as the gateway does. It goes on when the client leaves, or the gateway has waited
// long enough, as it would there.
func (g *gateway) invoke(ctx context.Context, p *pool, i invocation) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.wait)
	var returned []byte
	var err error
	done := make(chan struct{})
	g.working.Go(func() {
		defer cancel()
		returned, err = p.invoke(ctx, i)
		close(done)
	})
	select {
	case <-done:
		return returned, err
	case <-ctx.Done():
	}
	select {
	case <-done: // it ended the context itself
		return returned, err
	default:
		return nil, fmt.Errorf("wait for %s: %w", p.function.Name, ctx.Err())
	}
}

// match finds the route: the method's own before ANY, and what no route names goes to the default one.
func (g *gateway) match(r *http.Request) (route, bool) {
	for _, key := range []string{r.Method + " " + path(r), "ANY " + path(r), "$default"} {
		if found, ok := g.routes[key]; ok {
			return found, true
		}
	}
	return route{}, false
}

// headSize counts request line and headers as they came on the wire.
func headSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n") + len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status, bytes int
}

// WriteHeader notes the status.
func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the body.
func (w *recorder) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += n
	return n, err
}

func (w *recorder) refuse(r refusal, entry *accessEntry) {
	if r.cause != nil {
		entry.problem = r.cause.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_, _ = fmt.Fprintf(w, `{"message":%q}`, r.message) // whether the client is still there does not matter
}

// accessEntry is one line of the access log.
type accessEntry struct {
	id, route          string
	at                 time.Time
	status, bytes      int
	handler            int // the function's status; 0 when it gave none
	integration, total time.Duration
	problem            string
}

var contextVariable = regexp.MustCompile(`\$context\.[A-Za-z.]+`)

// render fills in the format of the template. Source: API Gateway developer guide, "Customize HTTP API access logs".
func (e accessEntry) render(format string) string {
	return contextVariable.ReplaceAllStringFunc(format, func(name string) string {
		value := ""
		switch name {
		case "$context.requestId":
			value = e.id
		case "$context.routeKey":
			value = e.route
		case "$context.status":
			value = strconv.Itoa(e.status)
		case "$context.responseLength":
			value = strconv.Itoa(e.bytes)
		case "$context.responseLatency":
			value = strconv.FormatInt(e.total.Milliseconds(), 10)
		case "$context.integration.latency":
			value = strconv.FormatInt(e.integration.Milliseconds(), 10)
		case "$context.integration.status":
			if e.handler != 0 {
				value = strconv.Itoa(e.handler)
			}
		case "$context.error.message":
			value = quotable(e.problem)
		}
		if value == "" {
			return "-"
		}
		return value
	})
}

// quotable replaces what may not stand in a string of JSON.
func quotable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' || r < ' ' {
			return '\''
		}
		return r
	}, text)
}
