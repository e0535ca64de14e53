package pebble

import (
	"errors"
	"testing"

	"github.com/cairn-lrs/cairn/internal/table"
)

// What tabletest cannot check on every driver: transactions and absent items, where DynamoDB Local is not like DynamoDB,
// and failed conditions, whose cost DynamoDB does not report. Sources: developer guide, "DynamoDB read and write
// operations" and "Managing complex workflows with transactions".

func large(pk, sk string, size int, more table.Item) table.Item {
	item := thing(pk, sk, more)
	item["b"] = table.B(make([]byte, size-item.Size()-1))
	return item
}

func TestUnitsOfGroups(t *testing.T) {
	keys := table.Item{"kt": table.S("x"), "kc": table.S("x"), "p": table.B([]byte("1"))}
	tests := []struct {
		name   string
		before []table.Item
		ws     []table.Write
		failed bool
		want   float64
	}{
		{"a put counts twice", nil, []table.Write{table.Put(things, thing("a", "1", nil))}, false, 2},
		{"its entries once", nil, []table.Write{table.Put(things, thing("a", "1", keys))}, false, 4},
		{"by size", nil, []table.Write{table.Put(things, large("a", "1", 2500, keys))}, false, 8},
		{"a check counts like a write", []table.Item{large("a", "1", 2500, nil)},
			[]table.Write{table.Check(thingRef("a", "1"), table.Present("b"))}, false, 6},
		{"a check of an absent item", nil, []table.Write{table.Check(thingRef("a", "1"), table.Absent("b"))}, false, 2},
		{"a delete", []table.Item{large("a", "1", 2500, keys)}, []table.Write{table.Delete(thingRef("a", "1"))}, false, 8},
		{"several", nil, []table.Write{
			table.Put(things, thing("a", "1", keys)), table.Put(things, thing("a", "2", nil)),
			table.Put(notes, table.Item{"pk": table.S("x")}),
		}, false, 8},
		{"a failed group is charged for the items", []table.Item{large("a", "1", 2500, nil)}, []table.Write{
			table.Put(things, thing("a", "1", nil), table.Absent("pk")), table.Put(things, thing("a", "2", keys)),
		}, true, 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			db := openTest(t, testSchemas(), Options{})
			put(t, db, things, test.before...)
			cost, err := db.Group(t.Context(), "", test.ws)
			if test.failed != errors.Is(err, table.ErrCondition) {
				t.Fatal(err)
			}
			if cost.Write != test.want || cost.Read != 0 {
				t.Errorf("cost %v reads, %v writes, want %v writes", cost.Read, cost.Write, test.want)
			}
		})
	}
}

func TestUnitsOfWhatFailsOrIsAbsent(t *testing.T) {
	db := openTest(t, testSchemas(), Options{})
	put(t, db, things, large("a", "1", 2500, nil))
	apply := func(w table.Write) func() (table.Cost, error) {
		return func() (table.Cost, error) { _, cost, err := db.Apply(t.Context(), w); return cost, err }
	}
	batch := func(ws ...table.Write) func() (table.Cost, error) {
		return func() (table.Cost, error) { return db.Batch(t.Context(), ws) }
	}
	tests := []struct {
		name        string
		call        func() (table.Cost, error)
		read, write float64
		want        error
	}{
		{"a failed put on an item", apply(table.Put(things, thing("a", "1", nil), table.Absent("pk"))), 0, 3, table.ErrCondition},
		{"a failed put on none", apply(table.Put(things, large("a", "9", 4500, nil), table.Present("pk"))), 0, 5, table.ErrCondition},
		{"a failed update on none", apply(table.Update(thingRef("a", "9"), []table.Action{table.Add("n", table.N(1))}, table.Present("pk"))), 0, 1, table.ErrCondition},
		{"a delete of none", apply(table.Delete(thingRef("a", "9"))), 0, 1, nil},
		{"a batch of deletes of none", batch(table.Delete(thingRef("a", "9")), table.Delete(noteRef("x"))), 0, 2, nil},
		{"a batch puts a first large item", batch(table.Put(notes, table.Item{"pk": table.S("x"), "b": table.B(make([]byte, 1500))})), 0, 2, nil},
		{"a batch puts over it", batch(table.Put(notes, table.Item{"pk": table.S("x")})), 0, 2, nil},
		{"a strong get of none", func() (table.Cost, error) {
			_, cost, err := db.Get(t.Context(), noteRef("none"), table.Strong)
			return cost, err
		}, 1, 0, nil},
		{"an eventual batch get of none", func() (table.Cost, error) {
			_, cost, err := db.BatchGet(t.Context(), []table.Ref{noteRef("none"), noteRef("none"), noteRef("x")}, table.Eventual)
			return cost, err
		}, 1.5, 0, nil},
		{"an empty query", func() (table.Cost, error) {
			_, cost, err := db.Query(t.Context(), table.Query{Table: things, Partition: "none"})
			return cost, err
		}, 0.5, 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cost, err := test.call()
			if !errors.Is(err, test.want) {
				t.Fatal(err)
			}
			if cost.Read != test.read || cost.Write != test.write {
				t.Errorf("cost %v reads, %v writes, want %v and %v", cost.Read, cost.Write, test.read, test.write)
			}
		})
	}
}
