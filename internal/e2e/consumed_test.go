package e2e

import (
	"encoding/json/v2"
	"net/http"
	"strings"
	"testing"
)

// consumed is what a server's log says that a request has asked of the tables.
type consumed struct {
	Calls      int     `json:"calls"`
	WriteUnits float64 `json:"writeUnits"`
}

// logged are the flags of a server whose log consumedBy reads.
var logged = []string{"-quiet=false", "-json"}

// consumedBy waits for the line of the request that was answered so.
func consumedBy(t *testing.T, server *Local, a answer) (c consumed) {
	t.Helper()
	mark := `"id":"` + a.header.Get("X-Request-Id") + `"`
	waitFor(t, "the log's line of a request", func() bool {
		for line := range strings.Lines(server.Output()) {
			if strings.Contains(line, mark) {
				return json.Unmarshal([]byte(line), &c) == nil // half a line is none
			}
		}
		return false
	})
	return c
}

// TestAConflictCostsOneRead: other content under an id that is taken is refused without a second look, and nothing is written.
// A frozen course waits for this answer.
func TestAConflictCostsOneRead(t *testing.T) {
	server := serve(t, logged...)
	c := newClient(server.Endpoint(), 1)
	defer c.close()
	const id = "5a1c8a2e-8d7c-4a52-9a8b-8d3c2f0e1b12"
	statement := `{"id":"` + id + `",` + badWhole + `}`
	if a, err := c.post(t.Context(), statement); err != nil || a.status != http.StatusOK {
		t.Fatalf("POST: %d %s %v", a.status, a.body, err)
	}
	for name, other := range map[string]string{
		"actor":  strings.Replace(statement, "bad@", "other@", 1),
		"verb":   strings.Replace(statement, "example.org/v", "example.org/w", 1),
		"object": strings.Replace(statement, "example.org/o", "example.org/p", 1),
	} {
		a, err := c.do(t.Context(), http.MethodPut, c.endpoint+"/statements?statementId="+id, strings.NewReader(other))
		if err != nil || a.status != http.StatusConflict {
			t.Errorf("another %s: %d %s %v", name, a.status, a.body, err)
			continue
		}
		if got, want := consumedBy(t, server, a), (consumed{Calls: 1}); got != want {
			t.Errorf("another %s consumed %+v, want %+v", name, got, want)
		}
	}
}
