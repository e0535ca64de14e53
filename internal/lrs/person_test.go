package lrs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// names reads the names of an agent.
func (w *world) names(p auth.Principal, agent string) []string {
	w.t.Helper()
	names, err := w.service.Names(w.t.Context(), p, ifiParam(w.t, agent).IFI)
	if err != nil {
		w.t.Fatalf("names of %s: %v", agent, err)
	}
	return names
}

// naming is a statement whose actor has a name.
func naming(n int, mbox, name string) string {
	return fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:%s","name":%q},"verb":{"id":"http://example.org/did"},"object":{"id":"http://example.org/thing"}}`, uuidOf(n), mbox, name)
}

func mbox(address string) string { return fmt.Sprintf(`{"mbox":"mailto:%s"}`, address) }

// Every agent of a statement that has a name and an identifier is known by it.
func TestNamesOfEveryActor(t *testing.T) {
	person := func(name string) string {
		return fmt.Sprintf(`"name":"The %s","mbox":"mailto:%s@example.org"`, name, name)
	}
	event := func(prefix, object string) string {
		return fmt.Sprintf(`"actor":{"objectType":"Group",%s,"member":[{%s}]},"verb":{"id":"http://example.org/did"},"object":%s,"context":{
			"instructor":{%s},"team":{"objectType":"Group","member":[{%s}]},
			"contextAgents":[{"objectType":"contextAgent","agent":{%s}}],
			"contextGroups":[{"objectType":"contextGroup","group":{"objectType":"Group",%s,"member":[{%s}]}}]}`,
			person(prefix+"actor"), person(prefix+"member"), object, person(prefix+"instructor"), person(prefix+"team"),
			person(prefix+"context-agent"), person(prefix+"context-group"), person(prefix+"context-member"))
	}
	sub := `{"objectType":"SubStatement",` + event("inner-", `{"objectType":"Agent",`+person("inner-object")+`}`) + `}`
	w := newWorld(t, nil)
	p := principal(storeWith("one", 1))
	w.mustStore(p, `{"id":"`+uuidOf(1)+`",`+event("", sub)+`,"authority":{`+person("authority")+`}}`)

	for _, prefix := range []string{"", "inner-"} {
		for _, role := range []string{"actor", "member", "instructor", "team", "context-agent", "context-group", "context-member"} {
			want := []string{"The " + prefix + role}
			if diff := cmp.Diff(want, w.names(p, mbox(prefix+role+"@example.org"))); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", prefix, role, diff)
			}
		}
	}
	if got := w.names(p, mbox("inner-object@example.org")); !slices.Equal(got, []string{"The inner-object"}) {
		t.Errorf("object: %q", got)
	}
	if got := w.names(p, mbox("authority@example.org")); got != nil {
		t.Errorf("the authority that was overwritten has the names %q", got)
	}
}

// A trusted credential's authority stays in the statement, and so does its name.
func TestNameOfTrustedAuthority(t *testing.T) {
	w := newWorld(t, nil)
	w.service.Authorities = anyAuthorities{}
	p := principal(storeWith("one", 1))
	p.Trusted = true
	st := plain(uuidOf(1), "ann", "did", "thing")
	w.mustStore(p, strings.Replace(st, `"actor"`, `"authority":{"mbox":"mailto:lms@example.org","name":"The LMS"},"actor"`, 1))
	if got := w.names(p, mbox("lms@example.org")); !slices.Equal(got, []string{"The LMS"}) {
		t.Errorf("names %q", got)
	}
}

