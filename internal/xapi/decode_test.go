package xapi

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const smallStatement = `{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":{"id":"x:z"}}`

func TestDecodedStatement(t *testing.T) {
	got := mustDecode(t, replaced(t, replaced(t, fullStatement, "/context/contextAgents", contextAgents), "/context/contextGroups", contextGroups), V2)
	activity := func(id string) *Activity { return &Activity{ID: id} }
	want := &Statement{
		ID: "7ccd3322-e1a5-411a-a67d-6a735c76f119",
		Event: Event{
			Actor:  &Actor{Name: "Ann", IFI: IFI{Kind: Mbox, Value: "mailto:ann@example.com"}},
			Verb:   Verb{ID: "http://adlnet.gov/expapi/verbs/answered"},
			Object: Object{Kind: ActivityObject, Activity: activity("http://example.com/quiz/1")},
			Result: &Result{Duration: "PT1H0.25S"},
			Context: &Context{
				Registration: "ec531277-b57b-4c15-8d91-d292c5b2b8f7",
				Instructor:   &Actor{IFI: IFI{Kind: Account, HomePage: "http://example.com", Value: "teacher"}},
				Team:         &Actor{Group: true, Name: "Team", Members: []*Actor{{IFI: IFI{Kind: OpenID, Value: "http://ann.example.com"}}}},
				Parent:       []*Activity{activity("http://example.com/quiz")},
				Grouping:     []*Activity{activity("http://example.com/course")},
				Other:        []*Activity{activity("urn:x:other")},
				StatementRef: "16fd2706-8baf-433b-82eb-8c7fada847da",
				Agents:       []*Actor{{IFI: IFI{Kind: Mbox, Value: "mailto:carl@example.com"}}},
				Groups:       []*Actor{{Group: true, Members: []*Actor{{IFI: IFI{Kind: Mbox, Value: "mailto:dora@example.com"}}}}},
			},
			Timestamp: "2026-05-01T10:00:00.1234567Z",
			Attachments: []Attachment{{UsageType: "http://example.com/usage", ContentType: "text/plain; charset=utf-8", Length: 27,
				SHA2: "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a", FileURL: "http://example.com/essay.txt"}},
		},
		Authority: &Actor{IFI: IFI{Kind: MboxSHA1Sum, Value: "da39a3ee5e6b4b0d3255bfef95601890afd80709"}},
		Stored:    "2026-05-01T12:00:00Z",
		Version:   "1.0.3",
	}
	options := cmp.Options{cmpopts.IgnoreUnexported(Statement{}), cmpopts.IgnoreFields(Activity{}, "Definition"), cmpopts.IgnoreFields(Verb{}, "Display")}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Error(diff)
	}
	if !bytes.Contains(got.Object.Activity.Definition, []byte("correctResponsesPattern")) || !bytes.HasPrefix(got.Verb.Display, []byte(`{"en-US"`)) {
		t.Errorf("definition %s\ndisplay %s", got.Object.Activity.Definition, got.Verb.Display)
	}
}

func TestDecodedSubStatement(t *testing.T) {
	s := mustDecode(t, replaced(t, smallStatement, "/object", subStatement), V1)
	if s.Object.Kind != SubStatementObject || s.Object.Sub.Timestamp != "2029-12-31T23:00:00Z" || s.Object.Sub.Object.Activity.ID != "http://example.com/trip" {
		t.Errorf("substatement is %+v", s.Object.Sub)
	}
	var activities, attachments []string
	s.EachActivity(func(a *Activity) { activities = append(activities, a.ID) })
	s.EachAttachment(func(path string, _ Attachment) { attachments = append(attachments, path) })
	if diff := cmp.Diff([]string{"http://example.com/trip", "http://example.com/travel"}, activities); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/object/attachments/0"}, attachments); diff != "" {
		t.Error(diff)
	}
	if _, ok := s.Refers(); ok {
		t.Error("a SubStatement is taken for a reference")
	}
}

