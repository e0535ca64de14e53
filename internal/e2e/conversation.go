package e2e

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"uuid"

	"github.com/cairn-lrs/cairn/internal/requirements"
)

// conversation is a script being played.
type conversation struct {
	road    Road
	client  *http.Client
	values  *values
	stores  map[string]string   // A and B to the road's names
	known   map[string]identity // by the text of an as line
	who     identity
	other   identity  // asks behind the script's back what store A was asked
	version string    // "" sends none
	edition string    // the version that was asked for last, or the one that the script runs for
	met     []string  // requirements that the script names for this edition
	wrote   time.Time // when the last answer to a write came
}

// maxWait bounds every wait for what is promised to come, every request, and the start and the end of a server. It is longer
// than any promise: a busy machine is no fault, and what does not come at all shows so too.
const maxWait = 2 * time.Minute

// play runs one variant and returns the requirements that it has shown to be met, or what did not come out as the script
// says, up to the first request that failed.
func (s *Script) play(ctx context.Context, road Road, variant variant) (met []string, err error) {
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		Timeout:       maxWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	if _, ok := road.(*Deployed); ok {
		client.Transport = patient{client.Transport}
	}
	c := &conversation{
		road: road, client: client, version: "1.0.3", stores: map[string]string{}, known: map[string]identity{},
		values: &values{now: time.Now, text: map[string]string{}, secrets: map[string]bool{}},
	}
	c.values.text["endpoint"] = road.Endpoint()
	c.values.text["canary"] = "canary" + strings.ReplaceAll(uuid.NewV4().String(), "-", "")
	c.values.secrets[c.values.text["canary"]] = true
	if s.Variable != "" {
		c.values.text[s.Variable] = variant.value
	}
	if s.Variable == "version" {
		c.edition = variant.value
	}
	c.values.text["order"] = strings.Join(variant.order, " ")
	if c.other, err = c.identify(ctx, "B"); err != nil {
		return nil, err
	}
	if err := c.as(ctx, "A"); err != nil {
		return nil, err
	}
	for _, step := range s.steps(variant.order) {
		if s.Variable != "version" && c.version != "" {
			c.edition = c.version
		}
		if err := c.step(ctx, step); err != nil {
			return nil, err
		}
	}
	return c.met, nil
}

func (c *conversation) step(ctx context.Context, s Step) error {
	at := func(err error) error {
		if err == nil {
			return nil
		}
		return fmt.Errorf("line %d: %w", s.Line, err)
	}
	if s.Verb == "request" {
		return c.exchange(ctx, s)
	}
	if s.Verb == "make" {
		value, err := c.values.makeValue(s.Text)
		c.values.text[s.Name] = value
		return at(err)
	}
	text, err := c.values.expand(s.Text)
	if err != nil {
		return at(err)
	}
	switch s.Verb {
	case "requires":
		c.met = append(c.met, requirements.Of(c.edition, s.Text)...)
	case "let":
		c.values.text[s.Name] = text
	case "as":
		return at(c.as(ctx, text))
	case "version":
		c.version = text
		if text == "none" {
			c.version = ""
		}
	case "sleep":
		pause, err := time.ParseDuration(text)
		if err != nil {
			return at(err)
		}
		time.Sleep(pause)
	case "store":
		return at(c.road.SetStore(ctx, c.stores["A"], strings.Fields(text)...))
	case "wait":
		return at(c.wait(ctx))
	case "check":
		ok, err := holds(text)
		if err == nil && !ok {
			err = fmt.Errorf("check %s does not hold", text)
		}
		return at(err)
	}
	return nil
}

