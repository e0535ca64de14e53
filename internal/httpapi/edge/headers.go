package edge

import (
	"net/http"
	"strings"

	"github.com/cairn-lrs/cairn/internal/xapi"
)

// versionHeader is X-Experience-API-Version as net/http writes it; names of headers have no case.
const versionHeader = "X-Experience-Api-Version"

// requestIDHeader carries the id by which an operator finds the request in the log.
const requestIDHeader = "X-Request-Id"

// The values of headers that never differ, shared by all answers: nothing may append to them in place.
var (
	anyOrigin = []string{"*"}
	exposed   = []string{strings.Join([]string{
		"Content-Length", "Content-Type", "ETag", "Last-Modified", "Location", "Retry-After", "WWW-Authenticate",
		"X-Experience-API-Consistent-Through", "X-Experience-API-Version", "X-Request-Id",
	}, ", ")}
	sandbox = []string{"sandbox; default-src 'none'; frame-ancestors 'none'"}
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"}

	corsHeaders = []string{strings.Join([]string{
		"Accept", "Accept-Language", "Authorization", "Content-Language", "Content-Type", "If-Match", "If-None-Match",
		"Updated", "X-Cairn-Upload", "X-Experience-API-Hash", "X-Experience-API-Version", "X-Requested-With",
	}, ", ")}
	corsMaxAge = []string{"7200"} // seconds; browsers cap it there
)

// setCommonHeaders puts on what every answer has. Content that learners stored is served from this origin, so nothing on
// it runs as script, nothing is guessed to be another type, and no cache keeps it. Any origin may read the answers:
// there are no cookies here, only credentials that the caller already has, so cross-origin access gives nothing away.
// That holds for the xAPI resources only: no other origin may read what an API of our own answers.
func setCommonHeaders(h http.Header, requestID string, d Dialect) {
	h[requestIDHeader] = []string{requestID}
	if !d.Own {
		h[versionHeader] = v1Header
		h["Access-Control-Allow-Origin"] = anyOrigin
		h["Access-Control-Expose-Headers"] = exposed
	}
	h["Content-Security-Policy"] = sandbox
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
}

// preflight answers OPTIONS. A browser sends no credentials and no version with it. Nothing is refused here, or content
// could not read why: a path that is not there (resource is nil) and a query that is too long get their answer with the
// request that follows.
// Source: WHATWG Fetch, 3.3 "CORS protocol"; xAPI 1.0.3 Communication, appendix C, for why.
func preflight(w http.ResponseWriter, resource *Resource) {
	h := w.Header()
	h["Access-Control-Allow-Methods"] = []string{resource.allowed()}
	h["Access-Control-Allow-Headers"] = corsHeaders
	h["Access-Control-Max-Age"] = corsMaxAge
	h["Allow"] = []string{resource.allowed()}
	w.WriteHeader(http.StatusNoContent)
}

var v1Header, v2Header = []string{string(xapi.V1)}, []string{string(xapi.V2)}

// announceVersion puts the version of the answer on it: exactly 1.0.3 or 2.0.0, the nearer one when the request's is
// refused. It is done before anything is refused, and again for a version that came in a form.
func (r *Request) announceVersion(answer http.Header) (xapi.Version, error) {
	sent := strings.TrimSpace(r.Header.Get(versionHeader))
	version, err := xapi.ParseVersion(sent)
	if version == xapi.V2 || err != nil && sent >= "2" {
		answer[versionHeader] = v2Header
	}
	if err == nil && len(r.Header[versionHeader]) > 1 {
		err = xapi.ErrVersion
	}
	return version, err
}

// readVersion reads X-Experience-API-Version. Open resources take any value or none.
// Source: xAPI 1.0.3 Communication 3.3.
func (r *Request) readVersion(answer http.Header, open bool) error {
	version, err := r.announceVersion(answer)
	switch {
	case err == nil:
		r.Version = version
	case open:
	case strings.TrimSpace(r.Header.Get(versionHeader)) == "":
		return BadRequest("xAPI 1.0.3 Communication 3.3", "the header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0")
	default:
		return BadRequest("xAPI 1.0.3 Communication 3.3", "%s", err)
	}
	return nil
}
