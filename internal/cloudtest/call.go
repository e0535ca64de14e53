package cloudtest

import (
	"encoding/json/v2"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Call is one thing that a request asks of AWS, in the words of IAM.
type Call struct {
	Action   string // "dynamodb:PutItem"
	Resource string // the end of an ARN: "table/NAME", "table/NAME/index/INDEX", "BUCKET", "BUCKET/KEY"
	Key      string // the partition key, of a write of one item; "" for others
}

// CallsOf says which actions a request to DynamoDB or S3 needs the right to. A group of writes needs those of its parts, a
// batch its own action on each of its tables. Source: Service Authorization Reference, "Actions, resources, and condition
// keys for Amazon DynamoDB" and "… Amazon S3"; DynamoDB developer guide, "Managing complex workflows with DynamoDB
// transactions", IAM for transactions.
func CallsOf(r *http.Request, body []byte) ([]Call, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		service, operation, _ := strings.Cut(target, ".")
		if service != "DynamoDB_20120810" {
			return nil, fmt.Errorf("read call: the target %q is none of DynamoDB's", target)
		}
		return dynamoDBCalls(operation, body)
	}
	return s3Calls(r)
}

// dynamoDBRequest is the part of a request that tells what it is about.
type dynamoDBRequest struct {
	oneItem
	IndexName     string
	RequestItems  map[string]any // by table
	TransactItems []map[string]oneItem
}

// oneItem is the part of a write that tells of which item it is. The partition key is called pk in every table.
type oneItem struct {
	TableName string
	Item, Key struct {
		PK struct{ S string } `json:"pk"`
	}
}

func (i oneItem) key() string { return i.Item.PK.S + i.Key.PK.S } // one of them is empty

// partActions are what the parts of a group of writes or reads need.
var partActions = map[string]string{
	"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem",
}

func dynamoDBCalls(operation string, body []byte) ([]Call, error) {
	var request dynamoDBRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("read call of %s: %w", operation, err)
	}
	call := func(action, table string) Call { return Call{Action: "dynamodb:" + action, Resource: "table/" + table} }
	ofItem := func(action string, i oneItem) Call {
		c := call(action, i.TableName)
		c.Key = i.key()
		return c
	}
	switch {
	case len(request.RequestItems) > 0:
		var calls []Call
		for _, table := range slices.Sorted(maps.Keys(request.RequestItems)) {
			calls = append(calls, call(operation, table))
		}
		return calls, nil
	case len(request.TransactItems) > 0:
		var calls []Call
		for _, item := range request.TransactItems {
			for kind, part := range item {
				action, known := partActions[kind]
				if !known {
					return nil, fmt.Errorf("read call of %s: what a part %q needs is not known", operation, kind)
				}
				calls = append(calls, ofItem(action, part))
			}
		}
		return calls, nil
	case request.TableName != "":
		c := ofItem(operation, request.oneItem)
		if request.IndexName != "" {
			c.Resource += "/index/" + request.IndexName
		}
		return []Call{c}, nil
	}
	return nil, fmt.Errorf("read call of %s: it names no table", operation)
}

// s3Actions has what a method needs for an object, and for a bucket.
var s3Actions = map[string][2]string{
	http.MethodGet:    {"s3:GetObject", "s3:ListBucket"},
	http.MethodHead:   {"s3:GetObject", "s3:ListBucket"},
	http.MethodPut:    {"s3:PutObject", "s3:CreateBucket"},
	http.MethodPost:   {"s3:PutObject", ""}, // begins or ends an upload in parts
	http.MethodDelete: {"s3:DeleteObject", "s3:DeleteBucket"},
}

// s3Calls reads a request that names the bucket in its path.
func s3Calls(r *http.Request) ([]Call, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	actions := s3Actions[r.Method]
	resource, action := bucket+"/"+key, actions[0]
	if key == "" {
		resource, action = bucket, actions[1]
	}
	if r.Method == http.MethodDelete && r.URL.Query().Has("uploadId") {
		action = "s3:AbortMultipartUpload"
	}
	if bucket == "" || action == "" {
		return nil, fmt.Errorf("read call: %s %s is no request to S3 that is known", r.Method, r.URL.Path)
	}
	calls := []Call{{Action: action, Resource: resource}}
	if source := r.Header.Get("X-Amz-Copy-Source"); source != "" { // is read by the server
		source, err := url.PathUnescape(source)
		if err != nil {
			return nil, fmt.Errorf("read call: source of a copy: %w", err)
		}
		calls = append(calls, Call{Action: "s3:GetObject", Resource: strings.TrimPrefix(source, "/")})
	}
	return calls, nil
}
