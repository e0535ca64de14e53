// Package cloud plays the black-box tests over the cloud-like road: the functions as they are deployed, in processes of
// their own, over DynamoDB Local and an S3 server. `make e2e` runs it.
package cloud

import (
	"slices"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/e2e"
	"github.com/cairn-lrs/cairn/internal/e2e/gateway"
	"github.com/cairn-lrs/cairn/internal/e2e/gateway/gatewaytest"
)

// deploy starts a road that is stopped when the test ends; nil where it cannot run and need not.
func deploy(t testing.TB, flags ...string) *e2e.Cloud {
	t.Helper()
	servers, ok := cloudtest.Start(t)
	if !ok {
		return nil
	}
	road, err := e2e.Deploy(t.Context(), t.TempDir(), servers, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := road.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the road printed:\n%s", road.Output())
		}
	})
	return road
}

// TestScripts plays every script, and then reads in the logs that every answer came from a function in a process of its own.
func TestScripts(t *testing.T) {
	road := deploy(t)
	if road == nil {
		return
	}
	t.Run("scripts", func(t *testing.T) { e2e.Run(t, road) })
	t.Run("gateway", func(t *testing.T) { gatewaytest.Run(t, target(t, road)) })
	servedByFunctions(t, road)
}

// target is the road as a stack that is verified from outside.
func target(t *testing.T, road *e2e.Cloud) gateway.Target {
	t.Helper()
	store, err := road.NewStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	credential, err := road.NewCredential(t.Context(), store, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Target{URL: road.Endpoint(), Key: credential.Key, Secret: credential.Secret}
}

// logDelay is how long a line that a function has printed may take to the log.
const logDelay = 5 * time.Second

// servedByFunctions requires of each request that a function answered a line by a process that is not the gateway's.
func servedByFunctions(t *testing.T, road *e2e.Cloud) {
	t.Helper()
	var unproven []string
	for begun := time.Now(); time.Since(begun) < logDelay; time.Sleep(100 * time.Millisecond) {
		requests, err := road.Requests()
		if err != nil {
			t.Fatal(err)
		}
		unproven = nil
		var processes []int
		answered := 0
		for id, r := range requests {
			if r.Gateway == 0 || r.HandlerStatus == "-" {
				continue
			}
			answered++
			if len(r.Functions) != 1 || slices.Contains(r.Functions, r.Gateway) || r.Gateway != road.Pid() {
				unproven = append(unproven, id)
				continue
			}
			processes = append(processes, r.Functions[0])
		}
		if len(unproven) == 0 && answered > 0 {
			slices.Sort(processes)
			t.Logf("requests answered by functions: %d", answered)
			t.Logf("processes of functions: %d", len(slices.Compact(processes)))
			return
		}
	}
	t.Errorf("%d requests lack a line of a function's process, among them %.10q", len(unproven), unproven)
}
