package lrs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// credential is one of a store with an authority of its own and these scopes.
func credential(store auth.Store, key string, scopes ...auth.Scope) auth.Principal {
	p := principal(store)
	p.Credential, p.Scopes = key, scopes
	p.Authority = []byte(strings.Replace(string(p.Authority), `"name":"key"`, `"name":"`+key+`"`, 1))
	return p
}

func TestWhoMayVoid(t *testing.T) {
	ann, praise := plain(uuidOf(1), "ann", "did", "thing"), referring(uuidOf(2), "bob", "praised", uuidOf(1))
	void := referring(uuidOf(3), "cat", "voided", uuidOf(1))
	tests := []struct {
		name    string
		before  []string // sent by the other credential
		own     []string // sent before by the voiding one
		request []string
		scopes  auth.Scopes
		refused bool
	}{
		{name: "all voids another's", before: []string{ann}, request: []string{void}, scopes: auth.Scopes{auth.All}},
		{name: "all voids what is not there yet", request: []string{void}, scopes: auth.Scopes{auth.All}},
		{name: "write voids its own", own: []string{ann}, request: []string{void}, scopes: auth.Scopes{auth.StatementsWrite}},
		{name: "write voids its own of the same request", request: []string{void, ann}, scopes: auth.Scopes{auth.StatementsWrite}},
		{name: "write does not void another's", before: []string{ann}, request: []string{void}, scopes: auth.Scopes{auth.StatementsWrite}, refused: true},
		{name: "write does not void what is not there yet", request: []string{void}, scopes: auth.Scopes{auth.StatementsWrite}, refused: true},
		{name: "write does not void another's by sending it again", before: []string{ann}, request: []string{void, ann}, scopes: auth.Scopes{auth.StatementsWrite}, refused: true},
		{name: "a referrer may be anybody's", before: []string{ann}, request: []string{praise}, scopes: auth.Scopes{auth.StatementsWrite}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, nil)
			store := storeWith("acme", 1)
			p := credential(store, "mine", test.scopes...)
			if test.before != nil {
				w.mustStore(credential(store, "other", auth.All), test.before...)
			}
			if test.own != nil {
				w.mustStore(p, test.own...)
			}
			err := w.store(p, test.request...)
			if errors.Is(err, ErrForbidden) != test.refused || err != nil && !test.refused {
				t.Fatalf("error %v, want a refusal: %t", err, test.refused)
			}
			if _, gone := w.stateOfStore("acme", []string{uuidOf(3)})[uuidOf(3)]; gone == test.refused && test.request[0] == void {
				t.Errorf("the void is stored: %t", gone)
			}
			if w.stateOfStore("acme", []string{uuidOf(1)})[uuidOf(1)].Voided && test.refused {
				t.Error("the target is voided")
			}
			w.followToTheEnd()
			w.check(store)
		})
	}
}

// The target of a void is stored by another credential between the look and the commit.
func TestVoidRightsAreLookedAtAgain(t *testing.T) {
	ann, void := plain(uuidOf(1), "ann", "did", "thing"), referring(uuidOf(3), "cat", "voided", uuidOf(1))
	store := storeWith("acme", 1)
	var w *world
	raced := false
	w = newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if c.Op == pebble.OpGroup && !raced {
			raced = true
			w.mustStore(credential(store, "other", auth.All), ann)
		}
		return pebble.Fault{}
	}})
	if err := w.store(credential(store, "mine", auth.StatementsWrite), ann, void); !errors.Is(err, ErrForbidden) {
		t.Errorf("error %v, want a refusal", err)
	}
	if !raced || w.stateOfStore("acme", []string{uuidOf(1)})[uuidOf(1)].Voided {
		t.Error("another's statement was voided by sending it again")
	}
	w.check(store)
}

func TestScopesOfReadingAndWriting(t *testing.T) {
	w := newWorld(t, nil)
	store := storeWith("acme", 1)
	w.mustStore(credential(store, "other", auth.All), plain(uuidOf(1), "ann", "did", "thing"))
	for scope, want := range map[auth.Scope]struct{ read, write bool }{
		auth.All: {true, true}, auth.AllRead: {true, false}, auth.StatementsRead: {true, false},
		auth.StatementsWrite: {false, true}, auth.State: {false, false}, auth.Profile: {false, false}, auth.Define: {false, false},
	} {
		p := credential(store, "with-"+string(scope), scope)
		_, err := w.service.Query(t.Context(), p, Query{})
		if got := err == nil; got != want.read || err != nil && !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: list: %v", scope, err)
		}
		_, err = w.service.Statement(t.Context(), p, uuidOf(1), false)
		if got := err == nil; got != want.read || err != nil && !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: one statement: %v", scope, err)
		}
		err = w.store(p, plain(uuidOf(1), "ann", "did", "thing"))
		if got := err == nil; got != want.write || err != nil && !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: store: %v", scope, err)
		}
	}
}

