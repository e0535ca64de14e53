package dynamo

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-lrs/cairn/internal/table"
)

// expression collects the placeholders of one request's expressions: every name and value goes by one, so no name is
// a reserved word and no value is ever parsed. names and values stay nil while they are empty, as DynamoDB
// wants them.
type expression struct {
	names  map[string]string
	values map[string]types.AttributeValue
}

func (e *expression) name(attr string) string {
	for placeholder, known := range e.names {
		if known == attr {
			return placeholder
		}
	}
	if e.names == nil {
		e.names = make(map[string]string)
	}
	placeholder := "#" + strconv.Itoa(len(e.names))
	e.names[placeholder] = attr
	return placeholder
}

func (e *expression) value(v table.Value) string {
	if e.values == nil {
		e.values = make(map[string]types.AttributeValue)
	}
	placeholder := ":" + strconv.Itoa(len(e.values))
	e.values[placeholder] = attribute(v)
	return placeholder
}

// conditions joins the conditions by AND; nil when there is none.
func (e *expression) conditions(conditions []table.Condition) *string {
	if len(conditions) == 0 {
		return nil
	}
	terms := make([]string, len(conditions))
	for i, c := range conditions {
		name := e.name(c.Attr)
		switch c.Test {
		case table.TestAbsent:
			terms[i] = "attribute_not_exists(" + name + ")"
		case table.TestPresent:
			terms[i] = "attribute_exists(" + name + ")"
		case table.TestEquals:
			terms[i] = name + " = " + e.value(c.Value)
		}
	}
	all := strings.Join(terms, " AND ")
	return &all
}

// actions writes an update expression.
func (e *expression) actions(actions []table.Action) *string {
	var set, add, remove []string
	for _, a := range actions {
		name := e.name(a.Attr)
		switch a.Verb {
		case table.ActionSet:
			set = append(set, name+" = "+e.value(a.Value))
		case table.ActionAdd:
			add = append(add, name+" "+e.value(a.Value))
		case table.ActionRemove:
			remove = append(remove, name)
		}
	}
	var clauses []string
	for _, clause := range []struct {
		verb  string
		parts []string
	}{{"SET ", set}, {"ADD ", add}, {"REMOVE ", remove}} {
		if len(clause.parts) > 0 {
			clauses = append(clauses, clause.verb+strings.Join(clause.parts, ", "))
		}
	}
	all := strings.Join(clauses, " ")
	return &all
}

// projection names the attributes of an answer; nil for all.
func (e *expression) projection(attributes []string) *string {
	if len(attributes) == 0 {
		return nil
	}
	names := make([]string, len(attributes))
	for i, attr := range attributes {
		names[i] = e.name(attr)
	}
	all := strings.Join(names, ", ")
	return &all
}

// keyRange writes the key condition of a query.
func (e *expression) keyRange(partition, sort string, q *table.Query) *string {
	all := e.name(partition) + " = " + e.value(table.S(q.Partition))
	switch {
	case q.From != nil && q.To != nil:
		all += " AND " + e.name(sort) + " BETWEEN " + e.value(table.B(q.From)) + " AND " + e.value(table.B(q.To))
	case q.From != nil:
		all += " AND " + e.name(sort) + " >= " + e.value(table.B(q.From))
	case q.To != nil:
		all += " AND " + e.name(sort) + " <= " + e.value(table.B(q.To))
	}
	return &all
}
