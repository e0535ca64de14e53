package lrs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// damageable is a world with one of everything that a check looks at, but for a large statement, which takes long.
type damageable struct {
	*world
	p    auth.Principal
	file Part
}

func newDamageable(t *testing.T) damageable {
	d := damageable{newWorld(t, nil), principal(storeWith("acme", 2)), partOf("a file")}
	_, err := d.service.Store(t.Context(), d.p, decode(t,
		withAttachment(strings.TrimSuffix(plain(uuidOf(1), "ann", "did", "thing"), "}")+`,"context":{"registration":"`+uuidOf(50)+`"}}`, d.file, ""),
		referring(uuidOf(2), "bob", "praised", uuidOf(1)),
		plain(uuidOf(3), "ann", "did", "thing"),
		referring(uuidOf(4), "cat", "voided", uuidOf(3)),
	), []Part{d.file})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d damageable) item(id string) table.Item {
	d.t.Helper()
	item, _, err := d.tables.Get(d.t.Context(), d.ref(d.p, id), table.Strong)
	if err != nil || item == nil {
		d.t.Fatalf("statement %s: %v", id, err)
	}
	return item
}

// replace puts a statement's item with changed attributes; a zero Value removes one.
func (d damageable) replace(id string, changes table.Item) {
	d.t.Helper()
	item := maps.Clone(d.item(id))
	for attr, value := range changes {
		item[attr] = value
		if value.Kind == 0 {
			delete(item, attr)
		}
	}
	d.apply(table.Put(schema.Statements, item))
}

// rewrite puts other words in a statement's stored body.
func (d damageable) rewrite(id, words, others string) {
	d.t.Helper()
	body, err := unpack(d.item(id)[schema.Body].B)
	if err != nil {
		d.t.Fatal(err)
	}
	changed := bytes.Replace(body, []byte(words), []byte(others), 1)
	if bytes.Equal(changed, body) {
		d.t.Fatalf("%s is not in %s", words, body)
	}
	packed, err := pack(packedS2, changed)
	if err != nil {
		d.t.Fatal(err)
	}
	d.replace(id, table.Item{schema.Body: table.B(packed)})
}

// contentKey is where the attachment's content lies.
func (d damageable) contentKey() string {
	return attachmentKey("acme", d.item(uuidOf(1))[schema.AttachmentMonth].S, d.file.SHA2)
}

// replaceBlob gives a blob other bytes, or none when they are nil.
func (d damageable) replaceBlob(key string, body []byte) {
	d.t.Helper()
	if err := d.blobs.Delete(d.t.Context(), key); err != nil {
		d.t.Fatal(err)
	}
	if body == nil {
		return
	}
	if err := d.blobs.Put(d.t.Context(), key, body); err != nil {
		d.t.Fatal(err)
	}
}

// entry is the item of Terms that lists a statement under a term.
func (d damageable) entry(id string, kind termKind, value string) table.Item {
	d.t.Helper()
	r, err := recordOf(d.item(id))
	if err != nil {
		d.t.Fatal(err)
	}
	return termEntries(r, []term{newTerm(d.p.Store, kind, value)})[0].Item
}

func keyOf(name string, item table.Item) table.Ref {
	return table.Ref{Table: name, Key: table.Key{Partition: item[schema.PK].S, Sort: item[schema.SK].B}}
}

