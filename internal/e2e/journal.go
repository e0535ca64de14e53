package e2e

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"uuid"
)

// outcome is what a writer knows of a request; "" while it is under way.
type outcome string

const (
	acked   outcome = "acknowledged"
	refused outcome = "refused"
	lost    outcome = "without an answer"
)

// sent is one request of a writer.
type sent struct {
	ids     []string
	bodies  []string
	voids   []string // ids that its voiding statements are about
	refers  bool     // its statements refer to one of the writer's
	began   time.Time
	outcome outcome
}

// body is the request's: one statement, or a batch.
func (s *sent) body() string {
	if len(s.bodies) == 1 {
		return s.bodies[0]
	}
	return "[" + strings.Join(s.bodies, ",") + "]"
}

// journal is what one writer did in one round: an oracle outside the server. Every statement is by the writer's own agent,
// or refers to one that is.
type journal struct {
	agent    string
	largest  int // batch
	random   *rand.Rand
	requests []*sent
	there    map[string]found // by id, as verify has seen it

	acknowledged atomic.Bool // at least one of the requests
}

// newJournal makes the journal of a writer, whose name nobody else in the store has.
func newJournal(writer string, largest int, random *rand.Rand) *journal {
	return &journal{agent: "mailto:" + writer + "@example.org", largest: largest, random: random}
}

// write stores singles, batches, references, voids and refusable requests until the server is gone.
func (j *journal) write(ctx context.Context, c *client) {
	for {
		s := j.next()
		s.began = time.Now()
		a, err := c.post(ctx, s.body())
		s.outcome = lost
		if err == nil && a.status == http.StatusOK {
			s.outcome = acked
			j.acknowledged.Store(true)
		} else if err == nil && a.status >= 400 && a.status < 500 {
			s.outcome = refused
		}
		j.requests = append(j.requests, s)
		if err != nil {
			return
		}
	}
}

// next makes the next request.
func (j *journal) next() *sent {
	s := &sent{}
	size := 1
	if j.random.IntN(3) == 0 {
		size = 2 + j.random.IntN(j.largest-1)
	}
	target := j.target()
	kind := j.random.IntN(8)
	for i := range size {
		id := uuid.NewV4().String()
		actor, verb, object := j.agent, "http://example.org/did", fmt.Sprintf(`{"id":"http://example.org/%d"}`, i)
		instructor := ""
		if j.random.IntN(4) == 0 { // something to be merged with what all others bring
			object = fmt.Sprintf(`{"id":"http://example.org/%d","definition":{"name":{"en":"name %d"}}}`, i, j.random.IntN(5))
			instructor = fmt.Sprintf(`"instructor":{"mbox":"mailto:instructor%d@example.org","name":"name %d"},`, j.random.IntN(5), j.random.IntN(1_000_000))
		}
		switch {
		case kind == 0 && target != "":
			s.refers = true
			actor = "mailto:referrer@example.org"
			object = fmt.Sprintf(`{"objectType":"StatementRef","id":"%s"}`, target)
		case kind == 1 && target != "" && i == 0:
			verb, object = "http://adlnet.gov/expapi/verbs/voided", fmt.Sprintf(`{"objectType":"StatementRef","id":"%s"}`, target)
			s.voids = append(s.voids, target)
		case kind == 2 && i == size-1:
			object = `{"id":"no IRI"}` // refuses the whole request
		}
		s.ids = append(s.ids, id)
		s.bodies = append(s.bodies, fmt.Sprintf(
			`{"id":"%s","actor":{"mbox":"%s","name":"name %d"},"verb":{"id":"%s"},"object":%s,"version":"1.0.0","timestamp":"2026-01-01T00:00:00Z","context":{%s"extensions":{"http://example.org/n":%d.50}}}`,
			id, actor, j.random.IntN(3), verb, object, instructor, j.random.IntN(1000)))
	}
	return s
}

// target picks a statement that was acknowledged and is neither a void nor a referrer; "" when there is none.
func (j *journal) target() string {
	for range 4 {
		if len(j.requests) == 0 {
			return ""
		}
		s := j.requests[j.random.IntN(len(j.requests))]
		if s.outcome == acked && !s.refers && len(s.voids) == 0 {
			return s.ids[j.random.IntN(len(s.ids))]
		}
	}
	return ""
}

func (j *journal) count(o outcome) int {
	n := 0
	for _, s := range j.requests {
		if s.outcome == o {
			n++
		}
	}
	return n
}

