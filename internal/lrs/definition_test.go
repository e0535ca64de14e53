package lrs

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// A request that dies between its commit and the definitions is repeated: the definition is the one that was stored.
func TestDefinitionOfARequestThatDied(t *testing.T) {
	broken := true
	w := newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if broken && (c.Op == pebble.OpGet || c.Op == pebble.OpApply) && c.Table == schema.Activities {
			return pebble.Failed(table.ErrThrottled)
		}
		return pebble.Fault{}
	}})
	defining := func(name string) string {
		return strings.Replace(plain(uuidOf(1), "ann", "did", "thing"), `"id":"http://example.org/thing"`,
			`"id":"http://example.org/thing","definition":{"name":{"en":"`+name+`"}}`, 1)
	}
	p := principal(storeWith("acme", 1))
	if err := w.store(p, defining("Thing")); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("error %v", err)
	}
	broken = false
	w.mustStore(p, defining("Another name")) // equal, whatever it says of its activity
	definitions, err := w.service.Definitions(t.Context(), p, []string{"http://example.org/thing"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"name":{"en":"Thing"}}`, string(definitions["http://example.org/thing"])); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
}
