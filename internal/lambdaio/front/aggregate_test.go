package front

import (
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/app/cloud/stacktest"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/config"
	"github.com/cairn-lrs/cairn/internal/lambdaio"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// TestAggregateEqualsTheStatements stores something and delivers what the stream says of it so many times at least, and again
// until all floors are reached: what happens how often is a matter of chance. After mostRounds there is no chance left.
const (
	aggregateRounds = 12
	mostRounds      = 10 * aggregateRounds
)

// aggregateFloors are how often each thing must have happened, or the test has shown less than it says.
var aggregateFloors = map[string]int{
	"statements": 500, "records": 500, "invocations": 400,
	"a call failed": 15,
	"a call did its work and its reply was lost": 20,
	"a group met another":                        2,
	"a batch of calls was done in part":          8,
	"a call was refused for good":                3,
	"the process died before a call":             10,
	"the process died after a call":              10,
	"another process came between":               15,
	"the answer was lost":                        4,
	"a part of a batch was done":                 8,
	"a batch was halved":                         30,
	"a batch came again":                         6,
	"a child shard was read before its parent":   4,
	"a record could not be read":                 aggregateRounds,
	"a writer died":                              10,
}

// TestAggregateEqualsTheStatements is the law of reports on the cloud road: whatever the stream of Statements brings, in whatever
// order, how often and in which batches, and whatever goes wrong at the calls of the function, rollups equal what the statements
// say. The function is the one of functions/aggregate, the records are DynamoDB Local's, the mapping is the one of template.yaml.
//
// DynamoDB Local has one shard and splits none, so the records are dealt out to shards here: a parent and two children, which
// are read one after the other, all at once, or with each shard out of order.
func TestAggregateEqualsTheStatements(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	began := time.Now()
	a := newAggregation(t, servers, 1)
	rounds := 0
	for ; (rounds < aggregateRounds || a.rare() != nil && rounds < mostRounds) && !t.Failed(); rounds++ {
		a.write(40)
		a.deliver(a.fresh())
		a.settle()
		a.compare()
	}
	t.Logf("%d rounds in %v: %v", rounds, time.Since(began).Round(time.Second), a.seen)
	for _, what := range a.rare() {
		t.Errorf("%s: %d times, fewer than the floor of %d", what, a.seen[what], aggregateFloors[what])
	}
}

// rare are the things that have not yet happened as often as they must.
func (a *aggregation) rare() (whats []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for what, floor := range aggregateFloors {
		if a.seen[what] < floor {
			whats = append(whats, what)
		}
	}
	return whats
}

// aggregation is the function of rollups between what it reads, its stream, and what it calls, DynamoDB and S3. Proxies let calls
// go wrong.
type aggregation struct {
	*rand.Rand
	t      *testing.T
	cairn  *cloud.Cairn // nothing goes wrong here
	hasty  *cloud.Cairn // its calls go through the proxies
	stores []*streamedStore
	last   int // statement

	stream  Server
	table   string
	after   map[string]string // sequence number, by shard: read so far
	current []Record          // of this round
	poisons map[string]bool   // sequence numbers of records that cannot be read

	mapping  Mapping
	function *lambdaio.Stream // the process under trial; nil when it died
	other    *lambdaio.Stream // another execution environment

	mu     sync.Mutex
	share  float64 // of all calls that go wrong
	deadly bool    // nothing goes wrong but deaths
	kill   func()
	dead   bool
	seen   map[string]int
}

func newAggregation(t *testing.T, servers *cloudtest.Servers, seed uint64) *aggregation {
	t.Helper()
	a := &aggregation{
		Rand: rand.New(rand.NewPCG(seed, 0xa99)), t: t,
		stream: Server{Endpoint: servers.DynamoDB, Region: cloudtest.Region, AccessKey: cloudtest.AccessKey},
		after:  map[string]string{}, poisons: map[string]bool{}, seen: map[string]int{},
	}
	name, cairn := stacktest.Open(t, servers, slog.New(slog.DiscardHandler))
	a.cairn, a.table = cairn, name+"-"+schema.Statements
	a.mapping = a.mappingOf(name)
	through := map[string]string{}
	for variable, server := range map[string]string{"CAIRN_DYNAMODB_ENDPOINT": servers.DynamoDB, "CAIRN_S3_ENDPOINT": servers.S3} {
		proxy, err := cloudtest.OpenProxy(server, a.meddle)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := proxy.Close(); err != nil {
				t.Error(err)
			}
		})
		through[variable] = proxy.URL
	}
	maps.Copy(through, map[string]string{
		"CAIRN_TABLE_PREFIX": name + "-", "CAIRN_BUCKET": name,
		"AWS_REGION": cloudtest.Region, "AWS_ACCESS_KEY_ID": cloudtest.AccessKey, "AWS_SECRET_ACCESS_KEY": cloudtest.SecretKey,
	})
	for variable, value := range through {
		t.Setenv(variable, value)
	}
	c, err := config.Environment()
	if err == nil {
		a.hasty, err = cloud.New(c, slog.New(slog.DiscardHandler))
	}
	if err != nil {
		t.Fatal(err)
	}
	a.other = a.start()
	for range 2 {
		a.addStore()
	}
	return a
}

