package httpapi

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"net/http"
	"strings"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// pagePolicy lets the page's own style in, by its digest, and nothing else: no script runs on this origin.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// page explains the endpoint to people: as HTML in a browser, as text to anything else. Learning content is often
// pointed at the bare endpoint by mistake, so this is the answer there too.
func page(path string) edge.Resource {
	return edge.Resource{Name: "page", Path: path, Open: true, Methods: map[string]edge.Handler{http.MethodGet: writePage}}
}

func writePage(w http.ResponseWriter, r *edge.Request) error {
	endpoint := endpointURL(r)
	curl := "curl -u KEY:SECRET -H 'X-Experience-API-Version: 1.0.3' '" + endpoint + "/statements?limit=1'"
	w.Header().Set("Vary", "Accept")
	if edge.Prefer(r.Header.Get("Accept"), "text/plain", "text/html") != "text/html" {
		text := "Cairn, an xAPI Learning Record Store (1.0.3 and 2.0.0)\nEndpoint: " + endpoint + "\nTry: " + curl + "\n"
		return edge.Write(w, http.StatusOK, "text/plain; charset=utf-8", []byte(text))
	}
	// Not html/template: it calls methods by name, so that the linker may leave none out, which makes a Lambda binary larger
	// by more than half. The values stand in text only, and the style is our own.
	page := strings.NewReplacer("{{.Style}}", pageCSS, "{{.Endpoint}}", html.EscapeString(endpoint), "{{.Curl}}", html.EscapeString(curl)).
		Replace(pageHTML)
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	return edge.Write(w, http.StatusOK, "text/html; charset=utf-8", []byte(page))
}

// endpointURL is the endpoint as the client reached it. People paste it into a shell, so a Host that is more than a name
// and a port is not repeated.
func endpointURL(r *edge.Request) string {
	host, secure := r.Host()
	if host == "" || strings.ContainsFunc(host, notInHost) {
		host = "localhost"
	}
	if secure {
		return "https://" + host + Base
	}
	return "http://" + host + Base
}

func notInHost(c rune) bool {
	letterOrDigit := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	return !letterOrDigit && !strings.ContainsRune(".-:[]", c)
}
