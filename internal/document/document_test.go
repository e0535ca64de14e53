package document

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cairn-lrs/cairn/internal/requirements"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

func TestContentRoundTrips(t *testing.T) {
	w := newWorld(t, nil)
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	tests := []struct {
		name string
		up   Upload
		blob bool
	}{
		{"JSON, verbatim", jsonOf(" {\"b\" : 1.0,\n\t\"a\":1e2} "), false},
		{"JSON that is no object", jsonOf(`[1,null]`), false},
		{"JSON with a charset", Upload{"application/json; charset=utf-8", []byte(`{}`)}, false},
		{"every byte", Upload{"image/x-any", binary}, false},
		{"text that is no JSON", Upload{"text/plain;charset=UTF-8", []byte("größer")}, false},
		{"HTML", Upload{"text/html", []byte("<script>")}, false},
		{"empty", Upload{"text/plain", nil}, false},
		{"no type", Upload{"", []byte("x")}, false},
		{"largest inline", Upload{"a/b", []byte(strings.Repeat("x", MaxInline))}, false},
		{"one byte more", Upload{"a/b", []byte(strings.Repeat("x", MaxInline+1))}, true},
		{"large", large("y"), true},
		{"as large as the edge takes", Upload{"a/b", make([]byte, 6_000_000)}, true},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []string{"PUT", "POST"} { // a POST to nothing stores what it brings
				key := stateKey(fmt.Sprint(method, i))
				before, _ := w.blobs.counts()
				store := w.Put
				if method == "POST" {
					store = w.Post
				}
				stored, err := store(t.Context(), key, tt.up, noneSet)
				if err != nil {
					t.Fatal(err)
				}
				held := w.mustHold(key, tt.up)
				head, err := w.Head(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				ignoreContent := cmpopts.IgnoreFields(Document{}, "Content")
				if diff := cmp.Diff(held, stored, ignoreContent) + cmp.Diff(held, head, ignoreContent); diff != "" || head.Content != nil {
					t.Errorf("what GET, %s and HEAD tell differs:\n%s", method, diff)
				}
				if after, _ := w.blobs.counts(); (after > before) != tt.blob {
					t.Errorf("%d blobs were put, want one: %v", after-before, tt.blob)
				}
			}
		})
	}
	if got := w.check(); got.Documents != 2*len(tests) || got.Garbage != 0 {
		t.Errorf("check saw %+v", got)
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	tests := []struct {
		name string
		up   Upload
		want error
	}{
		{"line break in the type", Upload{"text/plain\r\nX: y", nil}, ErrContentType},
		{"type outside of ASCII", Upload{"text/plain; a=é", nil}, ErrContentType},
		{"type without a subtype", Upload{"text", nil}, ErrContentType},
		{"no type at all", Upload{"???", nil}, ErrContentType},
		{"type that is too long", Upload{"text/" + strings.Repeat("x", MaxType), nil}, ErrContentType},
		{"no JSON", jsonOf(`{"a":1`), ErrJSON},
		{"nothing", jsonOf(``), ErrJSON},
		{"two values", jsonOf(`{} {}`), ErrJSON},
		{"bad UTF-8", jsonOf("\"\xff\""), ErrJSON},
		{"a name twice", jsonOf(`{"a":1,"a":2}`), ErrJSON},
		{"a name twice, deeper and escaped", jsonOf(`{"a":{"b":1,"\u0062":2}}`), ErrJSON},
		{"no JSON under a charset", Upload{"Application/JSON ; charset=utf-8", []byte("x")}, ErrJSON},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, put := w.Put(t.Context(), stateKey("x"), tt.up, noneSet)
			_, post := w.Post(t.Context(), stateKey("x"), tt.up, noneSet)
			if !errors.Is(put, tt.want) || !errors.Is(post, tt.want) {
				t.Errorf("PUT: %v, POST: %v, want %v", put, post, tt.want)
			}
		})
	}
	if got := w.check(); got.Documents != 0 {
		t.Errorf("%d documents were stored", got.Documents)
	}
}