func TestNames(t *testing.T) {
	const annsHash = `"mbox_sha1sum":"4e95a2820130c497c206a0817086a19a3eeaf7a5"` // of mailto:Ann@example.org, by sha1sum
	hashed := func(n int, name string) string {
		return strings.Replace(naming(n, "", name), `"mbox":"mailto:"`, annsHash, 1)
	}
	all := principal(storeWith("one", 1))
	limited := all
	limited.Scopes = auth.Scopes{auth.StatementsWrite, auth.StatementsRead, auth.Profile, auth.State}
	defining := limited
	defining.Scopes = auth.Scopes{auth.StatementsWrite, auth.Define}
	type request struct {
		as        auth.Principal
		statement string
	}
	long := strings.Repeat("n", maxNameBytes)
	tests := []struct {
		name     string
		requests []request
		agent    string
		want     []string
	}{
		{"never seen", nil, mbox("ann@example.org"), nil},
		{"never named", []request{{all, plain(uuidOf(1), "ann", "did", "thing")}}, mbox("ann@example.org"), nil},
		{"the empty name", []request{{all, naming(1, "ann@example.org", "")}}, mbox("ann@example.org"), nil},
		{"one name", []request{{all, naming(1, "ann@example.org", "Ann")}, {all, naming(2, "ann@example.org", "Ann")}}, mbox("ann@example.org"), []string{"Ann"}},
		{"the new one first", []request{{all, naming(1, "ann@example.org", "Ann")}, {all, naming(2, "ann@example.org", "Ann B.")}, {all, naming(3, "ann@example.org", "Ann")}},
			mbox("ann@example.org"), []string{"Ann B.", "Ann"}},
		{"somebody else", []request{{all, naming(1, "ann@example.org", "Ann")}}, mbox("anna@example.org"), nil},
		{"the domain has no case", []request{{all, naming(1, "ann@Example.ORG", "Ann")}}, mbox("ann@example.org"), []string{"Ann"}},
		{"the local part has", []request{{all, naming(1, "Ann@example.org", "Ann")}}, mbox("ann@example.org"), nil},
		{"with define alone", []request{{defining, naming(1, "ann@example.org", "Ann")}}, mbox("ann@example.org"), []string{"Ann"}},
		{"without define", []request{{limited, naming(1, "ann@example.org", "Ann")}}, mbox("ann@example.org"), nil},
		{"again with define, first without", []request{{limited, naming(1, "ann@example.org", "Ann")}, {all, naming(2, "ann@example.org", "Bob")}}, mbox("ann@example.org"), []string{"Bob"}},
		{"as long as may be", []request{{all, naming(1, "ann@example.org", long)}}, mbox("ann@example.org"), []string{long}},
		{"too long", []request{{all, naming(1, "ann@example.org", long+"n")}, {all, naming(2, "ann@example.org", "Ann")}}, mbox("ann@example.org"), []string{"Ann"}},
		{"an mbox, asked by its hash", []request{{all, naming(1, "Ann@Example.org", "Ann")}}, "{" + annsHash + "}", []string{"Ann"}},
		{"the hash, asked by the mbox", []request{{all, hashed(1, "Ann")}}, mbox("Ann@EXAMPLE.org"), []string{"Ann"}},
		{"both, asked in capitals", []request{{all, hashed(1, "Ann")}, {all, naming(2, "Ann@example.org", "Ann B.")}},
			"{" + strings.Replace(annsHash, "4e95a28", "4E95A28", 1) + "}", []string{"Ann B.", "Ann"}},
		{"an account", []request{{all, strings.Replace(naming(1, "", "Ann"), `"mbox":"mailto:"`, `"account":{"homePage":"http://lms.example.org","name":"7"}`, 1)}},
			`{"account":{"name":"7","homePage":"http://lms.example.org"}}`, []string{"Ann"}},
		{"an openid", []request{{all, strings.Replace(naming(1, "", "Ann"), `"mbox":"mailto:"`, `"openid":"http://ann.example.org"`, 1)}}, `{"openid":"http://ann.example.org"}`, []string{"Ann"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, nil)
			for _, r := range test.requests {
				w.mustStore(r.as, r.statement)
			}
			if diff := cmp.Diff(test.want, w.names(all, test.agent)); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if got := w.names(principal(storeWith("other", 1)), test.agent); got != nil {
				t.Errorf("another store knows %q", got)
			}
		})
	}
}

// anyAuthorities takes every authority.
type anyAuthorities struct{}

func (anyAuthorities) AddAuthority(context.Context, string, [12]byte) error { return nil }

// A statement that is refused names nobody, and neither does an equal one that somebody else sends again.
func TestNamesOfWhatIsNotNew(t *testing.T) {
	w := newWorld(t, nil)
	store := storeWith("one", 1)
	limited, all := credential(store, "limited", auth.StatementsWrite), credential(store, "all", auth.All)
	w.mustStore(limited, naming(1, "ann@example.org", "Ann"))
	w.mustStore(all, naming(1, "ann@example.org", "Ann"))
	if err := w.store(all, naming(1, "ann@example.org", "Bob")); !errors.Is(err, ErrConflict) {
		t.Errorf("store: %v, want a conflict", err)
	}
	if err := w.store(all, naming(2, "ann@example.org", "Cat"), naming(1, "ann@example.org", "Bob")); !errors.Is(err, ErrConflict) {
		t.Errorf("store a batch: %v, want a conflict", err)
	}
	if got := w.names(all, mbox("ann@example.org")); got != nil {
		t.Errorf("names %q", got)
	}
}

