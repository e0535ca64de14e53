package report

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// KPI is a figure of the business, imported for learners or groups.
type KPI struct {
	Name     string    `json:"name"`
	Unit     string    `json:"unit"` // learner or group
	Rows     int       `json:"rowCount"`
	Units    int       `json:"units"`
	From     string    `json:"from"` // first date
	To       string    `json:"to"`
	Imported time.Time `json:"imported"`
	Version  int64     `json:"version"` // of the import: names its rows
}

// KPIRow is one value.
type KPIRow struct {
	Unit  string  `json:"unit"` // key, as reports give it
	Date  string  `json:"date"`
	Value float64 `json:"value"`
}

// KPIImport says what became of an import.
type KPIImport struct {
	KPI
	Unmatched      []Unmatched `json:"unmatched"`      // at most maxUnmatched
	UnmatchedCount int         `json:"unmatchedCount"` // of all
}

// Unmatched is a row that was left out.
type Unmatched struct {
	Line   int    `json:"line"` // of the file, from 1
	Unit   string `json:"unit"`
	Reason string `json:"reason"`
}

// Bounds of KPIs.
const (
	maxKPIs      = 100
	maxKPIRows   = 100_000
	maxKPIValue  = 1e100 // the sum of all squares is a number
	maxUnmatched = 1000
	chunkRows    = 3000 // of one item: about 200 KB
)

func kpiRef(store auth.Store, name string) table.Ref {
	return table.Ref{Table: schema.Rollups, Key: table.Key{Partition: store.ID + schema.KPIs, Sort: []byte(name)}}
}

func kpiRows(store auth.Store, name string) string { return store.ID + schema.KPIs + "#" + name }

// KPIs lists what was imported.
func (s *Service) KPIs(ctx context.Context, store auth.Store) ([]KPI, error) {
	var all []KPI
	for item, err := range s.items(ctx, store.ID+schema.KPIs) {
		if err != nil {
			return nil, err
		}
		k, err := kpiOf(item)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

func kpiOf(item table.Item) (KPI, error) {
	var k KPI
	if err := json.Unmarshal(item[schema.Body].B, &k); err != nil {
		return k, fmt.Errorf("read KPI: %w", err)
	}
	return k, nil
}

// kpi reads one without its rows.
func (s *Service) kpi(ctx context.Context, store auth.Store, name string) (KPI, error) {
	if err := checkName(name); err != nil {
		return KPI{}, err
	}
	item, _, err := s.Tables.Get(ctx, kpiRef(store, name), table.Strong)
	if err != nil {
		return KPI{}, fmt.Errorf("read KPI: %w", err)
	}
	if item == nil {
		return KPI{}, notFound("there is no KPI %q: POST a CSV to /reports/v1/kpis/%s, or run cairn kpi import", name, name)
	}
	return kpiOf(item)
}

// KPI returns one with its rows, by unit and date. A store that hides names gives the rows of learners to nobody.
func (s *Service) KPI(ctx context.Context, store auth.Store, name string) (KPI, []KPIRow, error) {
	k, err := s.kpi(ctx, store, name)
	if err != nil {
		return k, nil, err
	}
	if store.HideNames && k.Unit == unitLearner {
		return k, nil, nil
	}
	rows, err := s.rowsOf(ctx, store, k)
	return k, rows, err
}

func (s *Service) rowsOf(ctx context.Context, store auth.Store, k KPI) ([]KPIRow, error) {
	var rows []KPIRow
	prefix := binary.BigEndian.AppendUint64(nil, uint64(k.Version))
	for item, err := range s.items(ctx, kpiRows(store, k.Name)) {
		if err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(item[schema.SK].B, prefix) {
			continue // of an import that was replaced, or not finished
		}
		var chunk []KPIRow
		if err := json.Unmarshal(item[schema.Body].B, &chunk); err != nil {
			return nil, fmt.Errorf("read KPI: %w", err)
		}
		rows = append(rows, chunk...)
	}
	return rows, nil
}

// The units of KPIs, which are the names of their columns.
const (
	unitLearner = "learner"
	unitGroup   = "group"
)

// ImportKPI reads a CSV with the columns learner or group, date and value, and keeps the rows whose unit the store knows in the
// place of what was under the name: first all rows, under a new version, then the head that names it.
func (s *Service) ImportKPI(ctx context.Context, store auth.Store, name string, file []byte) (KPIImport, error) {
	if err := checkName(name); err != nil {
		return KPIImport{}, err
	}
	unit, read, out, err := readKPI(file, fact.Hasher(store.Term))
	if err != nil {
		return out, err
	}
	if store.HideNames && unit == unitLearner {
		return out, invalid("learner", "this store hides names: it takes KPIs of groups only")
	}
	have, err := s.KPIs(ctx, store)
	if err != nil {
		return out, err
	}
	if len(have) >= maxKPIs && !slices.ContainsFunc(have, func(k KPI) bool { return k.Name == name }) {
		return out, invalid("", "a store has at most %d KPIs: delete one", maxKPIs)
	}
	known, err := s.knownUnits(ctx, store, unit, read)
	if err != nil {
		return out, err
	}
	rows, units := make([]KPIRow, 0, len(read)), map[fact.Hash]bool{}
	for _, r := range read {
		if !known[r.unit] {
			out.leaveOut(r.line, r.text, "no statement is of this "+unit)
			continue
		}
		units[r.unit] = true
		rows = append(rows, KPIRow{keyText(r.unit), r.date, r.value})
	}
	slices.SortFunc(rows, func(a, b KPIRow) int { return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Date, b.Date)) })
	slices.SortFunc(out.Unmatched, func(a, b Unmatched) int { return cmp.Compare(a.Line, b.Line) })
	now := s.Now()
	out.KPI = KPI{Name: name, Unit: unit, Rows: len(rows), Units: len(units), Imported: now.UTC().Truncate(time.Second), Version: now.UnixNano()}
	for _, r := range rows {
		if out.From == "" || r.Date < out.From {
			out.From = r.Date
		}
		out.To = max(out.To, r.Date)
	}
	return out, s.putKPI(ctx, store, out.KPI, rows)
}

