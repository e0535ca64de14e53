package dynamo

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// The units that Pebble computes are those that DynamoDB Local reports, for puts, updates, deletes, batch puts, gets,
// batch gets and queries, indexes included. DynamoDB Local 3.1.0 was measured to differ from DynamoDB where this test does
// not look: a transaction charges index entries twice, a batch charges 2 for deleting what is absent and nothing for
// reading it, and an empty query costs nothing.

var unitSchemas = []table.Schema{
	{
		Name: "Indexed", Partition: "pk", Sort: "sk",
		Indexes: []table.Index{
			{Name: "projecting", Partition: "g", Sort: "p", Projects: []string{"t", "n"}},
			{Name: "keysOnly", Partition: "h", Sort: "p"},
		},
	},
	{Name: "Plain", Partition: "pk"},
}

// callsPerRound is how many calls TestUnitsEqualPebbles must have compared on average. If no connection broke it would be
// almost thirty.
const callsPerRound = 10

// replyBreaks is after how many requests of an operation the next reply breaks, before its first byte or in its middle: what
// happens to a connection now and then must not pass for a difference.
const replyBreaks = 150

func breakReplies(_ string, before int) cloudtest.Fault {
	if before%replyBreaks != replyBreaks-1 {
		return nil
	}
	return []cloudtest.Fault{cloudtest.ReplyLost, cloudtest.ReplyBroken}[before/replyBreaks%2]
}

func TestUnitsEqualPebbles(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	requests := &counted{RoundTripper: &cloudtest.Faulty{Base: transport, Choose: breakReplies}}
	cloud := openThrough(t, servers, requests, unitSchemas)
	local, err := pebble.Open(t.TempDir(), unitSchemas, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()

	calls, round, broken := 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		d := differ{T: t, r: r, cloud: cloud, local: local, requests: requests, partition: fmt.Sprintf("round%d", round)}
		r.Repeat(map[string]func(*rapid.T){
			"put":    d.put,
			"update": d.update,
			"delete": d.delete,
			"batch":  d.batch,
			"get":    d.get,
			"query":  d.query,
		})
		calls += d.calls
		if d.broken {
			broken++
		}
	})
	t.Logf("compared %d calls in %d rounds, of which %d ended early", calls, round, broken)
	if calls < callsPerRound*round {
		t.Errorf("%d calls in %d rounds are fewer than the floor of %d in each: requests got no answer", calls, round, callsPerRound)
	}
	if broken == 0 {
		t.Error("no reply broke")
	}
}

// counted counts the requests that go through a transport.
type counted struct {
	http.RoundTripper
	n atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// differ makes the same calls on both drivers and compares what they answer and cost.
type differ struct {
	*testing.T
	r            *rapid.T
	cloud, local table.DB
	requests     *counted // of cloud
	partition    string
	calls        int
	broken       bool // a request got no usable answer: the two may differ now, and are not compared until the next round
}

func (d *differ) compare(r *rapid.T, what string, call func(table.DB) (any, table.Cost, error)) {
	r.Helper()
	if d.broken {
		return
	}
	d.calls++
	wantAnswer, wantCost, wantErr := call(d.local)
	before := d.requests.n.Load()
	answer, cost, err := call(d.cloud)
	// What may be done twice is sent again when it gets no answer, and may cost less then.
	if n := d.requests.n.Load() - before; n > 1 || errors.Is(err, table.ErrUnknown) {
		d.broken = true
		return
	}
	if (err == nil) != (wantErr == nil) {
		r.Fatalf("%s: DynamoDB %v, Pebble %v", what, err, wantErr)
	}
	if diff := cmp.Diff(wantAnswer, answer); diff != "" {
		r.Fatalf("%s: answers differ (-Pebble +DynamoDB):\n%s", what, diff)
	}
	if cost.Read != wantCost.Read || cost.Write != wantCost.Write {
		r.Fatalf("%s: DynamoDB reports %v read and %v write units, Pebble computes %v and %v",
			what, cost.Read, cost.Write, wantCost.Read, wantCost.Write)
	}
}

var (
	sortByte = rapid.ByteRange(1, 4)
	// Around the boundaries of units, and well inside.
	size    = rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(900, 1100), rapid.IntRange(3900, 4200))
	members = rapid.Custom(func(r *rapid.T) table.Value {
		distinct := rapid.SliceOfNDistinct(rapid.ByteRange(0, 5), 1, 4, rapid.ID).Draw(r, "members")
		set := make([][]byte, len(distinct))
		for i, b := range distinct {
			set[i] = []byte{b, b, b}
		}
		return table.SetOf(set...)
	})
	integer = rapid.Map(rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000)), table.N)
)

// payload draws the size alone, which is all that is printed when the test fails.
func payload(r *rapid.T) table.Value {
	return table.B(make([]byte, size.Draw(r, "bytes")))
}