// The first 100 names stay, whoever asks for more.
func TestNamesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("one", 1))
	for n := range maxNames + 5 {
		w.mustStore(p, naming(n, "ann@example.org", fmt.Sprintf("Ann %d", n)))
	}
	got := w.names(p, mbox("ann@example.org"))
	if len(got) != maxNames || got[0] != "Ann 99" || got[maxNames-1] != "Ann 0" {
		t.Errorf("%d names, %q to %q", len(got), got[0], got[len(got)-1])
	}
}

// However the statements of a history are split, ordered and repeated, the item of a person ends the same.
func TestNamesDoNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 4*maxNames).Draw(t, "count")
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) named {
			return named{position.Position{1: rapid.Byte().Draw(t, "time")}, fmt.Sprint("name ", rapid.IntRange(0, 2*maxNames).Draw(t, "name"))}
		}), count, count).Draw(t, "brought")
		merged := func(pieces []named) table.Item {
			var item table.Item
			for len(pieces) > 0 {
				n := rapid.IntRange(1, len(pieces)).Draw(t, "at once")
				next, settled, err := (&names{brought: pieces[:n]}).merge(item)
				if err != nil || !settled {
					t.Fatalf("merge: settled %t, %v", settled, err)
				}
				if next != nil {
					item = next
				}
				pieces = pieces[n:]
			}
			return item
		}
		one := merged(all)
		again := append(rapid.Permutation(all).Draw(t, "order"), all[:rapid.IntRange(0, len(all)).Draw(t, "repeated")]...)
		if diff := cmp.Diff(namesOf(one), namesOf(merged(again)), cmp.AllowUnexported(named{})); diff != "" {
			t.Fatalf("another order (-one +other):\n%s", diff)
		}
	})
}

