package lrsapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// UploadService makes tickets for what is too large for a request; *transfer.Service is it.
type UploadService interface {
	// NewTicket makes a ticket for bytes that are to come; transfer.ErrUploadSize when there are too many.
	NewTicket(ctx context.Context, store auth.Store, content blob.Content) (transfer.Ticket, error)
}

// uploadHeader names an upload in a PUT of a document, and one or several, separated by commas, in a PUT or POST of statements.
const uploadHeader = "X-Cairn-Upload"

// newUpload is what a client sends.
type newUpload struct {
	Length int64  `json:"length"`
	SHA256 string `json:"sha256"`
}

// ticket is what it gets.
type ticket struct {
	Upload  string            `json:"upload"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Expires string            `json:"expires"`
}

// Uploads makes the uploads resource. It is Cairn's own: the specification has no road for documents and attachments that are
// larger than a request.
func Uploads(service UploadService, path string) edge.Resource {
	return edge.Resource{
		Name: "uploads",
		Path: path,
		Methods: map[string]edge.Handler{
			http.MethodPost: func(w http.ResponseWriter, r *edge.Request) error { return postUpload(w, r, service) },
		},
	}
}

func postUpload(w http.ResponseWriter, r *edge.Request, service UploadService) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	if s := r.Principal.Scopes; !s.MayWriteDocuments(auth.State) && !s.MayWriteDocuments(auth.Profile) && !s.MayWrite() {
		return edge.Forbid(string(auth.State) + ", " + string(auth.Profile) + " or " + string(auth.StatementsWrite))
	}
	body, err := r.Body()
	if err != nil {
		return err
	}
	var wanted newUpload
	sum := []byte(nil)
	if err = json.Unmarshal(body, &wanted, json.RejectUnknownMembers(true)); err == nil {
		sum, err = hex.DecodeString(strings.ToLower(wanted.SHA256))
	}
	if err != nil || len(sum) != sha256.Size {
		return edge.BadRequest("", `send {"length": bytes, "sha256": "64 hexadecimal digits"}, of what will be uploaded`)
	}
	made, err := service.NewTicket(r.Context(), r.Principal.Store, blob.Content{Size: wanted.Length, SHA256: [sha256.Size]byte(sum)})
	if err != nil {
		return err
	}
	answer, err := json.Marshal(ticket{
		Upload: made.ID, Method: http.MethodPut, URL: absolute(r, made.URL), Headers: made.Header, Expires: made.Expires.Format(time.RFC3339),
	}, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode ticket: %w", err)
	}
	return edge.Write(w, http.StatusOK, "application/json", answer)
}

// uploadIDs are the uploads that a request names.
func uploadIDs(h http.Header) (ids []string) {
	for _, value := range h.Values(uploadHeader) {
		for id := range strings.SplitSeq(value, ",") {
			if id = strings.TrimSpace(id); id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// redirect sends the client to content that is too large for an answer. 303 asks for a GET of it, and most clients leave
// Authorization out there, as they must: the URL itself is the permission. Source: RFC 9110, 15.4.4.
func redirect(w http.ResponseWriter, r *edge.Request, url string) error {
	url = absolute(r, url)
	w.Header()["Location"] = []string{url}
	body, err := json.Marshal(map[string]string{"url": url})
	if err != nil {
		return fmt.Errorf("encode URL: %w", err)
	}
	return edge.Write(w, http.StatusSeeOther, "application/json", body)
}

// absolute makes a URL of a path on the host that the client has asked.
func absolute(r *edge.Request, url string) string {
	if !strings.HasPrefix(url, "/") {
		return url
	}
	host, secure := r.Host()
	if secure {
		return "https://" + host + url
	}
	return "http://" + host + url
}