func TestDecodeStatements(t *testing.T) {
	id := `"id":"16fd2706-8baf-433b-82eb-8c7fada847da",`
	withID := "{" + id + smallStatement[1:]
	tests := []struct {
		name   string
		body   string
		count  int
		single bool
		meets  string
		fault  *Error // Rule is a part of the text; Section is not compared
	}{
		{name: "one object", body: smallStatement, count: 1, single: true},
		{name: "one in an array", body: "[" + smallStatement + "]", count: 1},
		{name: "two", body: " [ " + smallStatement + " , " + smallStatement + " ] \n", count: 2},
		{name: "none", body: "[]", count: 0},
		{name: "a hundred", body: "[" + strings.Repeat(smallStatement+",", 99) + smallStatement + "]", count: 100},
		{name: "a hundred and one", body: "[" + strings.Repeat(smallStatement+",", 100) + smallStatement + "]", fault: &Error{Statement: -1, Rule: "more than 100 statements", TooLarge: true}},
		{name: "an id twice", body: "[" + withID + "," + strings.Replace(withID, "fada", "FADA", 1) + "]", fault: &Error{Statement: 1, Path: "/id", Rule: "the same id"}, meets: "L4.1.6.1-5"},
		{name: "the third is wrong", body: "[" + smallStatement + "," + smallStatement + `,{"actor":{"mbox":"x"}}]`, fault: &Error{Statement: 2, Path: "/actor/mbox", Rule: "mailto"}},
		{name: "the second is no object", body: "[" + smallStatement + `,5]`, fault: &Error{Statement: 1, Rule: "must be an object"}, meets: "D2.2-7 L4.2.1-1"},
		{name: "the second is null", body: "[" + smallStatement + `,null]`, fault: &Error{Statement: 1, Rule: "null"}},
		{name: "an array in an array", body: "[[" + smallStatement + `]]`, fault: &Error{Statement: 0, Rule: "must be an object"}},
		{name: "nothing", body: "", fault: &Error{Statement: 0, Rule: "ends too early"}},
		{name: "a string", body: `"x"`, fault: &Error{Statement: 0, Rule: "must be an object"}},
		{name: "truncated", body: "[" + smallStatement[:30], fault: &Error{Statement: 0, Path: "/actor/mbox", Rule: "ends too early"}},
		{name: "array not closed", body: "[" + smallStatement, fault: &Error{Statement: 1, Rule: "ends too early"}},
		{name: "something after", body: smallStatement + smallStatement, fault: &Error{Statement: -1, Rule: "one JSON value"}},
		{name: "rubbish after", body: smallStatement + "x", fault: &Error{Statement: -1, Rule: "the JSON is not valid"}},
		{name: "single quotes", body: strings.ReplaceAll(smallStatement, `"`, `'`), fault: &Error{Statement: 0, Rule: "the JSON is not valid"}},
		{name: "comma at the end", body: smallStatement[:len(smallStatement)-1] + ",}", fault: &Error{Statement: 0, Rule: "the JSON is not valid"}},
		{name: "byte order mark", body: "\ufeff" + smallStatement, fault: &Error{Statement: 0, Rule: "the JSON is not valid"}},
		{name: "bad UTF-8", body: strings.Replace(smallStatement, "x:y", "x:\xff", 1), fault: &Error{Statement: 0, Path: "/verb/id", Rule: "UTF-8"}, meets: "C1.4-1 L4.1.2-1"},
		{name: "half a surrogate pair", body: strings.Replace(smallStatement, "x:y", `x:\ud800`, 1), fault: &Error{Statement: 0, Path: "/verb/id", Rule: "the JSON is not valid"}, meets: "C1.4-1 L4.1.2-1"},
		{name: "property twice", body: `{"verb":{"id":"x:y"},` + smallStatement[1:], fault: &Error{Statement: 0, Path: "/verb", Rule: "twice"}, meets: "D2.2-1 L4.2.1-4"},
		{name: "property twice by an escape", body: `{"v\u0065rb":{"id":"x:y"},` + smallStatement[1:], fault: &Error{Statement: 0, Path: "/verb", Rule: "twice"}, meets: "D2.2-1 L4.2.1-4"},
		{name: "property twice inside an extension", body: `{"result":{"extensions":{"x:e":[{"a":1,"a":2}]}},` + smallStatement[1:], fault: &Error{Statement: 0, Path: "/result/extensions/x:e/0/a", Rule: "twice"}, meets: "D2.2-1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, version := range versionsOf("") {
				batch, single, err := DecodeStatements([]byte(test.body), version, DefaultLimits)
				if test.fault == nil {
					if err != nil || len(batch) != test.count || single != test.single {
						t.Errorf("got %d statements, single %v, error %v", len(batch), single, err)
					}
					continue
				}
				var fault *Error
				if !errors.As(err, &fault) || batch != nil {
					t.Fatalf("got %d statements, error %v", len(batch), err)
				}
				if !strings.Contains(fault.Rule, test.fault.Rule) {
					t.Errorf("the rule is %q, want it to name %q", fault.Rule, test.fault.Rule)
				}
				if diff := cmp.Diff(test.fault, fault, cmpopts.IgnoreFields(Error{}, "Rule", "Section")); diff != "" {
					t.Error(diff)
				}
				meets(t, version, test.meets)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	extension := func(value string) string {
		return `{"result":{"extensions":{"x:e":` + value + `}},` + smallStatement[1:]
	}
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	tests := []struct {
		name     string
		body     string
		valid    bool
		tooLarge bool
	}{
		{"256 levels", extension(nested(256)), true, false},
		{"257 levels", extension(nested(257)), false, true},
		{"257 levels of objects", extension(strings.Repeat(`{"a":`, 257) + "1" + strings.Repeat("}", 257)), false, true},
		{"10,000 levels", extension(nested(10_000)), false, true},
		{"a million levels, never closed", extension(strings.Repeat("[", 1_000_000)), false, true},
		{"10,000 levels where a string belongs", `{"actor":` + nested(10_000) + `}`, false, false},
		{"10,000 levels as the body", nested(10_000), false, false},
		{"a value of 200 kB", extension(`"` + strings.Repeat("a", 200_000) + `"`), true, false},
		{"a name of 99 kB", extension(`{"` + strings.Repeat("a", 99_000) + `":1}`), true, false},
		{"a name of 101 kB in an extension", extension(`{"` + strings.Repeat("a", 101_000) + `":1}`), false, true},
		{"a key of 101 kB", `{"result":{"extensions":{"x:` + strings.Repeat("a", 101_000) + `":1}},` + smallStatement[1:], false, true},
		{"an unknown property of 99 kB", `{"` + strings.Repeat("ä", 49_500) + `":1}`, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := DecodeStatements([]byte(test.body), V1, DefaultLimits)
			var fault *Error
			if test.valid {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.As(err, &fault) || fault.TooLarge != test.tooLarge {
				t.Fatalf("got %v", err)
			}
			if len(fault.Error()) > 1000 {
				t.Errorf("the error is %d bytes long", len(fault.Error()))
			}
		})
	}
}

// TestLinear counts what decoding allocates: twice the input may take twice as much
// and a little more, and what is refused must not be read to its end.
func TestLinear(t *testing.T) {
	wrap := func(prefix, one, suffix string) func(n int) string {
		return func(n int) string { return prefix + strings.Repeat(one+",", n-1) + one + suffix }
	}
	tail := smallStatement[1:]
	attachment := `{"usageType":"x:u","display":{"en":"x"},"contentType":"a/b","length":1,"sha2":"` + strings.Repeat("a", 64) + `"}`
	numbered := func(format, prefix, suffix string) func(n int) string {
		return func(n int) string {
			var b strings.Builder
			for i := range n {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, format, i)
			}
			return prefix + b.String() + suffix
		}
	}
	tests := []struct {
		name string
		body func(n int) string
		n    int
	}{
		{"members of a group", wrap(`{"actor":{"objectType":"Group","member":[`, `{"mbox":"mailto:a@example.com"}`, `]},"verb":{"id":"x:y"},"object":{"id":"x:z"}}`), 30_000},
		{"attachments", wrap(`{"attachments":[`, attachment, `],`+tail), 5_000},
		{"context activities", wrap(`{"context":{"contextActivities":{"other":[`, `{"id":"x:o"}`, `]}},`+tail), 20_000},
		{"elements of an extension", wrap(`{"result":{"extensions":{"x:e":[`, `{"a":[1,"b"]}`, `]}},`+tail), 100_000},
		{"names of an extension", numbered(`"%d":1`, `{"result":{"extensions":{"x:e":{`, `}}},`+tail), 20_000},
		{"keys of extensions", numbered(`"x:%d":1`, `{"result":{"extensions":{`, `}},`+tail), 20_000},
		{"choices", numbered(`{"id":"%d"}`, `{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":{"id":"x:z","definition":{"interactionType":"choice","choices":[`, `]}}}`), 20_000},
		{"escapes", func(n int) string {
			return `{"result":{"response":"` + strings.Repeat(`\u00e9`, n) + `"},` + tail
		}, 100_000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			measure := func(n int) (bytes, objects uint64) {
				body := []byte(test.body(n))
				return allocated(func() {
					s, err := DecodeStatement(body, V1, DefaultLimits)
					if err != nil {
						t.Fatal(err)
					}
					if !equal(s, s) {
						t.Error("not equal to itself")
					}
				})
			}
			measure(test.n) // fills the pools
			bytes1, objects1 := measure(test.n)
			bytes2, objects2 := measure(2 * test.n)
			if bytes2 > bytes1*5/2+100_000 || objects2 > objects1*5/2+100 {
				t.Errorf("%d take %d bytes in %d objects, %d take %d in %d", test.n, bytes1, objects1, 2*test.n, bytes2, objects2)
			}
		})
	}
	t.Run("a million statements", func(t *testing.T) {
		body := []byte("[" + strings.Repeat(smallStatement+",", 999_999) + smallStatement + "]")
		used, _ := allocated(func() {
			_, _, err := DecodeStatements(body, V1, DefaultLimits)
			var fault *Error
			if !errors.As(err, &fault) || !fault.TooLarge {
				t.Fatalf("got %v", err)
			}
		})
		if limit := uint64(500_000); used > limit {
			t.Errorf("refusing them takes %d bytes, want at most %d", used, limit)
		}
	})
}

