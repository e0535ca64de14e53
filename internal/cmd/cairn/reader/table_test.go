package reader

import (
	"encoding/json/jsontext"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const twoRows = `{"title":"Contents","range":{"from":"2026-01-01","to":"2026-01-31","timeZone":"UTC"},
	"columns":[{"id":"content","title":"Content","kind":"label"},{"id":"learners","title":"Learners","kind":"count"},{"id":"rate","title":"Completion rate","kind":"rate","unit":"share"}],
	"rows":[{"content":"http://example.com/a","learners":{"value":1284},"rate":{"value":0.477,"count":612,"of":1284}},
	        {"content":"http://example.com/a\u0007-rather-long-path-that-has-no-blank-in-it","learners":{"suppressed":"<5"},"rate":{"missing":"not enough data"}}],
	"total":{"content":"all","learners":{"value":1286},"rate":{"count":7,"of":9}},
	"notes":["A note."],"read":{"road":"ledgers","items":12,"learners":3}}`

// A table stands in lines of columns, and where the terminal is too narrow for that each row is told line by line.
func TestTableOnATerminal(t *testing.T) {
	a, err := readAnswer(strings.NewReader(twoRows))
	if err != nil {
		t.Fatal(err)
	}
	const table = `Contents, 2026-01-01 to 2026-01-31, UTC

Content                                           Learners  Completion rate
http://example.com/a                              1284      47.7 % (612 of 1284)
….com/a-rather-long-path-that-has-no-blank-in-it  <5        -
all                                               1286      7 of 9

A note.

Read from ledgers: 12 rows, 3 learners.
`
	const records = `Contents, 2026-01-01 to 2026-01-31, UTC

Content          http://example.com/a
Learners         1284
Completion rate  47.7 % (612 of 1284)

Content          ….com/a-rather-long-path-that-has-no-blank-in-it
Learners         <5
Completion rate  -

Content          all
Learners         1286
Completion rate  7 of 9

A note.

Read from ledgers: 12 rows, 3 learners.
`
	for width, want := range map[int]string{0: table, 80: table, 79: records, 20: records} {
		var out strings.Builder
		if err := a.Write(&out, width); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("of %d columns (-want +got):\n%s", width, diff)
		}
	}
}

// A cell says a share with what it is of, and of 10 to 29 with its interval; of fewer the API tells none. Source: definitions,
// section 7 and 8.
func TestCellsForPeople(t *testing.T) {
	for _, test := range []struct {
		of         column
		cell, want string
	}{
		{column{Kind: "rate"}, `{"value":0.7,"count":7,"of":10,"low":0.396778,"high":0.892209}`, "70.0 % (7 of 10, 39.7 % to 89.2 %)"},
		{column{Kind: "rate"}, `{"value":0.75,"count":45,"of":60,"low":0.627679,"high":0.842235}`, "75.0 % (45 of 60)"},
		{column{Kind: "rate"}, `{"value":0.0004,"count":4,"of":10000,"low":0,"high":0.001}`, "<0.1 % (4 of 10000)"},
		{column{Kind: "rate"}, `{"count":7,"of":9}`, "7 of 9"},
		{column{Kind: "rate"}, `{"suppressed":"banded","band":"≥ 90 %"}`, "≥ 90 %"},
		{column{Kind: "rate"}, `{"suppressed":"withheld"}`, "withheld"},
		{column{Kind: "rate"}, `{"missing":"not tracked"}`, "not tracked"},
		{column{Kind: "amount", Unit: "s"}, `{"value":200,"n":3}`, "3 min 20 s"},
		{column{Kind: "amount", Unit: "share"}, `{"value":0.25,"n":3}`, "25.0 %"},
		{column{Kind: "amount"}, `{"value":0.969554}`, "0.97"},
		{column{Kind: "text"}, `"a\u001b[31m\u202eb"`, "a[31mb"},
	} {
		if got := test.of.cell(jsontext.Value(test.cell)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.cell, got, test.want)
		}
	}
}
