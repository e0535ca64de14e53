package reader

import (
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
