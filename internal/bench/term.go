package bench

import (
	"encoding/json/v2"
	"fmt"
	"net/url"
)

// term is one filter that a statement answers to.
type term struct{ kind, value string }

// The kinds of term. The related kinds hold what the plain ones hold as well, so that one list answers a related filter.
const (
	agentTerm           = "agent"
	verbTerm            = "verb"
	activityTerm        = "activity"
	registrationTerm    = "registration"
	relatedAgentTerm    = "related_agents"
	relatedActivityTerm = "related_activities"
)

// agent is as much of an Agent as the generator's filters need.
type agent struct {
	Mbox    string `json:"mbox"`
	Account struct {
		HomePage string `json:"homePage"`
		Name     string `json:"name"`
	} `json:"account"`
}

func (a agent) key() string { return a.Mbox + "\x00" + a.Account.HomePage + "\x00" + a.Account.Name }

// activity is an object or a context activity.
type activity struct {
	ID string `json:"id"`
}

// statement is as much of a statement as the generator's filters need.
type statement struct {
	ID      string   `json:"id"`
	Actor   agent    `json:"actor"`
	Verb    activity `json:"verb"`
	Object  activity `json:"object"`
	Context struct {
		Registration string                `json:"registration"`
		Instructor   *agent                `json:"instructor"`
		Activities   map[string][]activity `json:"contextActivities"`
	} `json:"context"`
}

// terms lists everything the statement is found by.
func (s statement) terms() []term {
	terms := []term{
		{agentTerm, s.Actor.key()}, {relatedAgentTerm, s.Actor.key()},
		{verbTerm, s.Verb.ID},
		{activityTerm, s.Object.ID}, {relatedActivityTerm, s.Object.ID},
		{registrationTerm, s.Context.Registration},
	}
	if s.Context.Instructor != nil {
		terms = append(terms, term{relatedAgentTerm, s.Context.Instructor.key()})
	}
	for _, list := range s.Context.Activities {
		for _, a := range list {
			terms = append(terms, term{relatedActivityTerm, a.ID})
		}
	}
	return terms
}

// queryTerms reads the filters of a list.
func queryTerms(q url.Values) ([]term, error) {
	var terms []term
	if q.Has("agent") {
		var a agent
		if err := json.Unmarshal([]byte(q.Get("agent")), &a); err != nil {
			return nil, fmt.Errorf("decode agent: %w", err)
		}
		kind := agentTerm
		if q.Get("related_agents") == "true" {
			kind = relatedAgentTerm
		}
		terms = append(terms, term{kind, a.key()})
	}
	if q.Has("activity") {
		kind := activityTerm
		if q.Get("related_activities") == "true" {
			kind = relatedActivityTerm
		}
		terms = append(terms, term{kind, q.Get("activity")})
	}
	for _, kind := range []string{verbTerm, registrationTerm} {
		if q.Has(kind) {
			terms = append(terms, term{kind, q.Get(kind)})
		}
	}
	return terms, nil
}
