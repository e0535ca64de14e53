// Package reader asks the report API and prints its answers on a terminal.
package reader

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/cairn-lrs/cairn/internal/report"
)

// Client asks one report API.
type Client struct {
	HTTP        *http.Client
	Base        string // "http://127.0.0.1:8081/reports/v1"
	Key, Secret string
}

// problemBytes is read of an answer that says why not.
const problemBytes = 64 << 10

// do makes a request and returns the body of the answer, which the caller closes. An answer that is none is an error with its
// words.
func (c *Client) do(ctx context.Context, method, path, contentType string, body io.Reader) (io.ReadCloser, error) {
	if c.Key == "" || c.Secret == "" {
		return nil, errors.New("a key and a secret are needed: -key and -secret, or the environment variable CAIRN_CREDENTIAL=key:secret")
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.Base, "/")+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.SetBasicAuth(c.Key, c.Secret)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach the report API (is -endpoint %s right?): %w", c.Base, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, problemBytes))
	var problem struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err != nil || json.Unmarshal(text, &problem) != nil || problem.Error.Message == "" {
		return nil, fmt.Errorf("the report API answered %s: is -endpoint %s right?", resp.Status, c.Base)
	}
	return nil, errors.New(problem.Error.Message)
}

// get asks for a report, or for the answer to a query that is read from body.
func (c *Client) get(ctx context.Context, name string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	path := "/" + name
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if body != nil {
		return c.do(ctx, http.MethodPost, path, "application/json", body)
	}
	return c.do(ctx, http.MethodGet, path, "", nil)
}

// Copy writes a whole answer as the API gives it: CSV, or JSON with the rows of all pages.
func (c *Client) Copy(ctx context.Context, w io.Writer, name string, query url.Values, format string, body io.Reader) error {
	if format == "json" {
		a, err := c.Answer(ctx, name, query, body)
		if err != nil {
			return err
		}
		text, err := json.Marshal(a.all)
		if err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		_, err = w.Write(append(text, '\n'))
		return err
	}
	query.Set("format", format)
	answer, err := c.get(ctx, name, query, body)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, answer)
	return errors.Join(err, answer.Close())
}

// pageRows is how many rows are asked for at once.
const pageRows = "1000"

// Answer asks for a report and follows its pages to the end.
func (c *Client) Answer(ctx context.Context, name string, query url.Values, body io.Reader) (*Answer, error) {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = io.ReadAll(body); err != nil {
			return nil, fmt.Errorf("read the query: %w", err)
		}
	}
	query.Set("limit", pageRows)
	query.Set("format", "json")
	var whole *Answer
	for {
		var again io.Reader
		if body != nil {
			again = bytes.NewReader(sent)
		}
		answer, err := c.get(ctx, name, query, again)
		if err != nil {
			return nil, err
		}
		page, err := readAnswer(answer)
		if err := errors.Join(err, answer.Close()); err != nil {
			return nil, err
		}
		if whole == nil {
			whole = page
		} else {
			whole.add(page)
		}
		if page.More == "" {
			return whole, nil
		}
		query.Set("cursor", page.More)
	}
}

// ImportKPI sends a CSV.
func (c *Client) ImportKPI(ctx context.Context, name string, file io.Reader) (report.KPIImport, error) {
	var done report.KPIImport
	err := c.decode(ctx, http.MethodPost, "/kpis/"+url.PathEscape(name), "text/csv", file, &done)
	return done, err
}

// KPIs asks for the list of imported KPIs.
func (c *Client) KPIs(ctx context.Context) ([]report.KPI, error) {
	var list struct {
		KPIs []report.KPI `json:"kpis"`
	}
	err := c.decode(ctx, http.MethodGet, "/kpis", "", nil, &list)
	return list.KPIs, err
}

// DeleteKPI forgets a KPI.
func (c *Client) DeleteKPI(ctx context.Context, name string) error {
	answer, err := c.do(ctx, http.MethodDelete, "/kpis/"+url.PathEscape(name), "", nil)
	if err != nil {
		return err
	}
	return answer.Close()
}

// List asks for the list of reports.
func (c *Client) List(ctx context.Context) (*List, error) {
	list := &List{}
	err := c.decode(ctx, http.MethodGet, "", "", nil, list)
	return list, err
}

// Live asks what is happening now.
func (c *Client) Live(ctx context.Context) (*Live, error) {
	live := &Live{}
	err := c.decode(ctx, http.MethodGet, "/live", "", nil, live)
	return live, err
}

// decode makes a request like do and puts the JSON of its answer into a value.
func (c *Client) decode(ctx context.Context, method, path, contentType string, body io.Reader, into any) error {
	answer, err := c.do(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	return errors.Join(json.UnmarshalRead(answer, into), answer.Close())
}
