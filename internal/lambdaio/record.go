package lambdaio

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cairn-lrs/cairn/internal/table"
)

// streamRecord is the part of a stream's record that a change is made of. Binaries are base64, numbers are text.
// Source: DynamoDB Streams API reference, Record and StreamRecord; the ARN is added by Lambda.
type streamRecord struct {
	EventSourceARN string `json:"eventSourceARN"`
	DynamoDB       struct {
		Keys           map[string]attribute `json:"Keys"`
		OldImage       map[string]attribute `json:"OldImage"`
		NewImage       map[string]attribute `json:"NewImage"`
		SequenceNumber string               `json:"SequenceNumber"`
	} `json:"dynamodb"`
}

// attribute is a value as DynamoDB writes it: {"S":"text"}.
type attribute struct{ table.Value }

// readChange decodes one record. Its errors name attributes, never their values. The change has no Shard: an event does
// not tell it.
func readChange(text jsontext.Value, prefix string) (table.Change, error) {
	var record streamRecord
	if err := json.Unmarshal(text, &record); err != nil {
		return table.Change{}, err
	}
	name, err := tableName(record.EventSourceARN, prefix)
	if err != nil {
		return table.Change{}, err
	}
	key, err := readKey(record.DynamoDB.Keys)
	if err != nil {
		return table.Change{}, err
	}
	if record.DynamoDB.SequenceNumber == "" {
		return table.Change{}, errors.New("it has no sequence number")
	}
	return table.Change{
		Table: name, Key: key, Sequence: record.DynamoDB.SequenceNumber,
		Old: image(record.DynamoDB.OldImage), New: image(record.DynamoDB.NewImage),
	}, nil
}

// sequenceOf takes the sequence number out of a record that cannot be read otherwise; "" when it has none.
func sequenceOf(text jsontext.Value) string {
	var record struct {
		DynamoDB struct {
			SequenceNumber string `json:"SequenceNumber"`
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return ""
	}
	return record.DynamoDB.SequenceNumber
}

// tableName takes the table's name, without the prefix of the deployment, out of the ARN of its stream:
// arn:aws:dynamodb:eu-west-1:123456789012:table/cairn-Statements/stream/2026-11-21T10:00:00.000
func tableName(arn, prefix string) (string, error) {
	_, path, _ := strings.Cut(arn, ":table/")
	full, _, ok := strings.Cut(path, "/stream/")
	name, ours := strings.CutPrefix(full, prefix)
	if !ok || !ours || name == "" {
		return "", fmt.Errorf("%.200q is not the stream of a table whose name begins with %q", arn, prefix)
	}
	return name, nil
}

// readKey tells the parts of a primary key apart by their kinds: in the port's model a partition key is text and a sort key
// binary.
func readKey(attributes map[string]attribute) (table.Key, error) {
	var key table.Key
	for name, a := range attributes {
		switch {
		case a.Kind == table.Text && key.Partition == "":
			key.Partition = a.S
		case a.Kind == table.Binary && key.Sort == nil:
			key.Sort = a.B
		default:
			return table.Key{}, fmt.Errorf("key attribute %.20q: a key is one text and at most one binary", name)
		}
	}
	if key.Partition == "" {
		return table.Key{}, errors.New("it has no partition key")
	}
	return key, nil
}

func image(attributes map[string]attribute) table.Item {
	if len(attributes) == 0 {
		return nil
	}
	item := make(table.Item, len(attributes))
	for name, a := range attributes {
		item[name] = a.Value
	}
	return item
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *attribute) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return errors.New("an attribute is an object")
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if d.PeekKind() != '"' {
		return errors.New("an attribute without a type")
	}
	kind, err := d.ReadToken()
	if err != nil {
		return err
	}
	if err := a.read(kind.String(), d); err != nil {
		return err
	}
	if d.PeekKind() != '}' {
		return errors.New("an attribute of two types")
	}
	_, err = d.ReadToken()
	return err
}

// read decodes the value of a type.
func (a *attribute) read(kind string, d *jsontext.Decoder) error {
	if d.PeekKind() == 'n' {
		return errors.New("an attribute without a value")
	}
	switch kind {
	case "S":
		a.Kind = table.Text
		return json.UnmarshalDecode(d, &a.S)
	case "B":
		a.Kind = table.Binary
		return json.UnmarshalDecode(d, &a.B)
	case "BS":
		a.Kind = table.Set
		return json.UnmarshalDecode(d, &a.Set)
	case "N":
		var text string
		if err := json.UnmarshalDecode(d, &text); err != nil {
			return err
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New("a number that is no int64")
		}
		a.Value = table.N(n)
		return nil
	}
	return fmt.Errorf("attribute type %.10q is none of the port's", kind)
}