// exchange sends a request, holds the answer against what the script expects, and asks as the other store.
func (c *conversation) exchange(ctx context.Context, s Step) error {
	out, err := s.Request.prepare(c.road.Endpoint(), c.road.Reports(), c.values, c.who, c.version)
	if err != nil {
		return fmt.Errorf("line %d: %w", s.Line, err)
	}
	if c.who.store == "B" {
		c.values.tell(out)
	}
	a, err := c.answer(ctx, s, out)
	for begun := time.Now(); err != nil && s.Request.Eventually && time.Since(begun) < maxWait; {
		time.Sleep(20 * time.Millisecond)
		a, err = c.answer(ctx, s, out)
	}
	if err != nil {
		return err
	}
	if out.method != http.MethodGet && out.method != http.MethodHead {
		c.wrote = time.Now()
	}
	if out.method == http.MethodGet && a.status == http.StatusOK && out.header.Get("Authorization") != "" && c.who.store == "A" {
		if err := c.mirror(ctx, out); err != nil {
			return fmt.Errorf("line %d: %w", s.Line, err)
		}
	}
	return nil
}

// answer sends a request once and checks what comes back.
func (c *conversation) answer(ctx context.Context, s Step, out outgoing) (answer, error) {
	a, err := send(ctx, c.client, out)
	if err == nil && s.Request.FollowRedirect && a.status == http.StatusSeeOther {
		a, err = send(ctx, c.client, outgoing{method: http.MethodGet, url: a.header.Get("Location"), header: http.Header{}})
	}
	if err == nil && s.Request.FollowMore {
		a, err = c.follow(ctx, out, a)
	}
	if err != nil {
		return a, fmt.Errorf("line %d: %w", s.Line, err)
	}
	return a, s.Request.checkAll(s.Line, a, c.values)
}

// tell notes what the other store has sent and so may be shown.
func (v *values) tell(o outgoing) {
	for secret := range v.secrets {
		if strings.Contains(o.url, secret) || strings.Contains(o.body, secret) {
			v.secrets[secret] = false
		}
	}
}

// mirror asks as the other store what store A was asked, and looks for anything of A in the answer. An id in the request
// itself may come back in an error message.
func (c *conversation) mirror(ctx context.Context, o outgoing) error {
	o.header = o.header.Clone()
	o.header.Set("Authorization", c.other.authorization)
	a, err := send(ctx, c.client, o)
	if err != nil {
		return fmt.Errorf("ask as the other store: %w", err)
	}
	asked, err := url.QueryUnescape(o.url)
	if err != nil {
		return fmt.Errorf("ask as the other store: %w", err)
	}
	for secret, kept := range c.values.secrets {
		if kept && strings.Contains(string(a.body), secret) && !strings.Contains(asked, secret) {
			return fmt.Errorf("another store was shown %s: status %d: %.500s", secret, a.status, a.body)
		}
	}
	return nil
}

// maxPages bounds a walk: a list that never ends must fail, not hang.
const maxPages = 1000

// follow reads a list to its end and makes one answer of its pages. An id on two pages is an error.
func (c *conversation) follow(ctx context.Context, o outgoing, first answer) (answer, error) {
	page, all, seen := first, [][]byte{}, map[string]bool{}
	for pages := 1; pages <= maxPages; pages++ {
		if page.status != http.StatusOK {
			return page, nil
		}
		statements, _, err := lookUp(page.body, "$.statements[*]")
		if err != nil {
			return page, fmt.Errorf("page %d: %w", pages, err)
		}
		if statements = slices.Clone(statements); len(statements) > len("[]") {
			all = append(all, statements[1:len(statements)-1])
		}
		ids, _, err := lookUp(page.body, "$.statements[*].id")
		if err != nil {
			return page, fmt.Errorf("page %d: %w", pages, err)
		}
		names, err := canonicalElements(ids)
		if err != nil {
			return page, fmt.Errorf("page %d: %w", pages, err)
		}
		for _, id := range names {
			if seen[id] {
				return page, fmt.Errorf("page %d: statement %s stands on two pages", pages, id)
			}
			seen[id] = true
		}
		more, found, err := lookUp(page.body, "$.more")
		if err != nil {
			return page, fmt.Errorf("page %d: %w", pages, err)
		}
		if !found || plain(more) == "" {
			first.body = fmt.Appendf(nil, `{"statements":[%s],"pages":%d}`, bytes.Join(all, []byte(",")), pages)
			return first, nil
		}
		if page, err = c.turn(ctx, o, more); err != nil {
			return page, fmt.Errorf("page %d: %w", pages, err)
		}
	}
	return page, fmt.Errorf("the list has more than %d pages", maxPages)
}

