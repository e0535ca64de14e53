package reportapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// Rows of one page of JSON. CSV comes whole.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// answerBody is an answer as JSON. openapi.go describes it to the world.
type answerBody struct {
	Report      string              `json:"report"`
	Title       string              `json:"title"`
	Range       rangeBody           `json:"range"`
	Filters     map[string]string   `json:"filters"`
	SmallNumber smallBody           `json:"smallNumbers"`
	Columns     []columnBody        `json:"columns"`
	Rows        []jsontext.Value    `json:"rows"`
	Total       jsontext.Value      `json:"total,omitzero"`
	Notes       []string            `json:"notes"`
	Definitions []report.Definition `json:"definitions"`
	Read        readBody            `json:"read"`
	AsOf        string              `json:"asOf"`
	Through     string              `json:"through,omitzero"`
	RowCount    int                 `json:"rowCount"`
	More        string              `json:"more,omitzero"`
}

type rangeBody struct {
	From     string `json:"from,omitzero"`
	To       string `json:"to,omitzero"`
	TimeZone string `json:"timeZone"`
}

type smallBody struct {
	K        int  `json:"k"`
	Names    bool `json:"names"`
	TestData bool `json:"testData,omitzero"`
}

type columnBody struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Kind    string `json:"kind"`
	Unit    string `json:"unit,omitzero"`
	Measure string `json:"measure,omitzero"`
}

type readBody struct {
	Road     string `json:"road"`
	Items    int    `json:"items"`
	Learners int    `json:"learners"`
}

// kindNames are the kinds of columns, by result.Kind.
var kindNames = []string{"label", "count", "rate", "amount", "text"}

// page says which rows of an answer are wanted.
type page struct {
	limit  int
	after  string // place of the last row of the page before; ""
	format string // "json" or "csv"
}

// takePage reads the parameters that say how an answer is given, and returns those of the question.
func takePage(r *edge.Request) (p page, rest map[string]string, err error) {
	p.limit = defaultLimit
	rest = map[string]string{}
	for name, value := range r.Params {
		switch name {
		case "limit":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxLimit {
				return p, nil, edge.BadRequest("", "limit must be a number from 1 to %d", maxLimit)
			}
			p.limit = n
		case "cursor":
			place, err := base64.RawURLEncoding.DecodeString(value)
			if err != nil || len(place) == 0 {
				return p, nil, edge.BadRequest("", "cursor is not one that an answer gave as more")
			}
			p.after = string(place)
		case "format":
			if value != "json" && value != "csv" {
				return p, nil, edge.BadRequest("", "format must be json or csv")
			}
			p.format = value
		default:
			rest[name] = value
		}
	}
	if p.format == "" {
		p.format = "json"
		if edge.Prefer(r.Header.Get("Accept"), "application/json", "text/csv") == "text/csv" {
			p.format = "csv"
		}
	}
	return p, rest, nil
}

// write gives an answer in the format that was asked for, or 304 when the client has it.
func (p page) write(w http.ResponseWriter, r *edge.Request, a *report.Answer) error {
	tag := p.tag(a)
	w.Header().Set("Etag", tag)
	w.Header().Set("Vary", "Accept")
	w.Header().Set("Link", p.links(a))
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if p.format == "csv" {
		return writeCSV(w, a)
	}
	return p.writeJSON(w, a)
}

// links name the definitions of an answer: of CSV, which has no room for them, each for the columns that it is of.
// Source: RFC 8288, and RFC 7111 for the columns.
func (p page) links(a *report.Answer) string {
	const definitions = "<" + Base + "/definitions"
	links := []string{definitions + `>; rel="describedby"`}
	if p.format == "csv" {
		for i, c := range a.Table.Columns {
			if c.Measure != "" {
				first, last := a.Table.Fields(i)
				links = append(links, fmt.Sprintf(`%s#%s>; rel="describedby"; anchor="#col=%d-%d"`, definitions, c.Measure, first, last))
			}
		}
	}
	return strings.Join(links, ", ")
}

// tag is the entity tag of the page: weak, since an answer tells when it was given too. Source: RFC 9110, 8.8.1.
func (p page) tag(a *report.Answer) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{a.Tag(), p.format, strconv.Itoa(p.limit), p.after}, "\x00")))
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// matches reports whether an If-None-Match header names the tag. Source: RFC 9110, 13.1.2: compared weakly.
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