// putKPI writes rows, then the head, then forgets the rows of versions before.
func (s *Service) putKPI(ctx context.Context, store auth.Store, k KPI, rows []KPIRow) error {
	n := uint32(0)
	for chunk := range slices.Chunk(rows, chunkRows) {
		body, err := json.Marshal(chunk)
		if err != nil {
			return fmt.Errorf("write KPI: %w", err)
		}
		sort := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(k.Version)), n)
		ref := table.Ref{Table: schema.Rollups, Key: table.Key{Partition: kpiRows(store, k.Name), Sort: sort}}
		if _, _, err := s.Tables.Apply(ctx, table.Put(schema.Rollups, s.row(ref, body))); err != nil {
			return fmt.Errorf("write KPI: %w", err)
		}
		n++
	}
	body, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("write KPI: %w", err)
	}
	if _, _, err := s.Tables.Apply(ctx, table.Put(schema.Rollups, s.row(kpiRef(store, k.Name), body))); err != nil {
		return fmt.Errorf("write KPI: %w", err)
	}
	return s.forgetRows(ctx, store, k.Name, k.Version)
}

// forgetRows deletes the rows of all versions but one.
func (s *Service) forgetRows(ctx context.Context, store auth.Store, name string, but int64) error {
	keep := binary.BigEndian.AppendUint64(nil, uint64(but))
	for item, err := range s.items(ctx, kpiRows(store, name)) {
		if err != nil {
			return err
		}
		if bytes.HasPrefix(item[schema.SK].B, keep) {
			continue
		}
		ref := table.Ref{Table: schema.Rollups, Key: table.Key{Partition: item[schema.PK].S, Sort: item[schema.SK].B}}
		if _, _, err := s.Tables.Apply(ctx, table.Delete(ref)); err != nil {
			return fmt.Errorf("delete rows of a KPI: %w", err)
		}
	}
	return nil
}

// DeleteKPI forgets a KPI: first the head, so that nobody reads the rows any more.
func (s *Service) DeleteKPI(ctx context.Context, store auth.Store, name string) error {
	if _, err := s.kpi(ctx, store, name); err != nil {
		return err
	}
	if _, _, err := s.Tables.Apply(ctx, table.Delete(kpiRef(store, name))); err != nil {
		return fmt.Errorf("delete KPI: %w", err)
	}
	return s.forgetRows(ctx, store, name, 0)
}

// kpiLine is a row of the file.
type kpiLine struct {
	line  int
	text  string
	unit  fact.Hash
	date  string
	value float64
}

// readKPI reads the file. Rows that cannot be read are left out; a file that is none is refused.
func readKPI(file []byte, hash fact.Hasher) (unit string, rows []kpiLine, out KPIImport, err error) {
	if !utf8.Valid(file) {
		return "", nil, out, invalid("", "the file is not UTF-8: save it as CSV UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\uFEFF"))))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil {
		return "", nil, out, invalid("", "the file has no first line with the names of its columns: %s or %s, date, value", unitLearner, unitGroup)
	}
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
	}
	unit = unitLearner
	if slices.Contains(head, unitGroup) {
		unit = unitGroup
	}
	at := [3]int{slices.Index(head, unit), slices.Index(head, "date"), slices.Index(head, "value")}
	if len(head) == 1 && strings.ContainsAny(head[0], ";\t") {
		return "", nil, out, invalid("", "the columns of the file must be separated by commas")
	}
	if slices.Min(at[:]) < 0 || slices.Contains(head, unitGroup) && slices.Contains(head, unitLearner) {
		return "", nil, out, invalid("", "the first line must name the columns %s or %s (one of them), date and value", unitLearner, unitGroup)
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return unit, rows, out, nil
		}
		if err != nil {
			return "", nil, out, invalid("", "the file is no CSV: %v", err)
		}
		if len(rows)+out.UnmatchedCount == maxKPIRows {
			return "", nil, out, invalid("", "a KPI has at most %d rows", maxKPIRows)
		}
		line, _ := r.FieldPos(0)
		if len(record) <= slices.Max(at[:]) {
			out.leaveOut(line, "", "the row has too few columns")
			continue
		}
		if nameless(head, record) {
			out.leaveOut(line, record[at[0]], "the row has more columns than the first line names (write 3.5, with a point)")
			continue
		}
		row := kpiLine{line: line, text: strings.TrimSpace(record[at[0]]), date: strings.TrimSpace(record[at[1]])}
		if reason := row.read(record[at[2]], unit, hash); reason != "" {
			out.leaveOut(line, row.text, reason)
			continue
		}
		rows = append(rows, row)
	}
}

