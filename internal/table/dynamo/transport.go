package dynamo

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// Transport returns the HTTP transport that a client of this package must have. It is the standard library's with
// these differences:
//
//   - HTTP/1.1 only: a call past its deadline then closes its connection. HTTP/2 would only reset one stream.
//   - A closed connection throws away what it has not sent (SO_LINGER 0). Otherwise the kernel of a frozen Lambda
//     environment could keep half a commit and send it when the environment thaws, long after the position in it
//     has been announced as closed.
//   - Idle connections are dropped early, by the wall clock. A thawed environment then makes a new
//     connection instead of writing into one that the server has closed meanwhile.
//
// The standard library sends a POST again only when nothing of it was written.
func Transport() RoundTripper {
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return RoundTripper{&http.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if tcp, ok := conn.(*net.TCPConn); ok {
				if err := tcp.SetLinger(0); err != nil {
					return nil, err
				}
			}
			return conn, nil
		},
		TLSHandshakeTimeout: 3 * time.Second,
		MaxIdleConns:        128,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     30 * time.Second,
	}}
}

// RoundTripper is an http.Transport for requests of the AWS SDK.
type RoundTripper struct{ *http.Transport }

// RoundTrip implements http.RoundTripper and lets the transport read the request's body by Read alone. The SDK closes that body
// as soon as it has the head of the answer, and from then on its WriteTo fails. A transport that looks for the end of the body
// only after that closes the connection, under an answer that is still being read: a write that was done becomes
// table.ErrUnknown. Source: https://github.com/aws/aws-sdk-go-v2/issues/2737; smithy-go has it up to v1.28.9.
func (t RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, ok := r.Body.(io.WriterTo); ok {
		sent := *r
		sent.Body = struct{ io.ReadCloser }{r.Body}
		r = &sent
	}
	return t.Transport.RoundTrip(r)
}
