package dynamo

import (
	"context"
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
func Transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
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
	}
}
