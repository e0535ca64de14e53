package rollup

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/table"
)

// hostileAmong is how many statements there are, one in a hundred of them hostile; CAIRN_HOSTILE asks for more.
const hostileAmong = 3000

// hostile spoils an event in one of several ways. Counted says that the outcome is a fact, or nothing, and no dead letter.
func hostile(n int, e Event) (spoiled Event, counted bool) {
	text := string(e.Statement)
	replace := func(old, new string) Event {
		e.Statement = []byte(strings.Replace(text, old, new, 1))
		return e
	}
	switch n % 10 {
	case 0:
		e.Statement, e.Stored, e.Reason = nil, time.Time{}, "unpack statement: checksum does not match"
		return e, false
	case 1:
		return replace(`"verb"`, `"noun"`), false
	case 2:
		e.Statement = []byte(text[:len(text)/2])
		return e, false
	case 3:
		return replace(`"actor"`, `"nobody"`), false
	case 4:
		e.Statement = []byte(strings.TrimSuffix(text, "}") + `,"result":{"score":{"scaled":1e308,"raw":-1e308,"max":1e308},"duration":"P99999999Y"}}`)
		return e, true
	case 5:
		return replace(`"timestamp":"2026`, `"timestamp":"9999`), true
	case 6:
		return replace(`"timestamp":"2026`, `"timestamp":"0001`), true
	}
	long := strings.Repeat("long", 150_000)
	switch n % 10 {
	case 7:
		return replace(`"id":"http://example.org/c`, `"id":"http://example.org/`+long), true
	case 8:
		return replace(`mailto:`, `mailto:`+long), true // kept as its hash
	}
	members := strings.Repeat(`{"mbox":"mailto:member@example.org"},`, 5000)
	return replace(`"objectType":"Agent"`, `"objectType":"Group","member":[`+members[:len(members)-1]+`]`), true
}

// Hostile statements stall nothing: all healthy ones are counted, all that cannot be are listed, each with its reason.
func TestHostileStatementsStallNothing(t *testing.T) {
	among := hostileAmong
	if text := os.Getenv("CAIRN_HOSTILE"); text != "" {
		var err error
		if among, err = strconv.Atoi(text); err != nil {
			t.Fatalf("CAIRN_HOSTILE: %v", err)
		}
	}
	store := storeOf("acme")
	db := memory(t)
	o := newOracle(store)
	var events []Event
	want := map[string]bool{}
	stored := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)
	for n := range among {
		stored = stored.Add(time.Second)
		s := statement{learner: fmt.Sprint("learner", n%97), verb: "http://example.org/v", content: fmt.Sprint("c", n%7), at: stored}
		e := Event{Store: store.ID, StatementID: uuidOf(n), Stored: stored, Statement: s.json(t, uuidOf(n), stored), Live: true}
		counted := true
		if n%100 == 50 {
			e, counted = hostile(n/100, e)
		}
		if events = append(events, e); counted {
			o.happened(e)
		} else {
			want[e.StatementID] = true
		}
	}
	f := NewFolder(Folder{Tables: db, Stores: storesOf(store)})
	began, slowest := time.Now(), time.Duration(0)
	for batch := range slices.Chunk(events, 500) {
		from := time.Now()
		mustFold(t, f, batch)
		slowest = max(slowest, time.Since(from))
	}
	took := time.Since(began)
	o.check(t, db)
	letters, more, err := DeadLetters(t.Context(), db, store.ID, "", len(events))
	if err != nil || more {
		t.Fatal(err)
	}
	t.Logf("%d statements, %d of them hostile: folded in %v, the slowest 500 in %v; %d dead letters", among, among/100, took.Round(time.Millisecond), slowest.Round(time.Millisecond), len(letters))
	for _, l := range letters {
		if !want[l.StatementID] || l.Reason == "" || l.When.IsZero() || strings.Contains(l.Reason, "learner") {
			t.Errorf("%+v", l)
		}
		delete(want, l.StatementID)
	}
	for id := range want {
		t.Errorf("statement %s is neither counted nor listed", id)
	}
}

