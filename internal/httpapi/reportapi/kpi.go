package reportapi

import (
	"net/http"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/report"
)

// kpisBody is the list of imported KPIs.
type kpisBody struct {
	KPIs []report.KPI `json:"kpis"`
}

// kpiBody is one of them with its rows.
type kpiBody struct {
	report.KPI
	Rows []report.KPIRow `json:"rows"`
}

func (h handlers) listKPIs(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	kpis, err := h.service.KPIs(r.Context(), r.Principal.Store)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, kpisBody{kpis})
}

func (h handlers) getKPI(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	kpi, rows, err := h.service.KPI(r.Context(), r.Principal.Store, r.Name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, kpiBody{kpi, rows})
}

// importKPI takes a CSV in the place of what was under the name.
func (h handlers) importKPI(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	body, err := bodyOf(r, "text/csv")
	if err != nil {
		return err
	}
	done, err := h.service.ImportKPI(r.Context(), r.Principal.Store, r.Name, body)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, done)
}

func (h handlers) deleteKPI(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	if err := h.service.DeleteKPI(r.Context(), r.Principal.Store, r.Name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
