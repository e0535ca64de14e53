package reader

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cairn-lrs/cairn/internal/report/result"
	"github.com/cairn-lrs/cairn/internal/report/sentence"
)

// Answer is a report as the API gives it.
type Answer struct {
	Title   string                      `json:"title"`
	Range   period                      `json:"range"`
	Columns []column                    `json:"columns"`
	Rows    []map[string]jsontext.Value `json:"rows"`
	Total   map[string]jsontext.Value   `json:"total"`
	Notes   []string                    `json:"notes"`
	Read    struct {
		Road     string `json:"road"`
		Items    int    `json:"items"`
		Learners int    `json:"learners"`
	} `json:"read"`
	More string `json:"more"`

	all map[string]jsontext.Value // the whole, with the rows of all pages
}

type period struct {
	From     string `json:"from"`
	To       string `json:"to"`
	TimeZone string `json:"timeZone"`
}

type column struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Kind  string `json:"kind"`
	Unit  string `json:"unit"`
}

// figure is a cell that is not words.
type figure struct {
	Value      *float64 `json:"value"`
	Count      *int64   `json:"count"`
	Of         *int64   `json:"of"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Suppressed string   `json:"suppressed"`
	Band       string   `json:"band"`
	Missing    string   `json:"missing"`
}

func readAnswer(r io.Reader) (*Answer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	a := &Answer{}
	if err := json.Unmarshal(text, a); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if err := json.Unmarshal(text, &a.all); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return a, nil
}

// add puts the rows of a further page behind.
func (a *Answer) add(page *Answer) {
	a.Rows = append(a.Rows, page.Rows...)
	delete(a.all, "more")
	have, more := a.all["rows"], page.all["rows"]
	if len(have) > 2 && len(more) > 2 {
		a.all["rows"] = jsontext.Value(string(have[:len(have)-1]) + "," + string(more[1:]))
	}
}

// maxCell bounds a cell of the table, in runes.
const maxCell = 48

// Write prints the answer as a table. One that is wider than a terminal of so many columns is told row by row instead, a line for
// each figure; a width of 0 is no bound.
func (a *Answer) Write(w io.Writer, width int) error {
	span := "all time"
	if a.Range.From != "" {
		span = a.Range.From + " to " + a.Range.To
	}
	fmt.Fprintf(w, "%s, %s, %s\n\n", printable(a.Title), span, a.Range.TimeZone)
	lines := a.lines()
	write := writeTable
	if width > 0 && widthOf(lines) > width {
		write = writeRecords
	}
	if err := write(w, lines); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	for _, note := range a.Notes {
		fmt.Fprintf(w, "\n%s\n", printable(note))
	}
	_, err := fmt.Fprintf(w, "\nRead from %s: %d rows, %d learners.\n", a.Read.Road, a.Read.Items, a.Read.Learners)
	return err
}

// lines are the titles of the columns, the rows, and the total.
func (a *Answer) lines() [][]string {
	rows := a.Rows
	if a.Total != nil {
		rows = append(rows, a.Total)
	}
	lines := make([][]string, 1+len(rows))
	for _, c := range a.Columns {
		lines[0] = append(lines[0], printable(c.Title))
		for i, row := range rows {
			lines[1+i] = append(lines[1+i], c.cell(row[c.ID]))
		}
	}
	return lines
}

// gap is between two columns.
const gap = 2

// widthOf is how wide the lines are as a table.
func widthOf(lines [][]string) int {
	all := 0
	for column := range lines[0] {
		most := 0
		for _, line := range lines {
			most = max(most, utf8.RuneCountInString(line[column]))
		}
		all += most + gap
	}
	return all - gap
}

func writeTable(w io.Writer, lines [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, gap, ' ', 0)
	for _, line := range lines {
		fmt.Fprintln(t, strings.Join(line, "\t"))
	}
	return t.Flush()
}

// writeRecords writes each row as lines of a title and a value.
func writeRecords(w io.Writer, lines [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, gap, ' ', 0)
	for i, line := range lines[1:] {
		if i > 0 {
			fmt.Fprintln(t)
		}
		for column, title := range lines[0] {
			fmt.Fprintf(t, "%s\t%s\n", title, line[column])
		}
	}
	return t.Flush()
}

// cell writes one cell for people.
func (c column) cell(v jsontext.Value) string {
	var text string
	if c.Kind == "label" || c.Kind == "text" {
		if json.Unmarshal(v, &text) != nil {
			return "?"
		}
		return printable(text)
	}
	var f figure
	if json.Unmarshal(v, &f) != nil {
		return "?"
	}
	switch {
	case f.Missing == "not tracked":
		return "not tracked"
	case f.Missing != "":
		return "-"
	case f.Band != "":
		return f.Band
	case f.Suppressed != "":
		return f.Suppressed
	case f.Value == nil && f.Count != nil && f.Of != nil:
		return fmt.Sprintf("%d of %d", *f.Count, *f.Of)
	case f.Value == nil:
		return "?"
	case f.Of != nil && *f.Of < result.FewestPlain && f.Low != nil && f.High != nil:
		return percent(*f.Value) + fmt.Sprintf(" (%d of %d, %s to %s)", *f.Count, *f.Of, percent(*f.Low), percent(*f.High))
	case f.Of != nil:
		return percent(*f.Value) + fmt.Sprintf(" (%d of %d)", *f.Count, *f.Of)
	case c.Unit == "share":
		return percent(*f.Value)
	case c.Unit == "s":
		return sentence.Span(time.Duration(*f.Value * float64(time.Second)))
	case c.Kind == "count":
		return strconv.FormatFloat(*f.Value, 'f', 0, 64)
	}
	return strconv.FormatFloat(*f.Value, 'f', 2, 64)
}

// percent writes a share with one decimal. Source: definitions, section 7.
func percent(share float64) string {
	if share > 0 && share < 0.001 {
		return "<0.1 %"
	}
	return strconv.FormatFloat(share*100, 'f', 1, 64) + " %"
}

// printable keeps a terminal from being steered by names, and cuts what is too long.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	if utf8.RuneCountInString(text) > maxCell && !strings.Contains(text, " ") {
		runes := []rune(text)
		return "…" + string(runes[len(runes)-maxCell+1:])
	}
	return text
}

// List is the list of reports.
type List struct {
	Reports []struct {
		ID    string `json:"id"`
		About string `json:"about"`
	} `json:"reports"`
}

// Write prints the list.
func (l *List) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range l.Reports {
		fmt.Fprintf(t, "%s\t%s\n", r.ID, r.About)
	}
	return t.Flush()
}

// Live is what is happening now.
type Live struct {
	Sentences []struct {
		Stored time.Time `json:"stored"`
		Text   string    `json:"text"`
	} `json:"sentences"`
	Learners struct {
		Value      int    `json:"value"`
		Suppressed string `json:"suppressed"`
	} `json:"learners"`
}

// Write prints the sentences, the newest last.
func (l *Live) Write(w io.Writer) error {
	for _, s := range l.Sentences {
		fmt.Fprintf(w, "%s  %s\n", s.Stored.Local().Format(time.TimeOnly), printable(s.Text))
	}
	learners := l.Learners.Suppressed
	if learners == "" {
		learners = strconv.Itoa(l.Learners.Value)
	}
	_, err := fmt.Fprintf(w, "\nLearners in the last 5 minutes: %s\n", learners)
	return err
}