// A learner with more facts than a ledger may have stops being counted, and nobody else does; what is voided makes no room, but
// is taken back.
func TestFullLedger(t *testing.T) {
	for name, full := range map[string]func(*layout){
		"pages": func(o *layout) { o.mostPages = 2 },
		"facts": func(o *layout) { o.mostFacts = 150 },
	} {
		t.Run(name, func(t *testing.T) {
			small := usualLayout
			full(&small)
			testFullLedger(t, small)
		})
	}
}

func testFullLedger(t *testing.T, small layout) {
	store := storeOf("acme")
	db := memory(t)
	f := NewFolder(Folder{Tables: db, Stores: storesOf(store), KeepFacts: 1000, layout: small})
	o := newOracle(store)
	stored := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)
	var all []Event
	for n := range 1000 {
		stored = stored.Add(time.Minute)
		s := statement{learner: "busy", verb: "http://example.org/v", content: "c", at: stored}
		if n%50 == 0 {
			s.learner = "other"
		}
		all = append(all, Event{Store: store.ID, StatementID: uuidOf(n), Stored: stored, Statement: s.json(t, uuidOf(n), stored), Live: true})
	}
	for batch := range slices.Chunk(all, 20) {
		mustFold(t, f, batch)
	}
	letters, _, err := DeadLetters(t.Context(), db, store.ID, "", len(all))
	if err != nil || len(letters) == 0 || letters[0].Reason != errLedgerFull.Error() {
		t.Fatalf("%d dead letters, error %v", len(letters), err)
	}
	for _, e := range all {
		if !slices.ContainsFunc(letters, func(l DeadLetter) bool { return l.StatementID == e.StatementID }) {
			o.happened(e)
		}
	}
	if _, items, _ := foldMetered(t, f, all[len(all)-1:], 1); items != 1 {
		t.Errorf("%d items of a full ledger are read again", items)
	}
	voided := all[1]
	voided.Live = false
	mustFold(t, f, []Event{voided})
	o.happened(voided)
	o.check(t, db)
}

// A dead letter that is tried again is counted once the cause is gone, and is a dead letter no more.
func TestReplay(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	f := NewFolder(Folder{Tables: db, Stores: storesOf(store)})
	stored := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)
	good := statement{learner: "ann", verb: "http://example.org/v", content: "c", at: stored}
	var damaged, mended []Event
	o := newOracle(store)
	for n := range 3 {
		e := Event{Store: store.ID, StatementID: uuidOf(n), Stored: stored, Statement: good.json(t, uuidOf(n), stored), Live: true}
		damaged = append(damaged, Event{Store: e.Store, StatementID: e.StatementID, Live: true, Reason: "its body is lost"})
		mended = append(mended, e)
	}
	mended[1] = Event{Store: store.ID, StatementID: uuidOf(1)} // removed since
	mended[2] = damaged[2]                                     // as bad as before
	o.happened(mended[0])
	mustFold(t, f, damaged)
	for range 2 { // the second time the first is counted already
		gone, err := f.Replay(t.Context(), mended)
		if err != nil || gone != 2 {
			t.Errorf("%d letters are gone, error %v", gone, err)
		}
	}
	letters, _, err := DeadLetters(t.Context(), db, store.ID, "", 10)
	if err != nil || len(letters) != 1 || letters[0].StatementID != uuidOf(2) {
		t.Errorf("left: %+v, error %v", letters, err)
	}
	o.check(t, db)
}

