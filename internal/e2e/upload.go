package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json/v2"
	"fmt"
	"io"
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

// byURL sends a request with a signed URL, which is the right: it has no credentials.
func (c *client) byURL(ctx context.Context, method, signed string, header map[string]string, content []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, signed, bytes.NewReader(content))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
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
