package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
	"uuid"
)

// film is a statement with an attachment that came before it, as an upload.
type film struct {
	id, statement string
	upload        string // its id
	content       reel
	good          bool // nothing is wrong with it
	outcome       outcome
}

// reel is the content of a film: bytes that its number makes, so that they need not be kept.
type reel uint64

const (
	sharedReels = 6 // that several films of all clients have
	reelStep    = 120_000
	largeReel   = 5_000_000 // more than an answer carries itself, in bytes: it is given by a URL
)

// bytes makes the content.
func (r reel) bytes() []byte {
	size := reelStep * (1 + int(r%4))
	if r%4 == 0 {
		size = largeReel
	}
	content := make([]byte, size)
	var seed [32]byte
	copy(seed[:], fmt.Sprint(uint64(r)))
	_, _ = rand.NewChaCha8(seed).Read(content) // never fails
	return content
}

// useFilm stores a statement with a large attachment, or does something with one that was acknowledged.
func (c *stormClient) useFilm(ctx context.Context) error {
	if n := len(c.films); n > 0 && c.random.IntN(3) == 0 {
		f := c.films[c.random.IntN(n)]
		switch {
		case f.outcome != acked:
		case c.random.IntN(2) == 0:
			if err := c.readFilm(ctx, f); !errors.Is(err, errNotNow) {
				return err
			}
			return nil
		default:
			o, err := c.postFilm(ctx, c.client, f) // which is acknowledged again
			if err == nil && o == refused {
				err = fmt.Errorf("film %s was acknowledged, and is refused when sent again", f.id)
			}
			return err
		}
	}
	f, err := c.newFilm(ctx)
	if f == nil || err != nil {
		return err
	}
	c.films = append(c.films, f)
	sender := *c.client
	if c.random.IntN(10) == 0 {
		sender.tries = 1
	}
	f.outcome, err = c.postFilm(ctx, &sender, f)
	if err == nil && f.outcome == lost {
		c.storm.givenUp.Add(1)
	}
	return err
}

// newFilm uploads a film and makes its statement; nil when the upload is given up. Of some the statement is wrong, of some
// the upload was not sent.
func (c *stormClient) newFilm(ctx context.Context) (*film, error) {
	f := &film{id: uuid.NewV4().String(), content: reel(c.random.Uint64()), good: true}
	if c.random.IntN(2) == 0 {
		f.content = reel(c.random.IntN(sharedReels))
	}
	content := f.content.bytes()
	t, a, err := c.newTicket(ctx, content)
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusServiceUnavailable:
		c.storm.givenUp.Add(1)
		return nil, nil
	case a.status != http.StatusOK:
		return nil, fmt.Errorf("POST /uploads is answered by %d: %.300s", a.status, a.body)
	}
	f.upload = t.Upload
	object, sum := `{"id":"http://example.org/film"}`, sha256.Sum256(content)
	sent := true
	switch c.random.IntN(10) {
	case 0:
		f.good, sent = false, false
	case 1:
		f.good, object = false, `{"id":"no IRI"}`
	case 2:
		f.good, sum[0] = false, ^sum[0] // of another content
	}
	if sent {
		if there, err := c.uploadFilm(ctx, t, content); !there || err != nil {
			return nil, err
		}
	}
	f.statement = fmt.Sprintf(`{"id":"%s","actor":{"mbox":"mailto:films@example.org"},"verb":{"id":"http://example.org/made"},"object":%s,"version":"1.0.0","timestamp":"2026-01-01T00:00:00Z",`+
		`"attachments":[{"usageType":"http://example.org/film","display":{"en":"Film"},"contentType":"video/mp4","length":%d,"sha2":"%x"}]}`, f.id, object, len(content), sum)
	return f, nil
}

// uploadFilm sends a film to its URL, as clients of S3 do: again when it fails. A try that is refused because an earlier one was
// done, whose answer was lost, is a success too.
func (c *stormClient) uploadFilm(ctx context.Context, t ticket, content []byte) (there bool, err error) {
	for try := range stormTries {
		a, err := c.byURL(ctx, http.MethodPut, t.URL, t.Headers, content)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err != nil, a.status >= http.StatusInternalServerError: // failed, done or not
		case a.status == http.StatusOK, a.status == http.StatusPreconditionFailed && try > 0:
			return true, nil
		default:
			return false, fmt.Errorf("PUT to the URL of an upload is answered by %d: %.300s", a.status, a.body)
		}
		time.Sleep(refusedFor)
	}
	c.storm.givenUp.Add(1)
	return false, nil
}