// mappingOf is the function's mapping, as it is deployed.
func (a *aggregation) mappingOf(stack string) Mapping {
	a.t.Helper()
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		a.t.Fatal(err)
	}
	template, err := ReadTemplate(text, map[string]string{"AWS::StackName": stack, "Bucket": stack})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, f := range template.Functions {
		if f.Name == "AggregateFunction" && len(f.Mappings) == 1 && f.Mappings[0].Table == a.table {
			return f.Mappings[0]
		}
	}
	a.t.Fatal("the template has no AggregateFunction with a mapping of Statements")
	return Mapping{}
}

// start is the main of functions/aggregate, up to where Lambda would be asked for events.
func (a *aggregation) start() *lambdaio.Stream {
	a.t.Helper()
	log := slog.New(slog.DiscardHandler)
	prefix, consume, err := cloud.Aggregate(log)
	if err != nil {
		a.t.Fatal(err)
	}
	return lambdaio.NewStream(prefix, consume, log)
}

func (a *aggregation) addStore() {
	a.t.Helper()
	store, err := a.cairn.Directory.CreateStore(a.t.Context(), fmt.Sprint("Store ", len(a.stores)))
	if err != nil {
		a.t.Fatal(err)
	}
	s := &streamedStore{id: store.ID, sent: map[string]sentStatement{}}
	s.key, s.secret, err = a.cairn.Directory.CreateCredential(a.t.Context(), store.ID, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		a.t.Fatal(err)
	}
	a.stores = append(a.stores, s)
}

// fresh reads what is new in the stream.
func (a *aggregation) fresh() (records []Record) {
	a.t.Helper()
	shards, err := a.stream.Shards(a.t.Context(), a.table)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, shard := range shards {
		for quiet, open := 0, true; open && quiet < 3; {
			var some []Record
			some, open, err = a.stream.Records(a.t.Context(), shard, a.after[shard.ID], maxRecords)
			if err != nil {
				a.t.Fatal(err)
			}
			if quiet++; len(some) > 0 {
				a.after[shard.ID], quiet = some[len(some)-1].Sequence, 0
			}
			records = append(records, some...)
		}
	}
	a.count("records", len(records))
	return records
}

// dealt is a shard as far as it was read.
type dealt struct {
	Shard
	records []Record
	next    int
}

// deal deals records out to a parent shard and its two children, as when it is split: until some moment all are its own, and then
// each item's are in one of the children. One record that cannot be read is put among them.
func (a *aggregation) deal(records []Record) []*dealt {
	a.t.Helper()
	stream := "arn:aws:dynamodb:us-east-1:123456789012:table/" + a.table + "/stream/2026-11-21T10:00:00.000"
	shards := []*dealt{{Shard: Shard{stream, "parent", ""}}, {Shard: Shard{stream, "left", "parent"}}, {Shard: Shard{stream, "right", "parent"}}}
	split, poisoned := a.IntN(len(records)+1), a.IntN(len(records))
	for i, record := range records {
		to := shards[0]
		if i >= split {
			to = shards[1+laneOf(record.Item, 2)]
		}
		if i == poisoned {
			sequence := fmt.Sprint("poison-", len(a.poisons))
			a.poisons[sequence] = true
			poison, err := newRecord(jsontext.Value(fmt.Sprintf(`{"dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{"pk":{"S":"poison"}},"NewImage":{"n":{"N":"1.5"}},"SequenceNumber":%q}}`,
				time.Now().Unix(), sequence)), stream)
			if err != nil {
				a.t.Fatal(err)
			}
			to.records = append(to.records, poison)
		}
		to.records = append(to.records, record)
	}
	return shards
}

// deliver lets the mapping bring records to the function, while calls go wrong.
func (a *aggregation) deliver(records []Record) {
	if len(records) == 0 {
		return
	}
	a.current = records
	shards := a.deal(records)
	inOrder, mixed := a.IntN(3) == 0, a.IntN(3) == 0
	if mixed {
		for _, s := range shards {
			a.Shuffle(len(s.records), func(i, j int) { s.records[i], s.records[j] = s.records[j], s.records[i] })
		}
	}
	for left := shards; ; {
		left = slices.DeleteFunc(slices.Clone(left), func(s *dealt) bool { return s.next == len(s.records) })
		if len(left) == 0 {
			break
		}
		s := left[a.IntN(len(left))]
		if inOrder {
			s = left[0]
		}
		if s.Parent != "" && left[0].Parent == "" {
			a.count("a child shard was read before its parent", 1)
		}
		n := min(len(s.records)-s.next, 1+a.IntN(25))
		a.process(s.Shard, s.records[s.next:s.next+n], 0.15*float64(a.IntN(3))/2)
		s.next += n
		if a.IntN(4) == 0 { // whoever reads the shard died, and began where it had noted last
			s.next -= a.IntN(min(s.next, 30) + 1)
			a.count("a batch came again", 1)
		}
	}
}

