package dynamo

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/cairn-lrs/cairn/internal/table"
)

// attribute translates a checked value.
func attribute(v table.Value) types.AttributeValue {
	switch v.Kind {
	case table.Text:
		return &types.AttributeValueMemberS{Value: v.S}
	case table.Number:
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(v.N, 10)}
	case table.Set:
		return &types.AttributeValueMemberBS{Value: v.Set}
	default:
		b := v.B
		if b == nil {
			b = []byte{} // the SDK would send null
		}
		return &types.AttributeValueMemberB{Value: b}
	}
}

func attributes(item table.Item) map[string]types.AttributeValue {
	m := make(map[string]types.AttributeValue, len(item))
	for name, v := range item {
		m[name] = attribute(v)
	}
	return m
}

func keyAttributes(s *table.Schema, key table.Key) map[string]types.AttributeValue {
	m := map[string]types.AttributeValue{s.Partition: attribute(table.S(key.Partition))}
	if s.Sort != "" {
		m[s.Sort] = attribute(table.B(key.Sort))
	}
	return m
}

// item translates an item of an answer; nil when there is none.
func item(m map[string]types.AttributeValue) (table.Item, error) {
	if len(m) == 0 {
		return nil, nil
	}
	it := make(table.Item, len(m))
	for name, a := range m {
		v, err := value(a)
		if err != nil {
			return nil, fmt.Errorf("read attribute %s: %w", name, err)
		}
		it[name] = v
	}
	return it, nil
}

func items(ms []map[string]types.AttributeValue) ([]table.Item, error) {
	its := make([]table.Item, len(ms))
	for i, m := range ms {
		var err error
		if its[i], err = item(m); err != nil {
			return nil, err
		}
	}
	return its, nil
}

func value(a types.AttributeValue) (table.Value, error) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		return table.S(a.Value), nil
	case *types.AttributeValueMemberN:
		return number(a.Value)
	case *types.AttributeValueMemberB:
		return table.B(a.Value), nil
	case *types.AttributeValueMemberBS:
		return table.SetOf(a.Value...), nil
	}
	return table.Value{}, fmt.Errorf("attribute type %T is none of the port's", a)
}

// streamItem is item for the feed, whose package has types of its own.
func streamItem(m map[string]streamtypes.AttributeValue) (table.Item, error) {
	if len(m) == 0 {
		return nil, nil
	}
	it := make(table.Item, len(m))
	for name, a := range m {
		v, err := streamValue(a)
		if err != nil {
			return nil, fmt.Errorf("read attribute %s: %w", name, err)
		}
		it[name] = v
	}
	return it, nil
}

func streamValue(a streamtypes.AttributeValue) (table.Value, error) {
	switch a := a.(type) {
	case *streamtypes.AttributeValueMemberS:
		return table.S(a.Value), nil
	case *streamtypes.AttributeValueMemberN:
		return number(a.Value)
	case *streamtypes.AttributeValueMemberB:
		return table.B(a.Value), nil
	case *streamtypes.AttributeValueMemberBS:
		return table.SetOf(a.Value...), nil
	}
	return table.Value{}, fmt.Errorf("attribute type %T is none of the port's", a)
}

func number(s string) (table.Value, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return table.Value{}, fmt.Errorf("number is no int64: %w", err)
	}
	return table.N(n), nil
}