// postFilm sends the statement of a film, and tells what is known of it then.
func (c *stormClient) postFilm(ctx context.Context, sender *client, f *film) (outcome, error) {
	a, err := sender.do(ctx, http.MethodPost, c.endpoint+"/statements", strings.NewReader(f.statement), "X-Cairn-Upload", f.upload)
	switch {
	case err != nil:
		return lost, err
	case a.status == http.StatusOK && f.good:
		return acked, nil
	case a.status == http.StatusBadRequest && !f.good:
		return refused, nil
	case a.status == http.StatusServiceUnavailable:
		return lost, nil
	}
	return lost, fmt.Errorf("the statement of film %s (good: %t) is answered by %d: %.300s", f.id, f.good, a.status, a.body)
}

// errNotNow says that a film could not be read for now.
var errNotNow = errors.New("refused for now")

// readFilm requires that a film's statement is as it was sent and its attachment, byte for byte, what was uploaded.
func (c *stormClient) readFilm(ctx context.Context, f *film) error {
	direct := *c.client
	h := *c.http
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	direct.http = &h
	a, err := direct.do(ctx, http.MethodGet, c.endpoint+"/statements?attachments=true&statementId="+f.id, nil)
	if err == nil && a.status == http.StatusSeeOther {
		a, err = c.fetch(ctx, a.header.Get("Location"))
	}
	switch {
	case err != nil:
		return err
	case a.status == http.StatusServiceUnavailable:
		return fmt.Errorf("read film %s: %w", f.id, errNotNow)
	case a.status != http.StatusOK:
		return fmt.Errorf("film %s was acknowledged, and a GET of it is answered by %d: %.300s", f.id, a.status, a.body)
	}
	parts, err := a.parts()
	if err != nil {
		return fmt.Errorf("film %s: %w", f.id, err)
	}
	want := f.content.bytes()
	sum := fmt.Sprintf("%x", sha256.Sum256(want))
	if len(parts) != 2 || !bytes.Equal(parts[1].body, want) || parts[1].header.Get("X-Experience-API-Hash") != sum {
		return fmt.Errorf("film %s comes back in %d parts, which are not its statement and its %d bytes", f.id, len(parts), len(want))
	}
	return asSent(parts[0].body, f.statement)
}

// fetch gets what a signed URL leads to, again when it breaks off. Its status is 503 where it does so too often.
func (c *stormClient) fetch(ctx context.Context, signed string) (answer, error) {
	for range stormTries {
		a, err := c.byURL(ctx, http.MethodGet, signed, nil, nil)
		if err == nil && a.status < http.StatusInternalServerError || ctx.Err() != nil {
			return a, err
		}
		time.Sleep(refusedFor)
	}
	return answer{status: http.StatusServiceUnavailable}, nil
}

// verifyFilms reads the films back after the storm. One that was given up is there with its attachment or not at all, and is sent
// again then; what was refused has left no statement.
func (c *stormClient) verifyFilms(ctx context.Context) error {
	for _, f := range c.films {
		there, err := read(ctx, c.client, f.id)
		if err != nil {
			return err
		}
		if there.there && !f.good {
			return fmt.Errorf("film %s has a statement, and should have been refused", f.id)
		}
		if f.outcome == lost {
			if there.there {
				err = c.readFilm(ctx, f)
			}
			var again error
			f.outcome, again = c.postFilm(ctx, c.client, f)
			if err = errors.Join(err, again); err != nil {
				return err
			}
		}
		switch {
		case f.outcome == lost:
			return fmt.Errorf("film %s is refused for now, after the storm", f.id)
		case f.outcome == acked:
			if err := c.readFilm(ctx, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// filmed counts the films that came out so.
func (s *storm) filmed(o outcome) int {
	n := 0
	for _, c := range s.clients {
		for _, f := range c.films {
			if f.outcome == o {
				n++
			}
		}
	}
	return n
}
