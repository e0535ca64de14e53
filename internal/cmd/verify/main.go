// Command verify checks a running LRS from outside: what stands between client and function (package gateway), and every
// script of internal/e2e. `make verify-deployed` runs it against a stack.
//
//	CAIRN_CREDENTIAL=key:secret verify -url https://…/xapi [-other key:secret] [-stack NAME]
//
// With -stack, and a sign-in to the account, the scripts get stores of their own, which stay (they are named e2e). Without,
// those are played that can share a store with what is there; what they store stays there too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cairn-lrs/cairn/internal/config"
	"github.com/cairn-lrs/cairn/internal/e2e"
	"github.com/cairn-lrs/cairn/internal/e2e/gateway"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

// settings are what the command is told.
type settings struct {
	gateway gateway.Target
	scripts e2e.Deployed
	atOnce  int
}

func read(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.StringVar(&s.gateway.URL, "url", "", "the endpoint, as the stack's output Endpoint: https://…/xapi")
	other := flags.String("other", "", "key:secret of a second store, which must never be shown what is in the first")
	flags.StringVar(&s.scripts.Stack, "stack", "", "the stack's name: stores and credentials are made by bin/cairn, as its operator")
	flags.StringVar(&s.scripts.Command, "cairn", "bin/cairn", "the command that makes them")
	flags.IntVar(&s.atOnce, "at-once", 2, "scripts that are played at a time: the stack throttles requests")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	c, err := config.Environment()
	if err != nil {
		return s, err
	}
	if s.gateway.URL = strings.TrimRight(s.gateway.URL, "/"); s.gateway.URL == "" || c.Credential.Key == "" {
		return s, errors.New("-url and CAIRN_CREDENTIAL=key:secret must be set; `cairn credential create` makes one")
	}
	s.gateway.Key, s.gateway.Secret = c.Credential.Key, c.Credential.Secret
	s.scripts.URL = s.gateway.URL
	s.scripts.A = e2e.Credential(c.Credential)
	if *other != "" {
		second, err := config.ParseCredential(*other)
		if err != nil {
			return s, fmt.Errorf("read -other: %w", err)
		}
		s.scripts.B = e2e.Credential(second)
	}
	return s, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := read(args)
	if err != nil {
		return err
	}
	r := &report{out: out}
	fmt.Fprintf(out, "Checking %s\n\nWhat stands between client and function:\n\n", s.gateway.URL)
	gateway.Ask(ctx, s.gateway, gateway.Probes, r.probe)
	fmt.Fprint(out, "\nThe scripts:\n\n")
	if err := s.scripts.Play(ctx, s.atOnce, r.script); err != nil {
		return err
	}
	return r.end()
}

// report writes one line for each thing that was checked, and counts.
type report struct {
	out                   io.Writer
	checked, failed, left int
}

func (r *report) probe(p gateway.Result) {
	r.checked++
	switch {
	case p.Problem != nil:
		r.failed++
		fmt.Fprintf(r.out, "FAIL  %s: %v\n      It means: %s.\n", p.Name, p.Problem, p.Means)
	case p.Means == "":
		fmt.Fprintf(r.out, "note  %s: %s\n", p.Name, p.Found)
	default:
		fmt.Fprintf(r.out, "ok    %s: %s\n", p.Name, p.Found)
	}
}

func (r *report) script(p e2e.Played) {
	switch {
	case p.Left != "":
		r.left++
		fmt.Fprintf(r.out, "left  %s: %s\n", p.Name, p.Left)
	case p.Problem != nil:
		r.checked++
		r.failed++
		fmt.Fprintf(r.out, "FAIL  %s\n      %s\n", p.Name, strings.ReplaceAll(p.Problem.Error(), "\n", "\n      "))
	default:
		r.checked++
		fmt.Fprintf(r.out, "ok    %s\n", p.Name)
	}
}

func (r *report) end() error {
	fmt.Fprintf(r.out, "\n%d checked, %d not as they must be, %d left out\n", r.checked, r.failed, r.left)
	if r.left > 0 {
		fmt.Fprintln(r.out, "What was left out needs an operator's rights: STACK=NAME, and a sign-in to the account.")
	}
	if r.failed > 0 {
		return fmt.Errorf("%d of %d are not as they must be", r.failed, r.checked)
	}
	return nil
}
