// Package bench holds the two yardsticks that Cairn is measured against, and nothing of Cairn's own code.
//
// Floor does the least that a durable store of statements must do on a write: it decodes the JSON, compresses it, and
// commits fourteen keys per statement in one synced batch. It validates nothing, asks nobody who they are, and looks
// nothing up. No honest store writes faster on the same machine; how near Cairn comes says what its rules cost.
//
// Ceiling does the least that a store must do on a read: it joins bytes that lie ready in memory. It authenticates
// nobody, decompresses nothing and touches no disk.
//
// Both pass the load generator with no wrong answers, so the figures compare servers that did the same work for the same
// client. The command in benchload runs them and Cairn one after another and prints the table.
package bench

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// storedLayout writes the stored property with the precision that clients read back.
const storedLayout = "2006-01-02T15:04:05.000000000Z"

// authority is what both yardsticks put on each statement: they have no credentials to derive one from.
const authority = `{"objectType":"Agent","account":{"homePage":"https://bench.invalid","name":"bench"}}`

// stamped is a statement as it is given out: the received bytes with stored and authority before the last brace.
func stamped(received []byte, stored time.Time) []byte {
	body := bytes.TrimRight(received, " \t\r\n")
	body = body[:len(body)-1]
	out := make([]byte, 0, len(body)+len(authority)+64)
	out = append(out, body...)
	out = append(out, `,"stored":"`...)
	out = stored.UTC().AppendFormat(out, storedLayout)
	out = append(out, `","authority":`...)
	out = append(out, authority...)
	return append(out, '}')
}

// readStatements takes the body of a POST apart: one statement, or each element of an array.
func readStatements(r *http.Request) ([]jsontext.Value, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '[' {
		return []jsontext.Value{body}, nil
	}
	var batch []jsontext.Value
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, fmt.Errorf("decode array: %w", err)
	}
	return batch, nil
}

// writeIDs answers a POST.
func writeIDs(w http.ResponseWriter, ids []string) {
	out := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, id)
	}
	writeJSON(w, append(out, ']'))
}

func writeJSON(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("X-Experience-API-Version", "1.0.3")
	w.Write(body)
}

// refuse answers a request that a yardstick cannot serve. The generator counts it as a failure, as it should.
func refuse(w http.ResponseWriter, status int, err error) {
	http.Error(w, err.Error(), status)
}