// A statement that is not counted is a difference, unless it is a dead letter, which says so itself.
func TestAuditKnowsDeadLetters(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	f := NewFolder(Folder{Tables: db, Stores: storesOf(store)})
	stored := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)
	good := statement{learner: "ann", verb: "http://example.org/v", content: "c", at: stored}
	events := []Event{
		{Store: "acme", StatementID: uuidOf(0), Stored: stored, Statement: good.json(t, uuidOf(0), stored), Live: true},
		{Store: "acme", StatementID: uuidOf(1), Stored: stored, Live: true, Reason: "its body is lost"},
	}
	mustFold(t, f, events)
	audit := func() (found []Difference, summary AuditSummary) {
		t.Helper()
		a := Audit{Tables: db, Stores: storesOf(store).Read, Report: func(d Difference) { found = append(found, d) }}
		if err := errors.Join(a.Add(t.Context(), events), a.Compare(t.Context())); err != nil {
			t.Fatal(err)
		}
		return found, a.Summary
	}
	if found, summary := audit(); len(found) > 0 || summary.DeadLetters != 1 || summary.Facts != 1 {
		t.Errorf("beside its letter: %v, %+v", found, summary)
	}
	if _, _, err := db.Apply(t.Context(), table.Delete(deadRef("acme", uuidOf(1)))); err != nil {
		t.Fatal(err)
	}
	if found, _ := audit(); len(found) != 1 || found[0].What != WrongLedger || !strings.Contains(found[0].Detail, uuidOf(1)) {
		t.Errorf("without it: %v", found)
	}
}

// Dead letters are listed in pages that neither repeat nor leave out.
func TestDeadLettersInPages(t *testing.T) {
	db := memory(t)
	f := NewFolder(Folder{Tables: db, Stores: storesOf(storeOf("acme"))})
	var events []Event
	for n := range 5 {
		events = append(events, Event{Store: "acme", StatementID: uuidOf(n), Live: true, Reason: "its body is lost"})
	}
	mustFold(t, f, events)
	listed, after := 0, ""
	for _, want := range []struct {
		letters int
		more    bool
	}{{2, true}, {2, true}, {1, false}} {
		letters, more, err := DeadLetters(t.Context(), db, "acme", after, 2)
		if err != nil || len(letters) != want.letters || more != want.more {
			t.Fatalf("after %q: %d letters, more %t, %v", after, len(letters), more, err)
		}
		for _, l := range letters {
			if l.StatementID != uuidOf(listed) {
				t.Errorf("letter %d is of statement %s", listed, l.StatementID)
			}
			listed, after = listed+1, l.StatementID
		}
	}
	if letters, more, err := DeadLetters(t.Context(), db, "acme", "", 5); err != nil || len(letters) != 5 || more {
		t.Errorf("all at once: %d letters, more %t, %v", len(letters), more, err)
	}
}

// The mooc data, shuffled, a tenth of it twice, in batches of 1 to 500 to two Folders at once: the same ledgers and buckets.
func TestMoocDataInAnyOrder(t *testing.T) {
	events := moocEvents(t, "acme")
	if events == nil {
		return
	}
	store := storeOf("acme")
	o := newOracle(store)
	for _, e := range events {
		o.happened(e)
	}
	random := rand.New(rand.NewPCG(1, 2))
	feed := slices.Clone(events)
	for range len(events) / 10 {
		feed = append(feed, events[random.IntN(len(events))])
	}
	random.Shuffle(len(feed), func(i, j int) { feed[i], feed[j] = feed[j], feed[i] })
	var batches [][]Event
	for len(feed) > 0 {
		n := min(len(feed), 1+random.IntN(500))
		batches, feed = append(batches, feed[:n]), feed[n:]
	}
	db := memory(t)
	var wait sync.WaitGroup
	for lane := range 2 {
		wait.Go(func() {
			f := NewFolder(Folder{Tables: db, Stores: storesOf(store), Lane: uint8(lane)})
			for i := lane; i < len(batches); i += 2 {
				if err := f.Fold(t.Context(), batches[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	o.check(t, db)
}

// The ledger of nobody is found by the statement alone, and is no learner's.
func TestUnattributedLedgers(t *testing.T) {
	seen := map[fact.Hash]bool{}
	for n := range 5000 {
		l := unattributedLedger(fact.IDOf(uuidOf(n)))
		seen[l] = true
		if !unattributed(l) {
			t.Fatalf("%x is a learner's", l)
		}
	}
	if len(seen) != 256 {
		t.Errorf("%d ledgers", len(seen))
	}
	if store := storeOf("acme"); unattributed(store.Term("learner", "x")) {
		t.Error("a learner is nobody")
	}
}
