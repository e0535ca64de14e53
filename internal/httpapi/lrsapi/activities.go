package lrsapi

import (
	"context"
	"encoding/json/jsontext"
	"fmt"
	"net/http"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// activitySection is where the activities resource stands. IEEE 9274.1.1 4.1.6.4 asks for the same.
const activitySection = "xAPI 1.0.3 Communication 2.5"

// ActivityService knows the definitions of activities; *lrs.Service is one.
type ActivityService interface {
	// Definitions returns the canonical definitions (JSON) of those activities that have one. It sees every write before it.
	Definitions(ctx context.Context, p auth.Principal, activityIDs []string) (map[string][]byte, error)
}

// Activities makes the activities resource: an Activity with its canonical definition in all its languages.
// Accept-Language is for the format canonical of statements alone.
func Activities(service ActivityService, path string) edge.Resource {
	return edge.Resource{
		Name: "activities",
		Path: path,
		Methods: map[string]edge.Handler{
			http.MethodGet: func(w http.ResponseWriter, r *edge.Request) error {
				id, err := readActivityID(r)
				if err != nil {
					return err
				}
				known, err := service.Definitions(r.Context(), r.Principal, []string{id})
				if err != nil {
					return fmt.Errorf("read definition: %w", err)
				}
				body, err := activityObject(id, known[id])
				if err != nil {
					return err
				}
				return writeTagged(w, r, body)
			},
		},
	}
}

// readActivityID checks the request and reads its one parameter.
func readActivityID(r *edge.Request) (string, error) {
	if err := mayReadMerged(r, "activityId"); err != nil {
		return "", err
	}
	id, ok := r.Params["activityId"]
	switch {
	case !ok:
		return "", edge.BadRequest(activitySection, "the parameter activityId is missing")
	case !xapi.ValidIRI(id):
		return "", edge.BadRequest(activitySection, "the parameter activityId is not an IRI with a scheme")
	}
	return id, nil
}

// activityObject is the JSON of an Activity. An activity without a definition, known or not, is its id.
func activityObject(id string, definition []byte) ([]byte, error) {
	body, err := jsontext.AppendQuote([]byte(`{"objectType":"Activity","id":`), id)
	if err != nil {
		return nil, fmt.Errorf("write activity: %w", err)
	}
	if definition != nil {
		body = append(append(body, `,"definition":`...), definition...)
	}
	return append(body, '}'), nil
}

// mayReadMerged refuses parameters but the named one, and credentials that may not read every statement of the store:
// definitions and names are merged from all of them. No scope of Communication 4.2 names these resources: state and
// profile are rights to documents, statements/read/mine is one to some statements.
func mayReadMerged(r *edge.Request, param string) error {
	if err := r.Params.Only(param); err != nil {
		return err
	}
	if !r.Principal.Scopes.MayRead() {
		return edge.Forbid(string(auth.StatementsRead) + " or all/read")
	}
	return nil
}

// writeTagged writes JSON with its entity tag, unless the request's preconditions ask for another answer. It is never
// compressed: the tag names the bytes. Source: xAPI 1.0.3 Communication 3.1.
func writeTagged(w http.ResponseWriter, r *edge.Request, body []byte) error {
	etag := document.ETag(body)
	w.Header()["Etag"] = []string{etag}
	if answered, err := answerPreconditions(w, r, etag); answered || err != nil {
		return err
	}
	return edge.Write(w, http.StatusOK, "application/json", body)
}