// found is what the server has of a statement.
type found struct {
	there, voided bool
	body          []byte
}

// verify reads everything back.
func (j *journal) verify(ctx context.Context, c *client) error {
	defer c.close()
	j.there = map[string]found{}
	var problems []error
	for _, s := range j.requests {
		n := 0
		for i, id := range s.ids {
			f, err := read(ctx, c, id)
			if err != nil {
				return err
			}
			j.there[id] = f
			if f.there {
				n++
				problems = append(problems, asSent(f.body, s.bodies[i]))
			}
		}
		switch {
		case s.outcome == acked && n < len(s.ids):
			problems = append(problems, fmt.Errorf("an acknowledged request of %d statements has %d", len(s.ids), n))
		case s.outcome == refused && n > 0:
			problems = append(problems, fmt.Errorf("a refused request has left %d statements", n))
		case n > 0 && n < len(s.ids):
			problems = append(problems, fmt.Errorf("%d statements of a batch of %d are there", n, len(s.ids)))
		}
	}
	// After a crash a server has yet to finish what the last process had committed and not passed on: voids and inherited terms
	// of requests that got no answer.
	problems = append(problems, eventually(ctx, maxWait, func(ctx context.Context) error {
		return errors.Join(j.verifyVoids(ctx, c), j.verifyList(ctx, c))
	}))
	return errors.Join(problems...)
}

// verifyVoids holds the voided statements against the voiding ones that are there.
func (j *journal) verifyVoids(ctx context.Context, c *client) error {
	want := map[string]bool{}
	for _, s := range j.requests {
		for i, target := range s.voids {
			if j.there[s.ids[i]].there {
				want[target] = true
				f, err := read(ctx, c, target)
				if err != nil {
					return err
				}
				j.there[target] = f
			}
		}
	}
	for id, f := range j.there {
		if f.voided != want[id] {
			return fmt.Errorf("statement %s: voided is %v, its voiding statement is there: %v", id, f.voided, want[id])
		}
	}
	return nil
}

// verifyList holds the list of the writer's agent against what is there: its own statements and what refers to them.
func (j *journal) verifyList(ctx context.Context, c *client) error {
	var want []string
	for id, f := range j.there {
		if f.there && !f.voided {
			want = append(want, id)
		}
	}
	got, err := c.list(ctx, url.Values{"agent": {fmt.Sprintf(`{"mbox":%q}`, j.agent)}, "limit": {"500"}})
	if err != nil {
		return err
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the list of %s has %d statements, want %d", j.agent, len(got), len(want))
	}
	return nil
}

// read looks for a statement under its id, live or voided.
func read(ctx context.Context, c *client, id string) (found, error) {
	for _, parameter := range []string{"statementId", "voidedStatementId"} {
		a, err := c.get(ctx, parameter, id)
		if err != nil {
			return found{}, err
		}
		switch a.status {
		case http.StatusOK:
			return found{there: true, voided: parameter == "voidedStatementId", body: a.body}, nil
		case http.StatusNotFound:
		default:
			return found{}, fmt.Errorf("read %s: status %d: %.300s", id, a.status, a.body)
		}
	}
	return found{}, nil
}

// asSent compares a statement with what was sent, member by member and byte by byte. Only stored and authority are added:
// the rest came along.
func asSent(got []byte, want string) error {
	kept, err := membersWithout(got, "stored", "authority")
	if err != nil {
		return fmt.Errorf("%w in %.300s", err, got)
	}
	all, err := membersWithout([]byte(want))
	if err != nil {
		return err
	}
	if !slices.Equal(kept, all) {
		return fmt.Errorf("a statement came back as %q, sent as %q", kept, all)
	}
	return nil
}

// membersWithout lists an object's members, in order, as the bytes that they came in.
func membersWithout(object []byte, names ...string) ([]string, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.ReadToken(); err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	var members []string
	for decoder.PeekKind() == '"' {
		name, err := decoder.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("read name: %w", err)
		}
		label := name.String()
		var value jsontext.Value
		if err := json.UnmarshalDecode(decoder, &value); err != nil {
			return nil, fmt.Errorf("read value: %w", err)
		}
		if !slices.Contains(names, label) {
			members = append(members, label+":"+string(value))
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, fmt.Errorf("read end of object: %w", err)
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the object: %v", err)
	}
	return members, nil
}
