// Command cloudroad runs Cairn as it is deployed, on one machine and without an account: the functions of template.yaml,
// built, in processes of their own behind internal/lambdaio/front, over DynamoDB Local and an S3 server.
//
//	go run ./internal/cmd/cloudroad
//
// It prints the endpoint and a credential, and serves until it is interrupted. The functions' log lines and the gateway's
// access log go to stderr, or to the file that -log names, each behind its source and the id of the process that wrote it.
// Nothing is kept: tables and bucket are new at each start.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/lambdaio/front"
)

// Bounds of one connection, as `cairn serve` has them.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = 2 * time.Minute
	maxHeaderBytes    = 64 << 10 // the front's own, lower limit answers as the gateway does
	shutdownTimeout   = 35 * time.Second
)

// settings are the command line.
type settings struct {
	addr        string
	log         string // file; "" is stderr
	concurrency int
	indexLag    time.Duration
	clockSkew   time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	flag.StringVar(&s.addr, "addr", "127.0.0.1:8080", "the `address` to listen on; port 0 takes a free one")
	flag.StringVar(&s.log, "log", "", "the `file` that log lines go to, instead of stderr")
	flag.IntVar(&s.concurrency, "concurrency", front.DefaultConcurrency, "execution environments of each function, at most")
	// Tables, indexes and clocks are on one machine, so that the allowances can be far smaller than in the cloud.
	flag.DurationVar(&s.indexLag, "index-lag", 200*time.Millisecond, "CAIRN_INDEX_LAG of the functions")
	flag.DurationVar(&s.clockSkew, "clock-skew", time.Millisecond, "CAIRN_CLOCK_SKEW of the functions")
	flag.Parse()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cloudroad:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, s settings, out io.Writer) (err error) {
	log := &logFile{to: os.Stderr}
	if s.log != "" {
		file, err := os.Create(s.log)
		if err != nil {
			return fmt.Errorf("make log: %w", err)
		}
		defer file.Close() // every line was checked as it was written
		log.to = file
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listen on -addr: %w", err)
	}
	defer listener.Close() // the server closes it too
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return errors.New("-addr is not a loopback address: this road is for tests")
	}

	servers, err := cloudtest.Open(ctx)
	if err != nil {
		return fmt.Errorf("start DynamoDB Local and the S3 server: %w", err)
	}
	defer func() { err = errors.Join(err, servers.Close()) }()
	st, err := deploy(ctx, servers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.undo()) }()
	gateway, err := st.front(ctx, s, log.line)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.Close()) }()
	if err := st.greet(ctx, out, "http://"+listener.Addr().String()+"/xapi"); err != nil {
		return err
	}
	return errors.Join(serve(ctx, listener, gateway), log.problem())
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return fmt.Errorf("finish the requests in flight: %w", errors.Join(err, server.Close()))
	}
	return nil
}

// greet makes the first store and credential, and tells how to reach the road in the words of `cairn serve`.
func (st *stack) greet(ctx context.Context, out io.Writer, endpoint string) error {
	store, err := st.cairn.Directory.CreateStore(ctx, "First store")
	if err != nil {
		return fmt.Errorf("make first store: %w", err)
	}
	key, secret, err := st.cairn.Directory.CreateCredential(ctx, store.ID, auth.NewCredential{Label: "first", Scopes: auth.Scopes{auth.All}})
	if err != nil {
		return fmt.Errorf("make first credential: %w", err)
	}
	fmt.Fprintf(out, "Cairn is ready, on the cloud road.\n\n  endpoint  %s\n  stack     %s\n  store     %s\n  key       %s\n  secret    %s\n",
		endpoint, st.name, store.ID, key, secret)
	fmt.Fprintf(out, "\nAnother store:\n\n  AWS_REGION=%s AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s CAIRN_DYNAMODB_ENDPOINT=%s CAIRN_S3_ENDPOINT=%s \\\n    bin/cairn store create -stack %s NAME\n\n",
		cloudtest.Region, cloudtest.AccessKey, cloudtest.SecretKey, st.servers.DynamoDB, st.servers.S3, st.name)
	return nil
}

// logFile takes lines from several goroutines.
type logFile struct {
	mu  sync.Mutex
	to  io.Writer
	err error
}

func (l *logFile) line(line front.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintf(l.to, "%s %d %s\n", line.Source, line.PID, line.Text)
	l.err = errors.Join(l.err, err)
}

func (l *logFile) problem() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
