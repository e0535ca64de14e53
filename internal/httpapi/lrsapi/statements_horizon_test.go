package lrsapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

// tellsTime announces through when lists are complete, and nothing else.
type tellsTime struct {
	StatementService
	through time.Time
	err     error
	asked   int
}

func (s *tellsTime) ConsistentThrough(context.Context) (time.Time, error) {
	s.asked++
	return s.through, s.err
}

func TestHorizonRepeatsWhatIsRecent(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	service := &tellsTime{through: now.Add(-time.Millisecond)}
	h := &horizon{service: service, now: func() time.Time { return now }}
	header := func(put func(context.Context, http.Header)) string {
		got := http.Header{}
		put(context.Background(), got)
		return got.Get("X-Experience-API-Consistent-Through")
	}
	ask := func(ctx context.Context, header http.Header) {
		if err := h.ask(ctx, header); err != nil {
			t.Error(err)
		}
	}

	var got []string
	got = append(got, header(h.announce)) // nothing is known yet: asks
	service.through, now = now, now.Add(999*time.Millisecond)
	got = append(got, header(h.announce)) // repeats
	got = append(got, header(ask))        // a list asks anew
	service.through, now = now, now.Add(time.Second)
	got = append(got, header(h.announce)) // too old: asks
	service.through, now = now.Add(-time.Hour), now.Add(-time.Millisecond)
	got = append(got, header(h.announce)) // by a clock that stepped back nobody knows how old it is: asks
	want := []string{"2026-11-21T11:59:59.999Z", "2026-11-21T11:59:59.999Z", "2026-11-21T12:00:00.000Z", "2026-11-21T12:00:00.999Z", "2026-11-21T11:00:01.999Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("announced:\n%s", diff)
	}
	if service.asked != 4 {
		t.Errorf("asked %d times, want 4", service.asked)
	}
}

func TestHorizonThatCannotTellAnnouncesNothing(t *testing.T) {
	service := &tellsTime{err: errors.New("clock is off")}
	h := &horizon{service: service, now: time.Now}
	header := http.Header{}
	h.announce(context.Background(), header)
	if err := h.ask(context.Background(), header); !errors.Is(err, service.err) {
		t.Errorf("a list is answered all the same: %v", err)
	}
	if len(header) != 0 {
		t.Errorf("announced %v", header)
	}
}

// noting is a service that notes in what order it is asked.
type noting struct {
	StatementService
	asked []string
}

func (s *noting) ConsistentThrough(context.Context) (time.Time, error) {
	s.asked = append(s.asked, "through")
	return time.UnixMilli(1), nil
}

func (s *noting) Statement(_ context.Context, _ auth.Principal, id string, _ bool) (lrs.Statement, error) {
	s.asked = append(s.asked, "statement")
	return lrs.Statement{ID: id, Body: []byte("{}")}, nil
}

func (s *noting) Query(context.Context, auth.Principal, lrs.Query) (lrs.Page, error) {
	s.asked = append(s.asked, "query")
	return lrs.Page{}, nil
}

func (s *noting) More(context.Context, auth.Principal, string) (lrs.Page, error) {
	s.asked = append(s.asked, "more")
	return lrs.Page{}, nil
}

// anybody may do everything.
type anybody struct{}

func (anybody) Authenticate(context.Context, string, string) (auth.Principal, error) {
	return auth.Principal{Scopes: auth.Scopes{auth.All}}, nil
}

// A statement that is stored between the reading and the asking would be promised and not shown.
func TestTheHorizonIsAskedBeforeReading(t *testing.T) {
	service := &noting{}
	now := func() time.Time { return time.UnixMilli(1_800_000_000_000) }
	e := edge.New(edge.Options{Authenticator: anybody{}, Now: now}, Statements(StatementsConfig{Service: service, Path: "/xapi/statements", Now: now}))
	ask := func(query string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/xapi/statements"+query, nil)
		r.SetBasicAuth("key", "secret")
		r.Header.Set("X-Experience-API-Version", "1.0.3")
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	ask("") // now there is an announcement that refusals and writes repeat
	const id = "00000000-0000-4000-8000-000000000001"
	for query, read := range map[string]string{"": "query", "?more=x": "more", "?statementId=" + id: "statement", "?voidedStatementId=" + id: "statement"} {
		service.asked = nil
		ask(query)
		if diff := cmp.Diff([]string{"through", read}, service.asked); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}
