package lrsapi

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

func TestParseQuery(t *testing.T) {
	got, err := parseQuery(edge.Params{
		"agent": `{"mbox":"mailto:a@example.com"}`, "verb": "http://example.com/v", "activity": "http://example.com/a",
		"registration": "6A4B9A52-8AF6-4B9E-9C1E-0F3D3C0E2F11", "related_agents": "true", "related_activities": "true",
		"since": "2026-01-01T02:00:00.5+02:00", "until": "2026-02-01T00:00:00Z", "limit": "7", "format": "canonical",
		"attachments": "true", "ascending": "true",
	}, xapi.V1)
	if err != nil {
		t.Fatal(err)
	}
	want := lrs.Query{
		Agent: &xapi.Actor{IFI: xapi.IFI{Kind: xapi.Mbox, Value: "mailto:a@example.com"}}, Verb: "http://example.com/v", Activity: "http://example.com/a",
		Registration: "6a4b9a52-8af6-4b9e-9c1e-0f3d3c0e2f11", RelatedAgents: true, RelatedActivities: true,
		Since: time.Date(2026, 1, 1, 0, 0, 0, 5e8, time.UTC), Until: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
		Limit: 7, Format: lrs.Canonical, Attachments: true, Ascending: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("every parameter:\n%s", diff)
	}
	none, err := parseQuery(nil, xapi.V1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lrs.Query{Limit: lrs.DefaultLimit, Format: lrs.Exact}, none); diff != "" {
		t.Errorf("no parameter:\n%s", diff)
	}
}

func TestParseLimit(t *testing.T) {
	for value, want := range map[string]int{
		"1": 1, "007": 7, "500": 500, "501": lrs.MaxLimit, "0": lrs.MaxLimit, "000": lrs.MaxLimit, "9999999999999999999999": lrs.MaxLimit,
	} {
		if got, err := parseLimit(value); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", value, got, err, want)
		}
	}
	for _, value := range []string{"", "-1", "+1", " 1", "1.0", "1e2", "0x10", "١"} {
		if got, err := parseLimit(value); err == nil {
			t.Errorf("%q: got %d, want a refusal", value, got)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("agent", `{"mbox":"mailto:a@example.com"}`)
	f.Add("since", "2026-01-01T00:00:00Z")
	f.Add("limit", "10")
	f.Add("registration", "6A4B9A52-8AF6-4B9E-9C1E-0F3D3C0E2F11")
	f.Add("verb", "http://example.com/v")
	f.Add("ascending", "true")
	f.Fuzz(func(t *testing.T, name, value string) {
		q, err := parseQuery(edge.Params{name: value}, xapi.V2)
		if err != nil {
			if refusal, ok := errors.AsType[*edge.Error](err); !ok || refusal.Status != 400 {
				t.Errorf("refused by %#v, want a 400", err)
			}
			return
		}
		if q.Limit < 1 || q.Limit > lrs.MaxLimit {
			t.Errorf("limit %d", q.Limit)
		}
		if q.Agent != nil && q.Agent.IFI == (xapi.IFI{}) {
			t.Error("an agent without identifier")
		}
	})
}
