// Package oracle says what a query must answer, by brute force over decoded JSON and from the specification's words alone,
// and makes up the histories to ask about. It shares nothing with what it judges. Tests of the rules and black-box tests
// use it.
package oracle

import (
	"reflect"
	"strings"
	"time"
)

// Query is what a client may ask for.
type Query struct {
	Agent                            map[string]any // nil: none; an Agent with one identifier
	RelatedAgents, RelatedActivities bool
	Verb, Activity, Registration     string
	Since, Until                     time.Time // zero: none
	Ascending                        bool
	Limit                            int
}

// Oracle knows the statements of a store.
// Source: xAPI 1.0.3 Communication 2.1.3, Data 2.3.2; IEEE 9274.1.1 for the context agents.
type Oracle struct {
	Statements map[string]map[string]any // by id
	Authority  map[string]any            // of every statement
}

// Answer is what a query must list of the statements, which are given newest first with their stored times.
func (o Oracle) Answer(q Query, newestFirst []string, stored map[string]time.Time) []string {
	ids := []string{}
	for i, id := range newestFirst {
		if q.Ascending {
			id = newestFirst[len(newestFirst)-1-i]
		}
		if within(stored[id], q) && o.Lists(id, q) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Lists reports whether a query lists the statement, but for since and until.
func (o Oracle) Lists(id string, q Query) bool {
	st := o.Statements[id]
	if o.Voided(id) {
		return false
	}
	conditions := []func(map[string]any) bool{}
	if q.Agent != nil {
		conditions = append(conditions, func(s map[string]any) bool { return o.hasAgent(s, q.Agent, q.RelatedAgents) })
	}
	if q.Verb != "" {
		conditions = append(conditions, func(s map[string]any) bool { return at(s, "verb", "id") == q.Verb })
	}
	if q.Activity != "" {
		conditions = append(conditions, func(s map[string]any) bool { return hasActivity(s, q.Activity, q.RelatedActivities) })
	}
	if q.Registration != "" {
		conditions = append(conditions, func(s map[string]any) bool { return at(s, "context", "registration") == q.Registration })
	}
	for _, holds := range conditions {
		if !o.alongReferences(st, holds, map[string]bool{}) {
			return false
		}
	}
	return true
}

// alongReferences reports whether a condition holds for the statement or for one that its object refers to, and so on.
func (o Oracle) alongReferences(st map[string]any, holds func(map[string]any) bool, seen map[string]bool) bool {
	if st == nil {
		return false
	}
	if holds(st) {
		return true
	}
	target, ok := refersTo(st)
	if !ok || seen[target] {
		return false
	}
	seen[target] = true
	return o.alongReferences(o.Statements[target], holds, seen)
}

// Voided reports whether a statement is voided.
func (o Oracle) Voided(id string) bool {
	if isVoiding(o.Statements[id]) {
		return false
	}
	for _, st := range o.Statements {
		if target, ok := refersTo(st); ok && isVoiding(st) && target == id {
			return true
		}
	}
	return false
}

const voidedVerb = "http://adlnet.gov/expapi/verbs/voided"

func isVoiding(st map[string]any) bool { return at(st, "verb", "id") == voidedVerb }

func refersTo(st map[string]any) (string, bool) {
	if at(st, "object", "objectType") != "StatementRef" {
		return "", false
	}
	id, ok := at(st, "object", "id").(string)
	return strings.ToLower(id), ok
}

// hasAgent: actor and object and members of groups; with related also authority, instructor, team, the context agents
// and groups, and all of these in a SubStatement.
func (o Oracle) hasAgent(st map[string]any, agent map[string]any, related bool) bool {
	actors := []any{st["actor"]}
	if isActor(st["object"]) {
		actors = append(actors, st["object"])
	}
	if related {
		actors = append(actors, o.Authority)
		actors = append(actors, contextActors(st)...)
		if at(st, "object", "objectType") == "SubStatement" {
			sub := st["object"].(map[string]any)
			actors = append(actors, sub["actor"])
			if isActor(sub["object"]) {
				actors = append(actors, sub["object"])
			}
			actors = append(actors, contextActors(sub)...)
		}
	}
	for _, a := range actors {
		if sameAgent(a, agent) {
			return true
		}
		for _, member := range list(at(a, "member")) {
			if sameAgent(member, agent) {
				return true
			}
		}
	}
	return false
}

func isActor(object any) bool {
	kind := at(object, "objectType")
	return kind == "Agent" || kind == "Group"
}

func contextActors(st map[string]any) []any {
	actors := []any{at(st, "context", "instructor"), at(st, "context", "team")}
	for _, a := range list(at(st, "context", "contextAgents")) {
		actors = append(actors, at(a, "agent"))
	}
	for _, g := range list(at(st, "context", "contextGroups")) {
		actors = append(actors, at(g, "group"))
	}
	return actors
}

// sameAgent compares by the one identifier that the asked agent has.
func sameAgent(a any, agent map[string]any) bool {
	for _, identifier := range []string{"mbox", "mbox_sha1sum", "openid", "account"} {
		if want, ok := agent[identifier]; ok {
			return reflect.DeepEqual(at(a, identifier), want)
		}
	}
	return false
}

func hasActivity(st map[string]any, id string, related bool) bool {
	if isActivity(st["object"]) && at(st, "object", "id") == id {
		return true
	}
	if !related {
		return false
	}
	if inContext(st, id) {
		return true
	}
	if at(st, "object", "objectType") != "SubStatement" {
		return false
	}
	sub := st["object"].(map[string]any)
	return isActivity(sub["object"]) && at(sub, "object", "id") == id || inContext(sub, id)
}

func isActivity(object any) bool {
	kind := at(object, "objectType")
	return kind == nil || kind == "Activity"
}

func inContext(st map[string]any, id string) bool {
	for _, kind := range []string{"parent", "grouping", "category", "other"} {
		for _, a := range list(at(st, "context", "contextActivities", kind)) {
			if at(a, "id") == id {
				return true
			}
		}
	}
	return false
}

// at follows property names; nil when there is no such property.
func at(v any, path ...string) any {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func list(v any) []any { l, _ := v.([]any); return l }

// within reports whether a stored time lies in a query's range: after since, at or before until.
func within(stored time.Time, q Query) bool {
	return (q.Since.IsZero() || stored.After(q.Since)) && (q.Until.IsZero() || !stored.After(q.Until))
}
