package lrs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// ofGroup gives a statement an anonymous group of n members as its actor. Prefixes tell groups apart.
func ofGroup(statement, prefix string, n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`{"mbox":"mailto:%s%d@example.org"}`, prefix, i))
	}
	_, rest, _ := strings.Cut(statement, `},"verb"`)
	id := statement[:len(`{"id":"00000000-0000-0000-0000-000000000000"`)]
	return id + `,"actor":{"objectType":"Group","member":[` + strings.Join(members, ",") + `]},"verb"` + rest
}

func TestOwnTermsAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	const others = 4 // verb, activity, authority and owner
	if err := w.store(p, ofGroup(plain(uuidOf(1), "ann", "did", "thing"), "m", MaxOwnTerms-others)); err != nil {
		t.Errorf("%d terms: %v", MaxOwnTerms, err)
	}
	err := w.store(p, plain(uuidOf(3), "ann", "did", "thing"), ofGroup(plain(uuidOf(2), "ann", "did", "thing"), "m", MaxOwnTerms-others+1))
	if !isRefusal(err, ErrTooLarge, fmt.Sprint(MaxOwnTerms)) || !isRefusal(err, ErrTooLarge, "statement 1") {
		t.Errorf("%d terms: %v", MaxOwnTerms+1, err)
	}
	if got := w.walk(p, Query{Agent: agent(t, fmt.Sprintf("m%d", MaxOwnTerms-others-1))}); len(got) != 1 {
		t.Errorf("the last member finds %v", got)
	}
	w.check(p.Store)
}

func TestEntriesOfARequestAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	var statements []string
	for n := range MaxEntries/(MaxOwnTerms-4) + 1 {
		statements = append(statements, ofGroup(plain(uuidOf(n), "ann", "did", "thing"), fmt.Sprint("m", n, "-"), MaxOwnTerms-4))
	}
	if err := w.store(p, statements...); !isRefusal(err, ErrTooLarge, fmt.Sprint(MaxEntries)) {
		t.Errorf("%d statements of %d terms: %v", len(statements), MaxOwnTerms, err)
	}
	if got := w.walk(p, Query{}); len(got) != 0 {
		t.Errorf("the refused request left %v", got)
	}
	w.check(p.Store)
}

// Inheritance stops at the bound and says so, in whatever order the statements come; what a statement says itself is
// found all the same.
func TestEffectiveTermsAreBounded(t *testing.T) {
	statements := []string{
		ofGroup(plain(uuidOf(1), "ann", "did", "thing"), "a", MaxOwnTerms-4),
		ofGroup(referring(uuidOf(2), "bob", "praised", uuidOf(1)), "b", MaxOwnTerms-4),
		ofGroup(referring(uuidOf(3), "cat", "shared", uuidOf(2)), "c", 50),
		referring(uuidOf(4), "dan", "liked", uuidOf(3)),
	}
	for name, order := range map[string][][]int{
		"one after the other": {{0}, {1}, {2}, {3}}, "the other way round": {{3}, {2}, {1}, {0}}, "together": {{2, 0, 3, 1}}, "in two requests": {{1, 3}, {0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			// The clock stands still: thousands of entries must not make positions too old on a busy machine.
			w.clock = position.NewClock(func() time.Time { return time.UnixMilli(1_800_000_000_000) }, nil)
			w.service = w.newService(w.tables, OneProcess{Positions: w.clock})
			w.follower = &Follower{Service: w.service}
			p := principal(storeWith("acme", 1))
			for _, request := range order {
				var texts []string
				for _, i := range request {
					texts = append(texts, statements[i])
				}
				w.mustStore(p, texts...)
			}
			w.followToTheEnd()
			for n, flagged := range map[int]bool{1: false, 2: false, 3: true} {
				item, _, err := w.tables.Get(t.Context(), w.ref(p, uuidOf(n)), table.Strong)
				if err != nil {
					t.Fatal(err)
				}
				r, err := recordOf(item)
				if err != nil {
					t.Fatal(err)
				}
				if r.truncated != flagged || len(r.termList) > MaxEffectiveTerms || flagged && len(r.termList) != MaxEffectiveTerms {
					t.Errorf("statement %d: %d terms, flagged %t", n, len(r.termList), r.truncated)
				}
			}
			for who, want := range map[string]string{"c49": uuidOf(3), "dan": uuidOf(4)} {
				if got := w.walk(p, Query{Agent: agent(t, who)}); len(got) == 0 || got[len(got)-1] != want && got[0] != want {
					t.Errorf("by its own agent %s: %v, want %s among them", who, got, want)
				}
			}
			w.check(p.Store)
			if name != "together" {
				return
			}
			damageable{world: w, p: p}.replace(uuidOf(3), table.Item{schema.Truncated: {}})
			if !slices.ContainsFunc(w.differences(p.Store), func(d Difference) bool { return d.Statement == uuidOf(3) && d.What == WrongTerms }) {
				t.Error("a check takes it for whole without its flag, though it lacks terms")
			}
		})
	}
}

// A statement that is full to the brim, and then is to inherit one more term, takes none and is flagged.
func TestFullStatementIsFlagged(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	w.mustStore(p, ofGroup(referring(uuidOf(2), "bob", "praised", uuidOf(1)), "b", MaxOwnTerms-4))
	fill := make([][]byte, MaxEffectiveTerms-(MaxOwnTerms-1)) // no activity among its own
	for i := range fill {
		inherited := newTerm(p.Store, relatedAgentKind, fmt.Sprint(i))
		fill[i] = inherited[:]
	}
	w.apply(table.Update(w.ref(p, uuidOf(2)), []table.Action{table.Add(schema.EffectiveTerms, table.SetOf(fill...))}))
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	item, _, err := w.tables.Get(t.Context(), w.ref(p, uuidOf(2)), table.Strong)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(item[schema.EffectiveTerms].Set); got != MaxEffectiveTerms || item[schema.Truncated].N != 1 {
		t.Errorf("%d terms, flagged %d", got, item[schema.Truncated].N)
	}
}

// Ten thousand statements that refer to one id make storing it no slower than twenty-five do; the follower does the rest.
// A void among them counts at once.
func TestManyReferrers(t *testing.T) {
	const referrers = 10_000
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	for first := 1; first <= referrers; first += MaxBatch {
		var batch []string
		for n := first; n < first+MaxBatch; n++ {
			batch = append(batch, referring(uuidOf(n), fmt.Sprintf("agent%d", n%7), "praised", uuidOf(0)))
		}
		w.mustStore(p, batch...)
	}
	w.mustStore(p, referring(uuidOf(referrers+1), "zoe", "voided", uuidOf(0)))
	w.followToTheEnd()
	var meter table.Meter
	if _, err := w.service.Store(table.WithMeter(t.Context(), &meter), p, decode(t, plain(uuidOf(0), "ann", "did", "thing")), nil); err != nil {
		t.Fatal(err)
	}
	if cost, calls := meter.Total(); calls > 10+3*inlineCompletions {
		t.Errorf("the request made %d calls (%v)", calls, cost)
	}
	if _, err := w.service.Statement(t.Context(), p, uuidOf(0), true); err != nil {
		t.Errorf("the void does not count at once: %v", err)
	}
	var followed table.Meter
	w.followToTheEndUnder(table.WithMeter(t.Context(), &followed))
	if cost, calls := followed.Total(); calls > 3*referrers || cost.Read > 5*referrers || cost.Write > 8*referrers {
		t.Errorf("completing %d referrers took %d calls, %v read and %v write units", referrers, calls, cost.Read, cost.Write)
	}
	if got := len(w.walk(p, Query{Activity: "http://example.org/thing"})); got != referrers+1 { // and the void
		t.Errorf("%d statements lead to the activity, want %d", got, referrers+1)
	}
	w.check(p.Store)
}

// An equal re-send of a target must not read all who refer to it, again and again.
func TestSendingAPopularTargetAgain(t *testing.T) {
	const referrers = 1_000
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	target := plain(uuidOf(0), "ann", "did", "thing")
	w.mustStore(p, target)
	for first := 1; first <= referrers; first += MaxBatch {
		var batch []string
		for n := first; n < first+MaxBatch; n++ {
			batch = append(batch, referring(uuidOf(n), "bob", "praised", uuidOf(0)))
		}
		w.mustStore(p, batch...)
	}
	var meter table.Meter
	if _, err := w.service.Store(table.WithMeter(t.Context(), &meter), p, decode(t, target), nil); err != nil {
		t.Fatal(err)
	}
	if cost, calls := meter.Total(); calls > 8 {
		t.Errorf("the request made %d calls and consumed %v read units", calls, cost.Read)
	}
}

// Every kind of sharded term is found whatever number of shards a statement was written with.
func TestStoresGrowTheirShards(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	var want []string
	store := func(n int) {
		statement := plain(uuidOf(n), "ann", "did", "thing")
		w.mustStore(p, strings.TrimSuffix(statement, "}")+`,"context":{"contextActivities":{"parent":[{"id":"http://example.org/course"}]}}}`)
		want = append([]string{uuidOf(n)}, want...)
	}
	steps := []struct{ readers, writers int }{{1, 1}, {4, 1}, {4, 4}, {7, 4}, {7, 7}}
	for i, step := range steps {
		p.Store.Shards, p.Store.WriteShards = step.readers, step.writers
		for n := range 10 {
			store(10*i + n)
		}
		for name, q := range map[string]Query{
			"all": {}, "verb": {Verb: "http://example.org/did"}, "activity": {Activity: "http://example.org/thing"},
			"related activity": {Activity: "http://example.org/course", RelatedActivities: true}, "agent": {Agent: agent(t, "ann")},
		} {
			if got := w.walk(p, q); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d shards, %d for writers: %s: %d statements, want %d", step.readers, step.writers, name, len(got), len(want))
			}
		}
	}
	w.check(auth.Store{ID: "acme", Shards: 7, WriteShards: 7, TermKey: p.Store.TermKey, CursorKey: p.Store.CursorKey})
}
