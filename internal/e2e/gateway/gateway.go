// Package gateway asks a running LRS, from outside, whether what stands between client and function changes anything
// that xAPI needs: which headers come through, what HEAD and 304 look like, what becomes of bodies, long requests and
// odd paths. Much of it no page of AWS says for HTTP APIs, so it is looked at on each stack: `make verify-deployed`.
package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Probe looks at one behaviour.
type Probe struct {
	Name  string
	Means string // what it means for clients when it is not so

	// check returns what it found; an error says what is not as it must be.
	check func(ctx context.Context, c *caller) (found string, err error)
}

// Result is what a probe found.
type Result struct {
	Probe
	Found   string
	Problem error
}

// Target is the LRS that is asked.
type Target struct {
	URL         string // of the xAPI resources, without a slash at its end
	Key, Secret string
}

// timeout bounds one request: the gateway gives up after 30 s.
const timeout = 40 * time.Second

// Ask runs probes one after another. It stores a few documents, which it removes, and a few statements, which stay.
func Ask(ctx context.Context, target Target, probes []Probe, report func(Result)) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	defer transport.CloseIdleConnections()
	for _, p := range probes {
		c := &caller{
			target: target, mark: strings.ToLower(rand.Text()),
			client: &http.Client{
				Transport: transport, Timeout: timeout,
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			},
		}
		found, err := p.check(ctx, c)
		c.clean(ctx)
		report(Result{Probe: p, Found: found, Problem: err})
	}
}

// caller sends the requests of one probe.
type caller struct {
	target Target
	client *http.Client
	mark   string // in what the probe writes, so that it meets nothing that is there
	wrote  []url.Values
}

// request is what is sent. Nobody asks when anonymous.
type request struct {
	method, path string // below the endpoint
	query        url.Values
	rawQuery     string // in place of query
	header       map[string]string
	body         []byte
	anonymous    bool
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	length int64 // as announced; -1: not
	proto  string
}

func (c *caller) send(ctx context.Context, r request) (answer, error) {
	target := c.target.URL + r.path
	if r.rawQuery == "" {
		r.rawQuery = r.query.Encode()
	}
	if r.rawQuery != "" {
		target += "?" + r.rawQuery
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("X-Experience-API-Version", "1.0.3")
	if !r.anonymous {
		req.SetBasicAuth(c.target.Key, c.target.Secret)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	return c.do(req)
}

// signed sends a request by a URL that is the right by itself.
func (c *caller) signed(ctx context.Context, method, signedURL string, header map[string]string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, signedURL, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	for name, value := range header {
		if name != "Content-Length" { // it follows from the body
			req.Header.Set(name, value)
		}
	}
	return c.do(req)
}

func (c *caller) do(req *http.Request) (answer, error) {
	response, err := c.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: read answer: %w", req.Method, req.URL.Path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: body, length: response.ContentLength, proto: response.Proto}, nil
}

// want sends a request that must be answered with a status.
func (c *caller) want(ctx context.Context, status int, r request) (answer, error) {
	a, err := c.send(ctx, r)
	if err == nil && a.status != status {
		err = fmt.Errorf("%s %s was answered with %d, want %d: %.300s", r.method, r.path, a.status, status, a.body)
	}
	return a, err
}

// state names a document of this probe.
func (c *caller) state(id string) url.Values {
	return url.Values{
		"activityId": {"http://example.com/verify/" + c.mark},
		"agent":      {`{"mbox":"mailto:` + c.mark + `@example.com"}`},
		"stateId":    {id},
	}
}

// put stores a document and returns how to ask for it.
func (c *caller) put(ctx context.Context, id, contentType string, body []byte) (url.Values, answer, error) {
	query := c.state(id)
	c.wrote = append(c.wrote, query)
	header := map[string]string{}
	if contentType != "" {
		header["Content-Type"] = contentType
	}
	a, err := c.want(ctx, http.StatusNoContent, request{method: "PUT", path: statePath, query: query, header: header, body: body})
	return query, a, err
}

const statePath = "/activities/state"

// comesBack stores bytes and reads them again.
func (c *caller) comesBack(ctx context.Context, contentType, wantType string, body []byte) error {
	query, _, err := c.put(ctx, "content", contentType, body)
	if err != nil {
		return err
	}
	a, err := c.want(ctx, http.StatusOK, request{method: "GET", path: statePath, query: query})
	if err != nil {
		return err
	}
	if got := a.header.Get("Content-Type"); got != wantType {
		return fmt.Errorf("what was sent as %q comes back as %q", contentType, got)
	}
	if !bytes.Equal(a.body, body) {
		return fmt.Errorf("%d bytes of %q come back as %d others: %.80q", len(body), contentType, len(a.body), a.body)
	}
	return nil
}

// clean removes what the probe stored, as far as it can.
func (c *caller) clean(ctx context.Context) {
	for _, query := range c.wrote {
		_, _ = c.send(ctx, request{method: "DELETE", path: statePath, query: query}) // a probe that broke off has said more
	}
}
