// Command cairn-stack opens a deployed stack for the commands `cairn … -stack NAME`, which start it and tell it what to
// do over a socket. It is a program of its own because it links the AWS SDK, which takes longer to compile than Cairn on
// one machine with its engine.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/app/cloud/stack"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
	"github.com/cairn-lrs/cairn/internal/config"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "cairn-stack is started by cairn: try `cairn store list -stack NAME`")
		os.Exit(2)
	}
	if err := serve(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers on a socket in a folder until stdin ends, as it does when the command that started it ends.
func serve(ctx context.Context, name, folder string) error {
	c, err := config.Environment()
	if err != nil {
		return err
	}
	directory, rollups, err := stack.Open(ctx, c, name)
	if err != nil {
		return err
	}
	var background *app.Background
	if rollups != nil {
		background = rollups.Background()
		defer background.Stop()
	}
	socket, err := operator.Listen(folder)
	if err != nil {
		return err
	}
	server := operator.NewServer(operator.Direct(directory, background))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(socket) }()
	fmt.Println(operator.Ready)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return fmt.Errorf("wait for the end of the command: %w", err)
	}
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("close socket: %w", err)
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