func (p page) writeJSON(w http.ResponseWriter, a *report.Answer) error {
	rows, more, err := p.cut(a.Table)
	if err != nil {
		return err
	}
	body := answerBody{
		Report: a.Report.ID, Title: a.Report.Title, Filters: filterBody(a.Filter), Columns: columnsOf(a.Table.Columns), Notes: a.Notes,
		Range:       rangeBody{report.DateOf(a.Period.From), report.DateOf(a.Period.To), a.Zone},
		SmallNumber: smallBody{a.K, a.Names, a.Test},
		Definitions: a.Definitions(),
		Read:        readBody{string(a.Read.Road), a.Read.Items, a.Read.Learners},
		AsOf:        a.AsOf.UTC().Format(time.RFC3339), RowCount: len(a.Table.Rows), More: more,
	}
	if a.Name != "" {
		body.Title = a.Name
	}
	if !a.Through.IsZero() {
		body.Through = a.Through.UTC().Format(time.RFC3339Nano)
	}
	for _, row := range rows {
		text, err := rowJSON(a.Table, row)
		if err != nil {
			return err
		}
		body.Rows = append(body.Rows, text)
	}
	if a.Table.Total != nil {
		if body.Total, err = rowJSON(a.Table, a.Table.Total); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, body)
}

// cut takes the rows of one page. A page goes on behind the row at whose place the one before ended, wherever that is by now:
// the place is the row's labels.
func (p page) cut(t *result.Table) (rows []result.Row, more string, err error) {
	start := 0
	if p.after != "" {
		at := slices.IndexFunc(t.Rows, func(row result.Row) bool { return placeOf(t, row) == p.after })
		if at < 0 {
			return nil, "", edge.BadRequest("", "the row at which the page before ended is not in the answer any more: begin again without cursor")
		}
		start = at + 1
	}
	end := min(start+p.limit, len(t.Rows))
	if end < len(t.Rows) {
		more = base64.RawURLEncoding.EncodeToString([]byte(placeOf(t, t.Rows[end-1])))
	}
	return t.Rows[start:end], more, nil
}

// placeOf is what names a row.
func placeOf(t *result.Table, row result.Row) string {
	var parts []string
	for i, c := range t.Columns {
		if c.Kind == result.Label {
			parts = append(parts, row[i].Text)
		}
	}
	return strings.Join(parts, "\x00")
}

func columnsOf(columns []result.Column) []columnBody {
	all := make([]columnBody, len(columns))
	for i, c := range columns {
		all[i] = columnBody{c.ID, c.Title, kindNames[c.Kind], string(c.Unit), c.Measure}
	}
	return all
}

// rowJSON writes a row as an object by column, in the order of the columns.
func rowJSON(t *result.Table, row result.Row) (jsontext.Value, error) {
	out := jsontext.Value{'{'}
	for i, c := range t.Columns {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := jsontext.AppendQuote(out, c.ID)
		if err != nil {
			return nil, fmt.Errorf("write row: %w", err)
		}
		cell, err := row[i].JSON(c)
		if err != nil {
			return nil, err
		}
		out = append(append(name, ':'), cell...)
	}
	return append(out, '}'), nil
}

func filterBody(f report.Filter) map[string]string {
	all := map[string]string{}
	for name, value := range map[string]string{"content": f.Content, "kind": f.Kind, "learner": f.Learner, "group": f.Group,
		"registration": f.Registration, "platform": f.Platform, "language": f.Language} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// byteOrderMark makes spreadsheets take the file for UTF-8.
const byteOrderMark = "\uFEFF"

// writeCSV streams the rows, and the total as the last one. Source: RFC 4180.
func writeCSV(w http.ResponseWriter, a *report.Answer) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+a.Report.ID+`.csv"`)
	if _, err := w.Write([]byte(byteOrderMark)); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	err := out.Write(a.Table.Header())
	for _, row := range a.Table.Lines() {
		if err != nil {
			break
		}
		err = out.Write(a.Table.Record(row))
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body, json.FormatNilSliceAsNull(false), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return edge.Write(w, status, "application/json", text)
}