func TestPreconditions(t *testing.T) {
	old := jsonOf(`{"old":1}`)
	tag := ETag(old.Content)
	required := Preconditions{Required: true}
	tests := []struct {
		name       string
		p          Preconditions
		there      bool
		put, other error // other: of POST and DELETE
	}{
		{"none, document", noneSet, true, nil, nil},
		{"none, nothing", noneSet, false, nil, nil},
		{"If-Match, document", ifMatch(tag), true, nil, nil},
		{"If-Match among others", ifMatch(`"x"`, tag), true, nil, nil},
		{"If-Match of another", ifMatch(`"x"`), true, ErrPrecondition, ErrPrecondition},
		{"If-Match without quotes is another", ifMatch(strings.Trim(tag, `"`)), true, ErrPrecondition, ErrPrecondition},
		{"If-Match, nothing", ifMatch(tag), false, ErrPrecondition, ErrPrecondition},
		{"If-Match of no tag", ifMatch(), true, ErrPrecondition, ErrPrecondition},
		{"If-Match *, document", ifSome, true, nil, nil},
		{"If-Match *, nothing", ifSome, false, ErrPrecondition, ErrPrecondition},
		{"If-None-Match *, document", ifNone, true, ErrPrecondition, ErrPrecondition},
		{"If-None-Match *, nothing", ifNone, false, nil, nil},
		{"If-None-Match of it", Preconditions{IfNoneMatch: &Tags{List: []string{tag}}}, true, ErrPrecondition, ErrPrecondition},
		{"If-None-Match of another", Preconditions{IfNoneMatch: &Tags{List: []string{`"x"`}}, Required: true}, true, nil, nil},
		{"both hold", Preconditions{IfMatch: &Tags{Any: true}, IfNoneMatch: &Tags{List: []string{`"x"`}}}, true, nil, nil},
		{"one of both does not", Preconditions{IfMatch: &Tags{List: []string{tag}}, IfNoneMatch: &Tags{Any: true}}, true, ErrPrecondition, ErrPrecondition},
		{"required, document", required, true, ErrExists, nil},
		{"required, nothing", required, false, nil, nil},
		{"required for new ones, nothing", Preconditions{RequiredForNew: true}, false, ErrBare, nil},
		{"required for new ones, document", Preconditions{RequiredForNew: true}, true, nil, nil},
		{"required for new ones, and there", Preconditions{RequiredForNew: true, IfNoneMatch: &Tags{Any: true}}, false, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []string{"PUT", "POST", "DELETE"} {
				w := newWorld(t, nil)
				key := stateKey("x")
				if tt.there {
					w.mustPut(key, old)
				}
				p, want, err := tt.p, tt.other, error(nil)
				switch method {
				case "PUT":
					want = tt.put
					_, err = w.Put(t.Context(), key, jsonOf(`{"new":1}`), p)
				case "POST":
					p.Required, p.RequiredForNew = false, false
					_, err = w.Post(t.Context(), key, jsonOf(`{"new":1}`), p)
				case "DELETE":
					p.Required, p.RequiredForNew = false, false
					err = w.Delete(t.Context(), key, p)
				}
				if !errors.Is(err, want) || (err == nil) != (want == nil) {
					t.Errorf("%s: %v, want %v", method, err, want)
				}
				switch found, get := w.Get(t.Context(), key); {
				case want != nil && tt.there:
					w.mustHold(key, old)
				case want != nil || method == "DELETE":
					if !errors.Is(get, ErrNotFound) {
						t.Errorf("after %s there is %q: %v", method, found.Content, get)
					}
				case method == "POST" && tt.there:
					w.mustHold(key, jsonOf(`{"old":1,"new":1}`))
				default:
					w.mustHold(key, jsonOf(`{"new":1}`))
				}
			}
		})
	}
}

