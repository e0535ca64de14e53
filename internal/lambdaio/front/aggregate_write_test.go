package front

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// streamedStore is a store with what was sent to it.
type streamedStore struct {
	id, key, secret string
	sent            map[string]sentStatement // by id
	damaged         int                      // statements that were put there unreadable
}

type sentStatement struct {
	json  string
	voids string // id; "" when it does not
}

// write stores, sends again, voids, refers to and removes about n statements. Some writers die at a call, and nobody does for
// them what they did not come to.
func (a *aggregation) write(n int) {
	for range n {
		s := a.stores[a.IntN(len(a.stores))]
		known := slices.Sorted(maps.Keys(s.sent))
		switch x := a.IntN(20); {
		case x < 11 || len(known) == 0:
			var fresh []string
			for range 1 + a.IntN(3) {
				fresh = append(fresh, a.say(s, a.next(), a.object()))
			}
			a.post(s, fresh)
		case x < 14: // of what there is, or of what may be to come
			a.post(s, []string{a.refer(s, a.target(known))})
		case x < 16:
			a.post(s, []string{s.sent[known[a.IntN(len(known))]].json})
		case x < 19: // and perhaps stored again, by whom it may be
			id := known[a.IntN(len(known))]
			if s.sent[id].voids != "" {
				continue
			}
			a.apply(table.Delete(s.ref(id)))
			if a.IntN(2) == 0 {
				a.post(s, []string{a.say(s, id, a.object())})
			}
		default:
			a.damage(s, known[a.IntN(len(known))])
		}
	}
}

// apply does a write behind the back of the rules.
func (a *aggregation) apply(write table.Write) {
	a.t.Helper()
	if _, _, err := a.cairn.Tables.Apply(a.t.Context(), write); err != nil {
		a.t.Fatal(err)
	}
}

func (s *streamedStore) ref(id string) table.Ref {
	return table.Ref{Table: schema.Statements, Key: table.Key{Partition: s.id + "#" + id}}
}

// next is the id of the next statement.
func (a *aggregation) next() string {
	a.last++
	return uuidOf(a.last)
}

// target is the id of a statement that is there, or perhaps will be.
func (a *aggregation) target(known []string) string {
	if a.IntN(3) == 0 {
		return uuidOf(a.last + 2 + a.IntN(6))
	}
	return known[a.IntN(len(known))]
}

// uuidOf is the n-th statement id.
func uuidOf(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }

func pickOne[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// object is that of an ordinary statement, with its verb.
func (a *aggregation) object() string {
	return fmt.Sprintf(`"verb":{"id":%q},"object":{"id":"http://example.com/%d"}`,
		pickOne(a.Rand, "http://adlnet.gov/expapi/verbs/initialized", "http://adlnet.gov/expapi/verbs/completed", "http://adlnet.gov/expapi/verbs/passed",
			"http://adlnet.gov/expapi/verbs/answered", "https://w3id.org/xapi/video/verbs/played"), a.IntN(4))
}

// refer makes a statement about another one: one that voids it, or not.
func (a *aggregation) refer(s *streamedStore, target string) string {
	verb, voids := "http://example.com/remarked", ""
	if s.sent[target].voids == "" && a.IntN(2) == 0 { // what voids cannot be voided
		verb, voids = "http://adlnet.gov/expapi/verbs/voided", target
	}
	id := a.next()
	text := a.say(s, id, fmt.Sprintf(`"verb":{"id":%q},"object":{"objectType":"StatementRef","id":%q}`, verb, target))
	s.sent[id] = sentStatement{text, voids}
	return text
}

// say makes a statement of one of few learners, with values that nobody would expect now and then.
func (a *aggregation) say(s *streamedStore, id, object string) string {
	actor := fmt.Sprintf(`{"mbox":"mailto:learner%d@example.com"}`, a.IntN(4))
	if a.IntN(10) == 0 {
		actor = `{"objectType":"Group","member":[` + actor + `]}`
	}
	at := time.Now().Add(time.Duration(pickOne(a.Rand, 0, 0, 0, -1, -30, -24*40, 24*30)) * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	if a.IntN(20) == 0 {
		at = pickOne(a.Rand, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
	}
	result := pickOne(a.Rand, "", "", "", `"completion":true,"success":false`, `"score":{"scaled":0.75}`, `"score":{"raw":1e308,"min":-1e308,"max":1e308}`,
		`"duration":"P99999999Y"`, `"extensions":{"https://w3id.org/xapi/video/extensions/played-segments":"0[.]10[,]5[.]1e308"}`)
	if a.IntN(100) == 0 { // no compression makes it fit an item
		large := make([]byte, 300_000)
		for i := range large {
			large[i] = byte('#' + a.IntN(50)) // neither a quote nor a backslash
		}
		result = `"response":"` + string(large) + `"`
	}
	around := ""
	if !strings.Contains(object, "StatementRef") && a.IntN(2) == 0 {
		around = fmt.Sprintf(`"context":{"registration":%q,"contextActivities":{"parent":[{"id":"http://example.com/course%d"}]}},`, uuidOf(9_000_000+a.IntN(2)), a.IntN(2))
	}
	text := fmt.Sprintf(`{"id":%q,"actor":%s,%s,"result":{%s},%s"timestamp":%q}`, id, actor, object, result, around, at)
	s.sent[id] = sentStatement{json: text}
	return text
}

// post sends statements. One writer in five is hasty, and may die.
func (a *aggregation) post(s *streamedStore, statements []string) {
	a.t.Helper()
	cairn, ctx := a.cairn, a.t.Context()
	hasty := a.IntN(5) == 0
	if hasty {
		cairn = a.hasty
		var kill func()
		ctx, kill = context.WithCancel(ctx)
		a.disturb(0.1, true, kill)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/xapi/statements", strings.NewReader("["+strings.Join(statements, ",")+"]"))
	r.SetBasicAuth(s.key, s.secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	cairn.StatementsHandler().ServeHTTP(w, r)
	if hasty && a.calm() {
		a.count("a writer died", 1)
	} else if w.Code != http.StatusOK {
		a.t.Fatalf("post: %d %s", w.Code, w.Body)
	}
	a.count("statements", len(statements))
}

// damage puts a statement there whose body cannot be read, if there is one to copy.
func (a *aggregation) damage(s *streamedStore, id string) {
	a.t.Helper()
	item, _, err := a.cairn.Tables.Get(a.t.Context(), s.ref(id), table.Strong)
	if err != nil {
		a.t.Fatal(err)
	}
	if item == nil || item[schema.Body].Kind == 0 || strings.Contains(s.sent[id].json, "StatementRef") {
		return
	}
	copied := maps.Clone(item)
	delete(copied, schema.Voided)
	copied[schema.PK] = table.S(s.ref(a.next()).Key.Partition)
	copied[schema.Body] = table.B([]byte("no statement"))
	a.apply(table.Put(schema.Statements, copied))
	s.damaged++
}
