package cloudtest

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// DynamoDBCancelled makes a fault that cancels the TransactWriteItems of this body: one of its writes, which draw picks, has
// the reason. Source: DynamoDB API reference, TransactionCanceledException.
func DynamoDBCancelled(body []byte, draw func(n int) int, reason string) Fault {
	var request struct{ TransactItems []jsontext.Value }
	if err := json.Unmarshal(body, &request); err != nil || len(request.TransactItems) == 0 {
		return failure(fmt.Errorf("cancel a group: it has no writes: %w", err))
	}
	reasons := make([]string, len(request.TransactItems))
	for i := range reasons {
		reasons[i] = `{"Code":"None"}`
	}
	reasons[draw(len(reasons))] = `{"Code":"` + reason + `","Message":"injected"}`
	return Answer(http.StatusBadRequest, "application/x-amz-json-1.0",
		`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled, injected","CancellationReasons":[`+
			strings.Join(reasons, ",")+`]}`)
}

// DynamoDBLeftovers makes a fault that lets the server do the first half of each table's part of a BatchWriteItem or
// BatchGetItem, and leaves the rest, as a throttled table does. Source: DynamoDB API reference, BatchWriteItem.
func DynamoDBLeftovers(body []byte) Fault {
	return func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
		done, left, member, err := halve(body)
		if err != nil {
			return nil, err
		}
		if len(left) == 0 { // nothing can be left of one item: it would be refused as a whole
			return DynamoDBError(http.StatusBadRequest, "ProvisionedThroughputExceededException")(base, r)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(done)), int64(len(done))
		response, err := base.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusOK {
			return response, err
		}
		return replaceMember(response, member, left)
	}
}

// halve splits a batch's body into what is done, a body of its own, and what is left, a value of the response's member.
func halve(body []byte) (done []byte, left jsontext.Value, member string, err error) {
	var request map[string]jsontext.Value
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, nil, "", fmt.Errorf("halve a batch: %w", err)
	}
	var tables map[string]jsontext.Value
	if err := json.Unmarshal(request["RequestItems"], &tables); err != nil {
		return nil, nil, "", fmt.Errorf("halve a batch: %w", err)
	}
	kept, rest := map[string]any{}, map[string]any{}
	for table, part := range tables {
		var writes []jsontext.Value
		var keys map[string]any
		if part.Kind() == '[' {
			member = "UnprocessedItems"
			err = json.Unmarshal(part, &writes)
			addHalves(kept, rest, table, writes, func(half []jsontext.Value) any { return half })
		} else {
			member = "UnprocessedKeys"
			if err = json.Unmarshal(part, &keys); err == nil {
				all, _ := keys["Keys"].([]any)
				addHalves(kept, rest, table, all, func(half []any) any {
					return map[string]any{"Keys": half, "ConsistentRead": keys["ConsistentRead"] == true}
				})
			}
		}
		if err != nil {
			return nil, nil, "", fmt.Errorf("halve a batch: %w", err)
		}
	}
	if len(rest) == 0 {
		return body, nil, member, nil
	}
	request["RequestItems"], err = json.Marshal(kept, json.Deterministic(true))
	if err == nil {
		done, err = json.Marshal(request)
	}
	if err == nil {
		left, err = json.Marshal(rest, json.Deterministic(true))
	}
	return done, left, member, err
}

// addHalves puts the larger first half of a table's items into kept and the others into rest.
func addHalves[T any](kept, rest map[string]any, table string, all []T, wrap func([]T) any) {
	middle := (len(all) + 1) / 2
	kept[table] = wrap(all[:middle])
	if middle < len(all) {
		rest[table] = wrap(all[middle:])
	}
}

// replaceMember sets one member of a response's object.
func replaceMember(response *http.Response, member string, value jsontext.Value) (*http.Response, error) {
	defer response.Body.Close()
	var answer map[string]jsontext.Value
	if err := json.UnmarshalRead(response.Body, &answer); err != nil {
		return nil, fmt.Errorf("change an answer: %w", err)
	}
	answer[member] = value
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("change an answer: %w", err)
	}
	response.Header.Del("X-Amz-Crc32") // of the body before
	response.Header.Del("Content-Length")
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return response, nil
}

// failure makes a fault of a fault that cannot be made.
func failure(err error) Fault {
	return func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, err }
}
