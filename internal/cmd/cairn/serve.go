package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
	"github.com/cairn-lrs/cairn/internal/httpapi"
	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
)

var serveCommand = command{
	name:    "serve",
	summary: "Run the LRS on this machine",
	details: `The first start makes the data folder with one store and one credential, and prints its key and secret. The environment
variable CAIRN_CREDENTIAL=key:secret fixes that credential instead. CAIRN_LOG_LEVEL is debug, info, warn or error.
An interrupt or SIGTERM ends it when the requests in flight are answered; a second one ends it at once.`,
	run: runServe,
}

// Bounds of one connection: without them a slow client holds it for ever. Reading and writing have room for the
// largest body over a slow line.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = 2 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10 // the edge's own, lower limit has the better error message
	shutdownTimeout   = 30 * time.Second
)

// memoryLimit is what the process tries to stay below. Built without C, the engine keeps its cache (192 MB) and what it has
// not flushed on Go's heap, and without a limit the collector would let as much garbage gather beside them: 602 MB after
// 60,000 statements, and rising. A limit too near to what is in use makes the collector run all the time. GOMEMLIMIT says
// otherwise.
const memoryLimit = 640 << 20

func limitMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 { // -1 only asks: nobody has set one
		debug.SetMemoryLimit(memoryLimit)
	}
}

// serveOptions are the flags of `cairn serve`.
type serveOptions struct {
	addr, data string
	console    string
	quiet      bool
	logJSON    bool
	indexDelay time.Duration
}

func runServe(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	var o serveOptions
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "the `address` to listen on; port 0 takes a free one")
	f.StringVar(&o.console, "console-addr", "", "the `address` to serve reports on, an origin apart from what learners store; none serves no reports (default 127.0.0.1 and the port after that of -addr: 127.0.0.1:8081)")
	f.StringVar(&o.data, "data", defaultData, "the data `folder`, made when it is missing")
	f.BoolVar(&o.quiet, "quiet", false, "no log line for each request")
	f.BoolVar(&o.logJSON, "json", false, "log lines as JSON")
	f.DurationVar(&o.indexDelay, "index-delay", 0, "") // for tests of what must not need prompt indexes
	if _, err := t.parse(f, args, 0, 0); err != nil {
		return err
	}
	limitMemory()
	log := t.logger(o.logJSON, t.config.LogLevel)
	requests := log
	if o.quiet {
		requests = t.logger(o.logJSON, max(t.config.LogLevel, slog.LevelWarn))
	}
	cairn, err := local.Open(ctx, o.data, local.Options{Log: requests, IndexDelay: o.indexDelay, ReportBound: t.config.ReportBound})
	if err != nil {
		return inUse(o.data, err)
	}
	return errors.Join(serve(ctx, t, o, cairn, log), cairn.Close())
}

// serve listens, tells how to reach the server, and serves until ctx ends.
func serve(ctx context.Context, t terminal, o serveOptions, cairn *local.Cairn, log *slog.Logger) error {
	xapi, err := listen("addr", o.addr, log)
	if err != nil {
		return err
	}
	defer xapi.Close() // the server closes it too
	servers := []served{{xapi, cairn.Handler()}}
	reports := ""
	if o.console != noConsole {
		console, err := listen("console-addr", consoleAddr(o.console, xapi.Addr(), o.addr), log)
		if err != nil {
			return err
		}
		defer console.Close()
		servers = append(servers, served{console, cairn.ReportsHandler()})
		reports = "http://" + reachable(console.Addr()) + reportapi.Base
	}
	g, err := greet(ctx, t.config.Credential, cairn.Directory)
	if err != nil {
		return err
	}
	rollups := cairn.Rollups.Background()
	defer rollups.Stop()
	if err := rollups.Resume(ctx); err != nil {
		log.Warn("a rebuild may not be finished: `cairn rebuild` goes on with it", "error", err)
	}
	closeAdmin := serveOperator(o.data, operator.Direct(cairn.Directory, rollups), log)
	defer closeAdmin()
	g.write(t.out, t.program, o.data, "http://"+reachable(xapi.Addr())+httpapi.Base, reports)
	return serveAll(ctx, servers, log)
}

// noConsole is the value of -console-addr that serves no reports.
const noConsole = "none"

// consoleAddr is where reports are served: where the operator says, else on this machine only, at the port after xAPI's. Where
// that one was any free port this one is too.
func consoleAddr(told string, xapi net.Addr, addr string) string {
	if told != "" {
		return told
	}
	port := 0
	if tcp, ok := xapi.(*net.TCPAddr); ok && !strings.HasSuffix(addr, ":0") && tcp.Port < 65535 {
		port = tcp.Port + 1
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// served is an origin: what is served where.
type served struct {
	listener net.Listener
	handler  http.Handler
}

func listen(name, addr string, log *slog.Logger) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on -%s: %w; name another, as in -%s 127.0.0.1:9000", name, err, name)
	}
	if !isLoopback(listener.Addr()) {
		log.Warn("-"+name+" is not a loopback address: whoever reaches it can try credentials, and they travel in the clear; put a proxy with TLS before it",
			"addr", listener.Addr().String())
	}
	return listener, nil
}

// serveAll serves until ctx ends or one of them fails, then lets the requests in flight finish.
func serveAll(ctx context.Context, origins []served, log *slog.Logger) error {
	failed := make(chan error, len(origins))
	servers := make([]*http.Server, len(origins))
	for i, o := range origins {
		servers[i] = newServer(o.handler, log)
		go func() { failed <- servers[i].Serve(o.listener) }()
	}
	var problem error
	select {
	case err := <-failed:
		problem = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		log.Info("finishing the requests in flight", "at_most", shutdownTimeout)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	for _, s := range servers {
		if err := s.Shutdown(last); err != nil {
			problem = errors.Join(problem, fmt.Errorf("finish the requests in flight: %w", errors.Join(err, s.Close())))
		}
	}
	return problem
}

// newServer makes a server of which no client holds a connection for ever.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serveOperator lets the operator's commands reach this process. Without it they need the server stopped, which is
// told and no reason not to serve.
func serveOperator(data string, o operator.Operator, log *slog.Logger) (closeAdmin func()) {
	const lost = "store and credential commands need this server stopped"
	socket, err := operator.Listen(data)
	if err != nil {
		log.Warn(lost, "error", err)
		return func() {}
	}
	server := operator.NewServer(o)
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			log.Error(lost, "error", err)
		}
	}()
	return func() {
		last, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if err := server.Shutdown(last); err != nil {
			log.Warn("close admin socket", "error", err)
		}
		<-done
	}
}

func (t terminal) logger(asJSON bool, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.New(slog.NewJSONHandler(t.err, options))
	}
	return slog.New(slog.NewTextHandler(t.err, options))
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// reachable is an address that a client on this machine can use: a server that listens everywhere is here too.
func reachable(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return a.String()
}
