package reportapi

import (
	"net/http"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/report"
)

// query answers a question of one's own.
func (h handlers) query(w http.ResponseWriter, r *edge.Request) error {
	p, err := onlyPage(r)
	if err != nil {
		return err
	}
	body, err := jsonBody(r)
	if err != nil {
		return err
	}
	q, err := report.ParseCustom(body)
	if err != nil {
		return err
	}
	a, err := h.service.Custom(r.Context(), r.Principal.Store, q)
	if err != nil {
		return err
	}
	return p.write(w, r, a)
}

// onlyPage reads the parameters of pages, and refuses others.
func onlyPage(r *edge.Request) (page, error) {
	p, rest, err := takePage(r)
	if err != nil {
		return p, err
	}
	return p, edge.Params(rest).Only()
}

// jsonBody reads a body of JSON. A page of another origin cannot send one: a browser asks before, and is not answered.
func jsonBody(r *edge.Request) ([]byte, error) { return bodyOf(r, "application/json") }

func bodyOf(r *edge.Request, want string) ([]byte, error) {
	mediaType, _, err := r.MediaType()
	if err != nil {
		return nil, err
	}
	if mediaType != want {
		return nil, edge.Refuse(http.StatusUnsupportedMediaType, "", "the content must be sent as %s", want)
	}
	return r.Body()
}

// savedBody is a list of saved queries.
type savedBody struct {
	Saved []report.Saved `json:"saved"`
}

func (h handlers) listSaved(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	saved, err := h.service.Saved(r.Context(), r.Principal.Store)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, savedBody{saved})
}

func (h handlers) getSaved(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	saved, err := h.service.SavedQuery(r.Context(), r.Principal.Store, r.Name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, saved)
}

func (h handlers) putSaved(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	body, err := jsonBody(r)
	if err != nil {
		return err
	}
	if err := h.service.Save(r.Context(), r.Principal.Store, r.Name, body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h handlers) deleteSaved(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	if err := h.service.DeleteSaved(r.Context(), r.Principal.Store, r.Name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// answerSaved answers a saved query.
func (h handlers) answerSaved(w http.ResponseWriter, r *edge.Request) error {
	p, err := onlyPage(r)
	if err != nil {
		return err
	}
	saved, err := h.service.SavedQuery(r.Context(), r.Principal.Store, r.Name)
	if err != nil {
		return err
	}
	q, err := report.ParseCustom(saved.Query)
	if err != nil {
		return err
	}
	a, err := h.service.Custom(r.Context(), r.Principal.Store, q)
	if err != nil {
		return err
	}
	a.Name = saved.Name
	return p.write(w, r, a)
}
