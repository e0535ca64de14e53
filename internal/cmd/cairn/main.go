// Command cairn is Cairn on one machine: the server and the operator's commands. `cairn help` lists them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/cairn-lrs/cairn/internal/cmd/cairn/fsck"
	"github.com/cairn-lrs/cairn/internal/config"
)

func main() {
	// The first signal asks to finish; stop gives the second one its usual effect.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	c, err := config.Environment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cairn:", err)
		os.Exit(exitError)
	}
	t := terminal{program: os.Args[0], in: os.Stdin, out: os.Stdout, err: os.Stderr, config: c}
	os.Exit(t.run(ctx, os.Args[1:]))
}

// The exit codes.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 2                // the command line is wrong
	exitRefused = 3                // import: some statements were refused, the rest is stored
	exitDiffers = fsck.ExitDiffers // fsck and rebuild: something is not as the statements say
)

// terminal is what a command talks to.
type terminal struct {
	program  string // by which this one was called, for lines to paste
	in       io.Reader
	out, err io.Writer
	config   config.Config
}

// command is one of the words after `cairn`.
type command struct {
	name    string // one or two words
	args    string // of the usage line
	summary string // one line
	details string // what `-h` says beside the flags
	run     func(ctx context.Context, t terminal, c command, args []string) error
}

// commands lists them all, in the order of the help.
func commands() []command {
	return []command{serveCommand, importCommand, storeCreateCommand, storeListCommand, storeShardsCommand, storeSetCommand, credentialCreateCommand,
		credentialListCommand, credentialRotateCommand, credentialRevokeCommand, deadLettersReplayCommand, deadLettersCommand, rebuildCommand,
		fsckCommand, reportCommand, kpiImportCommand, kpiListCommand, kpiDeleteCommand, versionCommand}
}

var (
	errUsage   = errors.New("usage")                        // the command has told what is wrong
	errRefused = errors.New("some statements were refused") // likewise
)

// run finds the command and runs it. It returns the exit code.
func (t terminal) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		t.help(t.err)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if len(args) == 1 {
			t.help(t.out)
			return exitOK
		}
		args = append(args[1:len(args):len(args)], "-h")
	case "-version", "--version":
		args = []string{versionCommand.name}
	}
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) < len(words) || strings.Join(args[:len(words)], " ") != c.name {
			continue
		}
		err := c.run(ctx, t, c, args[len(words):])
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return exitOK
		case errors.Is(err, errUsage):
			return exitUsage
		case errors.Is(err, errRefused):
			return exitRefused
		case errors.Is(err, fsck.ErrDiffers):
			return exitDiffers
		}
		fmt.Fprintln(t.err, "cairn:", err)
		return exitError
	}
	t.unknown(args)
	return exitUsage
}

// unknown says that there is no such command, and which ones begin with the same word.
func (t terminal) unknown(args []string) {
	words := args
	if i := slices.IndexFunc(args[1:], func(arg string) bool { return strings.HasPrefix(arg, "-") }); i >= 0 {
		words = args[:1+i]
	}
	fmt.Fprintf(t.err, "cairn: there is no command %q; ", strings.Join(words, " "))
	begun := slices.DeleteFunc(commands(), func(c command) bool { return !strings.HasPrefix(c.name, words[0]+" ") })
	if len(begun) == 0 {
		fmt.Fprintln(t.err, "`cairn help` lists them")
		return
	}
	fmt.Fprint(t.err, "there are:\n\n")
	list(t.err, begun)
}

func (t terminal) help(w io.Writer) {
	fmt.Fprint(w, "Cairn is a Learning Record Store for xAPI 1.0.3 and 2.0.0.\n\nUsage:\n\n")
	list(w, commands())
	fmt.Fprint(w, "\n`cairn COMMAND -h` tells more of each.\n")
}

func list(w io.Writer, commands []command) {
	for _, c := range commands {
		fmt.Fprintf(w, "  cairn %-20s %s\n", c.name, c.summary)
	}
}

// flags makes the flag set of a command. A flag without a usage text is for tests and not listed.
func (t terminal) flags(c command) *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(t.err)
	f.Usage = func() {
		fmt.Fprintf(t.err, "Usage: cairn %s\n\n%s.\n", strings.TrimSpace(c.name+" [flags] "+c.args), c.summary)
		if c.details != "" {
			fmt.Fprintf(t.err, "\n%s\n", strings.TrimSpace(c.details))
		}
		listed := flag.NewFlagSet(c.name, flag.ContinueOnError)
		listed.SetOutput(t.err)
		some := false
		f.VisitAll(func(each *flag.Flag) {
			if each.Usage != "" {
				listed.Var(each.Value, each.Name, each.Usage)
				some = true
			}
		})
		if some {
			fmt.Fprint(t.err, "\nFlags:\n\n")
			listed.PrintDefaults()
		}
	}
	return f
}

// parse reads flags, which may also stand behind arguments, and checks how many arguments there are; most < 0 is no
// bound. The error is flag.ErrHelp or errUsage, already told.
func (t terminal) parse(f *flag.FlagSet, args []string, least, most int) ([]string, error) {
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage
		}
		if f.NArg() == 0 {
			break
		}
		rest = append(rest, f.Arg(0))
		args = f.Args()[1:]
	}
	if len(rest) < least || most >= 0 && len(rest) > most {
		fmt.Fprintf(t.err, "cairn %s: wrong number of arguments\n", f.Name())
		f.Usage()
		return nil, errUsage
	}
	return rest, nil
}
