package e2e

import (
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	upgrades      = 2
	betweenPhases = 2 * time.Second // of load, before, between and after the upgrades
)

// RunUpgrade lets the functions of a road be replaced under load, as a deployment of a stack that is there does: each request is
// answered, none is refused, nothing acknowledged is lost, and the old processes end.
func RunUpgrade(t *testing.T, road *Cloud, seed uint64) {
	ctx := t.Context()
	t.Logf("seed %d", seed)
	_, who := FreshStore(t, road)
	load := newStorm(who, seed, road.Endpoint())
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		load.run(ctx, t, func() bool { return !over.Load() })
	}()
	var old []int
	time.Sleep(betweenPhases)
	for range upgrades {
		var err error
		if old, err = road.Processes(); err == nil {
			err = road.Upgrade()
		}
		if err != nil {
			t.Error(err)
			break
		}
		time.Sleep(betweenPhases)
	}
	over.Store(true)
	<-done
	load.atEnd(ctx, t)
	if refused, givenUp := load.refusals.Load(), load.givenUp.Load(); refused > 0 || givenUp > 0 {
		t.Errorf("beside an upgrade %d requests were refused for now, and %d were given up", refused, givenUp)
	}
	for _, pid := range old {
		if process, err := os.FindProcess(pid); err == nil && process.Signal(syscall.Signal(0)) == nil {
			t.Errorf("process %d of the functions before the last upgrade is still there", pid)
		}
	}
	all, err := road.Processes()
	fatalOn(t, err)
	if len(all) <= len(old) {
		t.Errorf("%d processes answered requests before the last upgrade, and %d in all", len(old), len(all))
	}
	t.Logf("operations beside %d upgrades: %d", upgrades, load.done.Load())
	t.Logf("statements acknowledged beside upgrades: %d", load.acknowledged())
	t.Logf("processes of functions before and after upgrades: %d", len(all))
}
