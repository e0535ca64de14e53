package lrs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/table"
)

// This file checks the protocol of references and voids over the real code: writers run at once, and a scheduler lets
// exactly one of them make its next call to the tables, so that a schedule is a list of choices. The smallest case is
// run in every schedule, the others in a sample. After each, terms and voided states are compared with the closure of
// the references.

// stepped is a DB whose every call waits for the scheduler.
type stepped struct {
	table.DB
	turn *turn
}

// turn hands the floor from one writer to the next.
type turn struct {
	mu      sync.Mutex
	waiting map[int]chan struct{} // by writer: closed to let its next call happen
	idle    *sync.Cond            // signalled when a writer waits or ends
	running int
}

type writerKey struct{}

func (d stepped) step(ctx context.Context) {
	writer, ok := ctx.Value(writerKey{}).(int)
	if !ok {
		return
	}
	go_ := make(chan struct{})
	d.turn.mu.Lock()
	d.turn.waiting[writer] = go_
	d.turn.running--
	d.turn.idle.Signal()
	d.turn.mu.Unlock()
	<-go_
}

func (d stepped) BatchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	d.step(ctx)
	return d.DB.BatchGet(ctx, refs, c)
}

func (d stepped) Query(ctx context.Context, q table.Query) (table.Page, table.Cost, error) {
	d.step(ctx)
	return d.DB.Query(ctx, q)
}

func (d stepped) Apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	d.step(ctx)
	return d.DB.Apply(ctx, w)
}

func (d stepped) Group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	d.step(ctx)
	return d.DB.Group(ctx, token, ws)
}

func (d stepped) Batch(ctx context.Context, ws []table.Write) (table.Cost, error) {
	d.step(ctx)
	return d.DB.Batch(ctx, ws)
}

// runSchedule runs the writers, each one request, and asks choose which of the waiting ones goes on.
func runSchedule(d stepped, requests []func(ctx context.Context) error, choose func(waiting []int) int) error {
	d.turn.waiting, d.turn.running = map[int]chan struct{}{}, len(requests)
	d.turn.idle = sync.NewCond(&d.turn.mu)
	errs := make([]error, len(requests))
	for i, request := range requests {
		go func() {
			errs[i] = request(context.WithValue(context.Background(), writerKey{}, i))
			d.turn.mu.Lock()
			d.turn.running--
			d.turn.idle.Signal()
			d.turn.mu.Unlock()
		}()
	}
	d.turn.mu.Lock()
	defer d.turn.mu.Unlock()
	for {
		for d.turn.running > 0 {
			d.turn.idle.Wait()
		}
		if len(d.turn.waiting) == 0 {
			break
		}
		waiting := make([]int, 0, len(requests))
		for writer := range d.turn.waiting {
			waiting = append(waiting, writer)
		}
		slices.Sort(waiting)
		writer := choose(waiting)
		go_ := d.turn.waiting[writer]
		delete(d.turn.waiting, writer)
		d.turn.running++
		close(go_)
	}
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("writer %d: %w", i, err)
		}
	}
	return nil
}

// referenceCases are requests that run at once. A statement is "id agent" or "id agent verb target".
var referenceCases = []struct {
	name     string
	requests []string // statements of one request are separated by ";"
	sample   int      // schedules; 0: all
}{
	{"a referrer and its target", []string{"1 ann", "2 bob praised 1"}, 0},
	{"a void and its target", []string{"1 ann", "2 bob voided 1"}, 1000},
	{"two that refer to each other", []string{"1 ann praised 2", "2 bob praised 1"}, 500},
	{"a void of a void", []string{"1 ann voided 2", "2 bob voided 3"}, 500},
	{"a batch and its target", []string{"1 ann", "2 bob praised 1;3 cat praised 2"}, 500},
	{"a chain", []string{"1 ann", "2 bob praised 1", "3 cat praised 2"}, 500},
	{"a fan", []string{"1 ann", "2 bob praised 1", "3 cat praised 1"}, 500},
	{"a cycle of three", []string{"1 ann praised 2", "2 bob praised 3", "3 cat praised 1"}, 500},
	{"a chain through a voided statement", []string{"1 ann praised 2", "2 bob praised 3", "3 cat", "4 dan voided 2"}, 500},
	{"two chains in batches", []string{"1 ann praised 3;4 dan", "2 bob praised 4;3 cat praised 2", "5 eve voided 3"}, 500},
}

