package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

var (
	accessFormat = regexp.MustCompile(`(?m)^ +(\{"requestId":.*\})$`)
	variable     = regexp.MustCompile(`\$context\.[A-Za-z.]+`)
)

// accessLine is how long the gateway's line for one request is: its format with values of common length.
func accessLine(template []byte) (int64, error) {
	found := accessFormat.FindSubmatch(template)
	if found == nil {
		return 0, fmt.Errorf("template.yaml has no format of an access log that begins with requestId")
	}
	line := variable.ReplaceAllStringFunc(string(found[1]), func(name string) string {
		switch name {
		case "$context.requestId":
			return "JKJaXmPLvHcESHA="
		case "$context.routeKey":
			return "ANY /xapi/statements"
		case "$context.error.message":
			return "-"
		}
		return "123" // a status, milliseconds, bytes
	})
	return int64(len(line)), nil
}

// measured is a flow with what it consumed.
type measured struct {
	flow
	used usage
}

// write makes the page, and hands back what was counted.
func write(ctx context.Context, template []byte) (string, []measured, error) {
	line, err := accessLine(template)
	if err != nil {
		return "", nil, err
	}
	var all []measured
	for _, f := range flows {
		used, err := measure(ctx, f, line)
		if err != nil {
			return "", nil, err
		}
		if strings.Contains(f.what, "%d") {
			f.what = fmt.Sprintf(f.what, len(typical(0)))
		}
		all = append(all, measured{f, used})
	}
	var b strings.Builder
	head(&b, all)
	requests(&b, all)
	storage(&b, all)
	idle(&b, template)
	tail(&b)
	return b.String(), all, nil
}

// units is what the page reckons with: so many statements, or requests where none are stored.
func (m measured) units() int {
	if m.used.statements > 0 {
		return m.used.statements
	}
	return m.used.requests
}

func (m measured) scaled() usage { return m.used.scaled(float64(m.per) / float64(m.units())) }

func (m measured) of() string {
	switch {
	case m.per == 1e6:
		return "a million statements"
	case m.used.statements > 0:
		return "a thousand statements"
	}
	return "a thousand requests"
}

func head(b *strings.Builder, all []measured) {
	b.WriteString(`# What it costs

Written by ` + "`make cost`" + `: a change here is lost. Units, requests and bytes are counted: flows of requests are run through the
whole of Cairn over the embedded engine, by DynamoDB's published arithmetic (held against DynamoDB Local). Prices are AWS's list prices of
us-east-1, in dollars, with their sources below. Free tiers are left out.

`)
	for _, m := range all {
		fmt.Fprintf(b, "- **%s**: %s.\n", m.name, m.what)
	}
}

func requests(b *strings.Builder, all []measured) {
	b.WriteString("\n## Counted\n\n| flow | for | requests | write units | read units | calls | S3 PUT, GET | log lines, MB | answers, MB |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range all {
		u := m.scaled()
		fmt.Fprintf(b, "| %s | %s | %d | %.0f | %.0f | %d | %d, %d | %.1f | %.1f |\n", m.name, m.of(), u.requests, u.write, u.read, u.calls,
			u.puts+u.urlPuts, u.gets+u.urlGets, float64(u.logged)/1e6, float64(u.answered)/1e6)
	}
	b.WriteString("\nFor one statement, that is:\n\n| flow | write units | budget | read units |\n|---|---|---|---|\n")
	for _, m := range all {
		if m.used.statements == 0 {
			continue
		}
		budget := "-"
		if m.budget > 0 {
			budget = fmt.Sprintf("%.0f", m.budget)
		}
		fmt.Fprintf(b, "| %s | %.2f | %s | %.2f |\n", m.name, m.used.write/float64(m.used.statements), budget, m.used.read/float64(m.used.statements))
	}
	b.WriteString("\n## In dollars\n\n| flow | for | tables on demand | tables provisioned | gateway | Lambda | logs | S3 | transfer | **all, on demand** | **all, provisioned** |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range all {
		c := m.scaled().bill(m.stream)
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | **%s** | **%s** |\n", m.name, m.of(),
			money(c.onDemand), money(c.provisioned), money(c.gateway), money(c.lambda), money(c.logs), money(c.objects), money(c.bytes),
			money(c.onDemand+c.beside()), money(c.provisioned+c.beside()))
	}
}

