// Package cloud plays the black-box tests over the cloud-like road: the functions as they are deployed, in processes of
// their own, over DynamoDB Local and an S3 server. `make e2e` runs it.
package cloud

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/e2e"
	"github.com/cairn-lrs/cairn/internal/e2e/gateway"
	"github.com/cairn-lrs/cairn/internal/e2e/gateway/gatewaytest"
)

// TestRoad lets everything that knows an LRS by its HTTP go over one road, which is deployed once. Then it reads in the logs
// that every answer came from a function in a process of its own, and in what passed between the functions and the stores
// that each function needs its rights.
func TestRoad(t *testing.T) {
	t.Parallel()
	road := deploy(t)
	if road == nil {
		return
	}
	t.Run("soon", func(t *testing.T) { soon(t, road) })
	t.Run("scripts", func(t *testing.T) { e2e.Run(t, road) })
	t.Run("histories", func(t *testing.T) { e2e.RunHistories(t, road, histories, uint64(time.Now().UnixNano())) })
	t.Run("fallback", func(t *testing.T) { e2e.RunFirst(t, doubled{road}) })
	t.Run("gateway", func(t *testing.T) { gatewaytest.Run(t, target(t, road)) })
	t.Run("clients", func(t *testing.T) { e2e.RunClients(t, road, t.TempDir()) })
	t.Run("import", func(t *testing.T) { importData(t, road) })
	t.Run("storm", func(t *testing.T) {
		e2e.RunStorm(t, road, doubled{road}.Endpoint(), number(t, "CAIRN_STORM", stormOperations), uint64(time.Now().UnixNano()))
	})
	t.Run("upgrade", func(t *testing.T) { e2e.RunUpgrade(t, road, uint64(time.Now().UnixNano())) })
	t.Run("reports", func(t *testing.T) { askReports(t, road) })
	t.Run("fsck", func(t *testing.T) { isWhole(t, road) })
	servedByFunctions(t, road)
	needsItsRights(t, road)
}

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
			failures, err := road.Failures()
			t.Logf("the road printed:\n%s\nand of failures it logged (%v):\n%s", road.Output(), err, failures)
		}
	})
	return road
}

// target is the road as a stack that is verified from outside.
func target(t *testing.T, road *e2e.Cloud) gateway.Target {
	t.Helper()
	_, credential := e2e.FreshStore(t, road)
	return gateway.Target{URL: road.Endpoint(), Key: credential.Key, Secret: credential.Secret}
}

// doubled is a road whose clients are configured with a slash too many, which takes every request to the fallback function.
type doubled struct{ *e2e.Cloud }

// Endpoint implements e2e.Road.
func (d doubled) Endpoint() string { return strings.Replace(d.Cloud.Endpoint(), "/xapi", "//xapi", 1) }

const histories = 60

// imported is how many real statements are imported; CAIRN_IMPORT asks for more.
const imported = 2000

// importData imports real statements, where CAIRN_TEST_DATA says where they are. CI requires it (.ci/run).
func importData(t *testing.T, road *e2e.Cloud) {
	folder := os.Getenv("CAIRN_TEST_DATA")
	if folder == "" {
		t.Log("importing real statements did not run: CAIRN_TEST_DATA does not say where they are")
		return
	}
	e2e.RunImport(t, road, filepath.Join(folder, "mooc-22k.ndjson.gz"), number(t, "CAIRN_IMPORT", imported))
}

// stormOperations is how many operations a storm has; CAIRN_STORM asks for more.
const stormOperations = 1500

// number reads a number from the environment.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is no number: %q", variable, text)
	}
	return n
}
