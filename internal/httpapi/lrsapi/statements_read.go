package lrsapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// get answers one statement, the first page of a list, or a further page. Source: Communication 2.1.3.
func (s *statements) get(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(listParams...); err != nil {
		return err
	}
	if !r.Principal.Scopes.MayReadMine() {
		return edge.Forbid(string(auth.StatementsRead))
	}
	switch {
	case r.Params.Has("more"):
		if len(r.Params) > 1 {
			return edge.BadRequest(querySection, "beside the parameter more no other may stand: the first page's are in it")
		}
		return s.list(w, r, func(ctx context.Context) (lrs.Page, error) {
			return s.Service.More(ctx, r.Principal, r.Params["more"])
		})
	case r.Params.Has("statementId"), r.Params.Has("voidedStatementId"):
		return s.one(w, r)
	}
	q, err := parseQuery(r.Params, r.Version)
	if err != nil {
		return err
	}
	return s.list(w, r, func(ctx context.Context) (lrs.Page, error) {
		return s.Service.Query(ctx, r.Principal, q)
	})
}

// one answers a single statement: a live one by statementId, a voided one by voidedStatementId.
func (s *statements) one(w http.ResponseWriter, r *edge.Request) error {
	id, voided := "statementId", r.Params.Has("voidedStatementId")
	if voided {
		if r.Params.Has("statementId") {
			return edge.BadRequest(querySection, "the parameters statementId and voidedStatementId exclude each other")
		}
		id = "voidedStatementId"
	}
	if err := r.Params.Only(oneParams...); err != nil {
		return edge.BadRequest(querySection, "beside the parameter %s only format and attachments may stand", id)
	}
	uuid, err := idParam(r.Params, id)
	if err != nil {
		return err
	}
	format, err := formatParam(r.Params)
	if err != nil {
		return err
	}
	attachments, err := boolParam(r.Params, "attachments")
	if err != nil {
		return err
	}
	if err := s.horizon.ask(r.Context(), w.Header()); err != nil {
		return err
	}
	statement, err := s.Service.Statement(r.Context(), r.Principal, uuid, voided)
	if err != nil {
		return err
	}
	found := []lrs.Statement{statement}
	bodies, err := s.format(r, format, found)
	if err != nil {
		return err
	}
	setReadHeaders(w.Header(), format, found)
	if attachments {
		return s.writeMultipart(w, r, bodies[0], found)
	}
	return s.writeJSON(w, r, bodies[0])
}

// list answers a page of statements. The horizon is asked before the page is read: see there.
func (s *statements) list(w http.ResponseWriter, r *edge.Request, read func(context.Context) (lrs.Page, error)) error {
	if err := s.horizon.ask(r.Context(), w.Header()); err != nil {
		return err
	}
	page, err := read(r.Context())
	if err != nil {
		return err
	}
	bodies, err := s.format(r, page.Format, page.Statements)
	if err != nil {
		return err
	}
	more := ""
	if page.More != "" {
		more = s.Path + "?more=" + url.QueryEscape(page.More)
	}
	setReadHeaders(w.Header(), page.Format, page.Statements)
	result := takeBuffer()
	defer giveBuffer(result)
	*result = appendResult(*result, bodies, more)
	if page.Attachments {
		return s.writeMultipart(w, r, *result, page.Statements)
	}
	return s.writeList(w, r, *result)
}

// setReadHeaders puts on what tells of the statements in an answer. Last-Modified is the greatest stored among them; an
// empty list has none. Source: IEEE 9274.1.1 4.1.6.1.
func setReadHeaders(h http.Header, format lrs.Format, found []lrs.Statement) {
	var last time.Time
	for _, f := range found {
		if f.Stored.After(last) {
			last = f.Stored
		}
	}
	if !last.IsZero() {
		h["Last-Modified"] = []string{last.UTC().Format(http.TimeFormat)}
	}
	if format == lrs.Canonical {
		h.Add("Vary", "Accept-Language")
	}
}

// format brings statements into the format that was asked for. Exact ones are given out as they are kept.
func (s *statements) format(r *edge.Request, format lrs.Format, found []lrs.Statement) ([][]byte, error) {
	bodies := make([][]byte, len(found))
	for i, f := range found {
		bodies[i] = f.Body
	}
	switch format {
	case lrs.IDs:
		for i, body := range bodies {
			ids, err := xapi.FormatIDs(body)
			if err != nil {
				return nil, fmt.Errorf("format statement %s: %w", found[i].ID, err)
			}
			bodies[i] = ids
		}
	case lrs.Canonical:
		definition, err := s.definitions(r, found)
		if err != nil {
			return nil, err
		}
		languages := strings.Join(r.Header.Values("Accept-Language"), ",")
		for i, body := range bodies {
			canonical, err := xapi.FormatCanonical(body, languages, definition)
			if err != nil {
				return nil, fmt.Errorf("format statement %s: %w", found[i].ID, err)
			}
			bodies[i] = canonical
		}
	}
	return bodies, nil
}

// definitions fetches the canonical definitions of all activities in the statements, in one call.
func (s *statements) definitions(r *edge.Request, found []lrs.Statement) (func(activityID string) []byte, error) {
	seen := map[string]bool{}
	var ids []string
	for _, f := range found {
		in, err := xapi.ActivityIDs(f.Body)
		if err != nil {
			return nil, fmt.Errorf("read activities of statement %s: %w", f.ID, err)
		}
		for _, id := range in {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return func(string) []byte { return nil }, nil
	}
	known, err := s.Service.Definitions(r.Context(), r.Principal, ids)
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	return func(id string) []byte { return known[id] }, nil
}
