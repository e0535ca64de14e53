package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"strings"
)

// ticket is where to send what is too large for a request, and how to name it afterwards.
type ticket struct {
	Upload  string            `json:"upload"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
}

// newTicket asks for a ticket for these bytes. It has no URL where the request is refused, as the answer says.
func (c *client) newTicket(ctx context.Context, content []byte) (ticket, answer, error) {
	a, err := c.do(ctx, http.MethodPost, c.endpoint+"/uploads", strings.NewReader(fmt.Sprintf(`{"length":%d,"sha256":"%x"}`, len(content), sha256.Sum256(content))))
	if err != nil || a.status != http.StatusOK {
		return ticket{}, a, err
	}
	var t ticket
	if err := json.Unmarshal(a.body, &t); err != nil {
		return ticket{}, a, fmt.Errorf("read ticket: %w", err)
	}
	return t, a, nil
}

// byURL sends a request with a signed URL, which is permission enough: it has no credentials.
func (c *client) byURL(ctx context.Context, method, signed string, header map[string]string, content []byte) (answer, error) {
	out := outgoing{method: method, url: signed, header: http.Header{}, body: string(content)}
	for name, value := range header {
		out.header.Set(name, value)
	}
	return send(ctx, c.http, out)
}