func TestReferencesInEveryOrder(t *testing.T) {
	w := newWorld(t, nil)
	// The clock stands still: a schedule must not depend on how busy the machine is.
	w.clock = position.NewClock(func() time.Time { return time.UnixMilli(1_800_000_000_000) }, nil)
	d := stepped{w.tables, &turn{}}
	service := w.newService(d, OneProcess{Positions: w.clock})
	schedules := 0
	for n, c := range referenceCases {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			var prefix, options []int
			for run := 0; c.sample == 0 || run < c.sample; run++ {
				p := principal(storeWith(fmt.Sprintf("case%drun%d", n, run), 1))
				var requests []func(context.Context) error
				for _, request := range c.requests {
					batch := decode(t, statementsOf(request)...)
					requests = append(requests, func(ctx context.Context) error {
						_, err := service.Store(ctx, p, batch, nil)
						return err
					})
				}
				choices := prefix[:len(prefix):len(prefix)]
				options = options[:0]
				err := runSchedule(d, requests, func(waiting []int) int {
					step := len(options)
					options = append(options, len(waiting))
					if step == len(choices) {
						choice := 0
						if c.sample > 0 {
							choice = random.IntN(len(waiting))
						}
						choices = append(choices, choice)
					}
					return waiting[min(choices[step], len(waiting)-1)]
				})
				if err != nil {
					t.Fatalf("schedule %v: %v", choices, err)
				}
				schedules++
				if problem := linkProblem(w, p, c.requests); problem != "" {
					t.Fatalf("schedule %v: %s", choices, problem)
				}
				if c.sample == 0 {
					if prefix = nextSchedule(choices, options); prefix == nil {
						return
					}
				}
			}
		})
	}
	t.Logf("%d schedules", schedules)
}

// nextSchedule is the depth-first successor of a schedule; nil after the last.
func nextSchedule(choices, options []int) []int {
	for i := len(choices) - 1; i >= 0; i-- {
		if choices[i]+1 < options[i] {
			return append(slices.Clone(choices[:i]), choices[i]+1)
		}
	}
	return nil
}

func statementsOf(request string) []string {
	var statements []string
	for _, text := range strings.Split(request, ";") {
		var n, target int
		var agent, verb string
		if fields, _ := fmt.Sscanf(text, "%d %s %s %d", &n, &agent, &verb, &target); fields == 4 {
			statements = append(statements, referring(uuidOf(n), agent, verb, uuidOf(target)))
		} else {
			statements = append(statements, plain(uuidOf(n), agent, "did", "thing"))
		}
	}
	return statements
}

// linkProblem compares terms and voided states of a finished case with the closure that its references ask for. It
// looks at each statement strongly, so it needs no scan of the other cases' stores.
func linkProblem(w *world, p auth.Principal, requests []string) string {
	type wanted struct {
		agents  map[string]bool
		target  string
		voiding bool
		voided  bool
	}
	all := map[string]*wanted{}
	for _, st := range decode(w.t, statementsOf(strings.Join(requests, ";"))...) {
		x := &wanted{agents: map[string]bool{st.Actor.IFI.Key(): true}}
		x.target, _ = st.Refers()
		_, x.voiding = st.Voids()
		all[st.ID] = x
	}
	for range all {
		for _, x := range all {
			if target := all[x.target]; target != nil {
				target.voided = target.voided || x.voiding && !target.voiding
				for a := range target.agents {
					x.agents[a] = true
				}
			}
		}
	}
	for id, x := range all {
		key, err := parseID(id)
		if err != nil {
			return err.Error()
		}
		item, _, err := w.tables.Get(w.t.Context(), statementRef(p.Store.ID, key), table.Strong)
		if err != nil || item == nil {
			return fmt.Sprintf("statement %s is not there (%v)", id, err)
		}
		r, err := recordOf(item)
		if err != nil {
			return err.Error()
		}
		if r.voided != x.voided {
			return fmt.Sprintf("statement %s: voided is %t, want %t", id, r.voided, x.voided)
		}
		for _, other := range all {
			for a := range other.agents {
				if got, want := r.effective().has(newTerm(p.Store, agentKind, a)), x.agents[a]; got != want {
					return fmt.Sprintf("statement %s: term of agent %s is %t, want %t", id, a, got, want)
				}
			}
		}
	}
	return ""
}
