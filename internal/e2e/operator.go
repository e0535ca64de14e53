package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// operator makes stores and credentials by the commands of cairn.
type operator struct {
	binary      string
	target      []string // the flags that name the data folder or the stack
	environment []string // beside that of the tests
}

func (o operator) newStore(ctx context.Context) (string, error) {
	said, err := o.command(ctx, append([]string{"store", "create", "e2e"}, o.target...)...)
	if err != nil {
		return "", err
	}
	return field(said, "store")
}

func (o operator) newCredential(ctx context.Context, store string, scopes []string, trusted bool) (Credential, error) {
	args := append([]string{"credential", "create", "-store", store}, o.target...)
	if len(scopes) > 0 {
		args = append(args, "-scope", strings.Join(scopes, ","))
	}
	if trusted {
		args = append(args, "-trusted")
	}
	said, err := o.command(ctx, args...)
	if err != nil {
		return Credential{}, err
	}
	key, keyErr := field(said, "key")
	secret, secretErr := field(said, "secret")
	return Credential{Key: key, Secret: secret}, errors.Join(keyErr, secretErr)
}

func (o operator) setStore(ctx context.Context, store string, flags []string) error {
	_, err := o.command(ctx, slices.Concat([]string{"store", "set", "-store", store}, o.target, flags)...)
	return err
}

// command runs one of the commands and returns what it printed.
func (o operator) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, o.binary, args...)
	cmd.Env = append(os.Environ(), o.environment...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("cairn %s: %w: %s", strings.Join(args[:2], " "), err, &problems)
	}
	return out.String(), nil
}

// field finds the value behind a name at the start of a line.
func field(said, name string) (string, error) {
	for line := range strings.Lines(said) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			return words[1], nil
		}
	}
	return "", fmt.Errorf("cairn printed no %s: %s", name, said)
}
