package edge

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Request is a request as handlers see it: the same for the usual and the alternate request syntax.
type Request struct {
	Method    string
	Header    http.Header
	Params    Params
	Version   xapi.Version
	Principal auth.Principal // zero for open resources
	Name      string         // the last segment of the path, where the resource's ends in {name}

	http   *http.Request
	id     string
	route  string // for the log; "unknown" until the path is known
	start  time.Time
	meter  *table.Meter
	limits Limits
	form   *form // the unpacked alternate request syntax; nil in the usual one
	room   *room // for forms
	own    bool  // the dialect is not xAPI's
}

func (e *Edge) newRequest(r *http.Request) *Request {
	meter := &table.Meter{}
	return &Request{
		Method:  r.Method,
		Header:  r.Header,
		Version: xapi.V1,
		http:    r.WithContext(table.WithMeter(r.Context(), meter)),
		id:      e.requestID(r.Header),
		route:   "unknown",
		start:   e.Now(),
		meter:   meter,
		limits:  e.Limits,
		room:    &e.room,
		own:     e.Dialect.Own,
	}
}

// Context ends when the client goes away or the server's time for the request is over.
func (r *Request) Context() context.Context { return r.http.Context() }

// Host is the host that the client addressed, as sent, and whether it did so by https as far as can be seen from here.
func (r *Request) Host() (host string, secure bool) {
	return r.http.Host, r.http.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// readParams reads the parameters from the query, and from the form of the alternate request syntax if that is one.
func (r *Request) readParams() error {
	params, err := parseParams(r.http.URL.RawQuery)
	if err != nil {
		return err
	}
	r.Params = params
	if r.Method == http.MethodPost && params.Has("method") && !r.own {
		return r.unpackForm()
	}
	return nil
}

// maxParams bounds the parameters of one request; the specification's longest list has 13.
const maxParams = 64

// Params are the parameters of a request by name. A name comes once: what a second value would mean is not defined.
type Params map[string]string

// parseParams reads a query or a form.
func parseParams(raw string) (Params, error) {
	if raw == "" {
		return nil, nil
	}
	params := make(Params, 4)
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if len(params) == maxParams {
			return nil, BadRequest("", "there are more than %d parameters", maxParams)
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || !utf8.ValidString(name) {
			return nil, BadRequest("xAPI 1.0.3 Communication 1.4", "a parameter's name is not percent-encoded UTF-8")
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil || !utf8.ValidString(value) {
			return nil, BadRequest("xAPI 1.0.3 Communication 1.4", "the value of parameter %q is not percent-encoded UTF-8", name)
		}
		if params.Has(name) {
			return nil, BadRequest("", "parameter %q is there twice", name)
		}
		params[name] = value
	}
	return params, nil
}

// Has reports whether the parameter was sent, empty or not.
func (p Params) Has(name string) bool { _, ok := p[name]; return ok }

// Only refuses every parameter but the named ones. Source: xAPI 1.0.3 Communication 3.2: parameters that are not
// recognized in their intended context, and those that match one in all but case, are a 400.
func (p Params) Only(names ...string) error {
	var unknown []string
	for name := range p {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	name := slices.Min(unknown) // the same answer each time
	for _, known := range names {
		if strings.EqualFold(name, known) {
			return BadRequest("xAPI 1.0.3 Communication 3.2", "parameter %q must be written %q", name, known)
		}
	}
	if len(names) == 0 {
		return BadRequest("xAPI 1.0.3 Communication 3.2", "parameter %q is not known here: this request takes none", name)
	}
	return BadRequest("xAPI 1.0.3 Communication 3.2", "parameter %q is not known here: this request takes %s", name, strings.Join(names, ", "))
}
