// Package lrsapi holds the resources of the xAPI, one to a file or a group of files that begin with its name. A resource
// is a function that takes what it stands on and returns an edge.Resource: its path and a handler for each method.
// Handlers check parameters and scopes, call the rules (packages lrs, document and transfer) and write the answer; a refusal is a
// returned error. Everything that all resources share is in package edge.
package lrsapi

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// StatementService applies the rules of statements; *lrs.Service is it. Its refusals are *lrs.Refusal.
type StatementService interface {
	// Store stores all statements of a request or none, and returns their ids in the order of the request.
	Store(ctx context.Context, p auth.Principal, batch []*xapi.Statement, parts []lrs.Part) ([]string, error)

	// Statement returns one live (or, with voided, one voided) statement.
	Statement(ctx context.Context, p auth.Principal, id string, voided bool) (lrs.Statement, error)

	// Query returns the first page of a list, More the one that a cursor of an earlier page stands for.
	Query(ctx context.Context, p auth.Principal, q lrs.Query) (lrs.Page, error)
	More(ctx context.Context, p auth.Principal, cursor string) (lrs.Page, error)

	// Attachments returns the attachments that came with the statements, each digest once.
	Attachments(ctx context.Context, p auth.Principal, statements []lrs.Statement) ([]lrs.Attachment, error)

	// Definitions returns the canonical definitions (JSON) of those activities that have one.
	Definitions(ctx context.Context, p auth.Principal, activityIDs []string) (map[string][]byte, error)

	// ConsistentThrough returns the millisecond through which lists are complete. It may wait for writes in flight.
	ConsistentThrough(ctx context.Context) (time.Time, error)
}

// AnswerService gives out answers that are too large to be given as they are; *transfer.Service is it.
type AnswerService interface {
	// Keep returns a URL of the answer, good for some minutes. What has the same name has the same bytes, so it reads them, from
	// the beginning, only when they are not kept yet.
	Keep(ctx context.Context, store auth.Store, name, contentType string, body io.ReadSeeker) (url string, err error)
}

// StatementsConfig is what the statements resource stands on.
type StatementsConfig struct {
	Service StatementService
	Answers AnswerService    // nil: answers of any size are given as they are
	Path    string           // of the resource: "/xapi/statements"
	Now     func() time.Time // nil: time.Now
	Random  io.Reader        // of multipart boundaries; nil: crypto/rand
}

// statements is the statements resource. Source: xAPI 1.0.3 Communication 2.1; IEEE 9274.1.1 4.1.6.1.
type statements struct {
	StatementsConfig
	horizon horizon
}

// Statements makes the statements resource.
func Statements(c StatementsConfig) edge.Resource {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &statements{StatementsConfig: c, horizon: horizon{service: c.Service, now: c.Now}}
	return edge.Resource{
		Name: "statements",
		Path: c.Path,
		Methods: map[string]edge.Handler{
			http.MethodGet:  s.get,
			http.MethodPut:  s.put,
			http.MethodPost: s.post,
		},
		Announce: s.horizon.announce,
	}
}

// put stores one statement under the id that the parameter names. Source: Communication 2.1.1.
func (s *statements) put(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only("statementId"); err != nil {
		return err
	}
	id, err := idParam(r.Params, "statementId")
	if err != nil {
		return err
	}
	if id == "" {
		return edge.BadRequest("xAPI 1.0.3 Communication 2.1.1", "PUT needs the parameter statementId")
	}
	if !r.Principal.Scopes.MayWrite() {
		return edge.Forbid(string(auth.StatementsWrite))
	}
	in, err := readStatements(r)
	if err != nil {
		return err
	}
	if !in.single {
		return edge.BadRequest("xAPI 1.0.3 Communication 2.1.1", "PUT takes one statement, not an array: POST takes arrays")
	}
	statement := in.batch[0]
	switch statement.ID {
	case "":
		statement.ID = id
	case id:
	default:
		return edge.BadStatement(0, "/id", "xAPI 1.0.3 Communication 2.1.1", "the statement's id is not the parameter statementId")
	}
	if _, err := s.Service.Store(r.Context(), r.Principal, in.batch, in.parts); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// post stores the statements of the request, all or none, and answers their ids. Source: Communication 2.1.2.
func (s *statements) post(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	if !r.Principal.Scopes.MayWrite() {
		return edge.Forbid(string(auth.StatementsWrite))
	}
	in, err := readStatements(r)
	if err != nil {
		return err
	}
	var ids []string
	if len(in.batch) > 0 {
		if ids, err = s.Service.Store(r.Context(), r.Principal, in.batch, in.parts); err != nil {
			return err
		}
	}
	const uuidLength = 36
	body := make([]byte, 0, len("[]")+len(ids)*(uuidLength+len(`"",`)))
	body = append(body, '[')
	for i, id := range ids {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, '"')
		body = append(body, id...) // a UUID has nothing to escape
		body = append(body, '"')
	}
	return edge.Write(w, http.StatusOK, "application/json", append(body, ']'))
}