// An unconditional document of another owner is another document: in whatever the owners differ.
func TestOwnersAreApart(t *testing.T) {
	w := newWorld(t, nil)
	base := stateKey("id")
	change := func(f func(*Key)) Key {
		k := base
		f(&k)
		return k
	}
	keys := map[string]Key{
		"base":                 base,
		"store":                change(func(k *Key) { k.Store = storeNamed("b") }),
		"activity":             change(func(k *Key) { k.Activity += "/" }),
		"agent":                change(func(k *Key) { k.Agent = agentNamed("other") }),
		"kind of agent":        change(func(k *Key) { k.Agent.Kind = "openid" }),
		"registration":         change(func(k *Key) { k.Registration = registrationA }),
		"another registration": change(func(k *Key) { k.Registration = registrationB }),
		"id":                   change(func(k *Key) { k.ID = "ID" }),
		"activity profile":     {Owner: Owner{Store: storeNamed("a"), Resource: ActivityProfile, Activity: base.Activity}, ID: "id"},
		"agent profile":        {Owner: Owner{Store: storeNamed("a"), Resource: AgentProfile, Agent: base.Agent}, ID: "id"},
	}
	for name, k := range keys {
		w.mustPut(k, jsonOf(`{"name":"`+name+`"}`))
	}
	for name, k := range keys {
		w.mustHold(k, jsonOf(`{"name":"`+name+`"}`))
	}
	same := map[string]Key{
		"case of a domain":       change(func(k *Key) { k.Agent.Value = "mailto:learner@EXAMPLE.org" }),
		"case of a registration": change(func(k *Key) { k.Registration = strings.ToUpper(registrationA) }),
	}
	w.mustHold(same["case of a domain"], jsonOf(`{"name":"base"}`))
	w.mustHold(same["case of a registration"], jsonOf(`{"name":"registration"}`))
	if err := w.DeleteAll(t.Context(), base.Owner, ""); err != nil {
		t.Fatal(err)
	}
	left := 0
	for name, k := range keys {
		_, err := w.Get(t.Context(), k)
		if gone := errors.Is(err, ErrNotFound); gone != (k.partition() == base.partition()) {
			t.Errorf("after the owner's documents were deleted, %s: %v", name, err)
		} else if !gone {
			left++
		}
	}
	if left != 6 {
		t.Errorf("%d documents of others are left, want 6", left)
	}
}

func TestLists(t *testing.T) {
	w := newWorld(t, nil)
	start := w.now()
	put := func(registration, id string) {
		w.advance(time.Millisecond)
		k := stateKey(id)
		k.Registration = registration
		w.mustPut(k, jsonOf(`{}`))
	}
	put("", "b")                     // at 1 ms
	put(registrationA, "a")          // 2
	put(registrationA, "\U0010FFFF") // 3: the greatest of ids
	put(registrationB, "a")          // 4
	put("", "c/\"\x00ü")             // 5
	put("", "b")                     // 6: updated
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	tests := []struct {
		name, registration string
		since              time.Time
		want               []string
		updated            int // ms; 0: none
	}{
		{"all", "", time.Time{}, []string{"a", "b", "c/\"\x00ü", "\U0010FFFF"}, 6},
		{"a registration", registrationA, time.Time{}, []string{"a", "\U0010FFFF"}, 3},
		{"another", registrationB, time.Time{}, []string{"a"}, 4},
		{"an unknown one", "33333333-3333-4333-8333-333333333333", time.Time{}, nil, 0},
		{"since is exclusive", registrationA, at(2), []string{"\U0010FFFF"}, 3},
		{"since to the nanosecond", registrationA, at(2).Add(-1), []string{"a", "\U0010FFFF"}, 3},
		{"since, over registrations", "", at(3), []string{"a", "b", "c/\"\x00ü"}, 6},
		{"since the last", "", at(6), nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := w.List(t.Context(), stateKey("").Owner, tt.registration, tt.since)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.IDs); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			want := time.Time{}
			if tt.updated > 0 {
				want = at(tt.updated)
			}
			if !got.Updated.Equal(want) {
				t.Errorf("updated %v, want %v", got.Updated, want)
			}
		})
	}
	requirements.Met(t, "C2.3-14", "L4.1.6.2-8")
}

