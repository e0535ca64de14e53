// Package front stands in for API Gateway and Lambda on one machine: HTTP APIs (payload format 2.0) and event source mappings
// of DynamoDB streams, in front of a Lambda Runtime API that runs the built `bootstrap` binaries, one process for each
// execution environment. What is deployed and what is tested here are the same files, started the same way.
//
// APIs, routes, functions, mappings, time limits, memory, environment variables, log settings and the formats of the access
// logs are read from template.yaml, the only place that says them. Unlike an emulator for everybody, the front
// refuses what the template does not use: it would be untested.
//
// # What it does as AWS does
//
//   - A request becomes the payload that API Gateway makes of it: see newEvent.
//   - Request line and headers are at most 10,240 bytes, a body at most 10 MB, an event and an answer at most 6 MB.
//   - One execution environment serves one invocation at a time. It starts when none is idle, has 10 s to get ready, and
//     is ended when an invocation takes longer than the function's time limit or more memory than it has. Between two
//     invocations it is frozen (on Linux): what a function does after its answer is not done.
//   - A function that fails, exits or is killed is a 500 of the gateway, and the next request gets a new environment.
//   - The gateway waits 30 s for a function, and then answers 503. What it refuses by itself it says in a bare
//     {"message":"…"}, without a header of ours.
//   - When a function's binary is replaced, new invocations get new environments, and the old ones end when they are idle.
//
// # Streams
//
// An event source mapping (see Mapping) is followed as Lambda follows it: every record of a DynamoDB stream at least once,
// the records of an item in order, a shard before those that it was split into; in batches, with retries, halving, partial
// failure, an age at which records are given up, and a queue that is told. It uses the execution environments of its function.
//
// # What it leaves out
//
// Throttling of the stage, authorizers, CORS of the gateway, custom domains, HTTP/2, part of a CPU, and IAM: who
// starts it can hold the functions to what ReadRights says. When all environments of a function are busy a request waits, where
// Lambda would start more.
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
	"net/http"
	"slices"
	"sync"
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

	// EnvironmentOf is the same for one function, given its logical id. nil: nothing is set for one alone.
	EnvironmentOf func(function string) map[string]string

	// Concurrency bounds the execution environments of one function; 0 means 4.
	Concurrency int

	// Streams are what the template's event source mappings read; nil where it has none.
	Streams Streams

	// Log gets every line that functions print, the access logs of the gateways, what event source mappings complain of, and
	// the messages to their queues. The last three are JSON. nil: none. It must be safe for concurrent use.
	Log func(Line)

	Now    func() time.Time // nil: time.Now
	Random io.Reader        // of request ids; nil: crypto/rand
}

// Line is one line of a log.
type Line struct {
	Source string // the logical id of the function or the queue, the name of the mapping, or Gateway
	PID    int    // of the process that printed the line
	Text   string // without the line end
}

// Gateway is the source of the lines of the access logs.
const Gateway = "gateway"

// DefaultConcurrency bounds the execution environments of one function.
const DefaultConcurrency = 4

// initTimeout bounds the start of a process, termTimeout its end. Source: Lambda developer guide, "Lambda execution environment
// lifecycle".
const initTimeout, termTimeout = 10 * time.Second, 500 * time.Millisecond

// Front is the functions of a template with what invokes them. Close it.
type Front struct {
	gateways  map[string]*gateway // by the logical id of the API
	functions map[string]*pool    // by logical id

	stop      context.CancelFunc // of the event source mappings
	following sync.WaitGroup
	working   sync.WaitGroup // the invocations of the gateways; the gateways do not wait for all
}

// route is one route with the function behind it.
type route struct {
	key  string // "ANY /xapi/about", or "$default"
	pool *pool
}

// New makes a Front. It starts no process: that happens when the first request or record needs one. Event source mappings are
// followed from now on.
func New(o Options) (*Front, error) {
	o = o.withDefaults()
	f := &Front{gateways: make(map[string]*gateway), functions: make(map[string]*pool)}
	for _, api := range o.Template.APIs {
		f.gateways[api.Name] = &gateway{API: api, routes: make(map[string]route), options: o, wait: maxWait, working: &f.working}
	}
	var followers []*follower
	for _, function := range o.Template.Functions {
		environment := function.variables()
		maps.Copy(environment, o.Environment)
		maps.Copy(environment, o.EnvironmentOf(function.Name))
		p := newPool(launcher{
			function:    function,
			binary:      o.Binary(function.Name),
			environment: environment,
			initTimeout: initTimeout,
			termTimeout: termTimeout,
			log:         o.Log,
			now:         o.Now,
		}, o.Concurrency)
		f.functions[function.Name] = p
		if err := f.route(p); err != nil {
			return nil, fmt.Errorf("make front: %w", err)
		}
		for _, m := range function.Mappings {
			if o.Streams == nil {
				return nil, fmt.Errorf("make front: %s reads a stream, and there are none", m.Name)
			}
			followers = append(followers, &follower{
				Mapping: m, pace: lambdaPace, function: function.Name, invoke: o.follow(p), streams: o.Streams, now: o.Now, log: o.Log,
			})
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	for _, follower := range followers {
		f.following.Go(func() { follower.run(ctx) })
	}
	return f, nil
}

// follow makes the invoker of an event source mapping: each of its invocations begins a trace, and is aborted when ctx ends.
func (o Options) follow(p *pool) invoker {
	return func(ctx context.Context, payload []byte) (id string, answer []byte, err error) {
		id = p.name()
		trace, err := newTrace(o.Now(), o.Random)
		if err == nil {
			answer, err = p.invoke(ctx, invocation{id: id, payload: payload, trace: trace, abort: ctx.Done()})
		}
		return id, answer, err
	}
}

// route adds the routes of a function.
func (f *Front) route(p *pool) error {
	function := p.function
	if len(function.Routes) > 0 && function.Timeout >= maxWait {
		return fmt.Errorf("%s may take %v, and the gateway stops waiting after %v", function.Name, function.Timeout, maxWait)
	}
	for _, r := range function.Routes {
		g, ok := f.gateways[r.API]
		if !ok {
			return fmt.Errorf("%s serves %s of %s, which is no AWS::Serverless::HttpApi of the template", function.Name, r.Key, r.API)
		}
		if taken, ok := g.routes[r.Key]; ok {
			return fmt.Errorf("%s and %s both serve %s of %s", taken.pool.function.Name, function.Name, r.Key, r.API)
		}
		g.routes[r.Key] = route{key: r.Key, pool: p}
	}
	return nil
}

// API returns what serves the requests of an HTTP API, named by its logical id; nil when the template has none of that name.
func (f *Front) API(name string) http.Handler {
	if g, ok := f.gateways[name]; ok {
		return g
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.EnvironmentOf == nil {
		o.EnvironmentOf = func(string) map[string]string { return nil }
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

// Replace lets functions run other binaries, given the logical id of each, as a deployment of a stack that is there does. What is
// under way is finished by the processes that have it, and nothing is refused meanwhile. Source: Lambda developer guide, "Lambda
// execution environment lifecycle": invocations that begin after an update get an environment with the new code.
func (f *Front) Replace(binary func(function string) string) error {
	var errs []error
	for name, p := range f.functions {
		errs = append(errs, p.replace(binary(name)))
	}
	return errors.Join(errs...)
}

// Close ends event source mappings, in the middle of a batch where they are, and every execution environment. Requests must
// have ended; invocations that nobody waits for any more are waited for.
func (f *Front) Close() error {
	f.stop()
	f.following.Wait()
	f.working.Wait()
	var errs []error
	for _, p := range f.functions {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}
