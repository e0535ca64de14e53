package e2e

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json/v2"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
)

// shelved is a document that one client alone writes, with what it must hold.
type shelved struct {
	path  string         // below the endpoint, with its query
	state bool           // of the State Resource, which asks for no preconditions
	want  map[string]any // nil: there is none
	tag   string
}

// newShelf names documents of all three resources.
func newShelf(owner string) []*shelved {
	activity := url.QueryEscape("http://example.org/" + owner)
	agent := url.QueryEscape(`{"mbox":"mailto:` + owner + `@example.org"}`)
	var shelf []*shelved
	for _, id := range []string{"one", "two"} {
		shelf = append(shelf,
			&shelved{state: true, path: "/activities/state?activityId=" + activity + "&agent=" + agent + "&stateId=" + id},
			&shelved{path: "/activities/profile?activityId=" + activity + "&profileId=" + id},
			&shelved{path: "/agents/profile?agent=" + agent + "&profileId=" + id})
	}
	return shelf
}

// largeDocument is more than lies beside a document's metadata, in bytes.
const largeDocument = 20_000

// useDocument writes or reads one of the client's own documents. After a write that may have been done or not, it looks.
func (c *stormClient) useDocument(ctx context.Context) error {
	d := c.shelf[c.random.IntN(len(c.shelf))]
	content := map[string]any{"n": float64(c.random.IntN(1_000_000))}
	if c.random.IntN(4) == 0 {
		content["fill"] = strings.Repeat("x", largeDocument)
	}
	method, next := http.MethodPut, content
	switch n := c.random.IntN(10); {
	case n < 3:
		return c.readDocument(ctx, d, d.want)
	case n < 5:
		method, next = http.MethodPost, maps.Clone(d.want)
		if next == nil {
			next = map[string]any{}
		}
		maps.Copy(next, content)
	case n < 6 && d.want != nil:
		method, next = http.MethodDelete, nil
	}
	body, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	var header []string
	switch {
	case method == http.MethodPost, method == http.MethodDelete && d.state:
	case d.want == nil:
		header = []string{"If-None-Match", "*"}
	default:
		header = []string{"If-Match", d.tag}
	}
	a, err := c.do(ctx, method, c.endpoint+d.path, strings.NewReader(string(body)), header...)
	if err != nil {
		return err
	}
	switch {
	case a.status == http.StatusNoContent:
		d.want = next
		d.tag = a.header.Get("ETag")
		return nil
	case a.status == http.StatusServiceUnavailable:
	case a.tries > 1 && (a.status == http.StatusPreconditionFailed || a.status == http.StatusNotFound):
		// a try before it was done, though it was refused
	default:
		return fmt.Errorf("%s %s is answered by %d: %.300s", method, d.path, a.status, a.body)
	}
	if c.readDocument(ctx, d, next) == nil {
		return nil
	}
	return c.readDocument(ctx, d, d.want)
}

// readDocument requires that a document has this content, and notes it.
func (c *stormClient) readDocument(ctx context.Context, d *shelved, want map[string]any) error {
	a, err := c.do(ctx, http.MethodGet, c.endpoint+d.path, nil)
	if err != nil {
		return err
	}
	var got map[string]any
	switch a.status {
	case http.StatusNotFound:
	case http.StatusOK:
		if err := json.Unmarshal(a.body, &got); err != nil {
			return fmt.Errorf("read %s: %w", d.path, err)
		}
		sum := sha1.Sum(a.body)
		if tag := `"` + hex.EncodeToString(sum[:]) + `"`; a.header.Get("ETag") != tag {
			return fmt.Errorf("read %s: ETag %s is not that of the content, %s", d.path, a.header.Get("ETag"), tag)
		}
	default:
		return fmt.Errorf("read %s: status %d: %.300s", d.path, a.status, a.body)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("read %s: it has %s and should have %s", d.path, brief(got), brief(want))
	}
	d.want, d.tag = want, a.header.Get("ETag")
	return nil
}

func brief(content map[string]any) string {
	if content == nil {
		return "nothing"
	}
	return fmt.Sprintf("n %v and %q", content["n"], slices.Sorted(maps.Keys(content)))
}

func (c *stormClient) verifyShelf(ctx context.Context) error {
	var problems []error
	for _, d := range c.shelf {
		problems = append(problems, c.readDocument(ctx, d, d.want))
	}
	return errors.Join(problems...)
}

// stormCounters are documents that all clients write.
const stormCounters = 3

// counter is a document with a number that all clients count up, each under the ETag that it has read.
type counter struct {
	counted, unknown atomic.Int64
}

func counterPath(i int) string {
	return fmt.Sprintf("/activities/profile?activityId=http://example.org/counter&profileId=counter%d", i)
}

// readCounter returns the number and its ETag; no document counts as 0.
func (c *stormClient) readCounter(ctx context.Context, i int) (n int64, tag string, status int, err error) {
	a, err := c.do(ctx, http.MethodGet, c.endpoint+counterPath(i), nil)
	if err == nil && a.status == http.StatusOK {
		err = json.Unmarshal(a.body, &n)
	}
	return n, a.header.Get("ETag"), a.status, err
}

// count counts up. A refusal for now leaves open whether it was counted.
func (c *stormClient) count(ctx context.Context) error {
	i := c.random.IntN(stormCounters)
	n, tag, status, err := c.readCounter(ctx, i)
	if err != nil || status == http.StatusServiceUnavailable {
		return err
	}
	header := []string{"If-Match", tag}
	if status == http.StatusNotFound {
		header = []string{"If-None-Match", "*"}
	}
	once := *c.client
	once.tries = 1
	a, err := once.do(ctx, http.MethodPut, c.endpoint+counterPath(i), strings.NewReader(fmt.Sprint(n+1)), header...)
	if err != nil {
		return err
	}
	switch a.status {
	case http.StatusNoContent:
		c.storm.counters[i].counted.Add(1)
	case http.StatusServiceUnavailable:
		c.storm.counters[i].unknown.Add(1)
	case http.StatusPreconditionFailed:
	default:
		return fmt.Errorf("counting is answered by %d: %.300s", a.status, a.body)
	}
	return nil
}

// verifyCounter requires that every count that was acknowledged is in the number, once.
func (c *stormClient) verifyCounter(ctx context.Context, i int) error {
	n, _, status, err := c.readCounter(ctx, i)
	if err != nil {
		return err
	}
	counted, unknown := c.storm.counters[i].counted.Load(), c.storm.counters[i].unknown.Load()
	if status != http.StatusOK && counted > 0 || n < counted || n > counted+unknown {
		return fmt.Errorf("counter %d has %d (status %d), and %d counts were acknowledged, %d left open", i, n, status, counted, unknown)
	}
	return nil
}