// statements/read/mine shows what has the credential's own authority. That others refer to it, or that it refers to
// theirs, shows nothing of theirs.
func TestReadMine(t *testing.T) {
	w := newWorld(t, nil)
	store := storeWith("acme", 2)
	mine, other := credential(store, "mine", auth.StatementsWrite, auth.StatementsReadMine), credential(store, "other", auth.All)
	for _, p := range []auth.Principal{mine, other} {
		authority := ifiParam(t, string(p.Authority)).IFI
		term := store.Term(auth.AuthorityTerm, authority.Key())
		store.Authorities = append(store.Authorities, term[:])
	}
	mine.Store, other.Store = store, store
	w.mustStore(mine, plain(uuidOf(1), "ann", "did", "thing"))
	w.mustStore(other, referring(uuidOf(2), "bob", "praised", uuidOf(1)), plain(uuidOf(3), "ann", "did", "thing"))
	w.mustStore(mine, referring(uuidOf(4), "cat", "praised", uuidOf(3)))
	w.followToTheEnd()

	readable := []string{uuidOf(4), uuidOf(1)}
	for name, q := range map[string]Query{
		"all": {}, "by agent": {Agent: agent(t, "ann")}, "by activity": {Activity: "http://example.org/thing"}, "by pages of one": {Limit: 1},
		"by my authority": {Agent: ifiParam(t, string(mine.Authority)), RelatedAgents: true},
	} {
		if diff := cmp.Diff(readable, w.walk(mine, q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := w.walk(mine, Query{Agent: agent(t, "bob")}); got != nil {
		t.Errorf("by the agent of another's statement: %v", got)
	}
	for _, id := range []string{uuidOf(2), uuidOf(3)} {
		if _, err := w.service.Statement(t.Context(), mine, id, false); !errors.Is(err, ErrNotFound) {
			t.Errorf("statement %s of another: %v", id, err)
		}
	}
	w.mustStore(other, referring(uuidOf(5), "bob", "voided", uuidOf(3)))
	if _, err := w.service.Statement(t.Context(), mine, uuidOf(3), true); !errors.Is(err, ErrNotFound) {
		t.Errorf("voided statement of another: %v", err)
	}
	// Whoever may read all sees all, by authority too; a reference hands the authority of its target on.
	if diff := cmp.Diff([]string{uuidOf(4), uuidOf(2), uuidOf(1)}, w.walk(other, Query{Agent: ifiParam(t, string(mine.Authority)), RelatedAgents: true})); diff != "" {
		t.Errorf("by the authority of mine (-want +got):\n%s", diff)
	}
	if got := w.walk(other, Query{Agent: ifiParam(t, string(mine.Authority))}); got != nil {
		t.Errorf("an authority is found without related_agents: %v", got)
	}
}

// listedAuthorities is the directory of a test.
type listedAuthorities struct{ added [][12]byte }

func (a *listedAuthorities) AddAuthority(_ context.Context, _ string, term [12]byte) error {
	a.added = append(a.added, term)
	return nil
}

func TestAuthority(t *testing.T) {
	const brought = `{"objectType":"Agent","mbox":"mailto:importer@example.org"}`
	text := strings.Replace(plain(uuidOf(1), "ann", "did", "thing"), `"actor"`, `"authority":`+brought+`,"actor"`, 1)
	for _, trusted := range []bool{false, true} {
		w := newWorld(t, nil)
		known := &listedAuthorities{}
		w.service.Authorities = known
		p := principal(storeWith("acme", 1))
		p.Trusted = trusted
		w.mustStore(p, text)
		st, err := w.service.Statement(t.Context(), p, uuidOf(1), false)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(st.Body), brought) != trusted || strings.Contains(string(st.Body), string(p.Authority)) == trusted {
			t.Errorf("trusted %t: %s", trusted, st.Body)
		}
		for _, term := range known.added {
			p.Store.Authorities = append(p.Store.Authorities, term[:])
		}
		want := []string(nil)
		if trusted {
			want = []string{uuidOf(1)}
		}
		if diff := cmp.Diff(want, w.walk(p, Query{Agent: ifiParam(t, brought), RelatedAgents: true})); diff != "" {
			t.Errorf("trusted %t: by the authority that was brought (-want +got):\n%s", trusted, diff)
		}
		w.check(p.Store)
	}
}
