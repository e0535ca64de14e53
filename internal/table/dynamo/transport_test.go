package dynamo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/table"
)

// deafServer accepts connections and gives them to the test, which reads them when it likes.
func deafServer(t *testing.T) (url string, accepted <-chan net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	connections := make(chan net.Conn, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				close(connections)
				return
			}
			connections <- conn
		}
	}()
	return "http://" + listener.Addr().String(), connections
}

// TestAWritePastItsDeadlineIsGone holds a server that reads only after the call has returned: the connection is reset by
// then, and the end of the request, which did not fit the buffers, never comes.
func TestAWritePastItsDeadlineIsGone(t *testing.T) {
	url, accepted := deafServer(t)
	own := Transport()
	dial := own.DialContext
	own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetWriteBuffer(64 << 10)
		}
		return conn, err
	}
	db := connect(url, own, plainSchemas)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var conn net.Conn
	reached := make(chan struct{})
	go func() {
		defer close(reached)
		if conn = <-accepted; conn != nil {
			time.Sleep(200 * time.Millisecond) // until the buffers are full
		}
		cancel()
	}()
	var ws []table.Write
	for _, partition := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		ws = append(ws, table.Put("Plain", table.Item{"pk": table.S(partition), "b": table.B(make([]byte, 390<<10))}))
	}
	if _, err := db.Group(ctx, "", ws); !errors.Is(err, table.ErrUnknown) {
		t.Fatalf("Group = %v, want ErrUnknown", err)
	}
	<-reached
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	arrived, err := io.Copy(io.Discard, conn)
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading ended with %v, want a reset", err)
	}
	if arrived >= 4<<20 {
		t.Errorf("%d bytes arrived: the whole request", arrived)
	}
	select {
	case second := <-accepted:
		second.Close()
		t.Error("the request was sent again on another connection")
	case <-time.After(100 * time.Millisecond):
	}
}

// TestACallPastItsDeadlineClosesItsConnection holds a server that has the whole request and does not answer.
func TestACallPastItsDeadlineClosesItsConnection(t *testing.T) {
	url, accepted := deafServer(t)
	db := connect(url, Transport(), plainSchemas)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	closed := make(chan error, 1)
	go func() {
		conn := <-accepted
		defer conn.Close()
		reader := bufio.NewReader(conn)
		request, err := http.ReadRequest(reader)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		cancel()
		if err == nil {
			_, err = io.Copy(&bytes.Buffer{}, reader) // ends when the client closes
		}
		closed <- err
	}()
	if _, _, err := db.Apply(ctx, table.Put("Plain", plainItem("x"))); !errors.Is(err, table.ErrUnknown) {
		t.Fatalf("Apply = %v, want ErrUnknown", err)
	}
	select {
	case err := <-closed:
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the connection is still open")
	}
}

// readOnce is a request's body as the SDK's is once it has been closed: WriteTo fails.
type readOnce struct {
	io.Reader
	closed chan struct{}
}

func (b readOnce) WriteTo(io.Writer) (int64, error) { return 0, io.EOF }

func (b readOnce) Close() error {
	close(b.closed)
	return nil
}

// TestAClosedRequestBodyBreaksNoAnswer holds a server that answers when the transport is done with the request's body, in which
// fails if the connection was closed for that body.
func TestAClosedRequestBodyBreaksNoAnswer(t *testing.T) {
	body := readOnce{strings.NewReader("request"), make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-body.closed
		io.WriteString(w, "answer")
	}))
	defer server.Close()
	through := Transport()
	defer through.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len("request"))
	response, err := through.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || string(answer) != "answer" {
		t.Errorf("answer %q, %v; want it whole", answer, err)
	}
}
