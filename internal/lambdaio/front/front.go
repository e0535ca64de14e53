// Package front stands in for API Gateway and Lambda on one machine: an HTTP API (payload format 2.0) in front of a Lambda
// Runtime API that runs the built `bootstrap` binaries, one process for each execution environment. What is deployed and
// what is tested here are the same files, started the same way.
//
// Routes, functions, time limits, memory, environment variables, log settings and the format of the access log are read
// from template.yaml, which so is the only place that says them. Unlike an emulator for everybody, the front refuses what
// the template does not use: it would be untested.
//
// # What it does as AWS does
//
//   - A request becomes the payload that API Gateway makes of it: see newEvent.
//   - Request line and headers are at most 10,240 bytes, a body at most 10 MB, an event and an answer at most 6 MB.
//   - One execution environment serves one invocation at a time. It starts when none is idle, has 10 s to get ready, and
//     is ended when an invocation takes longer than the function's time limit or more memory than it has. Between two
//     invocations it is frozen (on Linux): what a function does after its answer is not done.
//   - A function that fails, exits or is killed is a 500 of the gateway, and the next request gets a new environment.
//
// # What it leaves out
//
// Throttling of the stage, authorizers, CORS of the gateway, custom domains, HTTP/2, part of a CPU, and IAM: a function's
// rights are not checked. When all environments of a function are busy a request waits, where Lambda would start more.
//
// Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs" and "Quotas for HTTP APIs";
// Lambda developer guide, "Using the Lambda runtime API", "Lambda execution environment lifecycle" and "Quotas".
package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Options are what a Front stands on. Template and Binary must be set.
type Options struct {
	Template *Template

	// Binary names the file that a function runs, given its logical id.
	Binary func(function string) string

	// Environment is set for every function beside what the template says, and wins over it: region, credentials, and
	// the endpoints that stand in for AWS's.
	Environment map[string]string

	// Concurrency bounds the execution environments of one function; 0 means 4.
	Concurrency int

	// Log gets every line that functions print, and the access log of the gateway. nil: none. It must be safe for
	// concurrent use.
	Log func(Line)

	Now    func() time.Time // nil: time.Now
	Random io.Reader        // of request ids; nil: crypto/rand
}

// Line is one line of a log.
type Line struct {
	Source string // the logical id of the function, or Gateway
	PID    int    // of the process that printed the line
	Text   string // without the line end
}

// Gateway is the source of the lines of the access log.
const Gateway = "gateway"

// DefaultConcurrency bounds the execution environments of one function.
const DefaultConcurrency = 4

// initTimeout bounds the start of a process. Source: Lambda developer guide, "Lambda execution environment lifecycle".
const initTimeout = 10 * time.Second

// Front is an http.Handler that serves requests by invocations. Close it.
type Front struct {
	options   Options
	routes    map[string]route // by route key
	functions map[string]*pool // by logical id
}

// route is one route with the function behind it.
type route struct {
	key  string // "ANY /xapi/about", or "$default"
	pool *pool
}

// New makes a Front. It starts no process: that happens when the first request needs one.
func New(o Options) (*Front, error) {
	o = o.withDefaults()
	f := &Front{options: o, routes: make(map[string]route), functions: make(map[string]*pool)}
	for _, function := range o.Template.Functions {
		if len(function.Routes) > 0 && function.Timeout >= maxWait {
			return nil, fmt.Errorf("make front: %s may take %v, and the gateway stops waiting after %v", function.Name, function.Timeout, maxWait)
		}
		environment := function.variables()
		maps.Copy(environment, o.Environment)
		p := newPool(launcher{
			function:    function,
			binary:      o.Binary(function.Name),
			environment: environment,
			initTimeout: initTimeout,
			log:         o.Log,
			now:         o.Now,
		}, o.Concurrency)
		f.functions[function.Name] = p
		for _, key := range function.Routes {
			if taken, ok := f.routes[key]; ok {
				return nil, fmt.Errorf("make front: %s and %s both serve %s", taken.pool.function.Name, function.Name, key)
			}
			f.routes[key] = route{key: key, pool: p}
		}
	}
	return f, nil
}

func (o Options) withDefaults() Options {
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Log == nil {
		o.Log = func(Line) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = randomReader
	}
	return o
}

// Invoke runs a function, named by its logical id, with any payload, and returns its answer. Errors that the function
// caused wrap ErrFunction.
func (f *Front) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	p, ok := f.functions[function]
	if !ok {
		return nil, fmt.Errorf("invoke %s: template.yaml has %q", function, slices.Sorted(maps.Keys(f.functions)))
	}
	answer, err := p.invoke(ctx, invocation{payload: payload})
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", function, err)
	}
	return answer, nil
}

// Close ends every execution environment. Requests must have ended.
func (f *Front) Close() error {
	var errs []error
	for _, p := range f.functions {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}
