package lrsapi

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// DocumentService applies the rules of documents; *document.Service is it.
type DocumentService interface {
	// Get returns a document, Head without its content; document.ErrNotFound when there is none.
	Get(ctx context.Context, k document.Key) (document.Document, error)
	Head(ctx context.Context, k document.Key) (document.Document, error)

	// Put replaces a document, Post merges into it, and both make it when there is none. They return it without content.
	Put(ctx context.Context, k document.Key, up document.Upload, p document.Preconditions) (document.Document, error)
	Post(ctx context.Context, k document.Key, up document.Upload, p document.Preconditions) (document.Document, error)

	// PutUploaded is Put of what was uploaded by a ticket; transfer.ErrUpload when nothing was.
	PutUploaded(ctx context.Context, k document.Key, contentType, ticket string, p document.Preconditions) (document.Document, error)

	// Delete removes a document; one that is not there is no error. DeleteAll removes all of the owner, or those with
	// the registration.
	Delete(ctx context.Context, k document.Key, p document.Preconditions) error
	DeleteAll(ctx context.Context, o document.Owner, registration string) error

	// List returns the ids of the owner's documents that were updated after since.
	List(ctx context.Context, o document.Owner, registration string, since time.Time) (document.List, error)
}

// concurrencySection is where ETags and preconditions stand.
const concurrencySection = "xAPI 1.0.3 Communication 3.1"

// documents is one of the document resources: what State, Activity Profile and Agent Profile differ in.
// Source: xAPI 1.0.3 Communication 2.2; IEEE 9274.1.1 4.1.6.2, 4.1.6.5, 4.1.6.6.
type documents struct {
	service  DocumentService
	resource document.Resource
	scope    auth.Scope
	section  string   // of the specification
	owner    []string // the parameters that name the owner; each is required
	id       string   // the parameter that names one document
	further  []string // parameters that may stand beside the owner's

	// deletesAll says that DELETE without an id removes every document of the owner.
	deletesAll bool

	// freePut is the version under which PUT replaces an existing document without preconditions; "" is none.
	freePut xapi.Version
}

func (d *documents) serve(name, path string) edge.Resource {
	return edge.Resource{
		Name: name,
		Path: path,
		Methods: map[string]edge.Handler{
			http.MethodGet:    d.get,
			http.MethodPut:    d.put,
			http.MethodPost:   d.post,
			http.MethodDelete: d.delete,
		},
	}
}

// get answers one document, or the ids of those that there are.
func (d *documents) get(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(d.params(d.id, "since")...); err != nil {
		return err
	}
	if !r.Principal.Scopes.MayReadDocuments(d.scope) {
		return edge.Forbid(string(d.scope) + " or all/read")
	}
	if !r.Params.Has(d.id) {
		return d.list(w, r)
	}
	if r.Params.Has("since") {
		return edge.BadRequest(d.section, "the parameter since is for lists: it may not stand beside %s", d.id)
	}
	key, err := d.key(r)
	if err != nil {
		return err
	}
	read := d.service.Get
	if r.Method == http.MethodHead {
		read = d.service.Head
	}
	found, err := read(r.Context(), key)
	if err != nil {
		return err
	}
	setDocumentHeaders(w.Header(), found.ETag, found.Updated)
	if answered, err := answerPreconditions(w, r, found.ETag); answered || err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		w.Header()["Content-Type"] = []string{found.ContentType}
		w.Header()["Content-Length"] = []string{strconv.FormatInt(found.Size, 10)}
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if found.URL != "" {
		return redirect(w, r, found.URL)
	}
	return edge.Write(w, http.StatusOK, found.ContentType, found.Content)
}

// list answers the ids of the documents, as a JSON array.
func (d *documents) list(w http.ResponseWriter, r *edge.Request) error {
	owner, registration, err := d.readOwner(r)
	if err != nil {
		return err
	}
	since, err := timeParam(r.Params, "since")
	if err != nil {
		return citing(err, d.section)
	}
	found, err := d.service.List(r.Context(), owner, registration, since)
	if err != nil {
		return err
	}
	body, err := json.Marshal(found.IDs)
	if err != nil {
		return fmt.Errorf("encode ids: %w", err)
	}
	etag := document.ETag(body)
	setDocumentHeaders(w.Header(), etag, found.Updated)
	if answered, err := answerPreconditions(w, r, etag); answered || err != nil {
		return err
	}
	return edge.Write(w, http.StatusOK, "application/json", body)
}

