package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		name      string
		ip        string
		loopback  bool
		reachable string
	}{
		{"loopback", "127.0.0.1", true, "127.0.0.1:8080"},
		{"another loopback", "127.1.2.3", true, "127.1.2.3:8080"},
		{"loopback of IPv6", "::1", true, "[::1]:8080"},
		{"everywhere", "0.0.0.0", false, "127.0.0.1:8080"},
		{"everywhere by IPv6", "::", false, "127.0.0.1:8080"},
		{"a private network", "192.168.1.7", false, "192.168.1.7:8080"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := &net.TCPAddr{IP: net.ParseIP(test.ip), Port: 8080}
			if got := isLoopback(a); got != test.loopback {
				t.Errorf("isLoopback is %v", got)
			}
			if got := reachable(a); got != test.reachable {
				t.Errorf("reachable is %s, want %s", got, test.reachable)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"a b": `'a b'`, "it's": `'it'\''s'`, "": "''", `$x "y"`: `'$x "y"'`} {
		if got := quote(word); got != want {
			t.Errorf("quote(%q) = %s, want %s", word, got, want)
		}
	}
}

// pipes is a listener whose connections are made in memory, so that their deadlines go by the clock of the test.
type pipes struct{ accepted chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	connection, ok := <-p.accepted
	if !ok {
		return nil, net.ErrClosed
	}
	return connection, nil
}

func (p pipes) Close() error   { close(p.accepted); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client that stops in the middle of anything is let go, each time after its own while.
func TestSlowClientsAreLetGo(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
	for _, test := range []struct {
		name  string
		sends string
		reads bool // the answer
		after time.Duration
	}{
		{"sends nothing", "", false, readHeaderTimeout},
		{"in the header", head, false, readHeaderTimeout},
		{"in the content", head + "\r\nhalf", false, readTimeout},
		{"in the answer", head + "\r\nall of it.", false, writeTimeout},
		{"between requests", head + "\r\nall of it.", true, idleTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.ReadAll(r.Body); err != nil {
						panic(http.ErrAbortHandler)
					}
					w.Write(make([]byte, 100_000)) // more than is buffered; that nobody reads it is what is tested
				}
				server := newServer(http.HandlerFunc(handler), slog.New(slog.DiscardHandler))
				listener := pipes{make(chan net.Conn)}
				ended := make(chan error)
				go func() { ended <- server.Serve(listener) }()
				client, connection := net.Pipe()
				begun := time.Now()
				closed := make(chan time.Duration, 1)
				listener.accepted <- told{connection, sync.OnceFunc(func() { closed <- time.Since(begun) })}
				if _, err := io.WriteString(client, test.sends); err != nil {
					t.Fatal(err)
				}
				if test.reads {
					answer, err := http.ReadResponse(bufio.NewReader(client), nil)
					if err != nil {
						t.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, answer.Body); err != nil || n != 100_000 {
						t.Fatalf("%d bytes, %v", n, err)
					}
				}
				if got := <-closed; got != test.after {
					t.Errorf("the connection was closed after %v, want %v", got, test.after)
				}
				if err := server.Close(); err != nil {
					t.Error(err)
				}
				<-ended
			})
		})
	}
}

// told tells that a connection is closed.
type told struct {
	net.Conn
	closed func()
}

func (c told) Close() error {
	c.closed()
	return c.Conn.Close()
}