// money shows cents, and of less than ten of them hundredths too.
func money(dollars float64) string {
	if dollars > 0 && dollars < 0.1 {
		return fmt.Sprintf("%.4f", dollars)
	}
	return fmt.Sprintf("%.2f", dollars)
}

func storage(b *strings.Builder, all []measured) {
	b.WriteString(`
## Kept for a year

Items, index entries and 100 bytes for each, with point-in-time recovery, and objects. Index entries are counted as if
recovery were paid for them too.

| flow | bytes a statement in tables | in S3 | kept for a year | dollars |
|---|---|---|---|---|
`)
	for _, m := range all {
		if m.used.statements == 0 {
			continue
		}
		if m.stream && m.used.stored <= 0 {
			continue
		}
		n := float64(m.used.statements)
		u := m.scaled()
		items, objects := float64(u.stored)/1e9, float64(u.kept)/1e9
		fmt.Fprintf(b, "| %s | %.0f | %.0f | %s | %.2f |\n", m.name, float64(m.used.stored)/n, float64(m.used.kept)/n, m.of(),
			12*(storedItem.of(items)+restorable.of(items)+objectBytes.of(objects)))
	}
}

var (
	tableType   = regexp.MustCompile(`(?m)^    Type: AWS::DynamoDB::Table$`)
	indexName   = regexp.MustCompile(`(?m)^ +- IndexName: `)
	alarmType   = regexp.MustCompile(`(?m)^    Type: AWS::CloudWatch::Alarm$`)
	alarmMetric = regexp.MustCompile(`(?m)^ {6}MetricName: |^ +MetricStat:$`) // of an alarm on one, or one of several
	leastUnits  = 5.0                                                         // the default of MinUnits, which the test holds equal
	hoursAMonth = 730.0
)

func idle(b *strings.Builder, template []byte) {
	count := func(re *regexp.Regexp) int { return len(re.FindAll(template, -1)) }
	scaled := count(tableType) + count(indexName)
	month := float64(scaled) * leastUnits * hoursAMonth * (writeHour.amount + readHour.amount)
	metrics := count(alarmMetric)
	fmt.Fprintf(b, `
## While nobody learns

On demand: storage, and what CloudWatch asks for a dashboard and %d alarms on %d metrics: **%.2f a month**. Provisioned, beside these:
the parameter MinUnits, %.0f by default, for each of %d tables and indexes, reads and writes, used or not: **%.2f a month**, and
the %d alarms by which they are scaled: **%.2f a month**.
`, count(alarmType), metrics, watched.of(float64(metrics))+board.amount, leastUnits, scaled, month,
		2*scalingAlarms*scaled, watched.of(float64(2*scalingAlarms*scaled)))
	if share := writeUnit.amount / (writeHour.amount / (3600 * utilisation) * 1e6); share > 1 {
		fmt.Fprintf(b, "A write unit on demand costs %.1f times one of an even load at %.0f %% of what is provisioned: with peaks and idle nights beyond\nthat, on demand is cheaper.\n", share, 100*utilisation)
	}
}

func tail(b *strings.Builder) {
	fmt.Fprintf(b, `
## Assumed, not counted

- Lambda's time: %.0f ms for each call of DynamoDB or S3, one after another, %.0f ms for each statement, %.0f ms for each request and
  %.0f ms for each MB that it reads from S3 or writes there, of %.1f GB. Nothing of it was measured on AWS; the column Lambda
  scales with it. Starts of functions are left out.
- Provisioned: an even load, at %.0f %% of what is provisioned.
- S3: its requests are those of functions and of clients with signed URLs; a copy is a PUT, a look at an object's length is a
  GET. Uploads and large answers lie there for %.0f days, which the column S3 has too. Bytes from the internet into S3, and between
  S3 and the functions of its region, are left out: no price of them was read.
- A gateway request of any size is one request. Retries, refusals, and credentials that are read once a minute by each
  running function are left out; so are log lines of the consumer of the stream, its reads of the stream (free to Lambda), traces of X-Ray,
  what DynamoDB asks of KMS for the tables' keys ($0.03 for 10,000 requests; how many they are was not read), and the 25 GB,
  million requests, 100 GB, 10 metrics of alarms and 3 dashboards of the free tiers.

## Prices

| price | dollars | per | read |
|---|---|---|---|
`, perCall, perStatement, perRequest, perMegabyte, memory, 100*utilisation, temporaryDays)
	for _, p := range prices {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", p.name, strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.10f", p.amount), "0"), "."), p.unit, p.source)
	}
}
