package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

const (
	kills        = 100 // what CI counts on; a short run takes a tenth
	killWriters  = 16
	killEarliest = 50 * time.Millisecond
	killLatest   = 400 * time.Millisecond
)

// TestKill kills the server at random moments while sixteen writers store singles and batches, references and voids, and
// looks after each restart: every acknowledged statement is there as it was sent, no batch is there in part, nothing
// refused is there at all, and lists hold exactly what can be read by id.
func TestKill(t *testing.T) {
	rounds := kills
	if testing.Short() {
		rounds = kills / 10
	}
	data := filepath.Join(t.TempDir(), "data")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	moments := rand.New(rand.NewPCG(seed, 0))
	acknowledged, unknown := 0, 0
	var all []*journal
	for round := range rounds {
		server := open(t, data)
		journals := write(t.Context(), server, round, seed, killEarliest+time.Duration(moments.Int64N(int64(killLatest-killEarliest))))
		server = open(t, data)
		for _, j := range journals {
			if err := j.verify(t.Context(), newClient(server.Endpoint(), 4)); err != nil {
				t.Errorf("round %d: seed %d: %v", round, seed, err)
			}
			acknowledged += j.count(acked)
			unknown += j.count(lost)
		}
		all = append(all, journals...)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("the server printed:\n%s", server.Output())
		}
	}
	verifyAgain(t, data, all)
	if acknowledged < rounds || unknown < rounds {
		t.Errorf("%d requests were acknowledged and %d were in flight: the kills hit nothing", acknowledged, unknown)
	}
	t.Logf("SIGKILLs: %d", rounds)
	t.Logf("requests acknowledged before a SIGKILL: %d", acknowledged)
	t.Logf("requests in flight at a SIGKILL: %d", unknown)
}

// write lets the writers run until the server is killed, and returns what each has seen.
func write(ctx context.Context, server *Local, round int, seed uint64, after time.Duration) []*journal {
	journals := make([]*journal, killWriters)
	done := make(chan struct{}, killWriters)
	c := newClient(server.Endpoint(), killWriters)
	defer c.close()
	for i := range journals {
		random := rand.New(rand.NewPCG(seed, uint64(round*killWriters+i+1)))
		journals[i] = newJournal(fmt.Sprintf("round%d-writer%d", round, i), 41, random)
		go func() {
			journals[i].write(ctx, c)
			done <- struct{}{}
		}()
	}
	time.Sleep(after)
	for begun := time.Now(); !acknowledgedAny(journals) && time.Since(begun) < maxWait; { // on a busy machine that may be too soon
		time.Sleep(time.Millisecond)
	}
	server.Kill()
	for range journals {
		<-done
	}
	return journals
}

// acknowledgedAny reports whether a writer was answered that its statements are stored.
func acknowledgedAny(journals []*journal) bool {
	return slices.ContainsFunc(journals, func(j *journal) bool { return j.acknowledged.Load() })
}

// verifyAgain looks once more at what every round has left: a later kill must not undo an earlier round.
func verifyAgain(t *testing.T, data string, all []*journal) {
	server := open(t, data)
	c := newClient(server.Endpoint(), 4)
	defer c.close()
	for _, j := range all {
		if err := j.verifyList(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
}