func (d *differ) item(r *rapid.T, sort byte) table.Item {
	item := table.Item{"pk": table.S(d.partition), "sk": table.B([]byte{sort}), "p": indexSort(r, sort)}
	some := func(attr string, v *rapid.Generator[table.Value]) {
		if rapid.Bool().Draw(r, "has "+attr) {
			item[attr] = v.Draw(r, attr)
		}
	}
	some("g", rapid.Just(table.S(d.partition)))
	some("h", rapid.Just(table.S(d.partition)))
	some("t", members)
	some("n", integer)
	if rapid.Bool().Draw(r, "has b") {
		item["b"] = payload(r)
	}
	return item
}

// indexSort draws a sort key of the indexes that no other item has: among equals the order is open.
func indexSort(r *rapid.T, sort byte) table.Value {
	return table.B([]byte{sortByte.Draw(r, "p"), sort})
}

func (d *differ) ref(sort byte) table.Ref {
	return table.Ref{Table: "Indexed", Key: table.Key{Partition: d.partition, Sort: []byte{sort}}}
}

func (d *differ) put(r *rapid.T) {
	w := table.Put("Indexed", d.item(r, sortByte.Draw(r, "sort")))
	d.apply(r, "put", w)
}

func (d *differ) update(r *rapid.T) {
	candidates := []table.Action{
		table.SetTo("g", table.S(d.partition)), table.Remove("g"), table.Remove("h"),
		table.Remove("t"), table.Add("t", members.Draw(r, "t")), table.SetTo("b", payload(r)), table.Add("c", table.N(7)),
		table.SetTo("n", integer.Draw(r, "n")),
	}
	drawn := rapid.SliceOfNDistinct(rapid.IntRange(0, len(candidates)-1), 1, 4, func(i int) string { return candidates[i].Attr }).Draw(r, "actions")
	var actions []table.Action
	for _, i := range drawn {
		actions = append(actions, candidates[i])
	}
	sort := sortByte.Draw(r, "sort")
	actions = append(actions, table.SetTo("p", indexSort(r, sort)))
	d.apply(r, "update", table.Update(d.ref(sort), actions))
}

func (d *differ) delete(r *rapid.T) {
	d.apply(r, "delete", table.Delete(d.ref(sortByte.Draw(r, "sort"))))
}

func (d *differ) apply(r *rapid.T, what string, w table.Write) {
	d.compare(r, what, func(db table.DB) (any, table.Cost, error) {
		item, cost, err := db.Apply(d.Context(), w)
		return item, cost, err
	})
}

func (d *differ) batch(r *rapid.T) {
	sorts := rapid.SliceOfNDistinct(sortByte, 1, 4, rapid.ID).Draw(r, "sorts")
	var ws []table.Write
	for _, sort := range sorts {
		ws = append(ws, table.Put("Indexed", d.item(r, sort)))
	}
	ws = append(ws, table.Put("Plain", table.Item{"pk": table.S(d.partition), "b": payload(r)}))
	d.compare(r, "batch", func(db table.DB) (any, table.Cost, error) {
		cost, err := db.Batch(d.Context(), ws)
		return nil, cost, err
	})
}

func (d *differ) get(r *rapid.T) {
	ref, c := d.ref(sortByte.Draw(r, "sort")), table.Consistency(rapid.Bool().Draw(r, "strong"))
	d.compare(r, "get", func(db table.DB) (any, table.Cost, error) {
		item, cost, err := db.Get(d.Context(), ref, c)
		return item, cost, err
	})
}

func (d *differ) query(r *rapid.T) {
	q := table.Query{
		Table:      "Indexed",
		Index:      rapid.SampledFrom([]string{"", "projecting", "keysOnly"}).Draw(r, "index"),
		Partition:  d.partition,
		Descending: rapid.Bool().Draw(r, "descending"),
		Limit:      rapid.IntRange(0, 3).Draw(r, "limit"),
	}
	if q.Index == "" {
		q.Consistency = table.Consistency(rapid.Bool().Draw(r, "strong"))
	}
	if rapid.Bool().Draw(r, "from") {
		q.From = []byte{sortByte.Draw(r, "lower bound")}
	}
	if rapid.Bool().Draw(r, "to") {
		q.To = []byte{sortByte.Draw(r, "upper bound")}
	}
	empty := false
	d.compare(r, fmt.Sprintf("query %+v", q), func(db table.DB) (any, table.Cost, error) {
		page, cost, err := db.Query(d.Context(), q)
		if len(page.Items) == 0 {
			empty = true
		}
		if empty {
			cost = table.Cost{} // DynamoDB Local is wrong here
		}
		return append([]table.Item{}, page.Items...), cost, err
	})
}
