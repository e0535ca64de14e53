package lrs

import (
	"encoding/base64"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// termKind says what a term is about. The numbers are stored.
type termKind byte

// The kinds. "Additional" means that a statement has no such term for what its plain agent or activity terms already say.
const (
	timeKind            termKind = 't' // no term: the partitions of all statements by time
	agentKind           termKind = 'a' // actor, object, members of groups
	verbKind            termKind = 'v'
	activityKind        termKind = 'c' // object
	registrationKind    termKind = 'r'
	authorityKind       termKind = 'u' // inherited by references, for related_agents
	ownerKind           termKind = 'o' // the same authority, never inherited: who may read with statements/read/mine
	relatedAgentKind    termKind = 'A' // additional
	relatedActivityKind termKind = 'C' // additional
	activityNameKind    termKind = 'd' // no term of statements: the key of an activity's definition
	personKind          termKind = 'p' // no term of statements: the key of an agent's names
)

// kindNames are the words that the keyed hash of a term begins with.
var kindNames = map[termKind]string{
	agentKind: "agent", verbKind: "verb", activityKind: "activity", registrationKind: "registration",
	authorityKind: "authority", ownerKind: "owner", relatedAgentKind: "relatedAgent", relatedActivityKind: "relatedActivity",
	activityNameKind: "definition", personKind: "person",
}

// sharded kinds have so few values that one partition could not take the writes.
func (k termKind) sharded() bool {
	return k == timeKind || k == verbKind || k == activityKind || k == relatedActivityKind
}

// term is one searchable property of a statement: its kind and 11 bytes of a hash keyed by the store. The kind stands
// in front because a statement that inherits a term must know where entries of its kind lie.
type term [12]byte

func newTerm(store auth.Store, kind termKind, value string) term {
	hash := store.Term(kindNames[kind], value)
	var t term
	t[0] = byte(kind)
	copy(t[1:], hash[:])
	return t
}

// termMaker makes the terms of the statements of one request, each only once: statements that come together share most
// of theirs, and a hash costs a microsecond.
type termMaker struct {
	store auth.Store
	made  map[termName]term
}

type termName struct {
	kind  termKind
	value string
}

func newTermMaker(store auth.Store) *termMaker { return &termMaker{store, map[termName]term{}} }

func (m *termMaker) term(kind termKind, value string) term {
	name := termName{kind, value}
	t, ok := m.made[name]
	if !ok {
		t = newTerm(m.store, kind, value)
		m.made[name] = t
	}
	return t
}

func (t term) kind() termKind { return termKind(t[0]) }

func (t term) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// partition is the partition key of the term's entries; shard counts for sharded kinds only.
func (t term) partition(store string, shard int) string {
	if !t.kind().sharded() {
		return store + "#" + t.String()
	}
	return store + "#" + t.String() + "#" + strconv.Itoa(shard)
}

func timePartition(store string, shard int) string { return store + "#" + strconv.Itoa(shard) }

// shardOf spreads statements over n partitions by their id.
func shardOf(id statementID, n int) int {
	h := fnv.New32a()
	h.Write(id[:]) // never fails
	return int(h.Sum32() % uint32(n))
}

// termSet is a set of terms.
type termSet map[term]struct{}

func (s termSet) add(t term) { s[t] = struct{}{} }

func (s termSet) has(t term) bool { _, ok := s[t]; return ok }

// missing returns the members of other that s lacks, sorted.
func (s termSet) missing(other termSet) []term {
	var lacks []term
	for t := range other {
		if !s.has(t) {
			lacks = append(lacks, t)
		}
	}
	slices.SortFunc(lacks, func(a, b term) int { return slices.Compare(a[:], b[:]) })
	return lacks
}

// inheritable is what a statement passes on to those that refer to it: everything but who owns it.
func (s termSet) inheritable() termSet {
	out := make(termSet, len(s))
	for t := range s {
		if t.kind() != ownerKind {
			out.add(t)
		}
	}
	return out
}

// ownTerms are the terms of one statement without those it inherits, and which of them its item's indexes hold.
type ownTerms struct {
	all          termSet
	agent        term // of the actor; zero for an anonymous group
	verb         term
	activity     term // zero unless the object is an Activity
	registration term // zero when absent
}

// entries lists the terms that need an entry of their own in Terms: those that no index holds.
func (o ownTerms) entries() []term {
	var out []term
	for t := range o.all {
		switch {
		case t == o.agent, t == o.verb, t == o.activity, t == o.registration:
		case t.kind() == authorityKind, t.kind() == ownerKind:
		default:
			out = append(out, t)
		}
	}
	return out
}

// termsOf reduces a statement to its own terms. authority is the one it is stored with.
func termsOf(m *termMaker, s *xapi.Statement, authority *xapi.Actor) ownTerms {
	o := ownTerms{all: make(termSet, 16)}
	put := func(kind termKind, value string) term {
		t := m.term(kind, value)
		o.all.add(t)
		return t
	}
	eachAgent(s.Actor, func(ifi xapi.IFI) {
		t := put(agentKind, ifi.Key())
		if ifi == s.Actor.IFI {
			o.agent = t
		}
	})
	o.verb = put(verbKind, s.Verb.ID)
	switch s.Object.Kind {
	case xapi.ActivityObject:
		o.activity = put(activityKind, s.Object.Activity.ID)
	case xapi.AgentObject:
		eachAgent(s.Object.Actor, func(ifi xapi.IFI) { put(agentKind, ifi.Key()) })
	}
	if s.Context != nil && s.Context.Registration != "" {
		o.registration = put(registrationKind, s.Context.Registration)
	}
	relatedTerms(m, &s.Event, o.all)
	eachAgent(authority, func(ifi xapi.IFI) {
		put(authorityKind, ifi.Key())
		put(ownerKind, ifi.Key())
	})
	return o
}

// relatedTerms adds the additional terms of related_agents and related_activities.
// Source: xAPI 1.0.3 Communication 2.1.3; IEEE 9274.1.1 for contextAgents and contextGroups.
func relatedTerms(m *termMaker, e *xapi.Event, all termSet) {
	agent := func(a *xapi.Actor) {
		eachAgent(a, func(ifi xapi.IFI) {
			if !all.has(m.term(agentKind, ifi.Key())) {
				all.add(m.term(relatedAgentKind, ifi.Key()))
			}
		})
	}
	activity := func(a *xapi.Activity) {
		if !all.has(m.term(activityKind, a.ID)) {
			all.add(m.term(relatedActivityKind, a.ID))
		}
	}
	if sub := e.Object.Sub; sub != nil {
		agent(sub.Actor)
		switch sub.Object.Kind {
		case xapi.ActivityObject:
			activity(sub.Object.Activity)
		case xapi.AgentObject:
			agent(sub.Object.Actor)
		}
		relatedTerms(m, sub, all)
	}
	c := e.Context
	if c == nil {
		return
	}
	for _, a := range slices.Concat([]*xapi.Actor{c.Instructor, c.Team}, c.Agents, c.Groups) {
		agent(a)
	}
	for _, a := range slices.Concat(c.Parent, c.Grouping, c.Category, c.Other) {
		activity(a)
	}
}

// eachAgent calls f for an actor's own identifier and those of a group's members.
func eachAgent(a *xapi.Actor, f func(xapi.IFI)) {
	a.Each(func(a *xapi.Actor) {
		if a.IFI != (xapi.IFI{}) {
			f(a.IFI)
		}
	})
}
