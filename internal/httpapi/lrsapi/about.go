package lrsapi

import (
	"net/http"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// aboutBody lists the latest patch of each version that is spoken. Source: xAPI 1.0.3 Communication 2.8.
const aboutBody = `{"version":["` + string(xapi.V1) + `","` + string(xapi.V2) + `"]}`

// About makes the about resource. It is open: a client asks it to find out what to speak.
func About(path string) edge.Resource {
	return edge.Resource{
		Name: "about",
		Path: path,
		Open: true,
		Methods: map[string]edge.Handler{
			http.MethodGet: func(w http.ResponseWriter, r *edge.Request) error {
				if err := r.Params.Only(); err != nil {
					return err
				}
				return edge.Write(w, http.StatusOK, "application/json", []byte(aboutBody))
			},
		},
	}
}
