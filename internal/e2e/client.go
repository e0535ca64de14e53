package e2e

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// client speaks to a server with one credential.
type client struct {
	endpoint string
	http     *http.Client
	who      Credential
	tries    int           // of a request that is refused for now (503, 429); 0 is one
	refusals *atomic.Int64 // of such kind, when not nil
}

// newClient keeps up to clients connections open.
func newClient(endpoint string, clients int) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients, DisableCompression: true}
	return &client{endpoint: endpoint, who: FixedCredential, http: &http.Client{Transport: transport, Timeout: maxWait}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// refusedFor is how long a client waits that is refused for now, less than it is told to: a second.
const refusedFor = 50 * time.Millisecond

// functionLimit is the time limit of a function (template.yaml, Timeout). When it is over the gateway refuses by itself, and
// does not know when to come again.
const functionLimit = 29 * time.Second

// do sends a request; header is name and value by turns. A refusal for now must say when to come again.
func (c *client) do(ctx context.Context, method, target string, body io.Reader, header ...string) (answer, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = io.ReadAll(body); err != nil {
			return answer{}, fmt.Errorf("make request: %w", err)
		}
	}
	for try := 1; ; try++ {
		a, err := c.once(ctx, method, target, text, header)
		a.tries = try
		if err != nil || a.status != http.StatusServiceUnavailable && a.status != http.StatusTooManyRequests {
			return a, err
		}
		if c.refusals != nil {
			c.refusals.Add(1)
		}
		if a.header.Get("Retry-After") == "" && a.took < functionLimit {
			return a, fmt.Errorf("%s %s: status %d after %v says not when to try again: %.300s", method, target, a.status, a.took, a.body)
		}
		if try >= c.tries {
			return a, nil
		}
		time.Sleep(refusedFor)
	}
}

func (c *client) once(ctx context.Context, method, target string, body []byte, header []string) (answer, error) {
	request := outgoing{method: method, url: target, header: http.Header{}, body: string(body)}
	request.header.Set("Authorization", basic(c.who))
	request.header.Set("X-Experience-API-Version", "1.0.3")
	if body != nil {
		request.header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.header.Set(header[i], header[i+1])
	}
	begun := time.Now()
	a, err := send(ctx, c.http, request)
	a.took = time.Since(begun)
	return a, err
}

// post posts statements.
func (c *client) post(ctx context.Context, body string) (answer, error) {
	return c.do(ctx, http.MethodPost, c.endpoint+"/statements", strings.NewReader(body))
}

// get reads one statement, by statementId or voidedStatementId.
func (c *client) get(ctx context.Context, parameter, id string) (answer, error) {
	return c.do(ctx, http.MethodGet, c.endpoint+"/statements?"+parameter+"="+id, nil)
}

// listed is one statement of a list.
type listed struct {
	ID     string    `json:"id"`
	Stored time.Time `json:"stored"`
}

// list reads a list to its end and returns the ids in order. An id that comes twice is an error.
func (c *client) list(ctx context.Context, query url.Values) ([]string, error) {
	found, _, err := c.listThrough(ctx, query)
	ids := make([]string, len(found))
	for i, s := range found {
		ids[i] = s.ID
	}
	return ids, err
}

// listThrough is list with the time through which the first page was announced as complete.
func (c *client) listThrough(ctx context.Context, query url.Values) (found []listed, through time.Time, err error) {
	base, err := url.Parse(c.endpoint)
	if err != nil {
		return nil, through, fmt.Errorf("read endpoint: %w", err)
	}
	seen := map[string]bool{}
	for target := c.endpoint + "/statements?" + query.Encode(); ; {
		a, err := c.do(ctx, http.MethodGet, target, nil)
		if err != nil {
			return found, through, err
		}
		if a.status != http.StatusOK {
			return found, through, fmt.Errorf("list: status %d: %.300s", a.status, a.body)
		}
		if through.IsZero() {
			if through, err = time.Parse(time.RFC3339Nano, a.header.Get("X-Experience-API-Consistent-Through")); err != nil {
				return found, through, fmt.Errorf("list: X-Experience-API-Consistent-Through: %w", err)
			}
		}
		var page struct {
			Statements []listed `json:"statements"`
			More       string   `json:"more"`
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			return found, through, fmt.Errorf("list: %w", err)
		}
		for _, s := range page.Statements {
			if seen[s.ID] {
				return found, through, fmt.Errorf("list: %s comes twice", s.ID)
			}
			seen[s.ID] = true
			found = append(found, s)
		}
		if page.More == "" {
			return found, through, nil
		}
		next, err := base.Parse(page.More)
		if err != nil {
			return found, through, fmt.Errorf("list: read more: %w", err)
		}
		target = next.String()
	}
}

// eventually repeats, less and less often, until there is no error or the time is over, and returns the last error. Who asks
// all the time keeps a server from what it does when nobody asks.
func eventually(ctx context.Context, most time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}