// Two processes and sixteen writers bring names for one agent at once: none is lost.
func TestNamesOfRacingWriters(t *testing.T) {
	const writers, each = 16, 5
	w := newWorld(t, nil)
	p := principal(storeWith("one", 1))
	processes := []*Service{w.newService(w.tables, w.service.Horizon), w.newService(w.tables, w.service.Horizon)}
	for _, s := range processes {
		s.merged = nil // neither is the only writer
	}
	var want []string
	var group errgroup.Group
	for n := range writers {
		var statements []string
		for i := range each {
			name := fmt.Sprintf("name %d", n*each+i)
			want = append(want, name)
			statements = append(statements, naming(n*each+i, "ann@example.org", name))
		}
		batches := [][]*xapi.Statement{decode(t, statements[:2]...), decode(t, statements[2:]...)}
		group.Go(func() error {
			for i, batch := range batches {
				var err error
				for range 20 { // a client repeats what the server could not finish
					if _, err = processes[(n+i)%2].Store(t.Context(), p, batch, nil); !errors.Is(err, ErrUnavailable) {
						break
					}
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	got := w.names(p, mbox("ann@example.org"))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// A definition and a name that are known already cost no write; they cost a strong read each, in one call, where others
// write too, and nothing where nobody else does.
func TestWhatKnownNamesCost(t *testing.T) {
	const described = `{"id":%q,"actor":{"mbox":"mailto:ann@example.org","name":"Ann"},"verb":{"id":"http://example.org/did"},"object":{"id":"http://example.org/thing","definition":{"name":{"en":"Thing"}}}}`
	for _, only := range []bool{true, false} {
		t.Run(fmt.Sprintf("only writer %t", only), func(t *testing.T) {
			w := newWorld(t, nil)
			if !only {
				w.service.merged = nil
			}
			p := principal(storeWith("one", 1))
			cost := func(statement string) (table.Cost, int) {
				t.Helper()
				var meter table.Meter
				if _, err := w.service.Store(table.WithMeter(t.Context(), &meter), p, decode(t, statement), nil); err != nil {
					t.Fatal(err)
				}
				return meter.Total()
			}
			bare, bareCalls := cost(plain(uuidOf(1), "ann", "did", "thing"))
			first, _ := cost(fmt.Sprintf(described, uuidOf(2)))
			w.mergedItems()
			known, knownCalls := cost(fmt.Sprintf(described, uuidOf(3)))
			wantFirst, wantRead, wantCalls := 2.0, 2.0, 1
			if only {
				wantFirst, wantRead, wantCalls = 0, 0, 0 // it waits
			}
			if first.Write != bare.Write+wantFirst {
				t.Errorf("the first sight costs %v write units more, want %v", first.Write-bare.Write, wantFirst)
			}
			if known.Write != bare.Write || known.Read-bare.Read != wantRead || knownCalls-bareCalls != wantCalls {
				t.Errorf("what is known costs %v write units, %v read units, %d calls; without it %v, %v, %d; want 0, %v, %d more",
					known.Write, known.Read, knownCalls, bare.Write, bare.Read, bareCalls, wantRead, wantCalls)
			}
			t.Logf("a statement: %v write and %v read units; with a known definition and name %v and %v", bare.Write, bare.Read, known.Write, known.Read)
		})
	}
}

// When names cannot be written the client is told to repeat, which records them.
func TestNamesThatCannotBeWritten(t *testing.T) {
	full := false
	w := newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if full && c.Op == pebble.OpApply && c.Table == schema.Persons {
			return pebble.Failed(table.ErrThrottled)
		}
		return pebble.Fault{}
	}})
	w.service.merged = nil // others write too
	p := principal(storeWith("one", 1))
	full = true
	if err := w.store(p, naming(1, "ann@example.org", "Ann")); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("store: %v, want that it is unavailable", err)
	}
	full = false
	if got := w.names(p, mbox("ann@example.org")); got != nil {
		t.Fatalf("names %q", got)
	}
	w.mustStore(p, naming(1, "ann@example.org", "Ann"))
	if got := w.names(p, mbox("ann@example.org")); !slices.Equal(got, []string{"Ann"}) {
		t.Errorf("names %q after the repetition", got)
	}
}

// What an only writer cannot write yet is known all the same, holds up the checkpoint, and is written later.
func TestNamesThatWait(t *testing.T) {
	full := true
	w := newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if full && c.Op == pebble.OpBatch {
			return pebble.Failed(table.ErrThrottled)
		}
		return pebble.Fault{}
	}})
	p := principal(storeWith("one", 1))
	ann := mbox("ann@example.org")
	w.mustStore(p, naming(1, "ann@example.org", "Ann"))
	if _, err := w.follower.Pass(t.Context()); !errors.Is(err, table.ErrThrottled) {
		t.Errorf("a pass that cannot merge: %v", err)
	}
	w.mustStore(p, naming(2, "ann@example.org", "Anna"))
	if got := w.names(p, ann); !slices.Equal(got, []string{"Anna", "Ann"}) {
		t.Errorf("names %q while they wait", got)
	}
	full = false
	if n, err := (&Follower{Service: w.service}).Pass(t.Context()); n != 2 || err != nil {
		t.Errorf("%d changes after the checkpoint, want both; error %v", n, err)
	}
	w.service = w.newService(w.tables, w.service.Horizon)
	if got := w.names(p, ann); !slices.Equal(got, []string{"Anna", "Ann"}) {
		t.Errorf("names %q in the next process", got)
	}
}

// The names of a class list are merged side by side, all of them.
func TestNamesOfALargeGroup(t *testing.T) {
	const members = 400
	w := newWorld(t, nil)
	p := principal(storeWith("one", 1))
	var list []string
	for n := range members {
		list = append(list, fmt.Sprintf(`{"mbox":"mailto:m%d@example.org","name":"Member %d"}`, n, n))
	}
	w.mustStore(p, strings.Replace(plain(uuidOf(1), "ann", "did", "thing"), `{"mbox":"mailto:ann@example.org"}`,
		`{"objectType":"Group","member":[`+strings.Join(list, ",")+`]}`, 1))
	for n := range members {
		if got := w.names(p, mbox(fmt.Sprintf("m%d@example.org", n))); !slices.Equal(got, []string{fmt.Sprintf("Member %d", n)}) {
			t.Fatalf("member %d has the names %q", n, got)
		}
	}
}
