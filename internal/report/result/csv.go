package result

import "strconv"

// Header names the columns of the CSV: a rate has its counts and interval beside it, an amount how many it is of.
func (t *Table) Header() []string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.ID)
		for _, extra := range c.extras() {
			names = append(names, c.ID+"."+extra)
		}
	}
	return names
}

// Fields says which columns of the CSV, from 1, a column of the table has: the first and the last.
func (t *Table) Fields(column int) (first, last int) {
	first = 1
	for _, c := range t.Columns[:column] {
		first += 1 + len(c.extras())
	}
	return first, first + len(t.Columns[column].extras())
}

// extras are the further CSV columns of a column.
func (c Column) extras() []string {
	switch c.Kind {
	case Rate:
		return []string{"count", "of", "low", "high"}
	case Amount:
		return []string{"n", "low", "high"}
	}
	return nil
}

// Record is one row of the CSV. Numbers stand with a point and in full precision, what is hidden as "<5", what is not there is
// empty.
func (t *Table) Record(row Row) []string {
	var fields []string
	for i, c := range t.Columns {
		cell := row[i]
		fields = append(fields, cell.field(c.Kind))
		switch c.Kind {
		case Rate:
			count, of := "", ""
			if cell.State == Shown || cell.State == Few {
				count, of = strconv.FormatInt(cell.Count, 10), strconv.FormatInt(cell.Of, 10)
			}
			fields = append(fields, count, of)
		case Amount:
			n := ""
			if cell.State == Shown && cell.Of > 0 {
				n = strconv.FormatInt(cell.Of, 10)
			}
			fields = append(fields, n)
		default:
			continue
		}
		low, high := "", ""
		if cell.State == Shown && cell.Interval {
			low, high = number(cell.Low), number(cell.High)
		}
		fields = append(fields, low, high)
	}
	return fields
}

// field is the cell's own field.
func (c Cell) field(k Kind) string {
	if k == Label || k == Text {
		return safe(c.Text)
	}
	switch c.State {
	case Shown:
		return number(c.Value)
	case Small, Banded:
		return c.Text
	case Withheld:
		return WithheldWord
	}
	return ""
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// safe keeps a spreadsheet from taking text for a formula: names come from the public. A text that begins with an
// apostrophe gets another, so that taking one away gives the text back.
func safe(text string) string {
	if text == "" {
		return ""
	}
	switch text[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n', '\'':
		return "'" + text
	}
	return text
}