// The clock of the process that writes second is late: the time of the document rises all the same.
func TestUpdatedRises(t *testing.T) {
	w := newWorld(t, nil)
	first := w.mustPut(stateKey("x"), jsonOf(`1`))
	w.advance(-time.Hour)
	second := w.mustPut(stateKey("x"), jsonOf(`2`))
	if !second.Updated.After(first.Updated) {
		t.Errorf("updated %v, then %v", first.Updated, second.Updated)
	}
	list, err := w.List(t.Context(), stateKey("").Owner, "", first.Updated)
	if err != nil || len(list.IDs) != 1 {
		t.Errorf("since the first: %v, %v", list.IDs, err)
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t, nil)
	longest := stateKey(strings.Repeat("x", MaxID))
	longest.Registration = registrationA
	w.mustPut(longest, jsonOf(`{}`))
	w.mustHold(longest, jsonOf(`{}`))
	longer := stateKey(strings.Repeat("x", MaxID+1))
	_, put := w.Put(t.Context(), longer, jsonOf(`{}`), noneSet)
	_, get := w.Get(t.Context(), longer)
	for _, err := range []error{put, get, w.Delete(t.Context(), longer, noneSet)} {
		if !errors.Is(err, ErrID) {
			t.Errorf("an id that is too long: %v", err)
		}
	}
	half := `":"` + strings.Repeat("x", MaxMerged/2) + `"}`
	w.mustPut(stateKey("big"), jsonOf(`{"a`+half))
	if _, err := w.Post(t.Context(), stateKey("big"), jsonOf(`{"b`+half), noneSet); !errors.Is(err, ErrMergedSize) {
		t.Errorf("a merged document that is too large: %v", err)
	}
	w.mustHold(stateKey("big"), jsonOf(`{"a`+half))
}

// More documents than one page, one batch and one list hold.
func TestManyDocuments(t *testing.T) {
	w := newWorld(t, nil)
	owner := stateKey("").Owner
	const n = 700
	for i := range n {
		k := stateKey(fmt.Sprintf("%04d", i))
		up := jsonOf(`{"fill":"` + strings.Repeat("x", 4000) + `"}`) // 2.8 MB together: three pages
		if i%100 == 0 {
			up = large("z")
		}
		if i%2 == 0 {
			k.Registration = registrationA
		}
		w.mustPut(k, up)
	}
	list, err := w.List(t.Context(), owner, "", time.Time{})
	if err != nil || len(list.IDs) != n {
		t.Fatalf("listed %d ids, want %d: %v", len(list.IDs), n, err)
	}
	if err := w.DeleteAll(t.Context(), owner, registrationA); err != nil {
		t.Fatal(err)
	}
	list, err = w.List(t.Context(), owner, "", time.Time{})
	if err != nil || len(list.IDs) != n/2 {
		t.Fatalf("%d ids are left, want %d: %v", len(list.IDs), n/2, err)
	}
	if keys := w.blobs.keys(t); len(keys) != 0 {
		t.Errorf("%d contents are left of deleted documents", len(keys))
	}
	for range 2 { // nothing to delete is no error
		if err := w.DeleteAll(t.Context(), owner, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.check(); got.Documents != 0 {
		t.Errorf("%d documents are left", got.Documents)
	}
}

// A list that would be longer than one answer can be is refused; with since it may be short enough.
func TestListsThatAreTooLong(t *testing.T) {
	w := newWorld(t, nil)
	owner := stateKey("").Owner
	k := stateKey("last")
	w.mustPut(k, jsonOf(`1`))
	r, err := w.find(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	early := *r
	early.updated = r.updated.Add(-time.Hour)
	var writes []table.Write
	for i := range MaxList {
		ref, err := stateKey(fmt.Sprintf("%05d", i)).ref()
		if err != nil {
			t.Fatal(err)
		}
		writes = append(writes, table.Put(schema.Documents, early.item(ref.Key)))
	}
	if _, err := w.Tables.Batch(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	if _, err := w.List(t.Context(), owner, "", time.Time{}); !errors.Is(err, ErrList) {
		t.Errorf("list of %d: %v, want ErrList", MaxList+1, err)
	}
	list, err := w.List(t.Context(), owner, "", early.updated)
	if err != nil || len(list.IDs) != 1 {
		t.Errorf("since: %d ids, %v", len(list.IDs), err)
	}
	if err := w.Delete(t.Context(), k, noneSet); err != nil {
		t.Fatal(err)
	}
	list, err = w.List(t.Context(), owner, "", time.Time{})
	if err != nil || len(list.IDs) != MaxList {
		t.Errorf("list of %d: %d ids, %v", MaxList, len(list.IDs), err)
	}
}
