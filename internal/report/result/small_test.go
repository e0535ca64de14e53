package result_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/result"
)

// sample is a table such as contents by kind give: learners of whom some are new and the others come again, starts of which
// some were completed, and a total of what adds up.
func sample(t *rapid.T) (table *result.Table, truth [][]int) {
	table = &result.Table{
		Columns: []result.Column{
			{ID: "kind"},
			{ID: "learners", Kind: result.Count, Sums: true},
			{ID: "new", Kind: result.Count, Sums: true},
			{ID: "returning", Kind: result.Count, Sums: true},
			{ID: "completions", Kind: result.Count},
			{ID: "rate", Kind: result.Rate, Outcome: "completions", Whole: "learners"},
		},
		Splits: []result.Split{{Whole: "learners", Parts: []string{"new", "returning"}}},
		Parts:  []result.Part{{Whole: "learners", Some: "completions"}},
	}
	few := rapid.OneOf(rapid.IntRange(0, 8), rapid.IntRange(0, 60))
	sum := make([]int, 4)
	for range rapid.IntRange(1, 6).Draw(t, "rows") {
		fresh, again := few.Draw(t, "new"), few.Draw(t, "returning")
		all := fresh + again
		done := rapid.IntRange(0, all).Draw(t, "completed")
		values := []int{all, fresh, again, done}
		truth = append(truth, values)
		for i, v := range values {
			sum[i] += v
		}
		table.Rows = append(table.Rows, rowOf(values))
	}
	table.Total = rowOf(sum)
	truth = append(truth, sum)
	return table, truth
}

func rowOf(v []int) result.Row {
	row := result.Row{result.Named("row")}
	for _, n := range v {
		row = append(row, result.Counted(int64(n), n))
	}
	return append(row, result.Rated(int64(v[3]), int64(v[0]), v[0], v[3], v[0]-v[3]))
}

// A reader who knows that parts add up to wholes and rows to totals, and solves for what is hidden, finds no number that
// stands for fewer than k learners.
func TestWhatIsHiddenCannotBeSolved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const k = 5
		table, truth := sample(t)
		table.Protect(k)
		lines := append(table.Rows, table.Total)
		at := func(line, column int) int { return line*4 + column - 1 } // the unknowns are the counts
		equations := newSystem(len(lines) * 4)
		for i, line := range lines {
			for c := 1; c <= 4; c++ {
				if line[c].State == result.Shown {
					equations.add(map[int]float64{at(i, c): 1}, line[c].Value)
				}
			}
			equations.add(map[int]float64{at(i, 1): 1, at(i, 2): -1, at(i, 3): -1}, 0)
			if rate := line[5]; rate.State == result.Shown || rate.State == result.Few {
				equations.add(map[int]float64{at(i, 4): 1}, float64(rate.Count))
				equations.add(map[int]float64{at(i, 1): 1}, float64(rate.Of))
			}
		}
		for c := 1; c <= 3; c++ {
			sum := map[int]float64{at(len(table.Rows), c): -1}
			for i := range table.Rows {
				sum[at(i, c)] = 1
			}
			equations.add(sum, 0)
		}
		for i := range lines {
			for c := 1; c <= 4; c++ {
				if n := truth[i][c-1]; n > 0 && n < k && equations.fixes(map[int]float64{at(i, c): 1}) {
					t.Fatalf("line %d column %d: %d learners can be computed from what is shown", i, c, n)
				}
			}
			if rest := truth[i][0] - truth[i][3]; rest > 0 && rest < k && equations.fixes(map[int]float64{at(i, 1): 1, at(i, 4): -1}) {
				t.Fatalf("line %d: the %d learners who did not complete can be computed", i, rest)
			}
		}
	})
}

// system is a set of linear equations in echelon form.
type system struct {
	n    int
	rows [][]float64 // n coefficients and the right side
}

func newSystem(n int) *system { return &system{n: n} }

func (s *system) add(coefficients map[int]float64, right float64) {
	row := make([]float64, s.n+1)
	for i, c := range coefficients {
		row[i] = c
	}
	row[s.n] = right
	if row = s.reduce(row); pivot(row[:s.n]) >= 0 {
		s.rows = append(s.rows, row)
	}
}

// fixes reports whether the equations give the combination one value.
func (s *system) fixes(coefficients map[int]float64) bool {
	row := make([]float64, s.n+1)
	for i, c := range coefficients {
		row[i] = c
	}
	return pivot(s.reduce(row)[:s.n]) < 0
}

