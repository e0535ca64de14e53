package lrsapi

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// querySection is where the parameters of GET stand.
const querySection = "xAPI 1.0.3 Communication 2.1.3"

// listParams are the parameters of a list; oneParams may stand beside the id of a single statement.
var (
	listParams = []string{
		"statementId", "voidedStatementId", "agent", "verb", "activity", "registration", "related_activities",
		"related_agents", "since", "until", "limit", "format", "attachments", "ascending", "more",
	}
	oneParams = []string{"statementId", "voidedStatementId", "format", "attachments"}
)

// parseQuery reads what a list asks for. Values are held to the rules of the same values in statements.
func parseQuery(p edge.Params, v xapi.Version) (lrs.Query, error) {
	q := lrs.Query{Limit: lrs.DefaultLimit}
	var err error
	set := func(e error) {
		if err == nil {
			err = e
		}
	}
	if agent, ok := p["agent"]; ok {
		var e error
		if q.Agent, e = xapi.DecodeAgent([]byte(agent), v); e != nil {
			set(agentError(e))
		}
	}
	for _, iri := range []struct {
		name string
		to   *string
	}{{"verb", &q.Verb}, {"activity", &q.Activity}} {
		if value, ok := p[iri.name]; ok {
			if !xapi.ValidIRI(value) {
				set(edge.BadRequest(querySection, "parameter %s is not an IRI with a scheme", iri.name))
			}
			*iri.to = value
		}
	}
	var e error
	q.Registration, e = idParam(p, "registration")
	set(e)
	for _, flag := range []struct {
		name string
		to   *bool
	}{
		{"related_agents", &q.RelatedAgents}, {"related_activities", &q.RelatedActivities},
		{"ascending", &q.Ascending}, {"attachments", &q.Attachments},
	} {
		*flag.to, e = boolParam(p, flag.name)
		set(e)
	}
	q.Since, e = timeParam(p, "since")
	set(e)
	q.Until, e = timeParam(p, "until")
	set(e)
	if limit, ok := p["limit"]; ok {
		q.Limit, e = parseLimit(limit)
		set(e)
	}
	q.Format, e = formatParam(p)
	set(e)
	return q, err
}

// agentError says what is wrong in the agent parameter, in place of in a statement.
func agentError(err error) error {
	if x, ok := errors.AsType[*xapi.Error](err); ok {
		return edge.BadRequest(x.Section, "parameter agent%s: %s", x.Path, x.Rule)
	}
	return err
}

// idParam reads a parameter that is a UUID, in lower case; "" when it is absent.
func idParam(p edge.Params, name string) (string, error) {
	value, ok := p[name]
	if !ok {
		return "", nil
	}
	if !xapi.ValidUUID(value) {
		return "", edge.BadRequest(querySection, "parameter %s is not a UUID", name)
	}
	return xapi.NormalizeUUID(value), nil
}

// boolParam reads a parameter that is exactly true or false; false when it is absent.
func boolParam(p edge.Params, name string) (bool, error) {
	switch value, ok := p[name]; {
	case !ok, value == "false":
		return false, nil
	case value == "true":
		return true, nil
	}
	return false, edge.BadRequest(querySection, "parameter %s must be true or false", name)
}

// timeParam reads a parameter that is a timestamp; the zero time when it is absent.
func timeParam(p edge.Params, name string) (time.Time, error) {
	value, ok := p[name]
	if !ok {
		return time.Time{}, nil
	}
	t, err := xapi.ParseTimestamp(value)
	if err != nil {
		return time.Time{}, edge.BadRequest(querySection, "parameter %s is not a timestamp of ISO 8601 (a + must be sent as %%2B)", name)
	}
	return t, nil
}

// parseLimit reads a non-negative integer. 0 and whatever is above it mean lrs.MaxLimit.
func parseLimit(value string) (int, error) {
	if value == "" {
		return 0, edge.BadRequest(querySection, "parameter limit must be a non-negative integer")
	}
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return 0, edge.BadRequest(querySection, "parameter limit must be a non-negative integer")
		}
	}
	n, err := strconv.Atoi(value)
	if err != nil || n == 0 || n > lrs.MaxLimit { // the one error left is a number that is too large
		return lrs.MaxLimit, nil
	}
	return n, nil
}

// formatParam reads the format; exact when it is absent.
func formatParam(p edge.Params) (lrs.Format, error) {
	value, ok := p["format"]
	if !ok {
		return lrs.Exact, nil
	}
	f := lrs.Format(value)
	if !slices.Contains([]lrs.Format{lrs.Exact, lrs.IDs, lrs.Canonical}, f) {
		return "", edge.BadRequest(querySection, "parameter format must be ids, exact or canonical")
	}
	return f, nil
}
