package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"

	"github.com/cairn-lrs/cairn/internal/bench"
)

// contestant is one server that the generator runs against.
type contestant interface {
	// name is the label of the server's results.
	name() string

	// skips lists the generator's stages that the server does not take part in, comma-separated.
	skips() string

	// start serves on a free loopback port with its data in dir, which is empty. It returns the xAPI endpoint and what
	// stops the server for good.
	start(ctx context.Context, dir string) (endpoint string, stop func() error, err error)
}

// The names of the contestants.
const (
	floorName   = "floor"
	ceilingName = "ceiling"
	cairnName   = "cairn"
)

// credential is what the generator sends. Only Cairn looks at it; it guards a server that lives for minutes on loopback.
const credentialKey, credentialSecret = "bench", "benchsecret"

type floorServer struct{}

func (floorServer) name() string { return floorName }

// The floor serves no lists.
func (floorServer) skips() string {
	return "q_agent,q_activity,q_registration,q_verb_since,q_agent_verb,q_related_agents,q_related_activities,q_agent_unknown," +
		"walk_agent,walk_activity,walk_related_activities"
}

func (floorServer) start(ctx context.Context, dir string) (string, func() error, error) {
	floor, err := bench.OpenFloor(dir)
	if err != nil {
		return "", nil, err
	}
	endpoint, stop, err := serve(floor)
	if err != nil {
		return "", nil, errors.Join(err, floor.Close())
	}
	return endpoint, func() error { return errors.Join(stop(), floor.Close()) }, nil
}

type ceilingServer struct{}

func (ceilingServer) name() string  { return ceilingName }
func (ceilingServer) skips() string { return "" }

func (ceilingServer) start(ctx context.Context, dir string) (string, func() error, error) {
	return serve(bench.NewCeiling())
}

// serve runs a handler in this process.
func serve(h http.Handler) (string, func() error, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	stop := func() error {
		err := server.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
	return "http://" + listener.Addr().String() + "/xapi", stop, nil
}

// cairnServer is the product's own binary in a process of its own.
type cairnServer struct{ binary string }

func (cairnServer) name() string  { return cairnName }
func (cairnServer) skips() string { return "" }

// endpointLine finds the address in what `cairn serve` prints.
var endpointLine = regexp.MustCompile(`http://127\.0\.0\.1:\d+/xapi`)

func (c cairnServer) start(ctx context.Context, dir string) (string, func() error, error) {
	cmd := exec.CommandContext(ctx, c.binary, "serve", "-addr", "127.0.0.1:0", "-data", dir, "-quiet")
	cmd.Env = append(os.Environ(), "CAIRN_CREDENTIAL="+credentialKey+":"+credentialSecret)
	reader, writer, err := os.Pipe()
	if err != nil {
		return "", nil, fmt.Errorf("make pipe: %w", err)
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	err = cmd.Start()
	writer.Close()
	if err != nil {
		return "", nil, fmt.Errorf("start %s: %w", c.binary, err)
	}
	stop := func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return fmt.Errorf("signal: %w", err)
		}
		return cmd.Wait()
	}
	lines := bufio.NewScanner(reader)
	said := ""
	for lines.Scan() {
		said += lines.Text() + "\n"
		if endpoint := endpointLine.FindString(lines.Text()); endpoint != "" {
			go io.Copy(io.Discard, reader)
			return endpoint, stop, nil
		}
	}
	return "", nil, errors.Join(fmt.Errorf("%s printed no endpoint but:\n%s", c.binary, said), cmd.Wait())
}
