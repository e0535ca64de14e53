// Command cloudroad runs Cairn as it is deployed, on one machine and without an account: the functions of template.yaml,
// built, in processes of their own behind internal/lambdaio/front, over DynamoDB Local and an S3 server.
//
//	go run ./internal/cmd/cloudroad
//
// It prints the endpoint and a credential, and serves until it is interrupted. On SIGHUP it builds the functions again and lets
// them take over, as a deployment of a stack that is there does. The functions' log lines, the access logs of the gateways and
// what is told to the queues of event source mappings go to stderr, or to the file that -log names, each behind its source and
// the id of the process that wrote it. Nothing is kept: tables and bucket are new at each start.
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
	consoleAddr string
	log         string // file; "" is stderr
	rights      string // file; "" is none
	faults      string // file; "" is none
	concurrency int
	indexLag    time.Duration
	clockSkew   time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	flag.StringVar(&s.addr, "addr", "127.0.0.1:8080", "the `address` to listen on; port 0 takes a free one")
	flag.StringVar(&s.consoleAddr, "console-addr", "127.0.0.1:8081", "the `address` of the report API, if the template has one")
	flag.StringVar(&s.log, "log", "", "the `file` that log lines go to, instead of stderr")
	flag.StringVar(&s.rights, "rights", "", "the `file` that tells which rights the functions have, use and lack")
	flag.StringVar(&s.faults, "faults", "", "while this `file` is there, calls to the stores go wrong: it holds a seed and their share, as 1 0.05, or lose FUNCTION, or refuse FUNCTION")
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
	xapi, err := listen(s.addr)
	if err != nil {
		return fmt.Errorf("listen on -addr: %w", err)
	}
	defer xapi.Close() // the server closes it too

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
	if s.rights != "" {
		file, err := os.Create(s.rights)
		if err != nil {
			return fmt.Errorf("make file of rights: %w", err)
		}
		defer file.Close() // every line was checked as it was written
		st.notes = file
	}
	gateway, err := st.front(ctx, s, log.line)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.Close()) }()
	doors := []door{{xapi, gateway.API(xapiAPI)}}
	reports := ""
	if api := gateway.API(reportsAPI); api != nil {
		listener, err := listen(s.consoleAddr)
		if err != nil {
			return fmt.Errorf("listen on -console-addr: %w", err)
		}
		defer listener.Close() // the server closes it too
		doors = append(doors, door{listener, api})
		reports = "http://" + listener.Addr().String() + "/reports/v1"
	}
	if err := st.greet(ctx, out, "http://"+xapi.Addr().String()+"/xapi", reports); err != nil {
		return err
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	defer signal.Stop(asked)
	serving, served := context.WithCancel(ctx)
	var upgrades sync.WaitGroup
	upgrades.Go(func() { st.upgrade(serving, gateway, asked, out) })
	err = serve(ctx, doors)
	served()
	upgrades.Wait()
	return errors.Join(err, log.problem())
}

// The logical ids of the APIs in template.yaml. Each is an origin of its own.
const (
	xapiAPI    = "Api"
	reportsAPI = "ReportsApi"
)

// door is one origin.
type door struct {
	listener net.Listener
	handler  http.Handler
}

func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return nil, errors.Join(errors.New("it is not a loopback address: this road is for tests"), listener.Close())
	}
	return listener, nil
}

// serve serves every door until ctx ends or one fails.
func serve(ctx context.Context, doors []door) error {
	failed := make(chan error, len(doors))
	servers := make([]*http.Server, len(doors))
	for i, d := range doors {
		servers[i] = &http.Server{
			Handler:           d.handler,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
		}
		go func() { failed <- servers[i].Serve(d.listener) }()
	}
	var errs []error
	select {
	case err := <-failed:
		errs = append(errs, fmt.Errorf("serve: %w", err))
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	for _, server := range servers {
		if err := server.Shutdown(last); err != nil {
			errs = append(errs, fmt.Errorf("finish the requests in flight: %w", errors.Join(err, server.Close())))
		}
	}
	return errors.Join(errs...)
}

// greet makes the first store and credential, and tells how to reach the road in the words of `cairn serve`.
func (st *stack) greet(ctx context.Context, out io.Writer, endpoint, reports string) error {
	store, err := st.cairn.Directory.CreateStore(ctx, "First store")
	if err != nil {
		return fmt.Errorf("make first store: %w", err)
	}
	key, secret, err := st.cairn.Directory.CreateCredential(ctx, store.ID, auth.NewCredential{Label: "first", Scopes: auth.Scopes{auth.All}})
	if err != nil {
		return fmt.Errorf("make first credential: %w", err)
	}
	if reports != "" {
		reports = "  reports   " + reports + "\n"
	}
	fmt.Fprintf(out, "Cairn is ready, on the cloud road.\n\n  endpoint  %s\n%s  stack     %s\n  store     %s\n  key       %s\n  secret    %s\n",
		endpoint, reports, st.name, store.ID, key, secret)
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
