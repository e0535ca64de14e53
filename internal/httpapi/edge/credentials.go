package edge

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// authenticate finds the principal by Basic credentials. Missing, unknown and wrong ones get one answer.
// Source: xAPI 1.0.3 Communication 4.0.
func (e *Edge) authenticate(r *Request) error {
	key, secret, ok := (&http.Request{Header: r.Header}).BasicAuth()
	if !ok && r.form != nil && fromOtherPage(r.http) {
		return unauthorized(e.Dialect, "a form of another origin brings Basic credentials as its field Authorization, with a key and its secret")
	}
	if !ok {
		return unauthorized(e.Dialect, "this resource needs Basic credentials: the header Authorization with a key and its secret")
	}
	principal, err := e.Authenticator.Authenticate(r.Context(), key, secret)
	if errors.Is(err, auth.ErrUnauthorized) {
		return unauthorized(e.Dialect, "these credentials are not valid")
	}
	if err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	r.Principal = principal
	return nil
}

// unauthorized is a 401 with its challenge. Source: RFC 7617, 2 and 2.1.
func unauthorized(d Dialect, message string) error {
	e := Refuse(http.StatusUnauthorized, "xAPI 1.0.3 Communication 4.0", "%s", message)
	e.Header = http.Header{"Www-Authenticate": {`Basic realm="` + d.Realm + `", charset="UTF-8"`}}
	return e
}

// Forbid is the refusal of a credential whose scopes do not allow the request. Source: xAPI 1.0.3 Communication 4.2.
func Forbid(scopes string) error {
	return Refuse(http.StatusForbidden, "xAPI 1.0.3 Communication 4.2", "this credential may not do that: it needs the scope %s", scopes)
}
