package lrs

import (
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// plan is a query reduced to terms: it lists the statements between two positions that have, for every filter, one of
// its terms.
type plan struct {
	filters     []anyOf
	low, high   position.Position // both inclusive
	ascending   bool
	limit       int
	format      Format
	attachments bool
}

// planOf reduces a query. Source: xAPI 1.0.3 Communication 2.1.3.
func planOf(store auth.Store, q Query, now time.Time) plan {
	pl := plan{ascending: q.Ascending, limit: q.Limit, format: q.Format, attachments: q.Attachments}
	if pl.limit <= 0 || pl.limit > MaxLimit {
		pl.limit = MaxLimit
	}
	if pl.format == "" {
		pl.format = Exact
	}
	if q.Agent != nil {
		pl.filters = append(pl.filters, agentFilter(store, q.Agent.IFI.Key(), q.RelatedAgents))
	}
	if q.Verb != "" {
		pl.filters = append(pl.filters, anyOf{newTerm(store, verbKind, q.Verb)})
	}
	if q.Activity != "" {
		filter := anyOf{newTerm(store, activityKind, q.Activity)}
		if q.RelatedActivities {
			filter = append(filter, newTerm(store, relatedActivityKind, q.Activity))
		}
		pl.filters = append(pl.filters, filter)
	}
	if q.Registration != "" {
		pl.filters = append(pl.filters, anyOf{newTerm(store, registrationKind, q.Registration)})
	}
	if !q.Since.IsZero() {
		pl.low = position.First(q.Since.Truncate(time.Millisecond).Add(time.Millisecond))
	}
	pl.high = position.Last(now)
	if !q.Until.IsZero() && q.Until.Before(now) {
		pl.high = position.Last(q.Until)
	}
	return pl
}

func agentFilter(store auth.Store, key string, related bool) anyOf {
	filter := anyOf{newTerm(store, agentKind, key)}
	if !related {
		return filter
	}
	filter = append(filter, newTerm(store, relatedAgentKind, key))
	authority := store.Term(auth.AuthorityTerm, key)
	for _, known := range store.Authorities {
		if [12]byte(known) == authority {
			filter = append(filter, newTerm(store, authorityKind, key))
		}
	}
	return filter
}

// partitions are where the statements of a filter are listed: for each of its terms the index that may hold it, and
// Terms. A filter with a term that has no entries (an authority, an owner) is listed by time alone, and so is the nil
// filter.
func (f anyOf) partitions(store auth.Store) []table.Query {
	var queries []table.Query
	for _, t := range f {
		if t.kind() == authorityKind || t.kind() == ownerKind {
			return anyOf(nil).partitions(store)
		}
		shards := 1
		if t.kind().sharded() {
			shards = store.Shards
		}
		for shard := range shards {
			key := t.partition(store.ID, shard)
			if index := indexOf[t.kind()]; index != "" {
				queries = append(queries, table.Query{Table: schema.Statements, Index: index, Partition: key})
			}
			queries = append(queries, table.Query{Table: schema.Terms, Partition: key})
		}
	}
	if f == nil {
		for shard := range store.Shards {
			queries = append(queries, table.Query{Table: schema.Statements, Index: schema.ByTime, Partition: timePartition(store.ID, shard)})
		}
	}
	return queries
}

// indexOf names the index of Statements that lists a kind of term.
var indexOf = map[termKind]string{
	agentKind: schema.ByAgent, verbKind: schema.ByVerb, activityKind: schema.ByActivity, registrationKind: schema.ByRegistration,
}

// from is the plan that goes on behind a position.
func (pl plan) from(last position.Position) plan {
	if pl.ascending {
		pl.low = last.Next()
	} else {
		pl.high = last.Previous()
	}
	return pl
}

// empty reports whether no position lies between the bounds.
func (pl plan) empty() bool { return pl.low.Compare(pl.high) > 0 }

// before reports whether a is listed before b.
func (pl plan) before(a, b position.Position) bool {
	if pl.ascending {
		return a.Compare(b) < 0
	}
	return a.Compare(b) > 0
}

// start is a position before which the plan lists nothing: reading has come this far when nothing is read yet.
func (pl plan) start() position.Position {
	if pl.ascending {
		return pl.low.Previous()
	}
	return pl.high.Next()
}

// end is the last position that the plan can list.
func (pl plan) end() position.Position {
	if pl.ascending {
		return pl.high
	}
	return pl.low
}
