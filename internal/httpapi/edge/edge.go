// Package edge is what every HTTP API of Cairn shares: it finds the resource, unpacks the
// alternate request syntax, checks version and credentials, bounds what is read, and turns
// a handler's error into the answer and the request into one log line. Resources (package
// lrsapi) bring handlers and know nothing of all that.
//
// A request passes these steps, in this order; the first that refuses it decides the answer:
//
//  1. the resource, by path; "//" and trailing slashes do not count
//  2. the resource's own headers, which refusals carry too
//  3. OPTIONS: answered here, without credentials (CORS preflight), also where there is no resource
//  4. size of request line and headers
//  5. the parameters, from the query or by the alternate request syntax
//  6. X-Experience-API-Version, then the method, then the credentials, but for open resources
//  7. the handler, which reads the body when it wants it
package edge

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// Authenticator tells who a key and secret belong to.
type Authenticator interface {
	// Authenticate returns auth.ErrUnauthorized when they do not match, in the same way for an unknown key as for a
	// wrong secret, and any other error when that could not be found out.
	Authenticate(ctx context.Context, key, secret string) (auth.Principal, error)
}

// Limits bound what one request may send, in bytes. They are API Gateway's and Lambda's on every road, so that what works
// on a laptop works in the cloud. Source: API Gateway HTTP API quotas; AWS Lambda quotas, "Invocation payload".
type Limits struct {
	Head   int   // request line and headers together
	Text   int64 // a body that the gateway hands on as text: text/*, JSON, XML
	Binary int64 // any other body: the gateway hands it on as base64
}

// DefaultLimits are those of a deployment behind API Gateway and Lambda.
var DefaultLimits = Limits{Head: 10_240, Text: 6_000_000, Binary: 4_500_000}

// Options are what an Edge stands on.
type Options struct {
	Authenticator Authenticator
	Log           *slog.Logger     // one line per request; nil: none
	Limits        Limits           // zero: DefaultLimits
	Now           func() time.Time // nil: time.Now
	NewID         func() string    // makes request ids; nil: random ones

	// RequestIDHeader names the header in which a trusted front hands over its id of the request; "" trusts none.
	RequestIDHeader string

	Dialect Dialect // the zero one is xAPI's
}

// Dialect is what one API does its own way. The zero Dialect is that of the xAPI resources. Another one has no
// X-Experience-API-Version, no alternate request syntax, and no CORS: pages of other origins may not read its answers.
type Dialect struct {
	Own      bool   // not xAPI
	Realm    string // of the challenge for credentials
	NotFound string // what a 404 of an unknown path says
}

var xapiDialect = Dialect{Realm: "xAPI", NotFound: "there is no resource at this path: the statements resource is at /xapi/statements"}

// Handler answers one request. It writes the whole answer and returns nil, or writes nothing and returns an error, which
// becomes the answer by the table in errors.go.
type Handler func(w http.ResponseWriter, r *Request) error

// Resource is one path with its methods.
type Resource struct {
	Name    string             // in the log line, in place of the path
	Path    string             // whole and normal: "/xapi/statements"; a last segment {name} stands for any, see Request.Name
	Methods map[string]Handler // HEAD comes with GET; OPTIONS is the edge's
	Open    bool               // neither credentials nor a version header are asked for

	// Announce, when set, puts headers on every answer of the resource, refusals included, before anything else is known.
	Announce func(ctx context.Context, header http.Header)
}

// Edge serves resources. It is safe for concurrent use.
type Edge struct {
	Options
	resources map[string]*Resource
	room      room
}

// New makes an Edge over the resources.
func New(o Options, resources ...Resource) *Edge {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = rand.Text
	}
	if !o.Dialect.Own {
		o.Dialect = xapiDialect
	}
	e := &Edge{Options: o, resources: make(map[string]*Resource, len(resources))}
	for _, r := range resources {
		e.resources[r.Path] = &r
	}
	return e
}

