package dynamo

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Get implements table.DB by GetItem.
func (d *DB) Get(ctx context.Context, ref table.Ref, c table.Consistency) (found table.Item, cost table.Cost, err error) {
	if err := begin(ctx, d.schemas.CheckRef(ref)); err != nil {
		return nil, table.Cost{}, err
	}
	in := &dynamodb.GetItemInput{
		TableName:              d.name(ref.Table),
		Key:                    keyAttributes(d.schemas[ref.Table], ref.Key),
		ConsistentRead:         aws.Bool(bool(c)),
		ReturnConsumedCapacity: total,
	}
	err = d.repeat(ctx, func(ctx context.Context) (bool, error) {
		out, err := d.client.GetItem(ctx, in, once)
		if err != nil {
			cost = cost.Plus(failedCost(err))
			return false, outcome("get item", err)
		}
		cost = cost.Plus(readCost(out.ResultMetadata, one(out.ConsumedCapacity)...))
		found, err = item(out.Item)
		return true, err
	})
	return found, cost, err
}

// Query implements table.DB by one Query request.
func (d *DB) Query(ctx context.Context, q table.Query) (page table.Page, cost table.Cost, err error) {
	index, err := d.schemas.CheckQuery(&q)
	if err := begin(ctx, err); err != nil || q.Empty() {
		return table.Page{}, table.Cost{}, err
	}
	partition, sort := d.schemas[q.Table].Partition, d.schemas[q.Table].Sort
	in := &dynamodb.QueryInput{
		TableName:              d.name(q.Table),
		ConsistentRead:         aws.Bool(bool(q.Consistency)),
		ScanIndexForward:       aws.Bool(!q.Descending),
		ReturnConsumedCapacity: total,
	}
	if index != nil {
		partition, sort = index.Partition, index.Sort
		in.IndexName = &q.Index
	}
	if q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(q.Limit, table.MaxPage)))
	}
	var e expression
	in.KeyConditionExpression = e.keyRange(partition, sort, &q)
	in.ProjectionExpression = e.projection(q.Only)
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
	if in.ExclusiveStartKey, err = startKey(q.After); err != nil {
		return table.Page{}, table.Cost{}, err
	}
	err = d.repeat(ctx, func(ctx context.Context) (bool, error) {
		out, err := d.client.Query(ctx, in, once)
		if err != nil {
			cost = cost.Plus(failedCost(err))
			return false, outcome("query", err)
		}
		cost = cost.Plus(readCost(out.ResultMetadata, one(out.ConsumedCapacity)...))
		page, err = pageOf(out.Items, out.LastEvaluatedKey)
		return true, err
	})
	if len(q.Only) > 0 {
		page.Rows = make([]table.Row, len(page.Items))
		for i, item := range page.Items { // nil where none of the attributes is there
			page.Rows[i] = row(item, q.Only)
		}
		page.Items = nil
	}
	return page, cost, err
}

// Scan implements table.Scanner by one Scan request.
func (d *DB) Scan(ctx context.Context, tableName string, segment, of int, after table.Cursor) (page table.Page, cost table.Cost, err error) {
	_, err = d.schemas.Find(tableName)
	if err == nil && (segment < 0 || segment >= of || of > maxSegments) {
		err = fmt.Errorf("scan segment %d of %d: %w", segment, of, table.ErrInvalid)
	}
	if err := begin(ctx, err); err != nil {
		return table.Page{}, table.Cost{}, err
	}
	start, err := startKey(after)
	if err != nil {
		return table.Page{}, table.Cost{}, err
	}
	in := &dynamodb.ScanInput{
		TableName:              d.name(tableName),
		ConsistentRead:         aws.Bool(true),
		Segment:                aws.Int32(int32(segment)),
		TotalSegments:          aws.Int32(int32(of)),
		ExclusiveStartKey:      start,
		ReturnConsumedCapacity: total,
	}
	err = d.repeat(ctx, func(ctx context.Context) (bool, error) {
		out, err := d.client.Scan(ctx, in, once)
		if err != nil {
			cost = cost.Plus(failedCost(err))
			return false, outcome("scan", err)
		}
		cost = cost.Plus(readCost(out.ResultMetadata, one(out.ConsumedCapacity)...))
		page, err = pageOf(out.Items, out.LastEvaluatedKey)
		return true, err
	})
	return page, cost, err
}

const maxSegments = 1_000_000 // of one scan. Source: API reference, Scan

func pageOf(found []map[string]types.AttributeValue, last map[string]types.AttributeValue) (table.Page, error) {
	its, err := items(found)
	if err != nil {
		return table.Page{}, err
	}
	next, err := cursor(last)
	return table.Page{Items: its, Next: next}, err
}

// cursorValue is one attribute of the key at which a page ended; key attributes are texts or binary.
type cursorValue struct {
	S *string `json:"S,omitzero"`
	B []byte  `json:"B,omitzero"`
}

// cursor writes the key at which a page ended; nil at the end.
func cursor(last map[string]types.AttributeValue) (table.Cursor, error) {
	if len(last) == 0 {
		return nil, nil
	}
	m := make(map[string]cursorValue, len(last))
	for name, a := range last {
		switch a := a.(type) {
		case *types.AttributeValueMemberS:
			m[name] = cursorValue{S: &a.Value}
		case *types.AttributeValueMemberB:
			m[name] = cursorValue{B: a.Value}
		default:
			return nil, fmt.Errorf("write cursor: key attribute %s is %T", name, a)
		}
	}
	return json.Marshal(m)
}

func startKey(after table.Cursor) (map[string]types.AttributeValue, error) {
	if after == nil {
		return nil, nil
	}
	var m map[string]cursorValue
	if err := json.Unmarshal(after, &m); err != nil {
		return nil, errors.Join(table.ErrInvalid, fmt.Errorf("read cursor: %w", err))
	}
	key := make(map[string]types.AttributeValue, len(m))
	for name, v := range m {
		if v.S != nil {
			key[name] = attribute(table.S(*v.S))
		} else {
			key[name] = attribute(table.B(v.B))
		}
	}
	return key, nil
}