func (s *system) reduce(row []float64) []float64 {
	for changed := true; changed; { // rows are few; until no pivot of theirs is left
		changed = false
		for _, have := range s.rows {
			p := pivot(have[:s.n])
			if math.Abs(row[p]) < 1e-9 {
				continue
			}
			f := row[p] / have[p]
			for i := range row {
				row[i] -= f * have[i]
			}
			row[p] = 0
			changed = true
		}
	}
	return row
}

func pivot(row []float64) int {
	for i, v := range row {
		if math.Abs(v) > 1e-9 {
			return i
		}
	}
	return -1
}

func TestProtect(t *testing.T) {
	for _, test := range []struct {
		name string
		cell result.Cell
		k    int
		want string
	}{
		{"nobody is told", result.Counted(0, 0), 5, `{"value":0}`},
		{"four", result.Counted(40, 4), 5, `{"suppressed":"<5"}`},
		{"five", result.Counted(40, 5), 5, `{"value":40}`},
		{"five of k ten", result.Counted(40, 5), 10, `{"suppressed":"<10"}`},
		{"an amount of few", result.Measured(12.5, 4, 4), 5, `{"suppressed":"<5"}`},
		{"an amount", result.Measured(12.5, 8, 6), 5, `{"value":12.5,"n":8}`},
		{"not about learners", result.Measured(1, 1, result.NotPersonal), 5, `{"value":1,"n":1}`},
		{"not tracked", result.Absent(result.Untracked), 5, `{"missing":"not tracked"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := &result.Table{Columns: []result.Column{{ID: "x", Kind: result.Amount}}, Rows: []result.Row{{test.cell}}}
			table.Protect(test.k)
			got, err := table.Rows[0][0].JSON(table.Columns[0])
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestProtectRates(t *testing.T) {
	for _, test := range []struct {
		name string
		cell result.Cell
		want string
	}{
		{"of few", result.Rated(3, 8, 8, 0, 8).Within(0.1, 0.7), `{"count":3,"of":8}`}, // hits of a learner who is not counted
		{"all of few", result.Rated(9, 9, 9, 9, 0), `{"count":9,"of":9}`},
		{"of some", result.Rated(10, 20, 20, 10, 10).Within(0.25, 0.75), `{"value":0.5,"count":10,"of":20,"low":0.25,"high":0.75}`},
		{"nearly all", result.Rated(58, 60, 60, 58, 2), `{"suppressed":"banded","band":"≥ 90 %"}`},
		{"nearly none", result.Rated(2, 60, 60, 2, 58), `{"suppressed":"banded","band":"≤ 10 %"}`},
		{"a tenth between", result.Rated(17, 20, 20, 17, 3), `{"suppressed":"banded","band":"80 to 90 %"}`},
		{"a band would tell", result.Rated(16, 19, 19, 16, 3), `{"suppressed":"withheld"}`},
		{"everybody", result.Rated(40, 40, 40, 40, 0), `{"value":1,"count":40,"of":40}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := &result.Table{Columns: []result.Column{{ID: "x", Kind: result.Rate}}, Rows: []result.Row{{test.cell}}}
			table.Protect(5)
			got, err := table.Rows[0][0].JSON(table.Columns[0])
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

// What would tell a hidden number goes with it, however the two stand to each other.
func TestProtectTables(t *testing.T) {
	number := func(n int64) result.Cell { return result.Counted(n, int(n)) }
	rated := func(count, of int) result.Cell { return result.Rated(int64(count), int64(of), of, count, of-count) }
	for _, test := range []struct {
		name  string
		table result.Table
		want  []string // CSV
	}{
		{"a single part is its whole", result.Table{
			Columns: []result.Column{{ID: "all", Kind: result.Count}, {ID: "new", Kind: result.Count, Sums: true}, {ID: "returning", Kind: result.Count}},
			Splits:  []result.Split{{Whole: "all", Parts: []string{"new", "returning"}}},
			Rows:    []result.Row{{number(8), number(3), number(5)}, {number(10), number(10), number(0)}, {number(50), number(20), number(30)}},
			Total:   result.Row{number(68), number(33), number(35)},
		}, []string{"8,<5,withheld", "withheld,withheld,0", "50,20,30", "68,33,35"}},
		{"a second row, of which there is something", result.Table{
			Columns: []result.Column{{ID: "all", Kind: result.Count, Sums: true}},
			Rows:    []result.Row{{number(40)}, {number(0)}, {number(3)}, {number(20)}},
			Total:   result.Row{number(63)},
		}, []string{"40", "0", "<5", "withheld", "63"}},
		{"the total, where there is no second row", result.Table{
			Columns: []result.Column{{ID: "all", Kind: result.Count, Sums: true}},
			Rows:    []result.Row{{number(0)}, {number(3)}},
			Total:   result.Row{result.Counted(3, 8)},
		}, []string{"0", "<5", "withheld"}},
		{"a part, and the rest of few", result.Table{
			Columns: []result.Column{{ID: "all", Kind: result.Count}, {ID: "done", Kind: result.Count}},
			Parts:   []result.Part{{Whole: "all", Some: "done"}},
			Rows:    []result.Row{{number(40), number(36)}, {number(40), number(35)}, {number(40), number(40)}},
		}, []string{"40,withheld", "40,35", "40,40"}},
		{"a share of the row above, which is not told", result.Table{
			Columns: []result.Column{{ID: "learners", Kind: result.Count}, {ID: "of", Kind: result.Rate, Outcome: "learners", Above: true}},
			Rows:    []result.Row{{number(100), rated(100, 100)}, {number(97), rated(97, 100)}, {number(50), rated(50, 97)}, {number(25), rated(25, 50)}, {number(0), rated(0, 25)}},
		}, []string{"100,1,100,100,,", "withheld,≥ 90 %,,,,", "withheld,50 to 60 %,,,,", "withheld,50 to 60 %,,,,", "withheld,≤ 10 %,,,,"}},
		{"the outcome of a share that is not told", result.Table{
			Columns: []result.Column{{ID: "all", Kind: result.Count}, {ID: "done", Kind: result.Count}, {ID: "rate", Kind: result.Rate, Outcome: "done", Whole: "all"}},
			Rows:    []result.Row{{number(19), number(16), rated(16, 19)}, {number(30), number(28), rated(28, 30)}, {number(20), number(10), rated(10, 20)}},
		}, []string{"19,withheld,withheld,,,,", "30,withheld,≥ 90 %,,,,", "20,10,0.5,10,20,,"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.table.Protect(5)
			var got []string
			for _, line := range test.table.Lines() {
				got = append(got, strings.Join(test.table.Record(line), ","))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is hidden gives its place in the order away no more than its value.
func TestSortLeavesHiddenCellsLast(t *testing.T) {
	table := &result.Table{Columns: []result.Column{{ID: "name"}, {ID: "learners", Kind: result.Count}}, Rows: []result.Row{
		{result.Named("b"), result.Counted(4, 4)},
		{result.Named("c"), result.Counted(9, 9)},
		{result.Named("a"), result.Counted(2, 2)},
		{result.Named("d"), result.Counted(30, 30)},
	}}
	table.Protect(5)
	for _, test := range []struct {
		descending bool
		want       string
	}{{true, "dcab"}, {false, "cdab"}} {
		if !table.Sort("learners", test.descending) {
			t.Fatal("the column is not found")
		}
		got := ""
		for _, row := range table.Rows {
			got += row[0].Text
		}
		if got != test.want {
			t.Errorf("descending %v: %s, want %s", test.descending, got, test.want)
		}
	}
}

// Whatever a learner calls themselves, a spreadsheet takes it for text, and nothing of it is lost.
func TestCSVCellsAreNoFormulas(t *testing.T) {
	begins := []string{"=", "+", "-", "@", "\t", "\r", "\n", "'", "a", ""}
	kinds := []result.Kind{result.Label, result.Text}
	check := func(t interface{ Fatalf(string, ...any) }, name string, kind result.Kind) {
		table := &result.Table{Columns: []result.Column{{ID: "name", Kind: kind}}, Rows: []result.Row{{result.Named(name)}}}
		got := table.Record(table.Rows[0])[0]
		if got != "" {
			switch got[0] {
			case '=', '+', '-', '@', '\t', '\r', '\n':
				t.Fatalf("%q begins a formula", got)
			}
		}
		back := got
		if got != "" && got[0] == '\'' {
			back = got[1:]
		}
		if back != name {
			t.Fatalf("%q came back as %q", name, back)
		}
	}
	for _, kind := range kinds {
		for _, begin := range begins {
			check(t, begin, kind)
			check(t, begin+"1+1", kind)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.SampledFrom(begins).Draw(t, "begin")+rapid.String().Draw(t, "rest"), rapid.SampledFrom(kinds).Draw(t, "kind"))
	})
}
