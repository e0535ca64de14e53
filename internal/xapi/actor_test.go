package xapi

import (
	"encoding/json/v2"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// identifiers are one of each kind, as JSON members.
var identifiers = []string{
	`"mbox":"mailto:ann@example.com"`,
	`"mbox_sha1sum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"`,
	`"openid":"http://ann.example.com"`,
	`"account":{"homePage":"http://example.com","name":"ann"}`,
}

// actorPlace is a place of a statement that takes an actor.
type actorPlace struct {
	at            string
	agent, group  bool // whether it takes them
	needsType     bool // an Agent needs its objectType
	version       Version
	anonymousOnly bool // a Group must be anonymous and have two members
}

var actorPlaces = []actorPlace{
	{at: "/actor", agent: true, group: true},
	{at: "/object", agent: true, group: true, needsType: true},
	{at: "/authority", agent: true, group: true, anonymousOnly: true},
	{at: "/context/instructor", agent: true, group: true},
	{at: "/context/team", group: true},
	{at: "/context/team/member/0", agent: true},
	{at: "/context/contextAgents/0/agent", agent: true, version: V2},
	{at: "/context/contextGroups/0/group", group: true, version: V2},
	{at: "/context/contextGroups/0/group/member/0", agent: true, version: V2},
}

// TestActors tries every combination of identifiers in every place, in the statement
// and in a SubStatement, as an Agent and as a Group with and without members.
func TestActors(t *testing.T) {
	base := `{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":{"id":"x:z"},"context":{"team":{"objectType":"Group","member":[{}]},
		"contextAgents":` + contextAgents + `,"contextGroups":` + contextGroups + `}}`
	checked := 0
	for _, place := range actorPlaces {
		for _, prefix := range []string{"", "/object"} {
			if prefix != "" && (place.at == "/authority") {
				continue
			}
			statement := base
			if place.version != V2 {
				statement = replaced(t, replaced(t, statement, "/context/contextAgents", ""), "/context/contextGroups", "")
			}
			if place.at != "/context/team/member/0" {
				statement = replaced(t, statement, "/context/team", "")
			}
			if prefix != "" {
				statement = replaced(t, `{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"}}`, "/object",
					replaced(t, statement, "/objectType", `"SubStatement"`))
			}
			for combination := range 1 << len(identifiers) {
				for _, objectType := range []string{"", "Agent", "Group"} {
					for _, members := range []int{-1, 0, 2} {
						actor, count := actorJSON(combination, objectType, members)
						body := replaced(t, statement, prefix+place.at, actor)
						want := place.takes(objectType, count, members)
						for _, version := range versionsOf(place.version) {
							_, err := DecodeStatement([]byte(body), version, DefaultLimits)
							if (err == nil) != want {
								t.Errorf("%s: %s%s: %s: got %v, want valid: %v", version, prefix, place.at, actor, err, want)
							}
							checked++
						}
					}
				}
			}
		}
	}
	t.Logf("checked %d actors", checked)
	meets(t, V1, "D2.4.2-1 D2.4.2.1-1 D2.4.2.1-2 D2.4.2.1-3 D2.4.2.2-1 D2.4.2.2-2 D2.4.2.2-4 D2.4.2.2-6 D2.4.4.2-1 D2.4.6-4 D2.4.6-5 D2.4.9-1")
	meets(t, V2, "L4.2.2.1-1 L4.2.2.1-3 L4.2.2.1-8 L4.2.2.1-10 L4.2.2.1-11 L4.2.2.3-15 L4.2.2.3-19 L4.2.2.5-2 L4.2.2.5-3 L4.2.2.5-14 L4.2.2.5-18 L4.2.4.2-3")
}

func actorJSON(combination int, objectType string, members int) (actor string, identifierCount int) {
	var parts []string
	for i, identifier := range identifiers {
		if combination&(1<<i) != 0 {
			parts = append(parts, identifier)
		}
	}
	identifierCount = len(parts)
	if members >= 0 {
		list := make([]string, members)
		for i := range list {
			list[i] = fmt.Sprintf(`{"mbox":"mailto:m%d@example.com"}`, i)
		}
		parts = append(parts, `"member":[`+strings.Join(list, ",")+`]`)
	}
	if objectType != "" {
		parts = append(parts, `"objectType":"`+objectType+`"`) // last: the decoder must not rely on order
	}
	return "{" + strings.Join(parts, ",") + "}", identifierCount
}

// takes is the rule of Data 2.4.2, written a second time.
func (p actorPlace) takes(objectType string, identifiers, members int) bool {
	if objectType == "Group" {
		if p.anonymousOnly {
			return identifiers == 0 && members == 2
		}
		return p.group && (identifiers == 1 || identifiers == 0 && members >= 0)
	}
	if p.needsType && objectType == "" {
		return false
	}
	return p.agent && identifiers == 1 && members < 0
}

func TestIdentifiers(t *testing.T) {
	tests := []struct {
		name  string
		actor string
		valid bool
		meets string
	}{
		{"mbox", `{"mbox":"mailto:a.b+c@example.co.uk"}`, true, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox at a host without a dot", `{"mbox":"mailto:a@localhost"}`, true, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox with an international domain", `{"mbox":"mailto:a@bücher.example"}`, true, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox without mailto", `{"mbox":"a@example.com"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox with mailto in upper case", `{"mbox":"MAILTO:a@example.com"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox without a domain", `{"mbox":"mailto:a@"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox without a local part", `{"mbox":"mailto:@example.com"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox without an at sign", `{"mbox":"mailto:should.fail.com"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox with a space", `{"mbox":"mailto:a b@example.com"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox of two", `{"mbox":"mailto:a@example.com,b@example.com"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox with a subject", `{"mbox":"mailto:a@example.com?subject=x"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox in brackets", `{"mbox":"mailto:<a@example.com>"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox an IRI", `{"mbox":"http://example.com"}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"mbox a number", `{"mbox":1}`, false, "D2.4.2.3-1 L4.2.2.1-4"},
		{"hash in upper case", `{"mbox_sha1sum":"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}`, true, "D2.4.2.3-2 L4.2.2.1-5"},
		{"hash too short", `{"mbox_sha1sum":"da39a3ee5e6b4b0d3255bfef95601890afd8070"}`, false, "D2.4.2.3-2 L4.2.2.1-5"},
		{"hash no hex", `{"mbox_sha1sum":"ga39a3ee5e6b4b0d3255bfef95601890afd80709"}`, false, "D2.4.2.3-2 L4.2.2.1-5"},
		{"hash an object", `{"mbox_sha1sum":{}}`, false, "D2.4.2.3-2 L4.2.2.1-5"},
		{"openid without scheme", `{"openid":"ann.example.com"}`, false, "D2.4.2.3-3 L4.2.2.1-6"},
		{"openid an array", `{"openid":[]}`, false, "D2.4.2.3-3 L4.2.2.1-6"},
		{"account a string", `{"account":"x"}`, false, "D2.4.2.3-4 L4.2.2.1-7"},
		{"account without homePage", `{"account":{"name":"x"}}`, false, "D2.4.2.4-1 L4.2.2.1-12"},
		{"account without name", `{"account":{"homePage":"http://example.com"}}`, false, "D2.4.2.4-2 L4.2.2.1-13"},
		{"account with a relative homePage", `{"account":{"homePage":"example.com","name":"x"}}`, false, "D2.4.2.4-1 D2.2-12 L4.2.2.1-12 L4.2.1-12"},
		{"account with a number as name", `{"account":{"homePage":"http://example.com","name":1}}`, false, "D2.4.2.4-2 L4.2.2.1-13"},
		{"account unknown property", `{"account":{"homePage":"http://example.com","name":"x","id":"y"}}`, false, "D2.4.2.3-4 L4.2.2.1-7"},
		{"account in the wrong case", `{"account":{"homepage":"http://example.com","name":"x"}}`, false, "D2.2-9 L4.2.1-9"},
		{"name a number", `{"mbox":"mailto:a@example.com","name":1}`, false, "D2.4.2.1-4 L4.2.2.1-2"},
		{"unknown property", `{"mbox":"mailto:a@example.com","email":"x"}`, false, "D2.2-11 L4.2.1-2"},
		{"identifier twice", `{"mbox":"mailto:a@example.com","mbox":"mailto:a@example.com"}`, false, "D2.2-1 L4.2.1-4"},
		{"member an object", `{"objectType":"Group","member":{}}`, false, "D2.4.2.2-6 L4.2.2.1-10"},
		{"member a group", `{"objectType":"Group","member":[{"objectType":"Group","mbox":"mailto:a@example.com"}]}`, false, "D2.4.2.2-3 L4.2.4.2-4"},
		{"anonymous group", `{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"}]}`, false, "D2.4.2.2-2 L4.2.2.1-10"}, // as a parameter
		{"anonymous group that holds an anonymous group", `{"objectType":"Group","member":[{"objectType":"Group","member":[]}]}`, false, "D2.4.2.2-3 L4.2.4.2-4"},
		{"identified group that holds a group", `{"objectType":"Group","mbox":"mailto:b@example.com","member":[{"objectType":"Group","mbox":"mailto:a@example.com"}]}`, false, "D2.4.2.2-5 L4.2.4.2-4"},
		{"identified group whose member has no identifier", `{"objectType":"Group","mbox":"mailto:b@example.com","member":[{"name":"x"}]}`, false, "D2.4.2.2-6 L4.2.2.1-11"},
		{"identified group with a string as member", `{"objectType":"Group","mbox":"mailto:b@example.com","member":["x"]}`, false, "D2.4.2.2-6 L4.2.2.1-11"},
		{"identified group with a number as name", `{"objectType":"Group","mbox":"mailto:b@example.com","name":1}`, false, "D2.4.2.2-7 L4.2.2.1-9"},
		{"identified group by two", `{"objectType":"Group","mbox":"mailto:b@example.com","openid":"http://b.example.com"}`, false, "D2.4.2.2-4 L4.2.2.1-11 L4.2.4.2-3"},
		{"group in lower case", `{"objectType":"group","mbox":"mailto:b@example.com"}`, false, "D2.4.2.2-1 D2.2-10 L4.2.2.1-8 L4.2.1-10"},
		{"group without objectType", `{"mbox":"mailto:b@example.com","member":[]}`, false, "D2.4.2.2-1 D2.4.2.2-6 L4.2.2.1-8"},
		{"agent by two", `{"mbox":"mailto:b@example.com","openid":"http://b.example.com"}`, false, "D2.4.2.1-2 L4.2.2.1-3 L4.2.4.2-3"},
		{"agent by none", `{"name":"b"}`, false, "D2.4.2.1-1 L4.2.2.1-3"},
		{"identified group", `{"objectType":"Group","mbox":"mailto:a@example.com"}`, true, "D2.4.2.2-4 L4.2.2.1-11"},
		{"two values", `{"mbox":"mailto:a@example.com"} {}`, false, ""},
		{"nothing", ``, false, ""},
		{"null", `null`, false, "D2.2-6 L4.2.1-6"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			statement := strings.Replace(smallStatement, `{"mbox":"mailto:a@example.com"}`, test.actor, 1)
			for _, version := range versionsOf("") {
				if _, err := DecodeAgent([]byte(test.actor), version); (err == nil) != test.valid {
					t.Errorf("%s: as a parameter: got %v, want valid: %v", version, err, test.valid)
				}
				_, err := DecodeStatement([]byte(statement), version, DefaultLimits)
				if want := test.valid || test.name == "anonymous group"; (err == nil) != want {
					t.Errorf("%s: as an actor: got %v, want valid: %v", version, err, want)
				}
				meets(t, version, test.meets)
			}
		})
	}
}

func TestIFIKey(t *testing.T) {
	key := func(actor string) string {
		a, err := DecodeAgent([]byte(actor), V1)
		if err != nil {
			t.Fatal(err)
		}
		return a.IFI.Key()
	}
	same := [][2]string{
		{`{"mbox":"mailto:Ann@Example.COM"}`, `{"mbox":"mailto:Ann@example.com"}`},
		{`{"mbox":"mailto:a@example.com"}`, `{"objectType":"Group","name":"x","mbox":"mailto:a@example.com","member":[{"mbox":"mailto:b@example.com"}]}`},
		{`{"mbox":"mailto:a@example.com"}`, `{"mbox":"mailto:\u0061@example.com"}`},
		{`{"mbox_sha1sum":"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}`, `{"mbox_sha1sum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`},
		{`{"account":{"name":"x","homePage":"http://example.com"}}`, `{"account":{"homePage":"http://example.com","name":"x"}}`},
	}
	for _, pair := range same {
		if key(pair[0]) != key(pair[1]) {
			t.Errorf("%s and %s have different keys", pair[0], pair[1])
		}
	}
	seen := make(map[string]string)
	for _, actor := range []string{
		`{"mbox":"mailto:Ann@example.com"}`, `{"mbox":"mailto:ann@example.com"}`,
		`{"openid":"mailto:ann@example.com"}`, `{"openid":"http://example.com"}`, `{"openid":"http://EXAMPLE.com"}`,
		`{"account":{"homePage":"http://example.com","name":"x"}}`, `{"account":{"homePage":"http://example.com","name":"X"}}`,
		`{"account":{"homePage":"http://example.com/x","name":""}}`, `{"account":{"homePage":"http://example.com","name":"/x "}}`,
	} {
		k := key(actor)
		if other, found := seen[k]; found {
			t.Errorf("%s and %s have the same key", actor, other)
		}
		seen[k] = actor
	}
	if got := (IFI{}).Key(); got != "" {
		t.Errorf("no identifier has the key %q", got)
	}
}

func TestDecodedActor(t *testing.T) {
	got, err := DecodeAgent([]byte(`{"member":[{"name":"B","openid":"http://b.example"}],"name":"G\u00e9","mbox":"mailto:g@example.com","objectType":"Group"}`), V1)
	if err != nil {
		t.Fatal(err)
	}
	want := &Actor{
		Group: true, Name: "Gé", IFI: IFI{Kind: Mbox, Value: "mailto:g@example.com"},
		Members: []*Actor{{Name: "B", IFI: IFI{Kind: OpenID, Value: "http://b.example"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodeAgent(f *testing.F) {
	for _, identifier := range identifiers {
		f.Add([]byte("{" + identifier + "}"))
	}
	f.Add([]byte(`{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"}],"mbox":"mailto:b@EXAMPLE.com"}`))
	f.Fuzz(func(t *testing.T, param []byte) {
		a, err := DecodeAgent(param, V2)
		if err != nil {
			return
		}
		if a.IFI.Kind == "" || a.IFI.Key() == "" {
			t.Fatalf("an actor without identity passed: %s", param)
		}
		var plain map[string]any
		if err := json.Unmarshal(param, &plain); err != nil {
			t.Fatalf("what is no JSON passed: %v: %s", err, param)
		}
	})
}

// The digests are those of sha1sum.
func TestIFIHashed(t *testing.T) {
	const digest = "4e95a2820130c497c206a0817086a19a3eeaf7a5" // of mailto:Ann@example.org
	account := IFI{Kind: Account, HomePage: "http://example.com", Value: "mailto:Ann@example.org"}
	for _, test := range []struct {
		name      string
		ifi, want IFI
	}{
		{"mbox", IFI{Kind: Mbox, Value: "mailto:Ann@example.org"}, IFI{Kind: MboxSHA1Sum, Value: digest}},
		{"mbox with the domain in capitals", IFI{Kind: Mbox, Value: "mailto:Ann@EXAMPLE.org"}, IFI{Kind: MboxSHA1Sum, Value: digest}},
		{"hash", IFI{Kind: MboxSHA1Sum, Value: digest}, IFI{Kind: MboxSHA1Sum, Value: digest}},
		{"openid", IFI{Kind: OpenID, Value: "mailto:Ann@example.org"}, IFI{Kind: OpenID, Value: "mailto:Ann@example.org"}},
		{"account", account, account},
		{"none", IFI{}, IFI{}},
	} {
		if got := test.ifi.Hashed(); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
		if got := test.ifi.Hashed().Hashed(); got != test.want {
			t.Errorf("%s, hashed again: got %+v, want %+v", test.name, got, test.want)
		}
	}
}
