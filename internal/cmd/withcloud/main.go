// Command withcloud runs a command while the servers of the cloud-like road are up, so that all test binaries under
// it share one pair: withcloud go test ./... Where the servers cannot run it says so, and runs the command without
// them. It exits as the command does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withcloud COMMAND [ARGUMENT…]")
		os.Exit(2)
	}
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withcloud:", err)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	// An interrupt reaches the command too, by the terminal; the servers must outlive it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := exec.Command(args[0], args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	servers, err := cloudtest.Open(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloud-like road did not run:", err)
	} else {
		defer func() { err = errors.Join(err, servers.Close()) }()
		command.Env = append(os.Environ(), servers.Environ()...)
	}
	var exit *exec.ExitError
	if err := command.Run(); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	} else if err != nil {
		return 1, err
	}
	return 0, nil
}
