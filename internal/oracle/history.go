package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// History makes statements and queries from few names, so that they meet.
type History struct {
	*rand.Rand
	IDs []string // of the statements that there are to be
}

// NewHistory makes up a history. A seed gives the same one.
func NewHistory(seed uint64) *History {
	h := &History{Rand: rand.New(rand.NewPCG(seed, 0x5eed))}
	for i := range 6 + h.IntN(14) {
		h.IDs = append(h.IDs, uuidOf(int(seed%1_000_000)*100+i))
	}
	return h
}

func pick[T any](h *History, from ...T) T { return from[h.IntN(len(from))] }

func (h *History) agent() map[string]any {
	n := h.IntN(5)
	if n == 4 {
		return map[string]any{"objectType": "Agent", "account": map[string]any{"homePage": "http://lms.example.org", "name": "ann"}}
	}
	return map[string]any{"objectType": "Agent", "mbox": fmt.Sprintf("mailto:agent%d@example.org", n)}
}

func (h *History) actor() map[string]any {
	if h.IntN(4) > 0 {
		return h.agent()
	}
	members := []any{}
	for range 1 + h.IntN(3) {
		members = append(members, h.agent())
	}
	group := map[string]any{"objectType": "Group", "member": members}
	if h.IntN(2) == 0 {
		group["mbox"] = h.agentMbox()
	}
	return group
}

func (h *History) agentMbox() string { return fmt.Sprintf("mailto:agent%d@example.org", h.IntN(4)) }

func (h *History) verb() string         { return fmt.Sprintf("http://example.org/verb%d", h.IntN(3)) }
func (h *History) activity() string     { return fmt.Sprintf("http://example.org/activity%d", h.IntN(4)) }
func (h *History) registration() string { return uuidOf(9_000_000 + h.IntN(2)) }

func (h *History) context() map[string]any {
	c := map[string]any{}
	if h.IntN(2) == 0 {
		c["registration"] = h.registration()
	}
	if h.IntN(3) == 0 {
		c["instructor"] = h.actor()
	}
	if h.IntN(4) == 0 {
		c["team"] = map[string]any{"objectType": "Group", "member": []any{h.agent()}}
	}
	if h.IntN(3) == 0 {
		c["contextActivities"] = map[string]any{pick(h, "parent", "grouping", "category", "other"): []any{map[string]any{"id": h.activity()}}}
	}
	if h.IntN(5) == 0 {
		c["contextAgents"] = []any{map[string]any{"objectType": "contextAgent", "agent": h.agent()}}
	}
	if h.IntN(5) == 0 {
		c["contextGroups"] = []any{map[string]any{"objectType": "contextGroup", "group": map[string]any{"objectType": "Group", "member": []any{h.agent(), h.agent()}}}}
	}
	if h.IntN(6) == 0 {
		c["statement"] = map[string]any{"objectType": "StatementRef", "id": pick(h, h.IDs...)}
	}
	return c
}

func (h *History) event(sub bool) map[string]any {
	e := map[string]any{"actor": h.actor(), "verb": map[string]any{"id": h.verb()}, "context": h.context()}
	switch n := h.IntN(10); {
	case n < 4:
		e["object"] = map[string]any{"objectType": "Activity", "id": h.activity()}
	case n == 4:
		e["object"] = h.actor()
	case n == 5 && !sub:
		inner := h.event(true)
		inner["objectType"] = "SubStatement"
		e["object"] = inner
	case n < 9:
		e["object"] = map[string]any{"objectType": "StatementRef", "id": pick(h, append(h.IDs, uuidOf(99_999_999))...)}
	default:
		e["object"] = map[string]any{"objectType": "StatementRef", "id": pick(h, h.IDs...)}
		if !sub {
			e["verb"] = map[string]any{"id": voidedVerb}
		}
	}
	if object := e["object"].(map[string]any); object["objectType"] != "Activity" && len(e["context"].(map[string]any)) == 0 {
		delete(e, "context")
	}
	return e
}

// Statements makes the statements, by id. They want to be sent as of version 2.0.
func (h *History) Statements() map[string]map[string]any {
	statements := make(map[string]map[string]any, len(h.IDs))
	for _, id := range h.IDs {
		statements[id] = h.event(false)
		statements[id]["id"] = id
	}
	return statements
}

// Requests deals the ids out, in random order, to requests of up to four.
func (h *History) Requests() [][]string {
	ids := slices.Clone(h.IDs)
	h.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var requests [][]string
	for len(ids) > 0 {
		n := min(1+h.IntN(4), len(ids))
		requests = append(requests, ids[:n])
		ids = ids[n:]
	}
	return requests
}

// Query makes a query that meets some of the statements. stored has their times.
func (h *History) Query(stored map[string]time.Time) Query {
	q := Query{Limit: 1 + h.IntN(7), Ascending: h.IntN(2) == 0, RelatedAgents: h.IntN(2) == 0, RelatedActivities: h.IntN(2) == 0}
	if h.IntN(3) == 0 {
		q.Agent = h.agent()
	}
	if h.IntN(3) == 0 {
		q.Verb = pick(h, h.verb(), h.verb(), voidedVerb)
	}
	if h.IntN(3) == 0 {
		q.Activity = h.activity()
	}
	if h.IntN(4) == 0 {
		q.Registration = h.registration()
	}
	if h.IntN(4) == 0 {
		q.Since = stored[pick(h, h.IDs...)].Add(time.Duration(h.IntN(3)-1) * 500 * time.Microsecond)
	}
	if h.IntN(4) == 0 {
		q.Until = stored[pick(h, h.IDs...)].Add(time.Duration(h.IntN(3)-1) * 500 * time.Microsecond)
	}
	return q
}

// uuidOf is the n-th of the UUIDs that histories use.
func uuidOf(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }
