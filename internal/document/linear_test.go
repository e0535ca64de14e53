package document

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// operation is one request of one client to one document, with what was answered and when.
type operation struct {
	method   string // GET, PUT, POST, DELETE
	content  string // of PUT and POST: a flat JSON object
	p        Preconditions
	from, to int64 // of the test's own clock

	err   error  // nil, or one of this package's refusals; any other is an unknown outcome
	found string // what GET answered
	etag  string // what GET, PUT and POST answered
}

func (o operation) String() string {
	show := func(s string) string { return fmt.Sprintf("%.60s", s) }
	return fmt.Sprintf("%d-%d %s %s (%v) = %v %s %s", o.from, o.to, o.method, show(o.content), o.p.conditional(), o.err, show(o.found), o.etag)
}

// unknown reports whether the answer does not tell if the write was done.
func (o operation) unknown() bool {
	return o.err != nil && !slices.ContainsFunc([]error{ErrNotFound, ErrPrecondition, ErrExists}, func(refusal error) bool { return errors.Is(o.err, refusal) })
}

// onlyRead reports whether the operation changed nothing, as its answer tells.
func (o operation) onlyRead() bool { return o.method == "GET" || o.err != nil && !o.unknown() }

// step is the model: what the operation makes of a document and answers. "" is no document.
func (o operation) step(state string) (next, etag string, refusal error) {
	exists, tag := state != "", ETag([]byte(state))
	fits := func(t *Tags) bool { return exists && (t.Any || slices.Contains(t.List, tag)) }
	switch {
	case o.method == "GET" && !exists:
		return state, "", ErrNotFound
	case o.method == "GET":
		return state, tag, nil
	case o.p.IfMatch != nil && !fits(o.p.IfMatch), o.p.IfNoneMatch != nil && fits(o.p.IfNoneMatch):
		return state, "", ErrPrecondition
	case o.p.Required && exists && o.p.IfMatch == nil && o.p.IfNoneMatch == nil:
		return state, "", ErrExists
	case o.method == "DELETE":
		return "", "", nil
	case o.method == "POST" && exists:
		next = mergeFlat(state, o.content)
	default:
		next = o.content
	}
	return next, ETag([]byte(next)), nil
}

