package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles the command of this module into dir and returns the binary's path.
func Build(ctx context.Context, dir string) (string, error) { return build(ctx, dir, "cairn") }

// build compiles one of the folders in internal/cmd.
func build(ctx context.Context, dir, name string) (string, error) {
	binary := filepath.Join(dir, name)
	said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/cairn-lrs/cairn/internal/cmd/"+name).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, said)
	}
	return binary, nil
}

// Local is the local road: `cairn serve` in a process of its own over a data folder.
type Local struct {
	*process
	binary, data string
}

// FixedCredential is the credential of the default store on every local road of the tests.
var FixedCredential = Credential{Key: "e2e", Secret: "e2e-secret-of-a-throwaway-folder"}

// Serve starts `cairn serve` over the folder data, with more flags, and returns when it says where it listens.
func Serve(binary, data string, flags ...string) (*Local, error) {
	cmd := exec.Command(binary, append([]string{"serve", "-addr", "127.0.0.1:0", "-data", data, "-quiet"}, flags...)...)
	cmd.Env = append(os.Environ(), "CAIRN_CREDENTIAL="+FixedCredential.Key+":"+FixedCredential.Secret)
	p, err := startProcess("cairn", cmd, maxWait)
	if err != nil {
		return nil, err
	}
	return &Local{process: p, binary: binary, data: data}, nil
}

// NewStore makes a store by `cairn store create`.
func (l *Local) NewStore(ctx context.Context) (string, error) {
	return l.operator().newStore(ctx)
}

// SetStore changes settings by `cairn store set`.
func (l *Local) SetStore(ctx context.Context, store string, flags ...string) error {
	return l.operator().setStore(ctx, store, flags)
}

// NewCredential makes a credential by `cairn credential create`.
func (l *Local) NewCredential(ctx context.Context, store string, scopes []string, trusted bool) (Credential, error) {
	return l.operator().newCredential(ctx, store, scopes, trusted)
}

// Command runs one of the operator's commands and returns what it printed.
func (l *Local) Command(ctx context.Context, args ...string) (string, error) {
	return l.operator().command(ctx, args...)
}

func (l *Local) operator() operator {
	return operator{binary: l.binary, target: []string{"-data", l.data}}
}
