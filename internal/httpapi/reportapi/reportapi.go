// Package reportapi is the report API: the reports of internal/report as JSON and CSV. It is served on an origin of its own,
// never on that of xAPI, where anybody with a content credential can store a page.
//
//	GET  /reports/v1                     the list of reports
//	GET  /reports/v1/{report}            a report of the catalogue      answer.go
//	GET  /reports/v1/definitions         how each figure is counted
//	GET  /reports/v1/openapi.json        this API in OpenAPI 3.1        openapi.go
//	GET  /reports/v1/live                the newest statements in words live.go
//	POST /reports/v1/query               a question of one's own        query.go
//	GET  /reports/v1/saved               the saved ones
//	GET|PUT|DELETE /reports/v1/saved/{name}
//	GET  /reports/v1/answers/{name}      the answer to a saved one
//	GET  /reports/v1/kpis                imported KPIs                  kpi.go
//	GET|POST|DELETE /reports/v1/kpis/{name}
//
// A credential reads reports with the scope statements/read, all/read or all, and saves queries and imports KPIs with all.
package reportapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/report"
)

// Base is where the API begins.
const Base = "/reports/v1"

// Service answers questions; *report.Service is one. Its refusals are *report.Refusal.
type Service interface {
	Answer(ctx context.Context, store auth.Store, q report.Question) (*report.Answer, error)
	Custom(ctx context.Context, store auth.Store, q report.Custom) (*report.Answer, error)

	Saved(ctx context.Context, store auth.Store) ([]report.Saved, error)
	SavedQuery(ctx context.Context, store auth.Store, name string) (report.Saved, error)
	Save(ctx context.Context, store auth.Store, name string, query []byte) error
	DeleteSaved(ctx context.Context, store auth.Store, name string) error

	KPIs(ctx context.Context, store auth.Store) ([]report.KPI, error)
	KPI(ctx context.Context, store auth.Store, name string) (report.KPI, []report.KPIRow, error)
	ImportKPI(ctx context.Context, store auth.Store, name string, csv []byte) (report.KPIImport, error)
	DeleteKPI(ctx context.Context, store auth.Store, name string) error

	Live(ctx context.Context, store auth.Store, cursor string) (report.Live, error)
}

// Dialect is how the edge serves this API.
var Dialect = edge.Dialect{Own: true, Realm: "Cairn reports", NotFound: "there is no report or other resource at this path: " + Base + " lists the reports"}

// Resources are all of them.
func Resources(s Service) []edge.Resource {
	h := handlers{s}
	read := func(path string, get edge.Handler) edge.Resource {
		return edge.Resource{Name: "reports" + path, Path: Base + path, Methods: map[string]edge.Handler{http.MethodGet: reading(get)}}
	}
	all := []edge.Resource{
		read("", h.index), read("/definitions", h.definitions), read("/openapi.json", h.openAPI), read("/live", h.live),
		read("/saved", h.listSaved), read("/answers/{name}", h.answerSaved), read("/kpis", h.listKPIs),
		{Name: "reports/query", Path: Base + "/query", Methods: map[string]edge.Handler{http.MethodPost: reading(h.query)}},
		{Name: "reports/saved/{name}", Path: Base + "/saved/{name}", Methods: map[string]edge.Handler{
			http.MethodGet: reading(h.getSaved), http.MethodPut: writing(h.putSaved), http.MethodDelete: writing(h.deleteSaved),
		}},
		{Name: "reports/kpis/{name}", Path: Base + "/kpis/{name}", Methods: map[string]edge.Handler{
			http.MethodGet: reading(h.getKPI), http.MethodPost: writing(h.importKPI), http.MethodDelete: writing(h.deleteKPI),
		}},
	}
	for _, r := range report.Catalogue() {
		all = append(all, read("/"+r.ID, func(w http.ResponseWriter, q *edge.Request) error { return h.report(w, q, r) }))
	}
	return all
}

type handlers struct{ service Service }

// reading lets credentials in that may read every statement of the store: reports are made of all of them.
func reading(next edge.Handler) edge.Handler {
	return func(w http.ResponseWriter, r *edge.Request) error {
		if !r.Principal.Scopes.MayRead() {
			return edge.Forbid(string(auth.StatementsRead) + ", all/read or all")
		}
		return refusal(next(w, r))
	}
}

// writing lets credentials in that may do everything: no scope of the specification is for what is written here.
func writing(next edge.Handler) edge.Handler {
	return func(w http.ResponseWriter, r *edge.Request) error {
		if !r.Principal.Scopes.Has(auth.All) {
			return edge.Forbid(string(auth.All))
		}
		return refusal(next(w, r))
	}
}

// refusal turns a refused question into the answer that says why.
func refusal(err error) error {
	r, ok := errors.AsType[*report.Refusal](err)
	if !ok {
		return err
	}
	status := http.StatusBadRequest
	switch {
	case errors.Is(r.Kind, report.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(r.Kind, report.ErrBound):
		status = http.StatusUnprocessableEntity
	}
	e := edge.Refuse(status, "", "%s", r.Message)
	e.Path = r.Param
	return e
}

// report answers a report of the catalogue.
func (h handlers) report(w http.ResponseWriter, r *edge.Request, of *report.Report) error {
	p, params, err := takePage(r)
	if err != nil {
		return err
	}
	q, err := of.QuestionOf(params)
	if err != nil {
		return err
	}
	a, err := h.service.Answer(r.Context(), r.Principal.Store, q)
	if err != nil {
		return err
	}
	return p.write(w, r, a)
}

// indexBody is the list of reports.
type indexBody struct {
	Reports []indexEntry `json:"reports"`
	OpenAPI string       `json:"openapi"`
}

type indexEntry struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	About    string       `json:"about"`
	Row      string       `json:"row"`
	Chart    string       `json:"chart"`
	Roads    []string     `json:"roads"`
	Columns  []columnBody `json:"columns"`
	Params   []string     `json:"params"`
	Personal bool         `json:"personal"`
	Href     string       `json:"href"`
}

func (h handlers) index(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	body := indexBody{OpenAPI: Base + "/openapi.json"}
	for _, c := range report.Catalogue() {
		if c.Personal && r.Principal.Store.HideNames {
			continue
		}
		e := indexEntry{ID: c.ID, Title: c.Title, About: c.About, Row: c.Row, Chart: c.Chart, Columns: columnsOf(c.Columns), Personal: c.Personal, Href: Base + "/" + c.ID}
		for _, road := range c.Roads {
			e.Roads = append(e.Roads, string(road))
		}
		for _, p := range c.ParamsOf() {
			e.Params = append(e.Params, p.Name)
		}
		body.Reports = append(body.Reports, e)
	}
	return writeJSON(w, http.StatusOK, body)
}

// definitionsBody lists how each figure is counted.
type definitionsBody struct {
	Definitions []report.Definition `json:"definitions"`
}

func (h handlers) definitions(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, definitionsBody{report.Definitions()})
}