// put stores a document in place of what is there. Under 1.0.3 a client must send a precondition with a profile, also with
// a new one (Communication 3.1, Client Requirements); 2.0 asks for one only where a document exists.
func (d *documents) put(w http.ResponseWriter, r *edge.Request) error {
	return d.store(w, r, d.service.Put, document.Preconditions{
		Required:       r.Version != d.freePut,
		RequiredForNew: r.Version == xapi.V1 && d.freePut == "",
	})
}

// post merges a document into what is there. Without preconditions it does so whatever is there: that is its purpose.
func (d *documents) post(w http.ResponseWriter, r *edge.Request) error {
	return d.store(w, r, d.service.Post, document.Preconditions{})
}

// storeDocument is Put or Post.
type storeDocument func(context.Context, document.Key, document.Upload, document.Preconditions) (document.Document, error)

func (d *documents) store(w http.ResponseWriter, r *edge.Request, store storeDocument, required document.Preconditions) error {
	if err := r.Params.Only(d.params(d.id)...); err != nil {
		return err
	}
	if !r.Principal.Scopes.MayWriteDocuments(d.scope) {
		return edge.Forbid(string(d.scope))
	}
	key, err := d.key(r)
	if err != nil {
		return err
	}
	preconditions, err := readPreconditions(r)
	if err != nil {
		return err
	}
	preconditions.Required, preconditions.RequiredForNew = required.Required, required.RequiredForNew
	body, err := r.Body()
	if err != nil {
		return err
	}
	stored, err := d.storeContent(r, store, key, body, preconditions)
	if err != nil {
		return err
	}
	// Clients take the ETag for their next write from here. Source: the cmi5 client of npm, among others.
	setDocumentHeaders(w.Header(), stored.ETag, stored.Updated)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// storeContent stores what the request brings, or the upload that it names.
func (d *documents) storeContent(r *edge.Request, store storeDocument, key document.Key, body []byte, p document.Preconditions) (document.Document, error) {
	contentType, ticket := r.Header.Get("Content-Type"), r.Header.Get(uploadHeader)
	switch {
	case ticket == "":
		return store(r.Context(), key, document.Upload{ContentType: contentType, Content: body}, p)
	case r.Method != http.MethodPut:
		return document.Document{}, edge.BadRequest("", "%s goes with PUT only: POST merges what it is sent", uploadHeader)
	case len(body) > 0:
		return document.Document{}, edge.BadRequest("", "a request with %s has no content: the upload is its content", uploadHeader)
	}
	return d.service.PutUploaded(r.Context(), key, contentType, ticket, p)
}

// delete removes one document, or every one of the owner.
func (d *documents) delete(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(d.params(d.id)...); err != nil {
		return err
	}
	if !r.Principal.Scopes.MayWriteDocuments(d.scope) {
		return edge.Forbid(string(d.scope))
	}
	preconditions, err := readPreconditions(r)
	if err != nil {
		return err
	}
	if d.deletesAll && !r.Params.Has(d.id) {
		err = d.deleteAll(r, preconditions)
	} else {
		err = d.deleteOne(r, preconditions)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *documents) deleteOne(r *edge.Request, p document.Preconditions) error {
	key, err := d.key(r)
	if err != nil {
		return err
	}
	return d.service.Delete(r.Context(), key, p)
}

func (d *documents) deleteAll(r *edge.Request, p document.Preconditions) error {
	if p != (document.Preconditions{}) {
		return edge.BadRequest(concurrencySection, "If-Match and If-None-Match are about one document: name it with %s", d.id)
	}
	owner, registration, err := d.readOwner(r)
	if err != nil {
		return err
	}
	return d.service.DeleteAll(r.Context(), owner, registration)
}

// params are the parameters of a request beside which these may stand.
func (d *documents) params(others ...string) []string {
	return slices.Concat(d.owner, d.further, others)
}

// key reads the parameters that name one document.
func (d *documents) key(r *edge.Request) (document.Key, error) {
	owner, registration, err := d.readOwner(r)
	if err != nil {
		return document.Key{}, err
	}
	if r.Params[d.id] == "" {
		return document.Key{}, edge.BadRequest(d.section, "the parameter %s is missing or empty", d.id)
	}
	return document.Key{Owner: owner, Registration: registration, ID: r.Params[d.id]}, nil
}

// readOwner reads the parameters that name the owner, and the registration, "" when there is none.
func (d *documents) readOwner(r *edge.Request) (document.Owner, string, error) {
	owner := document.Owner{Store: r.Principal.Store, Resource: d.resource}
	for _, name := range d.owner {
		value, ok := r.Params[name]
		if !ok {
			return owner, "", edge.BadRequest(d.section, "the parameter %s is missing", name)
		}
		if err := d.readOwnerParam(&owner, name, value, r.Version); err != nil {
			return owner, "", err
		}
	}
	registration, err := idParam(r.Params, "registration")
	return owner, registration, citing(err, d.section)
}

func (d *documents) readOwnerParam(owner *document.Owner, name, value string, version xapi.Version) error {
	if name == "activityId" {
		if !xapi.ValidIRI(value) {
			return edge.BadRequest(d.section, "the parameter activityId is not an IRI with a scheme")
		}
		owner.Activity = value
		return nil
	}
	agent, err := xapi.DecodeAgent([]byte(value), version)
	if err != nil {
		return agentError(err)
	}
	if agent.Group {
		return edge.BadRequest(d.section, "the parameter agent is a Group: documents belong to an Agent, which may have the group's identifier")
	}
	owner.Agent = agent.IFI
	return nil
}

// citing makes a refusal name the section of the resource in place of the one where its rule was first met.
func citing(err error, section string) error {
	if refusal, ok := errors.AsType[*edge.Error](err); ok {
		refusal.Section = section
	}
	return err
}

// setDocumentHeaders puts on what tells of a document, or of a list of them; an empty list has no time.
// Source: xAPI 1.0.3 Communication 2.2, "Last Modified", and 3.1.
func setDocumentHeaders(h http.Header, etag string, updated time.Time) {
	h["Etag"] = []string{etag}
	if !updated.IsZero() {
		h["Last-Modified"] = []string{updated.UTC().Format(http.TimeFormat)}
	}
}

// answerPreconditions answers a GET whose preconditions do not hold: 304 when the client has what If-None-Match names, 412
// when this is not what If-Match names. Source: RFC 9110, 13.1.1, 13.1.2.
func answerPreconditions(w http.ResponseWriter, r *edge.Request, etag string) (answered bool, err error) {
	p, err := readPreconditions(r)
	switch {
	case err != nil:
		return false, err
	case p.IfMatch != nil && !p.IfMatch.Match(etag):
		return false, document.ErrPrecondition
	case p.IfNoneMatch != nil && p.IfNoneMatch.Match(etag):
		w.WriteHeader(http.StatusNotModified)
		return true, nil
	}
	return false, nil
}

// readPreconditions reads If-Match and If-None-Match. Repeated headers are one list. Tags of If-Match are compared
// strongly, so a weak one matches nothing; those of If-None-Match weakly. Source: RFC 9110, 8.8.3.2, 13.1.1, 13.1.2.
func readPreconditions(r *edge.Request) (document.Preconditions, error) {
	var p document.Preconditions
	for _, header := range []struct {
		name string
		weak bool
		to   **document.Tags
	}{{"If-Match", false, &p.IfMatch}, {"If-None-Match", true, &p.IfNoneMatch}} {
		values := r.Header.Values(header.name)
		if len(values) == 0 {
			continue
		}
		tags, ok := parseTags(strings.Join(values, ","), header.weak)
		if !ok {
			return p, edge.BadRequest(concurrencySection, `the header %s must be * or a list of ETags, such as "0a4d…"`, header.name)
		}
		*header.to = &tags
	}
	return p, nil
}