// settle delivers, in their order and undisturbed, the records of what the function itself wrote, until there are none.
func (a *aggregation) settle() {
	for records := a.fresh(); len(records) > 0; records = a.fresh() {
		a.process(Shard{ID: "parent"}, records, 0)
	}
}

// process lets the mapping's lane bring one batch to the function. Of a share of its calls each goes wrong.
func (a *aggregation) process(shard Shard, batch []Record, share float64) {
	f := &follower{
		Mapping: a.mapping, pace: pace{retry: time.Millisecond, slowest: 5 * time.Millisecond}, function: "AggregateFunction",
		now: time.Now, log: a.told,
		invoke: func(ctx context.Context, payload []byte) (string, []byte, error) {
			return a.invoke(ctx, payload, share)
		},
	}
	(&lane{follower: f, shard: shard}).process(a.t.Context(), batch)
}

// told takes what the mapping says. Only what cannot be read may be given up, and that alone.
func (a *aggregation) told(line Line) {
	a.t.Helper()
	var given failure
	if err := json.Unmarshal([]byte(line.Text), &given); err == nil && given.Version != "" {
		if given.Batch.Size != 1 || !a.poisons[given.Batch.Start] {
			a.t.Errorf("given up: %s", line.Text)
		}
		a.count("a record could not be read", 1)
		return
	}
	var p problem
	if err := json.Unmarshal([]byte(line.Text), &p); err != nil {
		a.t.Fatal(err)
	}
	if p.Error != reason(nil) && p.Records > 1 {
		a.count("a batch was halved", 1)
	}
}

// invoke is Lambda: it starts a process where there is none, and now and then loses the answer, or some of it.
func (a *aggregation) invoke(ctx context.Context, payload []byte, share float64) (id string, answer []byte, err error) {
	a.count("invocations", 1)
	if a.function == nil {
		a.function = a.start()
	}
	ctx, kill := context.WithTimeout(ctx, time.Minute)
	a.disturb(share, false, kill)
	answer, err = a.function.Invoke(ctx, payload)
	if a.calm() {
		a.function = nil
		err = errors.New("the process died")
	}
	if err == nil && share > 0 {
		switch batch, readErr := changes(payload); {
		case readErr != nil:
			err = readErr
		case a.IntN(10) == 0:
			a.count("the answer was lost", 1)
			err = errors.New("the answer was lost")
		case a.IntN(5) == 0 && len(batch) > 1 && string(answer) == failed():
			answer = []byte(failed(batch[1+a.IntN(len(batch)-1)].sequence))
		}
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrFunction, err)
	}
	if string(answer) != failed() {
		a.count("a part of a batch was done", 1)
	}
	return "", answer, nil
}

// compare holds rollups against the statements that are there, and these against what was sent.
func (a *aggregation) compare() {
	a.t.Helper()
	summary, err := a.cairn.Rollups.Audit(a.t.Context(), func(d rollup.Difference) { a.t.Errorf("%+v", d) })
	if err != nil {
		a.t.Fatal(err)
	}
	live, damaged := 0, 0
	for _, s := range a.stores {
		live += a.live(s)
		damaged += s.damaged
	}
	if summary.Facts != live || summary.DeadLetters != damaged {
		a.t.Errorf("%d facts and %d dead letters, want %d and %d", summary.Facts, summary.DeadLetters, live, damaged)
	}
}

// live counts the statements of a store that are there, void nothing, and are voided by none that is there.
func (a *aggregation) live(s *streamedStore) (live int) {
	a.t.Helper()
	ids := slices.Sorted(maps.Keys(s.sent))
	refs := make([]table.Ref, len(ids))
	for i, id := range ids {
		refs[i] = s.ref(id)
	}
	items, _, err := a.cairn.Tables.BatchGet(a.t.Context(), refs, table.Strong)
	if err != nil {
		a.t.Fatal(err)
	}
	there, voided := map[string]bool{}, map[string]bool{}
	for i, id := range ids {
		there[id] = items[i] != nil
		if there[id] {
			voided[s.sent[id].voids] = true
		}
	}
	for _, id := range ids {
		if there[id] && s.sent[id].voids == "" && !voided[id] {
			live++
		}
	}
	return live
}