// turn reads the page that a more link leads to, with the headers of the first request.
func (c *conversation) turn(ctx context.Context, o outgoing, more jsontext.Value) (answer, error) {
	base, err := url.Parse(c.road.Endpoint())
	if err != nil {
		return answer{}, fmt.Errorf("read endpoint: %w", err)
	}
	next, err := base.Parse(plain(more))
	if err != nil {
		return answer{}, fmt.Errorf("read more: %w", err)
	}
	return send(ctx, c.client, outgoing{method: http.MethodGet, url: next.String(), header: o.header})
}

// as changes who asks.
func (c *conversation) as(ctx context.Context, text string) error {
	who, err := c.identify(ctx, text)
	if err != nil {
		return fmt.Errorf("as %s: %w", text, err)
	}
	c.who = who
	c.values.text["authorization"] = who.authorization
	return nil
}

// identify finds or makes the identity that an as line names.
func (c *conversation) identify(ctx context.Context, text string) (identity, error) {
	if who, ok := c.known[text]; ok {
		return who, nil
	}
	if text == "nobody" {
		return identity{}, nil
	}
	if text == "an unknown key" {
		return identity{authorization: basic(Credential{"unknown", "secret"})}, nil
	}
	name, with, _ := strings.Cut(text, " with ")
	if name != "A" && name != "B" {
		return identity{}, errors.New("want A, B, nobody or an unknown key")
	}
	if d, ok := c.road.(*Deployed); ok {
		if credential, given := d.given(name); given && (with == "" || with == "a wrong secret") {
			credential.Secret += strings.Repeat("x", len(with)) // a wrong one is another one
			return identity{store: name, authorization: basic(credential)}, nil
		}
	}
	if c.stores[name] == "" {
		store, err := c.road.NewStore(ctx)
		if err != nil {
			return identity{}, err
		}
		c.stores[name] = store
	}
	scopes, trusted := strings.Fields(with), false
	if with == "a wrong secret" {
		scopes = nil
	}
	scopes = slices.DeleteFunc(scopes, func(scope string) bool {
		trusted = trusted || scope == "trusted"
		return scope == "trusted"
	})
	credential, err := c.road.NewCredential(ctx, c.stores[name], scopes, trusted)
	if err != nil {
		return identity{}, err
	}
	if with == "a wrong secret" {
		credential.Secret += "x"
	}
	c.known[text] = identity{store: name, authorization: basic(credential)}
	return c.known[text], nil
}

// wait polls until the server announces that lists hold everything written so far.
func (c *conversation) wait(ctx context.Context) error {
	begun := time.Now()
	target := c.wrote.UTC().Truncate(time.Millisecond)
	for {
		out := outgoing{method: http.MethodGet, url: c.road.Endpoint() + "/statements?limit=1", header: http.Header{}}
		out.header.Set("X-Experience-API-Version", "1.0.3")
		out.header.Set("Authorization", c.other.authorization)
		a, err := send(ctx, c.client, out)
		if err != nil {
			return fmt.Errorf("wait until consistent: %w", err)
		}
		through, err := time.Parse(time.RFC3339Nano, a.header.Get("X-Experience-API-Consistent-Through"))
		if err != nil {
			return fmt.Errorf("wait until consistent: status %d: %w", a.status, err)
		}
		if !through.Before(target) {
			return nil
		}
		if time.Since(begun) > maxWait {
			return fmt.Errorf("wait until consistent: after %v lists are announced through %v only", maxWait, through)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
