package importer

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// client sends statements to one endpoint.
type client struct {
	http        *http.Client
	endpoint    string // without a slash at the end
	key, secret string
	patience    time.Duration // how long one request is tried again
	retried     func(reason string)
}

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 30 * time.Second
	answerBytes  = 64 << 10 // read of an answer
)

// refusal is one statement that the LRS, or the reading of it, refused. It is a line of the refused file.
type refusal struct {
	Number    int64  `json:"number"` // of the statement in the input, from 1
	Place     string `json:"place"`
	Status    int    `json:"status,omitzero"` // of the answer; absent when it was never sent
	Reason    string `json:"reason"`
	Statement any    `json:"statement,omitzero"` // jsontext.Value; absent when it is not JSON
}

func refused(r record, status int, reason string) refusal {
	out := refusal{Number: r.number, Place: r.place, Status: status, Reason: reason}
	if r.value != nil {
		out.Statement = jsontext.Value(r.value)
	}
	return out
}

// outcome is what became of one batch.
type outcome struct {
	*batch
	stored     int
	lastStored string // id of a statement of the batch that is stored; "" when none is
	refused    []refusal
}

// send stores a batch and finds, by halving what is refused, the statements that cannot be stored. An error means that
// the import cannot go on.
func (c *client) send(ctx context.Context, b *batch) (outcome, error) {
	out := outcome{batch: b}
	var send func(part []statement) error
	send = func(part []statement) error {
		if len(part) == 0 {
			return nil
		}
		status, reason, err := c.post(ctx, b.version(), part)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			out.stored += len(part)
			out.lastStored = part[len(part)-1].id
			return nil
		case len(part) > 1:
			half := len(part) / 2
			if err := send(part[:half]); err != nil {
				return err
			}
			return send(part[half:])
		}
		out.refused = append(out.refused, refused(part[0].record, status, reason))
		return nil
	}
	var readable []statement
	for _, s := range b.statements {
		if s.reason != "" {
			out.refused = append(out.refused, refused(s.record, 0, s.reason))
			continue
		}
		readable = append(readable, s)
	}
	return out, send(readable)
}

// post sends statements in one request, again and again while the LRS cannot take it. It returns a status of 200, or
// 400, 409 or 413 with the LRS's reason. Sending again is safe: every statement has an id, and an equal one that is
// stored already is a success.
func (c *client) post(ctx context.Context, version string, part []statement) (status int, reason string, err error) {
	values := make([][]byte, len(part))
	for i, s := range part {
		values[i] = s.value
	}
	body := append(append([]byte{'['}, bytes.Join(values, []byte{','})...), ']')
	begin := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		answer, err := c.do(ctx, http.MethodPost, "", version, body)
		wait := pause/2 + rand.N(pause)
		switch {
		case ctx.Err() != nil:
			return 0, "", ctx.Err()
		case err != nil:
			reason = err.Error()
		case answer.status/100 == 2:
			return http.StatusOK, "", nil
		case answer.status == http.StatusBadRequest, answer.status == http.StatusConflict, answer.status == http.StatusRequestEntityTooLarge:
			return answer.status, answer.reason(), nil
		case answer.status == http.StatusTooManyRequests, answer.status/100 == 5:
			reason = answer.reason()
			wait = max(wait, answer.retryAfter)
		default:
			return 0, "", answer.fatal(c.endpoint)
		}
		if time.Since(begin)+wait > c.patience {
			return 0, "", fmt.Errorf("the LRS did not take a request for %v: %s", time.Since(begin).Round(time.Second), reason)
		}
		c.retried(reason)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return 0, "", ctx.Err()
		}
	}
}

// has reports whether the LRS has a statement.
func (c *client) has(ctx context.Context, id string) (bool, error) {
	answer, err := c.do(ctx, http.MethodGet, "?statementId="+url.QueryEscape(id), "1.0.3", nil)
	switch {
	case err != nil:
		return false, err
	case answer.status == http.StatusOK:
		return true, nil
	case answer.status == http.StatusNotFound:
		return false, nil
	}
	return false, answer.fatal(c.endpoint)
}

// answer is what the LRS said.
type answer struct {
	status     int
	body       []byte
	retryAfter time.Duration
}

func (c *client) do(ctx context.Context, method, query, version string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.endpoint+"/statements"+query, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	req.SetBasicAuth(c.key, c.secret)
	req.Header.Set("X-Experience-API-Version", version)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return answer{status: resp.StatusCode, body: text, retryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}, nil
}

// retryAfter reads the header, which is in seconds or a date. Source: RFC 9110, 10.2.3.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil && date.After(now) {
		return min(date.Sub(now), time.Hour)
	}
	return 0
}

// reason is the LRS's own sentence: the message of Cairn's JSON errors, the body of anybody else's.
func (a answer) reason() string {
	var cairn struct {
		Error struct {
			Message string `json:"message"`
			Path    string `json:"path"`
		} `json:"error"`
	}
	// What is not Cairn's JSON is shown as it is.
	if err := json.Unmarshal(a.body, &cairn); err == nil && cairn.Error.Message != "" {
		if !strings.Contains(cairn.Error.Message, cairn.Error.Path) {
			return cairn.Error.Path + ": " + cairn.Error.Message
		}
		return cairn.Error.Message
	}
	text := strings.ToValidUTF8(strings.TrimSpace(string(a.body[:min(len(a.body), 500)])), "\ufffd")
	if text == "" {
		text = http.StatusText(a.status)
	}
	return text
}

// fatal explains a status that no repetition mends.
func (a answer) fatal(endpoint string) error {
	switch a.status {
	case http.StatusUnauthorized:
		return errors.New("the LRS does not accept key and secret")
	case http.StatusForbidden:
		return fmt.Errorf("the credential may not do this: %s", a.reason())
	case http.StatusNotFound:
		return fmt.Errorf("there is no xAPI endpoint at %s; that of cairn serve ends in /xapi", endpoint)
	}
	return fmt.Errorf("the LRS answered %d: %s", a.status, a.reason())
}
