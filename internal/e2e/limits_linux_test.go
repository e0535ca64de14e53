package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"uuid"

	"golang.org/x/sys/unix"
)

// mostMemory bounds the server's resident memory while eight clients send what is too large, in bytes.
const mostMemory = 512 << 20

// peak reads the most memory that a process has ever had resident, in bytes. Source: proc(5), VmHWM.
func peak(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	kilobytes, err := field(strings.ReplaceAll(string(status), ":", ""), "VmHWM")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(kilobytes, 10, 64)
	return n << 10, err
}

// TestMemoryUnderBadInput lets eight clients at once send every bad request.
func TestMemoryUnderBadInput(t *testing.T) {
	const clients = 8
	server := serve(t)
	c := newClient(server.Endpoint(), clients)
	defer c.close()
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			for _, b := range badInputs() {
				contentType := b.contentType
				if contentType == "" {
					contentType = "application/json"
				}
				if a, err := c.do(t.Context(), http.MethodPost, c.endpoint+"/statements", b.body(), "Content-Type", contentType); err != nil || a.status < 400 || a.status >= 500 {
					t.Errorf("%s: status %d, %v", b.name, a.status, err)
				}
			}
		})
	}
	wait.Wait()
	got, err := peak(server.Pid())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the server needed %d MB at most", got>>20)
	if got > mostMemory {
		t.Errorf("the server needed %d MB, want at most %d", got>>20, mostMemory>>20)
	}
}

// TestFullFileSystem takes the room to write from a running server: writes are refused or the server ends, nothing that it
// acknowledged is lost, and once there is room again it goes on.
func TestFullFileSystem(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	server := open(t, data)
	c := newClient(server.Endpoint(), 1)
	defer c.close()
	filler := strings.Repeat("x", 2000)
	var stored []string
	store := func() error {
		id := uuid.NewV4().String()
		a, err := c.post(t.Context(), fmt.Sprintf(`{"id":"%s",%s,"result":{"response":"%s%s"}}`, id, badWhole, id, filler))
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("status %d: %.300s", a.status, a.body)
		}
		stored = append(stored, id)
		return nil
	}
	for range 20 {
		if err := store(); err != nil {
			t.Fatal(err)
		}
	}
	// No file may grow beyond this: to the server it looks like a file system without room.
	if err := unix.Prlimit(server.Pid(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 256 << 10, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
	var refusal error
	for range 2000 {
		if refusal = store(); refusal != nil {
			break
		}
	}
	if refusal == nil {
		t.Fatal("the server writes on without room")
	}
	t.Logf("after %d statements: %v", len(stored), refusal)
	if strings.Contains(refusal.Error(), "status 4") {
		t.Errorf("a full file system is no fault of the client: %v", refusal)
	}
	switch a, err := c.get(t.Context(), "statementId", stored[0]); {
	case err != nil:
		waitFor(t, fmt.Sprintf("the end of a server that does not answer (%v)", err), func() bool { return !server.Running() })
		if said := server.Output(); !strings.Contains(said, "file too large") && !strings.Contains(said, "no space") {
			t.Errorf("the server ended without saying why:\n%s", said)
		}
	case a.status != http.StatusOK:
		t.Errorf("reading without room to write: status %d", a.status)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}

	server = open(t, data)
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	c.endpoint = server.Endpoint()
	ids, err := c.list(t.Context(), url.Values{"limit": {"500"}})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, id := range ids {
		there[id] = true
	}
	var lost []error
	for _, id := range stored {
		if !there[id] {
			lost = append(lost, fmt.Errorf("acknowledged statement %s is lost", id))
		}
	}
	if err := errors.Join(lost...); err != nil {
		t.Error(err)
	}
	if err := store(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
