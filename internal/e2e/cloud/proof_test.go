package cloud

import (
	"slices"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/e2e"
)

// needsItsRights requires that the functions asked for what their policies allow, for all of it and for nothing else.
func needsItsRights(t *testing.T, road *e2e.Cloud) {
	t.Helper()
	rights, err := road.Rights()
	if err != nil {
		t.Fatal(err)
	}
	if len(rights.Allowed) == 0 {
		t.Error("the functions may do nothing")
	}
	for _, right := range rights.Denied {
		t.Errorf("not allowed by template.yaml: %s", right)
	}
	for _, right := range rights.Allowed {
		if !slices.Contains(rights.Used, right) {
			t.Errorf("allowed by template.yaml and never used: %s", right)
		}
	}
	t.Logf("rights of functions, each used: %d", len(rights.Used))
}

// isWhole requires that fsck finds no difference, once what is under way is done.
func isWhole(t *testing.T, road *e2e.Cloud) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Second) {
		said, err := road.Check(t.Context())
		if err == nil {
			t.Logf("fsck: %s", said)
			return
		}
		if time.Since(begun) > streamDelay {
			t.Errorf("%v\n%s", err, said)
			return
		}
	}
}

// servedByFunctions requires of each request that a function answered a line by a process that is not the gateway's. The last
// lines may be on their way to the log.
func servedByFunctions(t *testing.T, road *e2e.Cloud) {
	t.Helper()
	var unproven []string
	for begun := time.Now(); time.Since(begun) < streamDelay; time.Sleep(100 * time.Millisecond) {
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
