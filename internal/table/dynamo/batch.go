package dynamo

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Most items of one request. Source: API reference, BatchGetItem and BatchWriteItem. Their other limit, 16 MB, is
// beyond 25 items of 400 KB; a BatchGetItem that meets it leaves keys unread.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
)

// ident names an item in a map.
type ident struct{ table, partition, sort string }

func identOf(ref table.Ref) ident {
	return ident{ref.Table, ref.Key.Partition, string(ref.Key.Sort)}
}

// BatchGet implements table.DB by BatchGetItem requests for 100 different items each, side by side.
func (d *DB) BatchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	for _, ref := range refs {
		if err := d.schemas.CheckRef(ref); err != nil {
			return nil, table.Cost{}, err
		}
	}
	return d.batchGet(ctx, refs, c, nil)
}

// Select implements table.DB by the same requests with a projection.
func (d *DB) Select(ctx context.Context, refs []table.Ref, c table.Consistency, attributes ...string) ([]table.Row, table.Cost, error) {
	if err := d.schemas.CheckSelect(refs, attributes); err != nil {
		return nil, table.Cost{}, err
	}
	items, cost, err := d.batchGet(ctx, refs, c, attributes)
	if err != nil {
		return nil, cost, err
	}
	rows := make([]table.Row, len(items))
	for i, item := range items {
		if item != nil {
			rows[i] = row(item, attributes)
		}
	}
	return rows, cost, nil
}

func row(item table.Item, attributes []string) table.Row {
	row := make(table.Row, len(attributes))
	for column, name := range attributes {
		row[column] = item[name]
	}
	return row
}

// batchGet reads the attributes in only and the keys, or the whole items where only names none.
func (d *DB) batchGet(ctx context.Context, refs []table.Ref, c table.Consistency, only []string) ([]table.Item, table.Cost, error) {
	if err := ctx.Err(); err != nil {
		return nil, table.Cost{}, err
	}
	found := make(map[ident]table.Item, len(refs))
	distinct := make([]table.Ref, 0, len(refs))
	for _, ref := range refs {
		if _, twice := found[identOf(ref)]; !twice {
			found[identOf(ref)] = nil
			distinct = append(distinct, ref)
		}
	}
	get := batchGet{db: d, consistency: c, only: only, found: found}
	err := inParallel(ctx, slices.Collect(slices.Chunk(distinct, maxBatchGet)), get.chunk)
	if err != nil {
		return nil, get.cost, err
	}
	answer := make([]table.Item, len(refs))
	for i, ref := range refs {
		answer[i] = found[identOf(ref)]
	}
	return answer, get.cost, nil
}

// batchGet gathers the answers of the requests of one BatchGet.
type batchGet struct {
	db          *DB
	consistency table.Consistency
	only        []string

	mu    sync.Mutex
	found map[ident]table.Item
	cost  table.Cost
}

func (g *batchGet) chunk(ctx context.Context, refs []table.Ref) error {
	d := g.db
	left := make(map[string]types.KeysAndAttributes)
	for _, ref := range refs {
		name := *d.name(ref.Table)
		keys, begun := left[name]
		if !begun {
			keys = g.keysOf(d.schemas[ref.Table])
		}
		keys.Keys = append(keys.Keys, keyAttributes(d.schemas[ref.Table], ref.Key))
		left[name] = keys
	}
	return d.repeat(ctx, func(ctx context.Context) (bool, error) {
		out, err := d.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: left, ReturnConsumedCapacity: total}, once)
		if err != nil {
			g.charge(failedCost(err))
			return false, outcome("get items", err)
		}
		g.charge(readCost(out.ResultMetadata, out.ConsumedCapacity...))
		for name, its := range out.Responses {
			if err := g.keep(name[len(d.prefix):], its); err != nil {
				return false, err
			}
		}
		left = out.UnprocessedKeys
		return len(left) == 0, nil
	})
}

// keysOf begins the keys of one table. Answers are told apart by theirs, so a projection has them.
func (g *batchGet) keysOf(s *table.Schema) types.KeysAndAttributes {
	keys := types.KeysAndAttributes{ConsistentRead: aws.Bool(bool(g.consistency))}
	if len(g.only) == 0 {
		return keys
	}
	var e expression
	only := slices.Clone(g.only)
	for _, key := range []string{s.Partition, s.Sort} {
		if key != "" && !slices.Contains(only, key) {
			only = append(only, key)
		}
	}
	keys.ProjectionExpression = e.projection(only)
	keys.ExpressionAttributeNames = e.names
	return keys
}

func (g *batchGet) keep(tableName string, answers []map[string]types.AttributeValue) error {
	its, err := items(answers)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, it := range its {
		key, err := g.db.schemas[tableName].KeyOf(it)
		if err != nil {
			return err
		}
		g.found[identOf(table.Ref{Table: tableName, Key: key})] = it
	}
	return nil
}

func (g *batchGet) charge(c table.Cost) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cost = g.cost.Plus(c)
}

// Batch implements table.DB by BatchWriteItem requests for 25 items each, side by side. All writes are absolute and
// of different items, so repeating one whose answer was lost changes nothing.
func (d *DB) Batch(ctx context.Context, ws []table.Write) (table.Cost, error) {
	if err := begin(ctx, d.schemas.CheckBatch(ws)); err != nil {
		return table.Cost{}, err
	}
	var mu sync.Mutex
	var cost table.Cost
	charge := func(c table.Cost) {
		mu.Lock()
		defer mu.Unlock()
		cost = cost.Plus(c)
	}
	err := inParallel(ctx, slices.Collect(slices.Chunk(ws, maxBatchWrite)), func(ctx context.Context, ws []table.Write) error {
		left := d.writeRequests(ws)
		return d.repeat(ctx, func(ctx context.Context) (bool, error) {
			out, err := d.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: left, ReturnConsumedCapacity: total}, once)
			if err != nil {
				charge(failedCost(err))
				return false, outcome("write items", err)
			}
			charge(writeCost(out.ResultMetadata, out.ConsumedCapacity...))
			left = out.UnprocessedItems
			return len(left) == 0, nil
		})
	})
	return cost, err
}

func (d *DB) writeRequests(ws []table.Write) map[string][]types.WriteRequest {
	requests := make(map[string][]types.WriteRequest)
	for i := range ws {
		w := &ws[i]
		var request types.WriteRequest
		if w.Op == table.OpPut {
			request.PutRequest = &types.PutRequest{Item: attributes(w.Item)}
		} else {
			request.DeleteRequest = &types.DeleteRequest{Key: keyAttributes(d.schemas[w.Table], w.Key)}
		}
		name := *d.name(w.Table)
		requests[name] = append(requests[name], request)
	}
	return requests
}

// inParallel calls f for each chunk, and returns when all calls have; the first error ends the others' context.
func inParallel[E any](ctx context.Context, chunks [][]E, f func(context.Context, []E) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, chunk := range chunks {
		group.Go(func() error { return f(ctx, chunk) })
	}
	return group.Wait()
}
