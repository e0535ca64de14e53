package document

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMerge(t *testing.T) {
	tests := []struct{ name, stored, posted, want string }{
		{"the specification's example", `{"x":"foo","y":"bar"}`, `{"x":"bash","z":"faz"}`, `{"x":"bash","y":"bar","z":"faz"}`},
		{"one level only", `{"a":{"b":1,"c":2}}`, `{"a":{"b":3}}`, `{"a":{"b":3}}`},
		{"null is a value", `{"a":1}`, `{"a":null}`, `{"a":null}`},
		{"nothing posted", `{"a":1}`, `{}`, `{"a":1}`},
		{"nothing stored", `{}`, `{"a":1}`, `{"a":1}`},
		{"numbers and spaces keep their bytes", `{"n":1.0, "e" : 1e2 }`, "{\"m\":12345678901234567890.10,\n\"o\":{ \"k\" : [ ] }}", `{"n":1.0,"e":1e2,"m":12345678901234567890.10,"o":{ "k" : [ ] }}`},
		{"names are compared unescaped and keep their bytes", `{"\u0061":1}`, `{"a":2}`, `{"\u0061":2}`},
		{"names differ by case", `{"a":1}`, `{"A":2}`, `{"a":1,"A":2}`},
		{"an empty name", `{"":1}`, `{"":2}`, `{"":2}`},
		{"stored an array", `[1]`, `{"a":1}`, ""},
		{"posted an array", `{"a":1}`, `[1]`, ""},
		{"posted a string", `{"a":1}`, `"a"`, ""},
		{"posted null", `{"a":1}`, `null`, ""},
		{"not JSON", `{"a":1}`, `{"a"}`, ""},
		{"cut", `{"a":1}`, `{"a":1`, ""},
		{"more behind", `{"a":1}`, `{} {}`, ""},
		{"nothing", ``, `{}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := merge([]byte(tt.stored), []byte(tt.posted))
			if (tt.want == "") != errors.Is(err, ErrMerge) || string(got) != tt.want {
				t.Errorf("merge: %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestPostMergesJSONOnly(t *testing.T) {
	text := Upload{ContentType: "text/plain", Content: []byte(`{"a":1}`)}
	charset := Upload{ContentType: "application/json; charset=utf-8", Content: []byte(`{"b":2}`)}
	tests := []struct {
		name           string
		stored, posted Upload
		want           Upload // zero: refused
	}{
		{"objects", jsonOf(`{"a":1}`), jsonOf(`{"b":2}`), jsonOf(`{"a":1,"b":2}`)},
		{"a charset does not matter", jsonOf(`{"a":1}`), charset, Upload{charset.ContentType, []byte(`{"a":1,"b":2}`)}},
		{"nor on the other side", charset, jsonOf(`{"b":3}`), jsonOf(`{"b":3}`)},
		{"stored text", text, jsonOf(`{"b":2}`), Upload{}},
		{"posted text", jsonOf(`{"a":1}`), text, Upload{}},
		{"both text", text, text, Upload{}},
		{"another JSON type", jsonOf(`{"a":1}`), Upload{"application/ld+json", []byte(`{"b":2}`)}, Upload{}},
		{"stored without a type", Upload{"", []byte(`{"a":1}`)}, jsonOf(`{"b":2}`), Upload{}},
		{"stored array", jsonOf(`[1]`), jsonOf(`{"b":2}`), Upload{}},
		{"posted array", jsonOf(`{"a":1}`), jsonOf(`[2]`), Upload{}},
		{"large ones", large("x"), jsonOf(`{"b":2}`), jsonOf(string(large("x").Content[:len(large("x").Content)-1]) + `,"b":2}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.mustPut(stateKey("x"), tt.stored)
			_, err := w.Post(t.Context(), stateKey("x"), tt.posted, noneSet)
			if tt.want.Content == nil {
				if !errors.Is(err, ErrMerge) {
					t.Errorf("post: %v, want ErrMerge", err)
				}
				w.mustHold(stateKey("x"), tt.stored)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w.mustHold(stateKey("x"), tt.want)
		})
	}
}

// object is a JSON object of a few names, so that some are in both of two.
func object(t *rapid.T, label string) []byte {
	members := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "ä", `"`, "\\"}), rapid.SampledFrom([]string{"1", "1.0", "null", `"x"`, "[ 1,2]", `{"a":{}}`})).Draw(t, label)
	encoded := []byte("{")
	for name, value := range members {
		if len(encoded) > 1 {
			encoded = append(encoded, ',')
		}
		encoded, _ = jsontext.AppendQuote(encoded, name) // fails for bad UTF-8 only
		encoded = append(append(encoded, ':'), value...)
	}
	return append(encoded, '}')
}

// The laws of merging: it is setting members in a map, posting nothing changes nothing, posting twice is posting once,
// and merging is associative.
func TestMergeIsSettingMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := object(t, "a"), object(t, "b"), object(t, "c")
		merged := func(stored, posted []byte) []byte {
			m, err := merge(stored, posted)
			if err != nil {
				t.Fatalf("merge %s into %s: %v", posted, stored, err)
			}
			return m
		}
		want := map[string]jsontext.Value{}
		for _, o := range [][]byte{a, b} {
			if err := json.Unmarshal(o, &want); err != nil { // into the same map
				t.Fatal(err)
			}
		}
		got := map[string]jsontext.Value{}
		ab := merged(a, b)
		if err := json.Unmarshal(ab, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s into %s (-want +got):\n%s", b, a, diff)
		}
		if again := merged(ab, b); string(again) != string(ab) {
			t.Errorf("posted again: %s, then %s", ab, again)
		}
		if left, right := merged(ab, c), merged(a, merged(b, c)); string(left) != string(right) {
			t.Errorf("(a+b)+c = %s, a+(b+c) = %s", left, right)
		}
	})
}

// FuzzMerge: what is merged is valid JSON that holds the posted members, and what is not an object is refused.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"a":1}`), []byte(`{"b":[1.0,{"c":null}]}`))
	f.Add([]byte(` { "a" : 1 } `), []byte(`{"\u0061":2}`))
	f.Add([]byte(`[]`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, stored, posted []byte) {
		isObject := func(b []byte) bool {
			return jsontext.Value(b).IsValid() && jsontext.Value(b).Kind() == jsontext.KindBeginObject
		}
		merged, err := merge(stored, posted)
		if wanted := isObject(stored) && isObject(posted); (err == nil) != wanted {
			t.Fatalf("merge %q into %q: %v, both objects: %v", posted, stored, err, wanted)
		}
		if err != nil {
			return
		}
		if !jsontext.Value(merged).IsValid() {
			t.Fatalf("merged %q is not valid", merged)
		}
		news, err := membersOf(posted)
		if err != nil {
			t.Fatal(err)
		}
		all, err := membersOf(merged)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range news {
			if !slices.ContainsFunc(all, func(o member) bool { return o.name == m.name && string(o.value) == string(m.value) }) {
				t.Errorf("member %q is not in %q", m.name, merged)
			}
		}
	})
}
