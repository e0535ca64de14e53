package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// TestPlantedMutantsApply holds the mutants to the code as it is, without trying them: each still has its lines, leaves a
// file that parses, and names a test that there is.
func TestPlantedMutantsApply(t *testing.T) {
	all, err := load(filepath.Join(root, planted))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) {
			files, err := m.apply(root)
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range files {
				if _, err := parser.ParseFile(token.NewFileSet(), name, text, 0); err != nil {
					t.Errorf("with the promise broken: %v", err)
				}
			}
			for _, named := range m.tests {
				if !hasTest(t, named) {
					t.Errorf("there is no test %s in %s", named.name, named.pkg)
				}
			}
		})
	}
	t.Logf("planted mutants: %d", len(all))
}

// holes are what an LRS can do wrong and pass the official suite all the same, 429 and quotas excepted, which Cairn has not; the
// numbered ones are promises that no test of the suite touches.
var holes = []string{
	"no authentication at all", "no paging", "a conflicting id answered as success", "Consistent-Through in the future", "transitive references",
	"403", "413", "limit=0", "more after a day", "State isolation by registration",
	"CORS", "gzip", "bodies over 32 kB", "batches of any size", "paging depth", "order under concurrent writes", "races on If-Match",
	"tenant isolation", "scopes", "attachments shared", "attachments over 16 kB", "persons",
	"1: equal re-send", "2: target older than since, referrer newer", "3: context.statement", "3: a StatementRef in a SubStatement",
	"4: A to B (voided) to C", "4: all six orders", "4: B never listed", "5: an agent known only as a member of contextGroups", "5: without related_agents no",
	"6: Agent mbox X finds a Group identified by X", "7: voidedStatementId of a live one", "7: a voiding statement", "7: voidedStatementId of an unknown one",
	"8: +02:00 comes back as Z", "8: in a SubStatement too", "8: milliseconds kept", "8: signature still accepted", "9: Last-Modified of a page in both orders",
	"10: canonical without Accept-Language", "11: more with attachments, ids, ascending", "11: more after restart and key rotation",
	"12: GET with gzip accepted, PUT with that ETag", "12: stale If-Match on a 1.0.x State PUT", "13: contextAgents under 1.0.x", "13: stored under 2.0, read under 1.0.3",
	"14: SHA-512 attachment round-trips", "15: PUT by form with Content-Type, If-Match", "15: PUT by form with UTF-8 content",
}

func TestEveryHoleHasAMutant(t *testing.T) {
	all, err := load(filepath.Join(root, planted))
	if err != nil {
		t.Fatal(err)
	}
	for _, hole := range holes {
		if !slices.ContainsFunc(all, func(m mutant) bool { return m.hole == hole }) {
			t.Errorf("nothing breaks %q", hole)
		}
	}
	for _, m := range all {
		if !slices.Contains(holes, m.hole) && !strings.HasPrefix(m.hole, "threats: ") {
			t.Errorf("%s: %q is no hole of the list", m.name, m.hole)
		}
	}
}

// hasTest looks for the function, and for the script that a subtest of TestScripts plays.
func hasTest(t *testing.T, named test) bool {
	function, rest, _ := strings.Cut(named.name, "/")
	if script, _, _ := strings.Cut(rest, "/"); function == "TestScripts" {
		_, err := os.Stat(filepath.Join(root, named.pkg, "testdata", script+".http"))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(root, named.pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+function+"(") {
			return true
		}
	}
	return false
}

func TestParse(t *testing.T) {
	const good = "# One\n# promise.\nhole: a hole\ntest: internal/x TestA/b\ntest: internal/y TestC\n--- old a.go\n\tx()\n--- new\n\ty()\n--- old b.go\nz\n--- new\n"
	m, err := parse("m", good)
	want := mutant{
		name: "m", promise: "One promise.", hole: "a hole", tests: []test{{"internal/x", "TestA/b"}, {"internal/y", "TestC"}},
		edits: []edit{{"a.go", "\tx()\n", "\ty()\n"}, {"b.go", "z\n", ""}},
	}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, %v; want %+v", m, err, want)
	}
	if got := m.tests[0].pattern(); got != "^TestA$/^b$" {
		t.Errorf("pattern: %s", got)
	}
	for _, bad := range []string{"", strings.Replace(good, "hole: a hole\n", "", 1), strings.Replace(good, "/y TestC", "/y", 1), strings.Replace(good, "y()", "x()", 1), strings.Replace(good, "--- new\n", "", 1), "text\n" + good} {
		if m, err := parse("m", bad); err == nil {
			t.Errorf("%q is read as %+v", bad, m)
		}
	}
}

func TestJudge(t *testing.T) {
	line := func(action, test, output string) string {
		return `{"Action":"` + action + `","Test":"` + test + `","Output":"` + output + `\n"}` + "\n"
	}
	for _, tt := range []struct {
		name, out string
		want      outcome
		said      string
	}{
		{"an assertion", line("run", "TestA/b/c", "=== RUN") + line("output", "TestA/b/c", "a_test.go:1: got 1, want 2") + line("fail", "TestA/b/c", ""), caught, "a_test.go:1: got 1, want 2"},
		{"passed", line("run", "TestA/b", "") + line("pass", "TestA/b", ""), survived, ""},
		{"another test failed", line("run", "TestA/b", "") + line("output", "TestA", "x") + line("fail", "TestA", ""), survived, ""},
		{"does not compile", `{"Action":"build-output","Output":"x.go:1: undefined: y\n"}` + "\n" + line("fail", "", ""), unbuilt, "x.go:1: undefined: y"},
		{"its server does not start", line("run", "TestA", "") + line("output", "TestA", "no server") + line("fail", "TestA", ""), unbuilt, "no server"},
		{"a panic", line("run", "TestA/b", "") + line("output", "TestA/b", "panic: nil") + line("fail", "TestA/b", ""), crashed, "panic: nil"},
		{"another name that begins so", line("run", "TestA/b", "") + line("fail", "TestA/bc", ""), survived, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, said := judge([]byte(tt.out), "TestA/b"); got != tt.want || said != tt.said {
				t.Errorf("got %q, %q; want %q, %q", got, said, tt.want, tt.said)
			}
		})
	}
}
