package lrs

import (
	"fmt"
	"testing"
)

// titled is a statement that brings a title for its activity.
func titled(n int, title string) string {
	return fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:ann@example.org"},"verb":{"id":"http://example.org/did"},`+
		`"object":{"id":"http://example.org/course","definition":{"name":{"en":%q}}}}`, uuidOf(n), title)
}

func (w *world) title(t *testing.T) string {
	t.Helper()
	const id = "http://example.org/course"
	definitions, err := w.service.Definitions(t.Context(), principal(storeWith("titles", 1)), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	return string(definitions[id])
}

// TestTitleOfTheLastStatement: what is remembered of merged definitions does not hide that an earlier title has come back.
func TestTitleOfTheLastStatement(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("titles", 1))
	for n, title := range []string{"one", "one", "two", "two", "one", "two", "one", "one"} {
		w.mustStore(p, titled(n, title))
		if got, want := w.title(t), fmt.Sprintf(`{"name":{"en":%q}}`, title); got != want {
			t.Fatalf("after statement %d: %s, want %s", n, got, want)
		}
	}
	w.mustStore(p, titled(20, "three"), titled(21, "four"))
	if got, want := w.title(t), `{"name":{"en":"four"}}`; got != want {
		t.Errorf("after a batch with two titles: %s, want %s", got, want)
	}
	w.mustStore(p, titled(0, "five")) // equal but for its definition: a re-send
	if got, want := w.title(t), `{"name":{"en":"four"}}`; got != want {
		t.Errorf("after a re-send with another title: %s, want %s", got, want)
	}
}
