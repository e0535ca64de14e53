package e2e

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client speaks to a server with one credential.
type client struct {
	endpoint string
	http     *http.Client
	who      Credential
}

// newClient keeps up to clients connections open.
func newClient(endpoint string, clients int) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients, DisableCompression: true}
	return &client{endpoint: endpoint, who: FixedCredential, http: &http.Client{Transport: transport, Timeout: 60 * time.Second}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// do sends a request; header is name and value by turns.
func (c *client) do(ctx context.Context, method, target string, body io.Reader, header ...string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	request.SetBasicAuth(c.who.Key, c.who.Secret)
	request.Header.Set("X-Experience-API-Version", "1.0.3")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("send request: %w", err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: got}, nil
}

// post posts statements.
func (c *client) post(ctx context.Context, body string) (answer, error) {
	return c.do(ctx, http.MethodPost, c.endpoint+"/statements", strings.NewReader(body))
}

// get reads one statement, by statementId or voidedStatementId.
func (c *client) get(ctx context.Context, parameter, id string) (answer, error) {
	return c.do(ctx, http.MethodGet, c.endpoint+"/statements?"+parameter+"="+id, nil)
}

// list reads a list to its end and returns the ids in order. An id that comes twice is an error.
func (c *client) list(ctx context.Context, query url.Values) ([]string, error) {
	base, err := url.Parse(c.endpoint)
	if err != nil {
		return nil, fmt.Errorf("read endpoint: %w", err)
	}
	var ids []string
	seen := map[string]bool{}
	for target := c.endpoint + "/statements?" + query.Encode(); ; {
		a, err := c.do(ctx, http.MethodGet, target, nil)
		if err != nil {
			return ids, err
		}
		if a.status != http.StatusOK {
			return ids, fmt.Errorf("list: status %d: %.300s", a.status, a.body)
		}
		var page struct {
			Statements []struct {
				ID string `json:"id"`
			} `json:"statements"`
			More string `json:"more"`
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			return ids, fmt.Errorf("list: %w", err)
		}
		for _, s := range page.Statements {
			if seen[s.ID] {
				return ids, fmt.Errorf("list: %s comes twice", s.ID)
			}
			seen[s.ID] = true
			ids = append(ids, s.ID)
		}
		if page.More == "" {
			return ids, nil
		}
		next, err := base.Parse(page.More)
		if err != nil {
			return ids, fmt.Errorf("list: read more: %w", err)
		}
		target = next.String()
	}
}