func TestCheckNamesEveryDamage(t *testing.T) {
	const thing = "http://example.org/thing"
	tests := []struct {
		name   string
		damage func(d damageable)
		want   map[string]string // what, by statement
	}{
		{name: "nothing", damage: func(damageable) {}, want: map[string]string{}},
		{name: "an entry is missing", want: map[string]string{uuidOf(2): MissingEntry}, damage: func(d damageable) {
			d.apply(table.Delete(keyOf(schema.Terms, d.entry(uuidOf(2), activityKind, thing))))
		}},
		{name: "an entry is too many", want: map[string]string{uuidOf(1): ExtraEntry}, damage: func(d damageable) {
			d.apply(table.Put(schema.Terms, d.entry(uuidOf(1), activityKind, "http://example.org/another")))
		}},
		{name: "an entry of an attempt that failed", want: map[string]string{}, damage: func(d damageable) {
			entry := maps.Clone(d.entry(uuidOf(1), activityKind, "http://example.org/another"))
			at := bytes.Clone(entry[schema.SK].B)
			at[15]++
			entry[schema.SK] = table.B(at)
			d.apply(table.Put(schema.Terms, entry))
		}},
		{name: "an entry names another statement", want: map[string]string{uuidOf(2): MissingEntry}, damage: func(d damageable) {
			entry := maps.Clone(d.entry(uuidOf(2), activityKind, thing))
			other := d.idOf(uuidOf(99))
			entry[schema.StatementID] = table.B(other[:])
			d.apply(table.Put(schema.Terms, entry))
		}},
		{name: "an entry names no statement", want: map[string]string{"": ExtraEntry}, damage: func(d damageable) {
			entry := maps.Clone(d.entry(uuidOf(1), activityKind, "http://example.org/another"))
			entry[schema.StatementID] = table.B([]byte("none"))
			d.apply(table.Put(schema.Terms, entry))
		}},
		{name: "an own term is missing", want: map[string]string{uuidOf(1): WrongTerms}, damage: func(d damageable) {
			terms := d.item(uuidOf(1))[schema.EffectiveTerms].Set
			lost := newTerm(d.p.Store, verbKind, "http://example.org/did")
			rest := slices.DeleteFunc(slices.Clone(terms), func(b []byte) bool { return bytes.Equal(b, lost[:]) })
			d.replace(uuidOf(1), table.Item{schema.EffectiveTerms: table.SetOf(rest...)})
		}},
		{name: "an inherited term is missing", want: map[string]string{uuidOf(2): WrongTerms}, damage: func(d damageable) {
			terms := d.item(uuidOf(2))[schema.EffectiveTerms].Set
			lost := newTerm(d.p.Store, verbKind, "http://example.org/did")
			rest := slices.DeleteFunc(slices.Clone(terms), func(b []byte) bool { return bytes.Equal(b, lost[:]) })
			d.replace(uuidOf(2), table.Item{schema.EffectiveTerms: table.SetOf(rest...)})
		}},
		{name: "a term is too many", want: map[string]string{uuidOf(1): WrongTerms}, damage: func(d damageable) {
			extra := newTerm(d.p.Store, authorityKind, "nobody")
			d.replace(uuidOf(1), table.Item{schema.EffectiveTerms: table.SetOf(append(slices.Clone(d.item(uuidOf(1))[schema.EffectiveTerms].Set), extra[:])...)})
		}},
		{name: "an index key is gone", want: map[string]string{uuidOf(1): WrongIndexKeys}, damage: func(d damageable) {
			d.replace(uuidOf(1), table.Item{schema.AgentKey: {}})
		}},
		{name: "an index key is another", want: map[string]string{uuidOf(1): WrongIndexKeys}, damage: func(d damageable) {
			d.replace(uuidOf(1), table.Item{schema.TimeKey: table.S("acme#9")})
		}},
		{name: "voided, but nobody voids it", want: map[string]string{uuidOf(1): VoidedButListed}, damage: func(d damageable) {
			d.apply(voidWrite(d.ref(d.p, uuidOf(1))))
		}},
		{name: "listed, but somebody voids it", want: map[string]string{uuidOf(3): VoidedButListed}, damage: func(d damageable) {
			like := d.item(uuidOf(1))
			keys := table.Item{schema.Voided: {}}
			shard := shardOf(d.idOf(uuidOf(3)), 2)
			for attr, key := range map[string]string{
				schema.TimeKey: timePartition("acme", shard), schema.AgentKey: like[schema.AgentKey].S,
				schema.VerbKey:     newTerm(d.p.Store, verbKind, "http://example.org/did").partition("acme", shard),
				schema.ActivityKey: newTerm(d.p.Store, activityKind, thing).partition("acme", shard),
			} {
				keys[attr] = table.S(key)
			}
			d.replace(uuidOf(3), keys)
		}},
		{name: "a reference is missing", want: map[string]string{uuidOf(2): MissingReference}, damage: func(d damageable) {
			id := d.idOf(uuidOf(2))
			d.apply(table.Delete(table.Ref{Table: schema.References, Key: table.Key{Partition: "acme#" + uuidOf(1), Sort: append([]byte{referrerEntry}, id[:]...)}}))
		}},
		{name: "the marker of references is missing", want: map[string]string{uuidOf(4): MissingReference}, damage: func(d damageable) {
			d.apply(table.Delete(table.Ref{Table: schema.References, Key: table.Key{Partition: "acme#" + uuidOf(3), Sort: referenceMarker}}))
		}},
		{name: "an attachment is lost", want: map[string]string{uuidOf(1): LostBlob}, damage: func(d damageable) {
			d.replaceBlob(d.contentKey(), nil)
		}},
		{name: "an attachment has other bytes", want: map[string]string{uuidOf(1): DamagedBlob}, damage: func(d damageable) {
			d.replaceBlob(d.contentKey(), []byte("A file"))
		}},
		{name: "a large body is lost", want: map[string]string{uuidOf(5): LostBlob}, damage: func(d damageable) {
			d.mustStore(d.p, large(uuidOf(5)))
			d.replaceBlob(d.item(uuidOf(5))[schema.BodyBlob].S, nil)
		}},
		{name: "a large body has other bytes", want: map[string]string{uuidOf(5): DamagedStatement}, damage: func(d damageable) {
			d.mustStore(d.p, large(uuidOf(5)))
			d.replaceBlob(d.item(uuidOf(5))[schema.BodyBlob].S, []byte("no body"))
		}},
		{name: "a byte of a body is flipped", want: map[string]string{uuidOf(2): DamagedStatement}, damage: func(d damageable) {
			body := bytes.Clone(d.item(uuidOf(2))[schema.Body].B)
			body[len(body)/2] ^= 4
			d.replace(uuidOf(2), table.Item{schema.Body: table.B(body)})
		}},
		{name: "the body is another statement's", want: map[string]string{uuidOf(2): DamagedStatement}, damage: func(d damageable) {
			d.replace(uuidOf(2), table.Item{schema.Body: d.item(uuidOf(1))[schema.Body]})
		}},
		{name: "the id in the body is another", want: map[string]string{uuidOf(1): DamagedStatement}, damage: func(d damageable) {
			d.rewrite(uuidOf(1), uuidOf(1), uuidOf(99))
		}},
		{name: "the stored time in the body is another", want: map[string]string{uuidOf(1): DamagedStatement}, damage: func(d damageable) {
			d.rewrite(uuidOf(1), `"stored":"20`, `"stored":"19`)
		}},
		{name: "the body has no authority", want: map[string]string{uuidOf(1): DamagedStatement}, damage: func(d damageable) {
			d.rewrite(uuidOf(1), `,"authority":`+string(d.p.Authority), "")
		}},
		{name: "the body voids, and the record does not", want: map[string]string{uuidOf(4): DamagedStatement}, damage: func(d damageable) {
			d.replace(uuidOf(4), table.Item{schema.Voiding: {}})
		}},
		{name: "a void that somebody voids", want: map[string]string{}, damage: func(d damageable) {
			d.mustStore(d.p, referring(uuidOf(6), "cat", "voided", uuidOf(7)))
			d.mustStore(d.p, referring(uuidOf(7), "cat", "voided", uuidOf(8)))
		}},
		{name: "a reference of the record is another one", want: map[string]string{uuidOf(2): DamagedStatement}, damage: func(d damageable) {
			id := d.idOf(uuidOf(3))
			d.replace(uuidOf(2), table.Item{schema.Refers: table.B(id[:])})
		}},
		{name: "the position is none", want: map[string]string{"": DamagedStatement}, damage: func(d damageable) {
			d.replace(uuidOf(2), table.Item{schema.Position: table.B([]byte("now"))})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDamageable(t)
			test.damage(d)
			got := map[string]string{}
			for _, found := range d.differences(d.p.Store) {
				// What follows from a damage is named too: only the first word on each statement is asked for.
				if _, known := got[found.Statement]; !known && (found.Store == "acme" || found.Store == "") {
					got[found.Statement] = found.What
				}
			}
			for id, what := range test.want {
				if got[id] != what {
					t.Errorf("statement %q: %q, want %q; all: %v", id, got[id], what, got)
				}
			}
			if len(test.want) == 0 && len(got) > 0 {
				t.Errorf("differences where there are none: %v", got)
			}
		})
	}
}

