package operator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cairn-lrs/cairn/internal/cmd/cairn/fsck"
)

// Ready is the line that cairn-stack prints when it listens.
const Ready = "ready"

// stackProgram opens deployed stacks; internal/cmd/cairn-stack is its source.
const stackProgram = "cairn-stack"

// WithStack runs do with the Operator of a deployed stack. cairn-stack, beside this program or else on PATH, opens the stack
// and answers on a socket in a folder that is there for as long as do runs. It has this process's environment.
func WithStack(ctx context.Context, name string, do func(Operator) error) (err error) {
	program, err := findStackProgram()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "cairn-")
	if err != nil {
		return fmt.Errorf("make a folder for a socket: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	cmd := exec.CommandContext(ctx, program, name, folder)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	said, _ := bufio.NewReader(out).ReadString('\n') // an error shows in what was said
	var done error
	if strings.TrimSpace(said) == Ready {
		var o Operator
		if o, done = Dial(ctx, folder); done == nil {
			done = do(o)
		}
	}
	closeErr := in.Close() // cairn-stack ends at that
	if err := cmd.Wait(); err != nil {
		if problem := strings.TrimSpace(problems.String()); problem != "" {
			err = errors.New(problem) // meant for the operator as it stands
		}
		return errors.Join(done, err)
	}
	return errors.Join(done, closeErr)
}

// CheckStack lets cairn-stack check a deployed stack and print what it finds. The error is fsck.ErrDiffers when something
// differs; what else went wrong is told on problems.
func CheckStack(ctx context.Context, name, bucket string, removeGarbage bool, out, problems io.Writer) error {
	program, err := findStackProgram()
	if err != nil {
		return err
	}
	args := []string{CheckWord, name, bucket}
	if removeGarbage {
		args = append(args, RemoveWord)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = out, problems
	err = cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == fsck.ExitDiffers {
		return fsck.ErrDiffers
	}
	if err != nil {
		return fmt.Errorf("check the stack %s: %w", name, err)
	}
	return nil
}

// The words by which cairn-stack is told to check, and to remove what belongs to nothing.
const (
	CheckWord  = "check"
	RemoveWord = "remove-garbage"
)

// findStackProgram looks beside this program, then on PATH.
func findStackProgram() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), stackProgram)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	found, err := exec.LookPath(stackProgram)
	if err != nil {
		return "", fmt.Errorf("-stack needs the program %[1]s, beside this one or on PATH: `make %[1]s` in Cairn's source builds it: %[2]w", stackProgram, err)
	}
	return found, nil
}
