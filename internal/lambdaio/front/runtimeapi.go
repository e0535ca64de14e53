package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxPayload bounds events and answers. Source: Lambda developer guide, "Quotas": 6 MB each.
const maxPayload = 6 << 20

// invocation is one event with the way back of its answer.
type invocation struct {
	payload  []byte
	trace    string
	id       string // "" lets the pool name it
	deadline time.Time
	abort    <-chan struct{} // when it is closed, the invocation is over; nil: it goes on to its end
	done     chan outcome    // takes one without blocking
}

// outcome is how an invocation ended.
type outcome struct {
	answer []byte
	err    error
}

// runtimeAPI is what Lambda offers to the process of one execution environment, and to extensions inside of it.
// Source: Lambda developer guide, "Using the Lambda runtime API" and "Using the Lambda Extensions API".
func (e *environment) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.serveResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.serveError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.serveInitError)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.serveRegister)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // the extensions that exist here ask for no events
	})
	return mux
}

// serveNext hands over the next invocation. The first call says that the process is ready; until there is an invocation
// it is frozen.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	e.freeze()
	e.readyOnce.Do(func() { close(e.ready) })
	select {
	case <-r.Context().Done():
	case i := <-e.next:
		e.begin(i)
		e.thaw()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", functionARN(e.function.Name))
		w.Header().Set("Lambda-Runtime-Trace-Id", i.trace)
		_, _ = w.Write(i.payload) // a process that is gone is noticed by its end
	}
}

func functionARN(name string) string {
	return "arn:aws:lambda:us-east-1:" + accountID + ":function:" + name
}

func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		e.end(r.PathValue("id"), outcome{err: fmt.Errorf("%w: the answer is larger than %d bytes", ErrFunction, maxPayload)})
		return
	}
	e.accept(w, r.PathValue("id"), outcome{answer: body})
}

func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		body = []byte("an error larger than an answer may be")
	}
	e.accept(w, r.PathValue("id"), outcome{err: fmt.Errorf("%w: %s", ErrFunction, body)})
}

func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	if body, ok := readBody(w, r); ok {
		e.log(Line{Source: e.function.Name, PID: e.pid(), Text: "init error: " + string(bytes.ReplaceAll(body, []byte("\n"), []byte(" ")))})
		w.WriteHeader(http.StatusAccepted)
	}
}

func (e *environment) serveRegister(w http.ResponseWriter, _ *http.Request) {
	e.extended.Store(true)
	w.Header().Set("Lambda-Extension-Identifier", "extension-"+strconv.Itoa(e.pid()))
	_, _ = w.Write([]byte("{}"))
}

// readBody reads what the process sends, or refuses it.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err == nil {
		return body, true
	}
	status := http.StatusBadRequest
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		status = http.StatusRequestEntityTooLarge
	}
	http.Error(w, err.Error(), status)
	return nil, false
}

// accept ends the invocation that the process works on; any other is an error of the process.
func (e *environment) accept(w http.ResponseWriter, id string, o outcome) {
	if !e.end(id, o) {
		http.Error(w, "no such invocation", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