// Statements of a store that is not known are not passed over.
func TestCheckOfAnUnknownStore(t *testing.T) {
	d := newDamageable(t)
	var got []string
	for _, found := range d.differences() {
		got = append(got, found.Store+" "+found.Statement+" "+found.What)
	}
	slices.Sort(got)
	var want []string
	for n := 1; n <= 4; n++ {
		want = append(want, "acme "+uuidOf(n)+" "+DamagedStatement)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// silent is blobs that do not answer.
type silent struct{ blob.Store }

func (silent) Get(context.Context, string, int64, int64) (io.ReadCloser, int64, error) {
	return nil, 0, blob.ErrUnavailable
}

// A content that cannot be read now is not called lost: the check ends, and says why.
func TestCheckWhileContentsCannotBeRead(t *testing.T) {
	for name, statement := range map[string]string{"a large body": large(uuidOf(5)), "an attachment": ""} {
		d := newDamageable(t)
		if statement != "" {
			d.apply(table.Delete(d.ref(d.p, uuidOf(1))))
			d.mustStore(d.p, statement)
		}
		d.service.Blobs = silent{d.blobs}
		c := Check{Service: d.service, Scanner: d.scanner, Lister: d.lister, Report: func(found Difference) { t.Errorf("%s: %+v", name, found) },
			Stores: func(context.Context, string) (auth.Store, error) { return d.p.Store, nil }}
		if _, err := c.Run(t.Context()); !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lyingIndex is a DB one of whose indexes lacks, or invents, an entry.
type lyingIndex struct {
	table.DB
	index  string
	change func([]table.Item) []table.Item
}

func (l lyingIndex) Query(ctx context.Context, q table.Query) (table.Page, table.Cost, error) {
	page, cost, err := l.DB.Query(ctx, q)
	if q.Index == l.index {
		page.Items = l.change(slices.Clone(page.Items))
	}
	return page, cost, err
}

func TestCheckReadsEveryIndex(t *testing.T) {
	for _, index := range []string{schema.ByTime, schema.ByAgent, schema.ByVerb, schema.ByActivity, schema.ByRegistration} {
		d := newDamageable(t)
		without := func(items []table.Item) []table.Item {
			return slices.DeleteFunc(items, func(i table.Item) bool { return i[schema.PK].S == "acme#"+uuidOf(1) })
		}
		d.service.Tables = lyingIndex{d.tables, index, without}
		want := []Difference{{Store: "acme", Statement: uuidOf(1), What: MissingEntry, Detail: index + " does not list it"}}
		if diff := cmp.Diff(want, d.differences(d.p.Store)); diff != "" {
			t.Errorf("%s lacks an entry (-want +got):\n%s", index, diff)
		}
		ghost := d.idOf(uuidOf(77))
		with := func(items []table.Item) []table.Item {
			for _, i := range items {
				if i[schema.PK].S == "acme#"+uuidOf(1) {
					invented := maps.Clone(i)
					invented[schema.PK] = table.S("acme#" + statementID(ghost).String())
					invented[schema.Position] = table.B(bytes.Repeat([]byte{1}, 16))
					return append(items, invented)
				}
			}
			return items
		}
		d.service.Tables = lyingIndex{d.tables, index, with}
		want = []Difference{{Store: "acme", Statement: uuidOf(77), What: ExtraEntry, Detail: index + " lists a statement that is not there"}}
		if diff := cmp.Diff(want, d.differences(d.p.Store)); diff != "" {
			t.Errorf("%s has an entry too many (-want +got):\n%s", index, diff)
		}
		other := func(items []table.Item) []table.Item {
			for n, i := range items {
				if i[schema.PK].S == "acme#"+uuidOf(1) {
					items[n] = maps.Clone(i)
					items[n][schema.PK] = table.S("acme#" + uuidOf(77))
				}
			}
			return items
		}
		d.service.Tables = lyingIndex{d.tables, index, other}
		if got := d.differences(d.p.Store); len(got) == 0 || got[0].What != ExtraEntry || got[0].Statement != uuidOf(77) {
			t.Errorf("%s names another statement in its place: %v", index, got)
		}
		fewer := func(items []table.Item) []table.Item {
			for n, i := range items {
				if i[schema.PK].S == "acme#"+uuidOf(1) {
					items[n] = maps.Clone(i)
					items[n][schema.EffectiveTerms] = table.SetOf(i[schema.EffectiveTerms].Set[1:]...)
				}
			}
			return items
		}
		d.service.Tables = lyingIndex{d.tables, index, fewer}
		if got := d.differences(d.p.Store); len(got) != 1 || got[0].What != WrongTerms || got[0].Statement != uuidOf(1) {
			t.Errorf("%s carries fewer terms: %v", index, got)
		}
	}
}
