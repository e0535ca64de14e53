package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// RunOperator lets things go wrong that keep statements out of the reports of a deployed stack, and requires that its operator's
// commands show and mend them: statements that could not be counted become dead letters, which `cairn dead-letters` lists and
// replays; a batch that the stream's mapping gave up is found, told and mended by `cairn rebuild`, while statements arrive. After
// each, every report says what it says of a store that has the same statements and to which nothing happened.
func RunOperator(t *testing.T, road *Cloud) {
	r, full := newReader(t, road), newReader(t, road)
	work := classwork(rand.New(rand.NewPCG(5, 6)), 16)
	early, rest := work[:80], work[80:]
	for _, each := range []*reader{r, full} {
		each.post(early)
	}
	for _, each := range []*reader{r, full} {
		each.until("the first statements", func() bool { return each.counted() == countable(early) })
		each.importKPI("sales", sales(1))
	}
	sameReports(t, full, r)
	deadLetters(t, road, r, full)
	givenUp(t, road, r, full)
	rebuild(t, road, r, full, rest)
}

// consumer is the function that counts the changes of statements.
const consumer = "AggregateFunction"

// deadLetters lets a statement whose body cannot be found for a while, and an item that is no statement, become dead letters.
func deadLetters(t *testing.T, road *Cloud, r, full *reader) {
	t.Helper()
	large := largeStatement("eeeeeeee-0000-4000-8000-000000000001", "p1")
	fatalOn(t, road.Lose(consumer))
	r.post([]string{large})
	repair, err := road.Damage(t.Context(), r.store)
	fatalOn(t, err)
	var listed []string
	r.until("each dead letter", func() bool {
		listed = dead(t, road, r.store)
		return len(listed) == 2
	})
	if !slices.ContainsFunc(listed, func(line string) bool { return strings.Contains(line, "eeeeeeee-0000-4000-8000-000000000001") }) {
		t.Errorf("the dead letters are %q", listed)
	}
	for _, line := range listed {
		if columns := regexp.MustCompile(` {2,}`).Split(line, -1); len(columns) != 4 || columns[0] != r.store || len(columns[3]) < 10 {
			t.Errorf("a line is not of store, statement, time and reason: %q", line)
		}
	}
	if left := dead(t, road, full.store); len(left) > 0 {
		t.Errorf("of another store there are %q", left)
	}
	if answer := string(r.send(http.MethodGet, r.road.Reports()+"/data-quality", "")); !strings.Contains(answer, "in no report: 2 of the store's statements") {
		t.Errorf("the report of data quality does not tell of them: %s", answer)
	}
	fatalOn(t, road.Mend())
	fatalOn(t, repair())
	full.post([]string{large})
	full.until("the large statement", func() bool { return full.counted() == r.counted()+1 })

	replay := func(want string) {
		t.Helper()
		said, err := road.Command(t.Context(), "dead-letters", "replay", "-store", r.store)
		if fatalOn(t, err); strings.TrimSpace(said) != want {
			t.Errorf("replay: %q, want %q", said, want)
		}
	}
	replay("2 are done with, 0 could not be counted again")
	if left := dead(t, road, r.store); len(left) > 0 {
		t.Errorf("after the replay there are %q", left)
	}
	sameReports(t, full, r)
	replay("0 are done with, 0 could not be counted again")
}

// dead are the lines that `cairn dead-letters` prints.
func dead(t *testing.T, road *Cloud, store string) []string {
	t.Helper()
	said, err := road.Command(t.Context(), "dead-letters", "-store", store)
	fatalOn(t, err)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if !strings.HasPrefix(lines[0], "STORE") {
		t.Fatalf("dead-letters printed %q", said)
	}
	return lines[1:]
}

// giveUpWait is how long a mapping tries a batch on a busy machine: 30 retries, up to 2 s apart.
const giveUpWait = 6 * time.Minute

// givenUp lets the stream's mapping give up a statement, because the function's calls are all refused: it is stored, and no
// report counts it.
func givenUp(t *testing.T, road *Cloud, r, full *reader) {
	t.Helper()
	before, err := road.GivenUp()
	fatalOn(t, err)
	fatalOn(t, road.Refuse(consumer))
	lost := []string{`{"id":"eeeeeeee-0000-4000-8000-000000000002","actor":{"mbox":"mailto:p2@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},` +
		`"object":{"id":"http://example.org/course"},"timestamp":"2025-03-03T08:00:00Z","result":{"completion":true}}`}
	r.post(lost)
	for begun := time.Now(); ; time.Sleep(time.Second) {
		now, err := road.GivenUp()
		if fatalOn(t, err); now > before {
			break
		}
		if time.Since(begun) > giveUpWait {
			t.Fatalf("nothing was given up within %v", giveUpWait)
		}
	}
	fatalOn(t, road.Mend())
	full.post(lost)
	full.until("what the other store lacks", func() bool { return full.counted() == r.counted()+1 })
}

// arrivals is the time between two statements beside a rebuild: they come in each of its phases.
const arrivals = 2 * time.Second

// killedAfter says when the command that began a rebuild is killed, and then the one that went on with it: the first while it
// waits until every function knows, which takes two minutes, the second while it compares, which takes 20 seconds more.
var killedAfter = []time.Duration{5 * time.Second, 125 * time.Second}

// exitDiffers is the exit code of a rebuild that found differences.
const exitDiffers = 3

// rebuild requires that a rebuild finds, tells and mends what was given up, while other statements arrive and although its
// command is killed twice.
func rebuild(t *testing.T, road *Cloud, r, full *reader, rest []string) {
	t.Helper()
	var said string
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, after := range killedAfter {
			ctx, kill := context.WithTimeout(t.Context(), after)
			if said, failed = road.Command(ctx, "rebuild", "-store", r.store); ctx.Err() == nil {
				t.Errorf("a rebuild was not killed, since it took less than %v: %v", after, failed)
			}
			kill()
		}
		said, failed = road.Command(t.Context(), "rebuild", "-store", r.store)
	}()
	arrived := 0
	for running := true; running || arrived < len(rest); {
		if arrived < len(rest) {
			r.post(rest[arrived : arrived+1])
			full.post(rest[arrived : arrived+1])
			arrived++
		}
		select {
		case <-done:
			running = false
		case <-time.After(arrivals):
		}
	}
	if exit, ok := errors.AsType[*exec.ExitError](failed); !ok || exit.ExitCode() != exitDiffers {
		t.Fatalf("rebuild: %v, want exit code %d\n%s", failed, exitDiffers, said)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	ledgers := 0
	for _, line := range lines[:len(lines)-1] {
		columns := strings.Split(line, "\t")
		if len(columns) != 3 || columns[0] != r.store {
			t.Errorf("a line is not of store, what and detail: %q", line)
		} else if columns[1] == "wrong ledger" {
			ledgers++
		}
	}
	if ledgers != 1 || len(lines) < 3 {
		t.Errorf("of one learner a statement was not counted; rebuild says:\n%s", said)
	}
	t.Logf("statements that arrived beside a rebuild: %d; it said:\n%s", arrived, said)
	sameReports(t, full, r)
}

// largeStatement is one that lies in the bucket: it does not compress.
func largeStatement(id, learner string) string {
	random, noise := rand.New(rand.NewPCG(7, 8)), make([]byte, 500_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	return fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:%s@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},`+
		`"object":{"id":"http://example.org/course"},"timestamp":"2025-03-04T08:00:00Z","result":{"response":%q}}`,
		id, learner, base64.StdEncoding.EncodeToString(noise))
}

func fatalOn(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
