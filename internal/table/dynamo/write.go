package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-lrs/cairn/internal/table"
)

const (
	total  = types.ReturnConsumedCapacityTotal
	allOld = types.ReturnValuesOnConditionCheckFailureAllOld
)

// Apply implements table.DB by one PutItem, UpdateItem or DeleteItem. A server that does not answer for Options.Attempt
// leaves the write open (table.ErrUnknown), and the caller time to find out.
func (d *DB) Apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	if err := begin(ctx, d.schemas.CheckApply(&w)); err != nil {
		return nil, table.Cost{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Attempt)
	defer cancel()
	switch w.Op {
	case table.OpPut:
		cost, err := d.put(ctx, &w)
		return nil, cost, err
	case table.OpUpdate:
		return d.update(ctx, &w)
	default:
		cost, err := d.delete(ctx, &w)
		return nil, cost, err
	}
}

func (d *DB) put(ctx context.Context, w *table.Write) (table.Cost, error) {
	var e expression
	condition := e.conditions(w.If)
	out, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           d.name(w.Table),
		Item:                                attributes(w.Item),
		ConditionExpression:                 condition,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnConsumedCapacity:              total,
		ReturnValuesOnConditionCheckFailure: allOld,
	}, once)
	if err != nil {
		return failedCost(err), outcome("put item", err)
	}
	return writeCost(out.ResultMetadata, one(out.ConsumedCapacity)...), nil
}

func (d *DB) update(ctx context.Context, w *table.Write) (table.Item, table.Cost, error) {
	var e expression
	condition, update := e.conditions(w.If), e.actions(w.Actions)
	out, err := d.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           d.name(w.Table),
		Key:                                 keyAttributes(d.schemas[w.Table], w.Key),
		UpdateExpression:                    update,
		ConditionExpression:                 condition,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnConsumedCapacity:              total,
		ReturnValuesOnConditionCheckFailure: allOld,
	}, once)
	if err != nil {
		return nil, failedCost(err), outcome("update item", err)
	}
	after, err := item(out.Attributes)
	return after, writeCost(out.ResultMetadata, one(out.ConsumedCapacity)...), err
}

func (d *DB) delete(ctx context.Context, w *table.Write) (table.Cost, error) {
	var e expression
	condition := e.conditions(w.If)
	out, err := d.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           d.name(w.Table),
		Key:                                 keyAttributes(d.schemas[w.Table], w.Key),
		ConditionExpression:                 condition,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnConsumedCapacity:              total,
		ReturnValuesOnConditionCheckFailure: allOld,
	}, once)
	if err != nil {
		return failedCost(err), outcome("delete item", err)
	}
	return writeCost(out.ResultMetadata, one(out.ConsumedCapacity)...), nil
}

// Group implements table.DB by one TransactWriteItems, which costs twice the units for items and once for index
// entries. It waits like Apply.
func (d *DB) Group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	if err := begin(ctx, d.schemas.CheckGroup(token, ws)); err != nil {
		return table.Cost{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Attempt)
	defer cancel()
	in := &dynamodb.TransactWriteItemsInput{
		TransactItems:          make([]types.TransactWriteItem, len(ws)),
		ReturnConsumedCapacity: total,
	}
	if token != "" { // else the SDK draws one
		in.ClientRequestToken = &token
	}
	for i := range ws {
		in.TransactItems[i] = d.groupItem(&ws[i])
	}
	out, err := d.client.TransactWriteItems(ctx, in, once)
	if err != nil {
		return failedCost(err), outcome("write group", err)
	}
	return writeCost(out.ResultMetadata, out.ConsumedCapacity...), nil
}

func (d *DB) groupItem(w *table.Write) types.TransactWriteItem {
	var e expression
	condition := e.conditions(w.If)
	if w.Op == table.OpPut {
		return types.TransactWriteItem{Put: &types.Put{
			TableName:                           d.name(w.Table),
			Item:                                attributes(w.Item),
			ConditionExpression:                 condition,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}}
	}
	key := keyAttributes(d.schemas[w.Table], w.Key)
	switch w.Op {
	case table.OpUpdate:
		update := e.actions(w.Actions)
		return types.TransactWriteItem{Update: &types.Update{
			TableName:                           d.name(w.Table),
			Key:                                 key,
			UpdateExpression:                    update,
			ConditionExpression:                 condition,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}}
	case table.OpDelete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName:                           d.name(w.Table),
			Key:                                 key,
			ConditionExpression:                 condition,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}}
	default:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName:                           d.name(w.Table),
			Key:                                 key,
			ConditionExpression:                 condition,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValuesOnConditionCheckFailure: allOld,
		}}
	}
}