// mergeFlat merges objects whose values have no commas and no braces.
func mergeFlat(stored, posted string) string {
	cut := func(s string) []string {
		return strings.FieldsFunc(strings.Trim(s, "{}"), func(r rune) bool { return r == ',' })
	}
	members := cut(stored)
	for _, m := range cut(posted) {
		name, _, _ := strings.Cut(m, ":")
		if i := slices.IndexFunc(members, func(o string) bool { return strings.HasPrefix(o, name+":") }); i >= 0 {
			members[i] = m
		} else {
			members = append(members, m)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// allows reports whether the operation could have been answered as it was on this state, and what it leaves.
func (o operation) allows(state string) (next string, ok bool) {
	next, etag, refusal := o.step(state)
	if o.unknown() { // it was done, or it was refused and changed nothing
		return next, true
	}
	if !errors.Is(o.err, refusal) || (o.err == nil) != (refusal == nil) || o.etag != etag {
		return "", false
	}
	return next, o.method != "GET" || o.found == state
}

// search looks for an order of operations in which each is answered as the model answers, and which keeps to their times:
// one that ended before another began comes before it. Operations of unknown outcome may be left out.
type search struct {
	operations []operation
	seen       map[string]bool
}

// linearizable reports whether there is such an order, beginning with no document.
func linearizable(operations []operation) bool {
	ops := slices.Clone(operations)
	for i := range ops {
		if ops[i].unknown() {
			ops[i].to = math.MaxInt64 // it may have been done at any time since
		}
	}
	s := search{operations: ops, seen: map[string]bool{}}
	return s.from(make([]byte, len(ops)), "")
}

const isDone = 1

func (s *search) from(done []byte, state string) bool {
	horizon, left := int64(math.MaxInt64), false
	for i, o := range s.operations {
		if done[i] != isDone && !o.unknown() {
			left, horizon = true, min(horizon, o.to)
		}
	}
	if !left {
		return true
	}
	key := string(done) + state
	if s.seen[key] {
		return false
	}
	s.seen[key] = true
	try := func(i int, next string) bool {
		done[i] = isDone
		found := s.from(done, next)
		done[i] = 0
		return found
	}
	for i, o := range s.operations { // what changes nothing, wherever it comes, may come at once: no order is lost by that
		if done[i] != isDone && o.from <= horizon && o.onlyRead() {
			if _, ok := o.allows(state); ok {
				return try(i, state)
			}
		}
	}
	for i, o := range s.operations {
		if done[i] == isDone || o.from > horizon || o.onlyRead() {
			continue
		}
		if next, ok := o.allows(state); ok && (next != state || !o.unknown()) && try(i, next) {
			return true
		}
	}
	return false
}

// shortest cuts a history that is not linearizable after the first answer with which it is not. What was still under way
// then is of unknown outcome.
func shortest(operations []operation) []operation {
	ops := slices.SortedFunc(slices.Values(operations), func(a, b operation) int { return cmp.Compare(a.to, b.to) })
	for _, last := range ops {
		var begun []operation
		for _, o := range ops {
			if o.to > last.to {
				o.err = errUnderWay
			}
			if o.from <= last.to {
				begun = append(begun, o)
			}
		}
		if !linearizable(begun) {
			return begun
		}
	}
	return ops
}

var errUnderWay = errors.New("under way")

// TestLinearizable shows that the search can say no.
func TestLinearizable(t *testing.T) {
	put := func(from, to int64, content string, p Preconditions) operation {
		return operation{method: "PUT", from: from, to: to, content: content, p: p, etag: ETag([]byte(content))}
	}
	get := func(from, to int64, content string) operation {
		if content == "" {
			return operation{method: "GET", from: from, to: to, err: ErrNotFound}
		}
		return operation{method: "GET", from: from, to: to, found: content, etag: ETag([]byte(content))}
	}
	post := func(from, to int64, content, result string) operation {
		return operation{method: "POST", from: from, to: to, content: content, etag: ETag([]byte(result))}
	}
	lost := func(o operation) operation { o.err, o.etag = errors.New("lost"), ""; return o }
	const a, b, ab = `{"a":1}`, `{"b":1}`, `{"a":1,"b":1}`
	tests := []struct {
		name       string
		operations []operation
		want       bool
	}{
		{"in a row", []operation{put(1, 2, a, noneSet), get(3, 4, a)}, true},
		{"a stale read", []operation{put(1, 2, a, noneSet), put(3, 4, b, noneSet), get(5, 6, a)}, false},
		{"a read during the write", []operation{put(1, 2, a, noneSet), put(3, 6, b, noneSet), get(4, 5, a)}, true},
		{"and back again", []operation{put(1, 2, a, noneSet), put(3, 8, b, noneSet), get(4, 5, b), get(6, 7, a)}, false},
		{"two winners of one ETag", []operation{put(1, 2, a, noneSet), put(3, 6, b, ifMatch(ETag([]byte(a)))), put(4, 5, ab, ifMatch(ETag([]byte(a))))}, false},
		{"two first ones", []operation{put(1, 4, a, ifNone), put(2, 3, b, ifNone)}, false},
		{"merged", []operation{put(1, 2, a, noneSet), post(3, 4, b, ab), get(5, 6, ab)}, true},
		{"a lost update", []operation{put(1, 2, a, noneSet), post(3, 4, b, ab), get(5, 6, a)}, false},
		{"unknown and done", []operation{lost(put(1, 2, a, noneSet)), get(5, 6, a)}, true},
		{"unknown and not done", []operation{lost(put(1, 2, a, noneSet)), get(5, 6, "")}, true},
		{"unknown, done late", []operation{lost(put(1, 2, a, noneSet)), get(3, 4, ""), get(5, 6, a)}, true},
		{"unknown, done twice", []operation{lost(put(1, 2, a, noneSet)), get(3, 4, a), {method: "DELETE", from: 5, to: 6}, get(7, 8, a)}, false},
		{"a DELETE that must wait", []operation{{method: "DELETE", from: 1, to: 9}, put(2, 3, a, noneSet), get(4, 5, a), get(10, 11, "")}, true},
		{"a torn document", []operation{put(1, 2, a, noneSet), get(3, 4, `{"a"`)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := linearizable(tt.operations); got != tt.want {
				t.Errorf("linearizable: %v, want %v", got, tt.want)
			}
		})
	}
}
