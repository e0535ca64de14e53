package lrs

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// storeParts stores one statement with parts.
func (w *world) storeParts(p auth.Principal, statement string, parts ...Part) {
	w.t.Helper()
	if _, err := w.service.Store(w.t.Context(), p, decode(w.t, statement), parts); err != nil {
		w.t.Fatal(err)
	}
}

// attachments are the texts of what is given out with a statement.
func (w *world) attachments(p auth.Principal, id string) []string {
	w.t.Helper()
	st, err := w.service.Statement(w.t.Context(), p, id, false)
	if err != nil {
		w.t.Fatal(err)
	}
	parts, err := w.service.Attachments(w.t.Context(), p, []Statement{st})
	if err != nil {
		w.t.Fatal(err)
	}
	var texts []string
	for _, part := range parts {
		texts = append(texts, part.ContentType+": "+string(part.Content.Bytes))
	}
	return texts
}

// Naming the digest of somebody else's file gives no bytes: only those that came with a statement go out with it.
func TestClaimingADigestGivesNoBytes(t *testing.T) {
	w := newWorld(t, nil)
	store := storeWith("acme", 1)
	owner, thief := credential(store, "owner", auth.All), credential(store, "thief", auth.StatementsWrite, auth.StatementsReadMine)
	elsewhere := principal(storeWith("other", 1))
	file := partOf("a secret exam")
	w.storeParts(owner, withAttachment(plain(uuidOf(1), "ann", "sent", "exam"), file, ""), file)
	for _, p := range []auth.Principal{thief, elsewhere} {
		id := uuidOf(2)
		w.storeParts(p, withAttachment(plain(id, "eve", "saw", "exam"), file, "http://example.org/exam"))
		if got := w.attachments(p, id); got != nil {
			t.Errorf("store %s: the claim gave %q", p.Store.ID, got)
		}
		// Nor does sending the statement again, with anything else under the digest's name: the edge checks digests.
		if _, err := w.service.Store(t.Context(), p, decode(t, withAttachment(plain(uuidOf(3), "eve", "saw", "exam"), file, "")), nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("store %s: an attachment without bytes and fileUrl: %v", p.Store.ID, err)
		}
	}
	if diff := cmp.Diff([]string{"text/plain: a secret exam"}, w.attachments(owner, uuidOf(1))); diff != "" {
		t.Errorf("the owner's (-want +got):\n%s", diff)
	}
	// Whoever has the bytes may send them too; then they are shared, once in the store.
	w.storeParts(thief, withAttachment(plain(uuidOf(4), "eve", "has", "exam"), file, ""), file)
	if diff := cmp.Diff([]string{"text/plain: a secret exam"}, w.attachments(thief, uuidOf(4))); diff != "" {
		t.Errorf("who brought them (-want +got):\n%s", diff)
	}
	w.check(store, elsewhere.Store)
}

// Two stores with the same ids, references and files in them see nothing of each other.
func TestStoresAreApart(t *testing.T) {
	w := newWorld(t, nil)
	acme, emca := principal(storeWith("acme", 1)), principal(storeWith("emca", 4))
	file, other := partOf("the file of acme"), partOf("the file of emca")
	named := func(statement, name string) string {
		statement = strings.Replace(statement, `"actor":{`, `"actor":{"name":"`+name+`",`, 1)
		return strings.Replace(statement, `"id":"http://example.org/thing"`, `"id":"http://example.org/thing","definition":{"name":{"en":"`+name+`"}}`, 1)
	}
	w.storeParts(acme, withAttachment(named(plain(uuidOf(1), "ann", "did", "thing"), "Acme"), file, ""), file)
	w.mustStore(acme, plain(uuidOf(2), "bob", "did", "thing"))
	w.storeParts(emca, withAttachment(named(plain(uuidOf(1), "ann", "undid", "thing"), "Emca"), other, ""), other)
	w.mustStore(emca, referring(uuidOf(3), "cat", "praised", uuidOf(2)), referring(uuidOf(4), "cat", "voided", uuidOf(2)))
	w.mustStore(acme, referring(uuidOf(5), "dan", "praised", uuidOf(4)))
	w.followToTheEnd()

	for _, one := range []struct {
		p    auth.Principal
		all  []string
		did  []string
		ann  []string
		file string
		name string
	}{
		{acme, []string{uuidOf(5), uuidOf(2), uuidOf(1)}, []string{uuidOf(2), uuidOf(1)}, []string{uuidOf(1)}, "text/plain: the file of acme", "Acme"},
		{emca, []string{uuidOf(4), uuidOf(3), uuidOf(1)}, nil, []string{uuidOf(1)}, "text/plain: the file of emca", "Emca"},
	} {
		name := one.p.Store.ID
		for what, c := range map[string]struct {
			q    Query
			want []string
		}{
			"all": {Query{}, one.all}, "verb": {Query{Verb: "http://example.org/did"}, one.did}, "agent": {Query{Agent: agent(t, "ann")}, one.ann},
			"through a reference to the other store's": {Query{Agent: agent(t, "bob"), Verb: "http://example.org/praised"}, nil},
		} {
			if diff := cmp.Diff(c.want, w.walk(one.p, c.q)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", name, what, diff)
			}
		}
		if diff := cmp.Diff([]string{one.file}, w.attachments(one.p, uuidOf(1))); diff != "" {
			t.Errorf("%s: attachment (-want +got):\n%s", name, diff)
		}
		definitions, err := w.service.Definitions(t.Context(), one.p, []string{"http://example.org/thing"})
		if err != nil || string(definitions["http://example.org/thing"]) != `{"name":{"en":"`+one.name+`"}}` {
			t.Errorf("%s: definitions %q, error %v", name, definitions, err)
		}
		names, err := w.service.Names(t.Context(), one.p, xapi.IFI{Kind: xapi.Mbox, Value: "mailto:ann@example.org"})
		if diff := cmp.Diff([]string{one.name}, names); diff != "" || err != nil {
			t.Errorf("%s: names (-want +got), error %v:\n%s", name, err, diff)
		}
	}
	for _, voided := range []bool{true, false} {
		if _, err := w.service.Statement(t.Context(), emca, uuidOf(2), voided); !errors.Is(err, ErrNotFound) {
			t.Errorf("acme's statement in emca, voided %t: %v", voided, err)
		}
	}
	if _, err := w.service.Statement(t.Context(), acme, uuidOf(2), false); err != nil {
		t.Errorf("acme's statement, voided in emca: %v", err)
	}
	w.check(acme.Store, emca.Store)
}
