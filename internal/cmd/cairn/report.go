package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cairn-lrs/cairn/internal/cmd/cairn/reader"
	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
	"github.com/cairn-lrs/cairn/internal/report"
)

var reportCommand = command{
	name:    "report",
	args:    "[NAME]",
	summary: "Print a report of a running LRS",
	details: `NAME is a report, such as overview, activity or contents; live tells the newest statements, answers/NAME is a saved query,
and query asks a question of your own, which is read as JSON from standard input. Without NAME the reports are listed.
-format csv and -format json print what the report API answers. A table for which the terminal is too narrow is printed row by row.`,
	run: runReport,
}

var kpiImportCommand = command{
	name:    "kpi import",
	args:    "NAME FILE",
	summary: "Import a KPI for learners or groups",
	details: `FILE is a CSV whose first line names the columns learner or group, date and value; - is standard input. A learner is an e-mail
address, the SHA-1 of one, an account as homePage|name, an OpenID, or a key that a report gave. What was imported under the name before is
replaced. Rows of whom no statement tells are listed and left out.

Exit code: 0 when all rows were taken, 3 when some were left out.`,
	run: runKPIImport,
}

var kpiListCommand = command{
	name:    "kpi list",
	summary: "List the imported KPIs",
	run: func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		client := clientFlags(f, t)
		if _, err := t.parse(f, args, 0, 0); err != nil {
			return err
		}
		kpis, err := client.KPIs(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tOF\tROWS\tUNITS\tFROM\tTO\tIMPORTED")
		for _, k := range kpis {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", k.Name, k.Unit, k.Rows, k.Units, k.From, k.To, k.Imported.Format(time.DateOnly))
		}
		return w.Flush()
	},
}

var kpiDeleteCommand = command{
	name:    "kpi delete",
	args:    "NAME",
	summary: "Forget an imported KPI",
	run: func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		client := clientFlags(f, t)
		rest, err := t.parse(f, args, 1, 1)
		if err != nil {
			return err
		}
		return client.DeleteKPI(ctx, rest[0])
	},
}

// clientFlags are those of the commands that ask the report API.
func clientFlags(f *flag.FlagSet, t terminal) *reader.Client {
	c := &reader.Client{HTTP: http.DefaultClient, Secret: t.config.Credential.Secret}
	f.StringVar(&c.Base, "endpoint", "http://127.0.0.1:8081"+reportapi.Base, "the `URL` of the report API, as cairn serve prints it")
	f.StringVar(&c.Key, "key", t.config.Credential.Key, "the access `key`; the environment variable CAIRN_CREDENTIAL=key:secret does too")
	f.Func("secret", "its `secret`; others on this machine can see it here, and not in CAIRN_CREDENTIAL", func(text string) error {
		c.Secret = text
		return nil
	})
	return c
}

func runReport(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	client := clientFlags(f, t)
	format := f.String("format", "table", "`how`: table, csv or json")
	query := url.Values{}
	for _, p := range report.Params() {
		about, _, _ := strings.Cut(p.About, ". ")
		f.Func(p.Name, strings.TrimSuffix(about, "."), func(text string) error {
			query.Set(p.Name, text)
			return nil
		})
	}
	rest, err := t.parse(f, args, 0, 1)
	if err != nil {
		return err
	}
	if *format != "table" && *format != "csv" && *format != "json" {
		fmt.Fprintln(t.err, "cairn report: -format must be table, csv or json")
		return errUsage
	}
	if len(rest) == 0 {
		list, err := client.List(ctx)
		if err != nil {
			return err
		}
		return list.Write(t.out)
	}
	if rest[0] == "live" {
		live, err := client.Live(ctx)
		if err != nil {
			return err
		}
		return live.Write(t.out)
	}
	var body io.Reader
	if rest[0] == "query" {
		body = t.in
	}
	if *format != "table" {
		return client.Copy(ctx, t.out, rest[0], query, *format, body)
	}
	answer, err := client.Answer(ctx, rest[0], query, body)
	if err != nil {
		return err
	}
	return answer.Write(t.out, t.width())
}

func runKPIImport(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	client := clientFlags(f, t)
	rest, err := t.parse(f, args, 2, 2)
	if err != nil {
		return err
	}
	in := t.in
	if rest[1] != "-" {
		file, err := os.Open(rest[1])
		if err != nil {
			return fmt.Errorf("read the KPI: %w", err)
		}
		defer file.Close()
		in = file
	}
	done, err := client.ImportKPI(ctx, rest[0], in)
	if err != nil {
		return err
	}
	for _, u := range done.Unmatched {
		fmt.Fprintf(t.err, "line %d: %s: %s\n", u.Line, u.Unit, u.Reason)
	}
	fmt.Fprintf(t.out, "%s: %d rows of %d %ss taken, %d left out\n", done.Name, done.Rows, done.Units, done.Unit, done.UnmatchedCount)
	if done.UnmatchedCount > 0 {
		return errRefused
	}
	return nil
}
