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
	"slices"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/app/cloud/stack"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/fsck"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
	"github.com/cairn-lrs/cairn/internal/config"
)

func main() {
	ctx := context.Background()
	var err error
	switch args := os.Args[1:]; {
	case len(args) >= 3 && args[0] == operator.CheckWord:
		err = check(ctx, args[1], args[2], slices.Contains(args[3:], operator.RemoveWord))
	case len(args) == 2:
		err = serve(ctx, args[0], args[1])
	default:
		fmt.Fprintln(os.Stderr, "cairn-stack is started by cairn: try `cairn store list -stack NAME`")
		os.Exit(2)
	}
	if errors.Is(err, fsck.ErrDiffers) {
		os.Exit(fsck.ExitDiffers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// check reads the whole stack, holds it against its statements and prints what differs.
func check(ctx context.Context, name, bucket string, removeGarbage bool) error {
	c, err := config.Environment()
	if err != nil {
		return err
	}
	if c.Bucket = bucket; bucket == "" {
		return errors.New("which bucket is the stack's? Name it with -bucket: the stack's output BucketName tells it")
	}
	cairn, err := stack.Whole(ctx, c, name)
	if err != nil {
		return err
	}
	return fsck.Run(ctx, os.Stdout, removeGarbage, func(ctx context.Context, o app.CheckOptions) (app.CheckSummary, error) {
		return cairn.Check(ctx, cairn.Tables, cairn.Blobs, o)
	})
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
