package requirements

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func lists(t *testing.T) []Part {
	t.Helper()
	parts, err := Parts()
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// withoutRow are ids of adlnet/xapi-lrs-conformance-requirements that no row cites: they ask for what the specification does
// not say.
var withoutRow = map[int]bool{95: true, 136: true, 137: true, 152: true, 223: true}

// TestEveryRequirementOfADL: the other list of 1.0.3's requirements, numbered from 1 to 336, is in ours.
func TestEveryRequirementOfADL(t *testing.T) {
	cited := make(map[string]string)
	for _, row := range Rows(lists(t)) {
		for _, id := range row.ADL {
			if other, found := cited[id]; found {
				t.Errorf("XAPI-%s is cited by %s and %s", id, other, row.ID)
			}
			cited[id] = row.ID
		}
	}
	for n := 1; n <= 336; n++ {
		if _, found := cited[fmt.Sprintf("%05d", n)]; found == withoutRow[n] {
			t.Errorf("XAPI-%05d: cited %v, and known to have no row: %v", n, found, withoutRow[n])
		}
	}
	if len(cited) != 336-len(withoutRow) {
		t.Errorf("%d are cited, beyond 336 too", len(cited))
	}
}

func TestLists(t *testing.T) {
	counts := make(map[string]int)
	for _, part := range lists(t) {
		for _, section := range part.Sections {
			if len(section.Rows) == 0 {
				t.Errorf("section %s of %s is empty", section.Number, part.Title)
			}
			counts[part.Letter] += len(section.Rows)
		}
	}
	for letter, n := range counts {
		t.Logf("requirements that begin with %s: %d", letter, n)
	}
	if len(counts) != 3 {
		t.Errorf("the lists begin with %v", counts)
	}
}

func TestParse(t *testing.T) {
	const head = "== 1.1 Title\n"
	for _, tt := range []struct{ name, text, want string }{
		{"rows", head + "D1.1-1: One. [00001 00002]\nD1.1-2: Two [of them].\n  not here: because.\n\n== 2.0 Other\nD2.0-1: Three.\n", ""},
		{"a number left out", head + "D1.1-2: Two.\n", "line 2: D1.1-2 is not the id"},
		{"of another section", head + "D1.2-1: One.\n", "line 2: D1.2-1 is not the id"},
		{"of another part", head + "C1.1-1: One.\n", "is not the id"},
		{"before any section", "D1.1-1: One.\n", "is not the id"},
		{"a section twice", head + "D1.1-1: One.\n" + head + "D1.1-1: One.\n", "line 4"},
		{"a reason for nothing", head + "  not here: because.\n", "line 2: want"},
		{"something else", head + "text\n", `not "text"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			part := Part{Letter: "D"}
			err := part.parse(tt.text, map[string]bool{})
			if tt.want == "" {
				want := []Section{
					{"1.1", "Title", []Row{{ID: "D1.1-1", Text: "One.", ADL: []string{"00001", "00002"}}, {ID: "D1.1-2", Text: "Two [of them].", Why: "because."}}},
					{"2.0", "Other", []Row{{ID: "D2.0-1", Text: "Three."}}},
				}
				if diff := cmp.Diff(want, part.Sections, cmpopts.EquateEmpty()); err != nil || diff != "" {
					t.Errorf("%v\n%s", err, diff)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestOf(t *testing.T) {
	for version, want := range map[string][]string{"1.0.3": {"C1-1", "D1-1"}, "1.0": {"C1-1", "D1-1"}, "2.0.0": {"L1-1"}} {
		if diff := cmp.Diff(want, Of(version, "D1-1 L1-1", "C1-1 D1-1")); diff != "" {
			t.Errorf("%s: %s", version, diff)
		}
	}
}

func TestFaults(t *testing.T) {
	rows := []Row{{ID: "D1-1", Text: "One."}, {ID: "D1-2", Text: "Two."}, {ID: "D1-3", Why: "because."}, {ID: "D1-4", Why: "so it is"}}
	proofs := make(Proofs)
	proofs.Add("example.org/internal/x", "TestA/b", []string{"D1-1", "D9-9", "D1-4"})
	part := []string{
		"D1-4 does not concern Cairn (so it is), says its list, and yet x TestA/b proves it",
		"D9-9 is in no list of requirements; x TestA/b names it",
	}
	if diff := cmp.Diff(part, proofs.Faults(rows, false)); diff != "" {
		t.Errorf("part of the tests: %s", diff)
	}
	if diff := cmp.Diff(append([]string{"D1-2 has no test that passed: Two."}, part...), proofs.Faults(rows, true)); diff != "" {
		t.Errorf("all tests: %s", diff)
	}
}

func TestPage(t *testing.T) {
	proofs := make(Proofs)
	for _, test := range []string{"TestScripts/store/1.0.3", "TestScriptsWithLateIndexes/store/1.0.2"} {
		proofs.Add("example.org/internal/e2e", test, []string{"D1.1-1"})
	}
	proofs.Add("example.org/internal/e2e/cloud", "TestScripts/scripts/store/1.0.3", []string{"D1.1-1"})
	for _, test := range []string{"TestB", "TestC/<d|e>", "TestA"} {
		proofs.Add("example.org/internal/x", test, []string{"D1.1-1"})
	}
	parts := []Part{{Title: "Part", Letter: "D", Sections: []Section{{"1.1", "Title", []Row{
		{ID: "D1.1-1", Text: "One | <two>.", ADL: []string{"00001"}}, {ID: "D1.1-2", Text: "Two.", Why: "because."},
	}}}}}
	_, got, _ := strings.Cut(Page(parts, proofs), "\n\n## ")
	want := `Part

2 requirements, of which 1 do not concern Cairn.

### 1.1 Title

| id | requirement | tests |
|---|---|---|
| D1.1-1 | One \| &lt;two&gt;. <sub>XAPI-00001</sub> | [store.http](../e2e/testdata/store.http)<br>x TestA<br>x TestB<br>and 1 more |
| D1.1-2 | Two. | does not concern Cairn: because. |
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
