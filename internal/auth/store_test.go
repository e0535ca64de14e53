package auth_test

import (
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

func TestStores(t *testing.T) {
	w := newWorld(t, nil)
	ids := []string{auth.DefaultStore}
	for range 3 {
		s, err := w.CreateStore(t.Context(), "The same name")
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{10}$`).MatchString(s.ID) {
			t.Errorf("store id %q is not 10 Crockford base32 characters", s.ID)
		}
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	stores, err := w.Stores(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range stores {
		got = append(got, s.ID)
		if s.Shards != 1 || s.WriteShards != 1 || s.TimeZone != "UTC" || len(s.TermKey) != 32 || len(s.CursorKey) != 32 {
			t.Errorf("store %+v", s)
		}
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("stores (-want +got):\n%s", diff)
	}
	if _, err := w.Store(t.Context(), "nowhere"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("unknown store: %v", err)
	}
	if err := w.AddAuthority(t.Context(), "nowhere", [12]byte{1}); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("authority of an unknown store: %v", err)
	}
	for _, name := range []string{"", " ", "a\nb", "\xff", strings.Repeat("n", 201)} {
		if _, err := w.CreateStore(t.Context(), name); !errors.Is(err, auth.ErrRefused) {
			t.Errorf("store name %q: %v", name, err)
		}
	}
}

func TestEnsureDefaultKeepsTheStore(t *testing.T) {
	w := newWorld(t, nil)
	before, err := w.Store(t.Context(), auth.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := w.Store(t.Context(), auth.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.TermKey, after.TermKey); diff != "" {
		t.Errorf("the store has other keys (-before +after):\n%s", diff)
	}
}

// Terms and derived keys are part of the data format: what this test pins may never change.
func TestTermsAreStable(t *testing.T) {
	w := newWorld(t, nil)
	item := table.Item{
		schema.PK: table.S("fixedstore"), schema.Name: table.S("n"), schema.StoreKey: table.B(make([]byte, 32)),
		schema.Shards: table.N(1), schema.WriteShards: table.N(1), schema.TimeZone: table.S("UTC"),
	}
	if _, _, err := w.tables.Apply(t.Context(), table.Put(schema.Stores, item)); err != nil {
		t.Fatal(err)
	}
	s, err := w.Store(t.Context(), "fixedstore")
	if err != nil {
		t.Fatal(err)
	}
	literal := auth.Store{TermKey: s.TermKey}
	long := strings.Repeat("long", 1000)
	for _, test := range []struct{ kind, value, want string }{
		{"verb", "http://adlnet.gov/expapi/verbs/completed", "0c7da89eb5b56683ebebff3e"},
		{"activity", "http://adlnet.gov/expapi/verbs/completed", "9fcaed9423a188cacf1808ee"},
		{"verb", long, "7178190cdc5f0bd78503a578"},
		{"", "", "783ca970456c7f7b0e69dacb"},
	} {
		term := s.Term(test.kind, test.value)
		if got := hex.EncodeToString(term[:]); got != test.want {
			t.Errorf("Term(%q, %.20q) = %s, want %s", test.kind, test.value, got, test.want)
		}
		if got := literal.Term(test.kind, test.value); got != term {
			t.Errorf("Term(%q, %.20q) of a store made by hand is %x", test.kind, test.value, got)
		}
	}
	if got := hex.EncodeToString(s.CursorKey[:8]); got != "600b3256ec68ebf1" {
		t.Errorf("cursor key begins with %s", got)
	}
}

// A statement has a dozen terms or more. The race detector makes a pool forget now and then, so the bound is not zero;
// an HMAC made for each term would be 6.
func TestTermsDoNotAllocateMuch(t *testing.T) {
	w := newWorld(t, nil)
	s, err := w.Store(t.Context(), auth.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(100, func() { s.Term("verb", "http://adlnet.gov/expapi/verbs/completed") }); got > 4 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkTerm(b *testing.B) {
	s, err := newWorld(b, nil).Store(b.Context(), auth.DefaultStore)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Term("verb", "http://adlnet.gov/expapi/verbs/completed")
	}
}

func TestAuthoritiesAreKnownByTheirIdentity(t *testing.T) {
	w := newWorld(t, nil)
	key, secret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	p, err := w.Authenticate(t.Context(), key, secret)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := xapi.DecodeAgent(p.Authority, xapi.V1)
	if err != nil {
		t.Fatalf("the authority is not a valid Agent: %v", err)
	}
	term := p.Store.Term(auth.AuthorityTerm, agent.IFI.Key())
	if diff := cmp.Diff([][]byte{term[:]}, p.Store.Authorities); diff != "" {
		t.Errorf("authorities (-want +got):\n%s", diff)
	}
}

func TestParseScopes(t *testing.T) {
	tests := []struct {
		name, text, want string
		fails            bool
	}{
		{name: "one", text: "all", want: "all"},
		{name: "by commas", text: "statements/write,statements/read/mine", want: "statements/write statements/read/mine"},
		{name: "by spaces", text: " state  define\tprofile\n", want: "state define profile"},
		{name: "twice", text: "state state", want: "state"},
		{name: "every one", text: "statements/write statements/read/mine statements/read state define profile all/read all",
			want: "statements/write statements/read/mine statements/read state define profile all/read all"},
		{name: "none", text: " ,", fails: true},
		{name: "unknown", text: "all,root", fails: true},
		{name: "another case", text: "All", fails: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := auth.ParseScopes(test.text)
			if (err != nil) != test.fails {
				t.Fatalf("error %v", err)
			}
			if got.String() != test.want {
				t.Errorf("scopes %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatScopesAllow(t *testing.T) {
	type allowed struct{ Write, Read, ReadMine, Define, VoidAny bool }
	tests := map[auth.Scope]allowed{
		auth.StatementsWrite:    {Write: true},
		auth.StatementsReadMine: {ReadMine: true},
		auth.StatementsRead:     {Read: true, ReadMine: true},
		auth.State:              {},
		auth.Define:             {Define: true},
		auth.Profile:            {},
		auth.AllRead:            {Read: true, ReadMine: true},
		auth.All:                {Write: true, Read: true, ReadMine: true, Define: true, VoidAny: true},
	}
	for scope, want := range tests {
		t.Run(string(scope), func(t *testing.T) {
			s := auth.Scopes{scope}
			got := allowed{s.MayWrite(), s.MayRead(), s.MayReadMine(), s.MayDefine(), s.MayVoidAny()}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("allowed (-want +got):\n%s", diff)
			}
		})
	}
}
