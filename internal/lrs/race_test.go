package lrs

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// TestAnIDIsTakenBetweenLookAndCommit stores another request's statement under the id after this one has looked it up:
// only the condition of the commit can see it.
func TestAnIDIsTakenBetweenLookAndCommit(t *testing.T) {
	ann, other := plain(uuidOf(1), "ann", "did", "thing"), plain(uuidOf(1), "eve", "undid", "thing")
	for _, test := range []struct {
		name    string
		first   string // what the other request stores
		request []string
		refused error
		want    []string // what is listed then
	}{
		{"alone, of another statement", other, []string{ann}, ErrConflict, []string{uuidOf(1)}},
		{"in a batch, of another statement", other, []string{plain(uuidOf(2), "bob", "did", "thing"), ann}, ErrConflict, []string{uuidOf(1)}},
		{"alone, of an equal one", ann, []string{ann}, nil, []string{uuidOf(1)}},
		{"in a batch, of an equal one", ann, []string{plain(uuidOf(2), "bob", "did", "thing"), ann}, nil, []string{uuidOf(2), uuidOf(1)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := storeWith("acme", 1)
			p := credential(store, "mine", auth.All)
			var w *world
			raced, before := false, ""
			w = newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
				if (c.Op == pebble.OpApply || c.Op == pebble.OpGroup) && !raced {
					raced = true
					w.mustStore(p, test.first)
					before = w.bodyOf(p, uuidOf(1))
				}
				return pebble.Fault{}
			}})
			if err := w.store(p, test.request...); !errors.Is(err, test.refused) {
				t.Errorf("error %v, want %v", err, test.refused)
			}
			if after := w.bodyOf(p, uuidOf(1)); !raced || after != before {
				t.Errorf("what was stored first has changed (raced: %t):\n%s", raced, cmp.Diff(before, after))
			}
			if diff := cmp.Diff(test.want, w.walk(p, Query{})); diff != "" {
				t.Errorf("listed (-want +got):\n%s", diff)
			}
			w.check(store)
		})
	}
}

// bodyOf is a statement as it is given out.
func (w *world) bodyOf(p auth.Principal, id string) string {
	w.t.Helper()
	st, err := w.service.Statement(w.t.Context(), p, id, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(st.Body)
}

// TestLostReplyOfAnIDOfTheLRS: what was stored when the reply was lost is found by the id that this request made for it. It
// is neither stored a second time nor given another id.
func TestLostReplyOfAnIDOfTheLRS(t *testing.T) {
	withoutID := func(agent string) string {
		return strings.Replace(plain(uuidOf(1), agent, "did", "thing"), `"id":"`+uuidOf(1)+`",`, "", 1)
	}
	for name, request := range map[string][]string{"alone": {withoutID("ann")}, "in a batch": {withoutID("ann"), withoutID("bob")}} {
		t.Run(name, func(t *testing.T) {
			lost := false
			w := newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
				if (c.Op == pebble.OpApply || c.Op == pebble.OpGroup) && !lost {
					lost = true
					return pebble.ReplyLost()
				}
				return pebble.Fault{}
			}})
			store := storeWith("acme", 1)
			p := principal(store)
			ids, err := w.service.Store(t.Context(), p, decode(t, request...), nil)
			if err != nil || !lost {
				t.Fatalf("error %v, reply lost: %t", err, lost)
			}
			slices.Reverse(ids) // lists begin with the last
			if diff := cmp.Diff(ids, w.walk(p, Query{})); diff != "" {
				t.Errorf("listed (-answered +got):\n%s", diff)
			}
			w.check(store)
		})
	}
}