func allocated(f func()) (bytes, objects uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs
}

// FuzzDecodeStatements holds the decoder to its promises on any input: what passes
// is strict JSON, what is stored of it passes again and is equal, and every format
// of that is JSON too.
func FuzzDecodeStatements(f *testing.F) {
	f.Add([]byte(fullStatement), true)
	f.Add([]byte("["+smallStatement+","+smallStatement+"]"), false)
	f.Add([]byte(replaced(f, smallStatement, "/object", subStatement)), false)
	f.Add([]byte(replaced(f, smallStatement, "/context", `{"contextAgents":`+contextAgents+`,"contextGroups":`+contextGroups+`}`)), true)
	f.Add([]byte(replaced(f, smallStatement, "/object", anyRef)), true)
	f.Fuzz(func(t *testing.T, body []byte, second bool) {
		version := V1
		if second {
			version = V2
		}
		received := bytes.Clone(body)
		batch, _, err := DecodeStatements(body, version, DefaultLimits)
		if !bytes.Equal(body, received) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			var fault *Error
			if !errors.As(err, &fault) || fault.Rule == "" || batch != nil {
				t.Fatalf("error %v with %d statements", err, len(batch))
			}
			return
		}
		if !jsontext.Value(body).IsValid() {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
		for _, s := range batch {
			stored := s.Render(storeEdits)
			again, err := DecodeStatement(stored, V2, DefaultLimits)
			if err != nil {
				t.Fatalf("stored form: %v\n%s", err, stored)
			}
			if !bytes.Equal(again.Render(Edits{Stored: storeEdits.Stored}), stored) {
				t.Fatalf("storing again changes\n%s", stored)
			}
			if !equal(s, again) {
				t.Fatalf("not equal to its stored form\n%s", stored)
			}
			for name, format := range map[string]func([]byte) ([]byte, error){
				"ids":       FormatIDs,
				"canonical": func(b []byte) ([]byte, error) { return FormatCanonical(b, "fr", func(string) []byte { return nil }) },
			} {
				out, err := format(stored)
				if err != nil {
					t.Fatalf("%s: %v\n%s", name, err, stored)
				}
				if _, err := DecodeStatement(out, V2, DefaultLimits); err != nil {
					t.Fatalf("%s: %v\n%s", name, err, out)
				}
			}
		}
	})
}

// BenchmarkDecode decodes and validates a statement of the usual size.
func BenchmarkDecode(b *testing.B) {
	body := []byte(benchmarkStatement)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeStatement(body, V1, DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRender makes the stored form of the same statement.
func BenchmarkRender(b *testing.B) {
	s := mustDecode(b, benchmarkStatement, V1)
	b.ReportAllocs()
	for b.Loop() {
		s.Render(storeEdits)
	}
}
