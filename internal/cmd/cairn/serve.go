package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
	"github.com/cairn-lrs/cairn/internal/httpapi"
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

// serveOptions are the flags of `cairn serve`.
type serveOptions struct {
	addr, data string
	quiet      bool
	logJSON    bool
	indexDelay time.Duration
}

func runServe(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	var o serveOptions
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "the `address` to listen on; port 0 takes a free one")
	f.StringVar(&o.data, "data", defaultData, "the data `folder`, made when it is missing")
	f.BoolVar(&o.quiet, "quiet", false, "no log line for each request")
	f.BoolVar(&o.logJSON, "json", false, "log lines as JSON")
	f.DurationVar(&o.indexDelay, "index-delay", 0, "") // for tests of what must not need prompt indexes
	if _, err := t.parse(f, args, 0, 0); err != nil {
		return err
	}
	log := t.logger(o.logJSON, t.config.LogLevel)
	requests := log
	if o.quiet {
		requests = t.logger(o.logJSON, max(t.config.LogLevel, slog.LevelWarn))
	}
	cairn, err := local.Open(ctx, o.data, local.Options{Log: requests, IndexDelay: o.indexDelay})
	if err != nil {
		return inUse(o.data, err)
	}
	return errors.Join(serve(ctx, t, o, cairn, log), cairn.Close())
}

// serve listens, tells how to reach the server, and serves until ctx ends.
func serve(ctx context.Context, t terminal, o serveOptions, cairn *local.Cairn, log *slog.Logger) error {
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listen on -addr: %w; name another, as in -addr 127.0.0.1:9000", err)
	}
	defer listener.Close() // the server closes it too
	g, err := greet(ctx, t.config.Credential, cairn.Directory)
	if err != nil {
		return err
	}
	closeAdmin := serveOperator(o.data, cairn, log)
	defer closeAdmin()
	if !isLoopback(listener.Addr()) {
		log.Warn("-addr is not a loopback address: whoever reaches it can try credentials, and they travel in the clear; put a proxy with TLS before it",
			"addr", listener.Addr().String())
	}
	g.write(t.out, t.program, o.data, "http://"+reachable(listener.Addr())+httpapi.Base)

	server := &http.Server{
		Handler:           cairn.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("finishing the requests in flight", "at_most", shutdownTimeout)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return fmt.Errorf("finish the requests in flight: %w", errors.Join(err, server.Close()))
	}
	return nil
}

// serveOperator lets the operator's commands reach this process. Without it they need the server stopped, which is
// told and no reason not to serve.
func serveOperator(data string, cairn *local.Cairn, log *slog.Logger) (closeAdmin func()) {
	const lost = "store and credential commands need this server stopped"
	socket, err := operator.Listen(data)
	if err != nil {
		log.Warn(lost, "error", err)
		return func() {}
	}
	server := operator.NewServer(operator.Direct(cairn.Directory))
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
