package cloudtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Proxy stands between clients and one server, on a loopback port of its own. It is for what runs in another process: what
// runs in this one has Faulty in its client instead.
type Proxy struct {
	URL string

	server *http.Server
}

// Meddle decides about a request before it is forwarded: nil lets it through. body is the request's.
type Meddle func(r *http.Request, body []byte) Fault

// proxyHeaderTimeout bounds the wait for a client's headers.
const proxyHeaderTimeout = 10 * time.Second

// OpenProxy starts a proxy in front of the server at target. The caller closes it.
func OpenProxy(target string, meddle Meddle) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("open proxy: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open proxy: %w", err)
	}
	base := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true} // as signed: nothing is added to a request
	p := &Proxy{URL: "http://" + listener.Addr().String()}
	p.server = &http.Server{
		ReadHeaderTimeout: proxyHeaderTimeout,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			forward(w, r, to, base, meddle)
		}),
	}
	go func() { _ = p.server.Serve(listener) }() // until Close
	return p, nil
}

// Close ends the proxy, and the requests that are under way with it.
func (p *Proxy) Close() error { return p.server.Close() }

// forward sends a request on. A fault, or a server that does not answer, becomes a connection that breaks.
func forward(w http.ResponseWriter, r *http.Request, to *url.URL, base http.RoundTripper, meddle Meddle) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		reset(w)
		return
	}
	fault := meddle(r, body)
	out := r.Clone(r.Context()) // with the Host that was signed
	out.RequestURI = ""
	out.URL.Scheme, out.URL.Host = to.Scheme, to.Host
	out.Header.Del("Expect") // answered by reading the body
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if fault == nil {
		fault = func(base http.RoundTripper, r *http.Request) (*http.Response, error) { return base.RoundTrip(r) }
	}
	response, err := fault(base, out)
	if err != nil {
		reset(w)
		return
	}
	defer response.Body.Close()
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	if _, err := io.Copy(w, response.Body); err != nil {
		_ = http.NewResponseController(w).Flush() // the first half arrives, unless the client is gone
		reset(w)
	}
}

// reset breaks the connection as a peer that went away does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // which closes it too
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetLinger(0)
	}
	_ = errors.Join(err, conn.Close()) // it is broken either way
}
