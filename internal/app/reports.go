package app

import (
	"context"
	"net/http"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/table"
)

// newReports wires the reports over ledgers and buckets. What they need of statements, the newest of them and what activities are
// called, comes through statementsOf: the two packages know nothing of each other.
func newReports(p Ports, service *lrs.Service) *report.Service {
	from := statementsOf{service}
	return report.New(report.Config{
		Rows:        &rollup.Reader{Tables: table.Metered(p.Tables)},
		Definitions: from,
		Feed:        from,
		Tables:      p.Tables,
		Bound:       p.ReportBound,
		Now:         p.Now,
	})
}

// ReportsHandler serves the report API, which has an origin of its own.
func (a *App) ReportsHandler() http.Handler { return httpapi.Reports(a.options) }

// statementsOf gives reports what they need of statements.
type statementsOf struct{ service *lrs.Service }

// everything is who reads for reports: the credential that asks them was let in before.
func everything(store auth.Store) auth.Principal {
	return auth.Principal{Store: store, Scopes: auth.Scopes{auth.AllRead}}
}

func (s statementsOf) Definitions(ctx context.Context, store auth.Store, activityIDs []string) (map[string][]byte, error) {
	if len(activityIDs) == 0 {
		return nil, nil
	}
	return s.service.Definitions(ctx, everything(store), activityIDs)
}

// Newest reads pages of the newest statements until there are limit of them.
func (s statementsOf) Newest(ctx context.Context, store auth.Store, after time.Time, limit int) ([]report.Stored, int, error) {
	p := everything(store)
	page, err := s.service.Query(ctx, p, lrs.Query{Since: after, Limit: min(limit, lrs.MaxLimit), Format: lrs.Exact})
	var found []report.Stored
	for {
		if err != nil {
			return nil, len(found), err
		}
		for _, st := range page.Statements {
			if len(found) < limit {
				found = append(found, report.Stored{ID: st.ID, At: st.Stored, JSON: st.Body})
			}
		}
		if page.More == "" || len(found) >= limit {
			return found, len(found), nil
		}
		page, err = s.service.More(ctx, p, page.More)
	}
}