// nameless reports whether something stands in a column that has no name, as behind a decimal comma.
func nameless(head, record []string) bool {
	for i, field := range record {
		if field != "" && (i >= len(head) || head[i] == "") {
			return true
		}
	}
	return false
}

// read fills the row and says why it cannot be read.
func (l *kpiLine) read(value, unit string, hash fact.Hasher) (reason string) {
	ifi, err := identifier(l.text)
	if err != nil {
		return err.Error()
	}
	switch {
	case len(ifi.Value) == keyLength && ifi.Kind == "":
		l.unit, err = keyOf(ifi.Value, unit == unitGroup, hash)
	case unit == unitGroup:
		l.unit = hash.Group(ifi)
	default:
		l.unit = hash.Learner(ifi)
	}
	if err != nil {
		return "this is no key of a " + unit
	}
	if _, err := time.Parse(time.DateOnly, l.date); err != nil {
		return "the date is not written as 2026-01-31"
	}
	if l.value, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil || math.IsNaN(l.value) {
		return "the value is no number (write 3.5, with a point)"
	}
	if math.Abs(l.value) > maxKPIValue {
		return "the value is too large"
	}
	return ""
}

// keyLength is the length of a key as reports give it.
const keyLength = 16

// identifier reads who is meant: an e-mail address with or without mailto:, the SHA-1 of one, an account as homePage|name, an
// OpenID, or a key of a report, which comes back as a Value without a Kind.
func identifier(text string) (xapi.IFI, error) {
	homePage, name, isAccount := strings.Cut(text, "|")
	switch {
	case isAccount && strings.Contains(homePage, "://") && name != "":
		return xapi.IFI{Kind: xapi.Account, HomePage: homePage, Value: name}, nil
	case strings.HasPrefix(text, "mailto:"):
		return xapi.IFI{Kind: xapi.Mbox, Value: text}, nil
	case strings.Contains(text, "://"):
		return xapi.IFI{Kind: xapi.OpenID, Value: text}, nil
	case strings.Contains(text, "@"):
		return xapi.IFI{Kind: xapi.Mbox, Value: "mailto:" + text}, nil
	case len(text) == 40 && strings.Trim(strings.ToLower(text), "0123456789abcdef") == "":
		return xapi.IFI{Kind: xapi.MboxSHA1Sum, Value: strings.ToLower(text)}, nil
	case len(text) == keyLength:
		return xapi.IFI{Value: text}, nil
	}
	return xapi.IFI{}, errors.New("this is no e-mail address, no SHA-1 of one, no account as homePage|name, no OpenID and no key of a report")
}

func (i *KPIImport) leaveOut(line int, unit, reason string) {
	i.UnmatchedCount++
	if len(i.Unmatched) < maxUnmatched {
		i.Unmatched = append(i.Unmatched, Unmatched{line, unit, reason})
	}
}

// readers is how many ledgers an import looks at side by side.
const readers = 16

// knownUnits finds which units of a file have a statement.
func (s *Service) knownUnits(ctx context.Context, store auth.Store, unit string, rows []kpiLine) (map[fact.Hash]bool, error) {
	known := map[fact.Hash]bool{}
	if unit == unitGroup {
		for l, err := range s.Rows.Ledgers(ctx, store, fact.Hash{}, &rollup.Reads{Most: s.Bound * itemsPerLedger}) {
			if errors.Is(err, rollup.ErrTooManyReads) {
				return nil, &Refusal{ErrBound, "", "this store has too many learners to look for their groups at once"}
			}
			if err != nil {
				return nil, err
			}
			for i := range l.Facts {
				known[l.Facts[i].Group] = true
			}
		}
		delete(known, fact.Hash{})
		return known, nil
	}
	asked := map[fact.Hash]bool{}
	for _, r := range rows {
		asked[r.unit] = true
	}
	if len(asked) > s.Bound {
		return nil, &Refusal{ErrBound, "", fmt.Sprintf("the file has %d learners, and an import takes %d at most: send it in several, under several names", len(asked), s.Bound)}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	var mu sync.Mutex
	for unit := range asked {
		group.Go(func() error {
			l, err := s.Rows.Ledger(ctx, store, unit, &rollup.Reads{})
			if err == nil && len(l.Facts) > 0 {
				mu.Lock()
				known[unit] = true
				mu.Unlock()
			}
			return err
		})
	}
	return known, group.Wait()
}
