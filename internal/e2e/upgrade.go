package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

const (
	upgrades        = 2
	phaseOperations = 300 // of the load before, between and after the upgrades, at least
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
	phase := func() {
		begun, enough := time.Now(), load.done.Load()+phaseOperations
		for load.done.Load() < enough && time.Since(begun) < maxWait && !t.Failed() {
			time.Sleep(20 * time.Millisecond)
		}
	}
	var old []int
	var before map[int]string
	phase()
	for range upgrades {
		var err error
		if old, err = road.Processes(); err == nil {
			before = functionFiles(old)
			err = road.Upgrade()
		}
		if err != nil {
			t.Error(err)
			break
		}
		phase()
	}
	over.Store(true)
	<-done
	load.atEnd(ctx, t)
	if refused, givenUp := load.refusals.Load(), load.givenUp.Load(); refused > 0 || givenUp > 0 {
		t.Errorf("beside an upgrade %d requests were refused for now, and %d were given up", refused, givenUp)
	}
	if runtime.GOOS == "linux" && len(before) == 0 {
		t.Error("no process of a function was there before the last upgrade")
	}
	for pid, file := range functionFiles(old) {
		if file == before[pid] {
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

// functionFiles are the binaries that processes run, by process id, of those that are there and run a function. An id is soon
// that of another process, or of a thread, but no two builds of the functions lie in the same place. Source: proc(5),
// /proc/PID/exe.
func functionFiles(pids []int) map[int]string {
	files := make(map[int]string)
	for _, pid := range pids {
		if file, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && filepath.Base(file) == "bootstrap" {
			files[pid] = file
		}
	}
	return files
}