// ServeHTTP serves one request and logs it.
func (e *Edge) ServeHTTP(w http.ResponseWriter, httpRequest *http.Request) {
	r := e.newRequest(httpRequest)
	rec := &recorder{ResponseWriter: w, wireHead: httpRequest.Method == http.MethodHead}
	setCommonHeaders(rec.Header(), r.id, e.Dialect)
	if !e.Dialect.Own {
		r.announceVersion(rec.Header()) // refusals come before it is checked
	}

	err := protect(func() error { return e.serve(rec, r) })
	if err != nil {
		writeError(rec, r, err)
	}
	e.logRequest(r, rec, err)
	if rec.cut {
		panic(http.ErrAbortHandler) // the way to tell net/http that the answer is not whole
	}
}

// serve takes a request through the steps of the package comment.
func (e *Edge) serve(w *recorder, r *Request) error {
	resource, name, ok := e.find(normalPath(r.http.URL.Path))
	if ok {
		r.Name = name
		r.route = resource.Name
		if resource.Announce != nil {
			resource.Announce(r.Context(), w.Header())
		}
	}
	if r.Method == http.MethodOptions && !e.Dialect.Own {
		preflight(w, resource)
		return nil
	}
	if !ok {
		return Refuse(http.StatusNotFound, "", "%s", e.Dialect.NotFound)
	}
	if err := e.checkHead(r.http); err != nil {
		return err
	}
	if err := r.readParams(); err != nil {
		return err
	}
	if !e.Dialect.Own {
		if err := r.readVersion(w.Header(), resource.Open); err != nil {
			return err
		}
	}
	handle, err := resource.handler(r.Method, e.Dialect)
	if err != nil {
		return err
	}
	if !resource.Open {
		if err := e.authenticate(r); err != nil {
			return err
		}
	}
	w.noBody = r.Method == http.MethodHead
	return handle(w, r)
}

// find finds the resource of a path, and the last segment where the resource takes any.
func (e *Edge) find(path string) (resource *Resource, name string, ok bool) {
	if resource, ok = e.resources[path]; ok {
		return resource, "", true
	}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		resource, ok = e.resources[path[:i]+"/{name}"]
		return resource, path[i+1:], ok
	}
	return nil, "", false
}

// handler finds the handler of a method. xAPI's codes have no 405, so an unknown method is there a 400 with the
// Allow header that a 405 would have. Source: xAPI 1.0.3 Communication 3.2.
func (res *Resource) handler(method string, d Dialect) (Handler, error) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := res.Methods[method]; ok {
		return h, nil
	}
	status := http.StatusBadRequest
	if d.Own {
		status = http.StatusMethodNotAllowed
	}
	e := Refuse(status, "xAPI 1.0.3 Communication 3.2", "this resource does not take this method: it takes %s", res.allowed())
	e.Header = http.Header{"Allow": {res.allowed()}}
	return nil, e
}

// allowed lists the methods that the resource takes; all of them for a resource that is not there.
func (res *Resource) allowed() string {
	if res == nil {
		return "GET, HEAD, PUT, POST, DELETE, OPTIONS"
	}
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
		_, own := res.Methods[m]
		_, byGet := res.Methods[http.MethodGet]
		if own || m == http.MethodHead && byGet {
			methods = append(methods, m)
		}
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

// normalPath drops empty segments and a trailing slash: clients join endpoint and resource in every way. It redirects
// nobody, since most clients follow a redirect of a POST with a GET.
func normalPath(path string) string {
	if !strings.Contains(path, "//") && (len(path) < 2 || path[len(path)-1] != '/') {
		return path
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" {
			b.WriteByte('/')
			b.WriteString(segment)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// checkHead bounds request line and headers as the gateway does, so that a query which is too long for the cloud fails
// on a laptop too. The alternate request syntax is the way out.
func (e *Edge) checkHead(r *http.Request) error {
	const perLine = len(": \r\n")
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("Host") + len(r.Host) + 2*perLine
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + perLine
		}
	}
	if n > e.Limits.Head && e.Dialect.Own {
		return Refuse(http.StatusRequestEntityTooLarge, "", "request line and headers are larger than %d bytes", e.Limits.Head)
	}
	if n > e.Limits.Head {
		return Refuse(http.StatusRequestEntityTooLarge, "xAPI 1.0.3 Communication 1.3",
			"request line and headers are larger than %d bytes: send the parameters as a form, with POST and ?method=GET", e.Limits.Head)
	}
	return nil
}
