package reportapi

import (
	"net/http"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
)

// live answers the newest statements in words, those behind the cursor of the answer before when there is one. It answers 304
// when there is nothing new and the client says what it has.
func (h handlers) live(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only("cursor"); err != nil {
		return err
	}
	live, err := h.service.Live(r.Context(), r.Principal.Store, r.Params["cursor"])
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, live)
}
