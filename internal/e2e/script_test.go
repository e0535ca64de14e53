package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const text = `# A comment.
for each version in 1.0.3 2.0.0
in any order: one two
make id = uuid
let object =
  {"id":"http://example.org/a",

  "objectType":"Activity"}
section one
as B
PUT /statements
? statementId = {{id}}
? empty =
X-Name: some value
without Authorization

  {"a":1}

  {"b":2}
expect 200 or 204
header ETag absent
json $.statements[0]['http://a b'] = 1
json $.ok is set
  ["a",
  "b"]
save more = json $.more
section two
wait until consistent
GET @{{more}}
follow more
follow redirect
eventually
expect 200
parts 2
part 1
body lacks x
section after
check {{a}} < {{b}}
`
	got, err := Parse("name.http", strings.ReplaceAll(text, "['http://a b']", "['http://a/b']"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Script{
		Name: "name.http", Variable: "version", Values: []string{"1.0.3", "2.0.0"}, AnyOrder: []string{"one", "two"},
		Sections: []Section{
			{Steps: []Step{
				{Line: 4, Verb: "make", Name: "id", Text: "uuid"},
				{Line: 5, Verb: "let", Name: "object", Text: "{\"id\":\"http://example.org/a\",\n\n\"objectType\":\"Activity\"}"},
			}},
			{Name: "one", Steps: []Step{
				{Line: 10, Verb: "as", Text: "B"},
				{Line: 11, Verb: "request", Request: &Request{
					Method: "PUT", Path: "/statements",
					Query:   []Pair{{"statementId", "{{id}}"}, {"empty", ""}},
					Header:  []Pair{{"X-Name", "some value"}},
					Without: []string{"Authorization"},
					Body:    "{\"a\":1}\n\n{\"b\":2}", HasBody: true,
					Status: []int{200, 204},
					Checks: []Check{
						{Line: 21, Subject: "header", Of: "ETag", Op: "absent"},
						{Line: 22, Subject: "json", Of: "$.statements[0]['http://a/b']", Op: "=", Value: "1"},
						{Line: 23, Subject: "json", Of: "$.ok", Op: "is set", Value: "[\"a\",\n\"b\"]"},
						{Line: 26, Subject: "save", Of: "more", Op: "json", Value: "$.more"},
					},
				}},
			}},
			{Name: "two", Steps: []Step{
				{Line: 28, Verb: "wait"},
				{Line: 29, Verb: "request", Request: &Request{
					Method: "GET", Path: "@{{more}}", FollowMore: true, FollowRedirect: true, Eventually: true, Status: []int{200},
					Checks: []Check{
						{Line: 34, Subject: "parts", Value: "2"},
						{Line: 35, Subject: "part", Value: "1"},
						{Line: 36, Subject: "body", Op: "lacks", Value: "x"},
					},
				}},
			}},
			{Name: "after", Steps: []Step{{Line: 38, Verb: "check", Text: "{{a}} < {{b}}"}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("script (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a request without an expectation", "GET /statements\n", "line 1: the request expects nothing"},
		{"a line of no kind", "hello\n", "line 1"},
		{"an indented line below an expectation", "GET /\nexpect 200\n  x\n", "line 3: an indented line belongs to nothing"},
		{"an indented line at the start", "  x\n", "line 1: an indented line belongs to nothing"},
		{"two bodies", "POST /\n  a\nX: y\n  b\nexpect 200\n", "line 4: a second body"},
		{"a check of no kind", "GET /\nexpect 200\nheader X > 3\n", "line 3: cannot read the check"},
		{"an unknown status", "GET /\nexpect ok\n", "line 2: want expect STATUS"},
		{"a bound of time", "GET /\nexpect 200 within 1s\n", "line 2: want expect STATUS"},
		{"sections in another order", "in any order: a b\nsection b\nsection a\n", "do not follow each other"},
		{"sections that are not there", "in any order: a b\n", "do not follow each other"},
		{"two variables", "for each a in b\nfor each c in d\n", "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("x", tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse: %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	all, err := scripts.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range all {
		text, err := scripts.ReadFile("testdata/" + entry.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		script, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		for _, section := range script.Sections {
			for _, step := range section.Steps {
				if step.Line < 1 || step.Line > strings.Count(text, "\n")+1 {
					t.Errorf("a step on line %d of %d", step.Line, strings.Count(text, "\n")+1)
				}
				if step.Verb == "request" && len(step.Request.Status) == 0 {
					t.Error("a request that expects nothing")
				}
			}
		}
	})
}

func TestVariants(t *testing.T) {
	script, err := Parse("x", "for each v in 1 2\nin any order: a b\nsection a\nlet x = a\nsection b\nlet x = b\nsection end\nlet x = end\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, variant := range script.variants() {
		steps := variant.name + ":"
		for _, step := range script.steps(variant.order) {
			steps += " " + step.Text
		}
		got = append(got, steps)
	}
	want := []string{"/1/a-b: a b end", "/1/b-a: b a end", "/2/a-b: a b end", "/2/b-a: b a end"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variants (-want +got):\n%s", diff)
	}
}
