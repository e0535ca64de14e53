package e2e

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// lookBack is how old the statements are that a look asks for.
const lookBack = 20 * time.Second

// look lists what another client has stored lately, while it goes on, and holds the list against what that client knows:
// what it has sent before the moment that the answer announces as complete, and was told to be stored, is all there; and no
// batch is there in part.
func (c *stormClient) look(ctx context.Context, at *stormClient) error {
	since := time.Now().Add(-lookBack)
	before := at.requestsSince(since)
	found, through, err := c.listThrough(ctx, url.Values{
		"agent": {fmt.Sprintf(`{"mbox":%q}`, at.journal.agent)}, "limit": {"500"}, "since": {since.UTC().Format(time.RFC3339Nano)},
	})
	if err != nil {
		return err
	}
	if through.After(time.Now()) {
		return fmt.Errorf("lists are announced as complete through %v, which is to come", through)
	}
	stored := map[string]time.Time{}
	for _, s := range found {
		stored[s.ID] = s.Stored
	}
	// A statement is stored after its request began. What began later than the announced moment is not promised.
	for _, r := range at.requestsSince(since) {
		if r.began.After(through) {
			continue
		}
		wasAcked := slices.ContainsFunc(before, func(b sent) bool { return b.ids[0] == r.ids[0] && b.outcome == acked })
		if err := c.lookAt(ctx, r, wasAcked, stored, through); err != nil {
			return err
		}
	}
	return nil
}

// requestsSince copies the requests that began after a moment.
func (c *stormClient) requestsSince(t time.Time) []sent {
	c.storm.journalsLocked.Lock()
	defer c.storm.journalsLocked.Unlock()
	var all []sent
	for _, r := range c.journal.requests {
		if r.began.After(t) {
			all = append(all, *r)
		}
	}
	return all
}

// lookAt holds one request against a list. What the list lacks was voided meanwhile, or was stored later than announced.
func (c *stormClient) lookAt(ctx context.Context, r sent, wasAcked bool, stored map[string]time.Time, through time.Time) error {
	var missing []string
	part := false // of it is in the list, where everything is promised
	for _, id := range r.ids {
		at, ok := stored[id]
		if !ok {
			missing = append(missing, id)
		}
		part = part || ok && !at.After(through)
	}
	if !part && !wasAcked {
		return nil
	}
	for _, id := range missing {
		f, err := read(ctx, c.client, id)
		if err != nil {
			return err
		}
		var s listed
		switch {
		case !f.there && part:
			return fmt.Errorf("of a batch of %d statements some are listed at or before %v, and %s is not there", len(r.ids), through, id)
		case !f.there:
			return fmt.Errorf("statement %s was acknowledged and is not there", id)
		case f.voided:
			continue
		}
		if err := json.Unmarshal(f.body, &s); err != nil {
			return fmt.Errorf("read statement %s: %w", id, err)
		}
		if !s.Stored.After(through) {
			return fmt.Errorf("statement %s of a request of %d was stored at %v and not listed through %v (acknowledged before: %t)", id, len(r.ids), s.Stored, through, wasAcked)
		}
	}
	return nil
}
