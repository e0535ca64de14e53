package lrs

import (
	"testing"

	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// What was settled before a write whose reply is lost is not relied on after it.
func TestTitleAfterALostReply(t *testing.T) {
	lose := false // of the only batch: what is merged
	w := newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if lose && c.Op == pebble.OpBatch {
			lose = false
			return pebble.ReplyLost()
		}
		return pebble.Fault{}
	}})
	p := principal(storeWith("titles", 1))
	w.mustStore(p, titled(1, "one"))
	w.mergedItems()
	w.mustStore(p, titled(2, "two"))
	lose = true
	w.mergedItems()
	if lose {
		t.Fatal("no reply was lost")
	}
	w.mustStore(p, titled(3, "one"))
	if got, want := w.title(t), `{"name":{"en":"one"}}`; got != want {
		t.Errorf("title %s, want %s", got, want)
	}
}
