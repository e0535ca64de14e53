package cloudtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCallsOf(t *testing.T) {
	for _, test := range []struct {
		name, method, path, operation, body, copied string
		want                                        []Call
	}{
		{"one item", "POST", "/", "PutItem", `{"TableName":"A","Item":{"TableName":{"S":"other"},"pk":{"S":"store#1"}}}`, "", []Call{{"dynamodb:PutItem", "table/A", "store#1"}}},
		{"an index", "POST", "/", "Query", `{"TableName":"A","IndexName":"byTime"}`, "", []Call{{"dynamodb:Query", "table/A/index/byTime", ""}}},
		{"a batch over two tables", "POST", "/", "BatchWriteItem", `{"RequestItems":{"B":[{"PutRequest":{}}],"A":[]}}`, "",
			[]Call{{"dynamodb:BatchWriteItem", "table/A", ""}, {"dynamodb:BatchWriteItem", "table/B", ""}}},
		{"a group of writes", "POST", "/", "TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"A"}},{"ConditionCheck":{"TableName":"B"}},{"Update":{"TableName":"A"}},{"Delete":{"TableName":"C","Key":{"pk":{"S":"k"}}}}]}`, "",
			[]Call{{"dynamodb:PutItem", "table/A", ""}, {"dynamodb:ConditionCheckItem", "table/B", ""}, {"dynamodb:UpdateItem", "table/A", ""}, {"dynamodb:DeleteItem", "table/C", "k"}}},
		{"an object's head", "HEAD", "/bucket/store/attachments/a", "", "", "", []Call{{"s3:GetObject", "bucket/store/attachments/a", ""}}},
		{"an upload", "PUT", "/bucket/store/attachments/a", "", "", "", []Call{{"s3:PutObject", "bucket/store/attachments/a", ""}}},
		{"a copy", "PUT", "/bucket/b", "", "", "bucket/uploads/a%20b", []Call{{"s3:PutObject", "bucket/b", ""}, {"s3:GetObject", "bucket/uploads/a b", ""}}},
		{"a list", "GET", "/bucket?list-type=2", "", "", "", []Call{{"s3:ListBucket", "bucket", ""}}},
		{"an upload given up", "DELETE", "/bucket/k?uploadId=1", "", "", "", []Call{{"s3:AbortMultipartUpload", "bucket/k", ""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			if test.operation != "" {
				r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+test.operation)
			}
			if test.copied != "" {
				r.Header.Set("X-Amz-Copy-Source", test.copied)
			}
			got, err := CallsOf(r, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// What cannot be read must not pass as nothing.
func TestCallsOfRefusesToGuess(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"another service": func() *http.Request {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
			return r
		}(),
		"no table":  withTarget("ListTables"),
		"no bucket": httptest.NewRequest("GET", "/", nil),
		"a method":  httptest.NewRequest("PATCH", "/bucket/key", nil),
	} {
		if calls, err := CallsOf(r, []byte("{}")); err == nil {
			t.Errorf("%s: %v", name, calls)
		}
	}
}

func withTarget(operation string) *http.Request {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	return r
}
