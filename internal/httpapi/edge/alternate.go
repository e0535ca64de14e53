package edge

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// form is what the alternate request syntax carried as the request's content.
type form struct {
	content []byte
	present bool
}

// formMethods are the methods that the alternate request syntax may stand for.
var formMethods = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete}

// formHeaders are the headers that come as form fields, by their lower-case names.
var formHeaders = map[string]string{
	"authorization":            "Authorization",
	"x-experience-api-version": "X-Experience-Api-Version",
	"content-type":             "Content-Type",
	"content-length":           "Content-Length",
	"if-match":                 "If-Match",
	"if-none-match":            "If-None-Match",
}

const alternateSection = "xAPI 1.0.3 Communication 1.3"

// unpackForm turns a POST with ?method=… into the request that it stands for: the form's fields become headers,
// parameters and content. It happens before authentication, since the credentials are in the form. The form's own
// Content-Type is not looked at: Internet Explorer's cross-domain requests cannot set one. IEEE 9274.1.1 dropped this
// syntax; it is kept for 2.0 because a query that is too long for the gateway has no other way.
// Source: xAPI 1.0.3 Communication 1.3.
func (r *Request) unpackForm() error {
	if len(r.Params) > 1 {
		return BadRequest(alternateSection, "beside the parameter method no other may stand in the query: send them in the form")
	}
	method := r.Params["method"]
	if !slices.Contains(formMethods, method) {
		return BadRequest(alternateSection, "the parameter method must be one of %s", strings.Join(formMethods, ", "))
	}
	raw, err := r.readForm()
	if err != nil {
		return err
	}
	fields, err := parseParams(string(raw))
	if err != nil {
		return err
	}
	header := r.Header.Clone()
	for _, own := range []string{"Content-Type", "Content-Length"} { // those of the form, not of the content
		header.Del(own)
	}
	if fromOtherPage(r.http) {
		header.Del("Authorization")
	}
	r.form = &form{}
	r.Params = make(Params, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		canonical, isHeader := formHeaders[strings.ToLower(name)]
		switch {
		case isHeader:
			if !validHeaderValue(value) {
				return BadRequest(alternateSection, "form field %q is not a header's value", name)
			}
			header.Set(canonical, value)
		case name == "content":
			r.form.content, r.form.present = []byte(value), true
		default:
			r.Params[name] = value
		}
	}
	r.Method, r.Header = method, header
	return r.checkFormContent()
}

// maxForms is how many bytes of large forms are read at a time. Until a form is read nobody knows who sends it, so it is what
// anybody on the network can make a server keep in memory.
const maxForms = 64 << 20

// room is what large forms take while they are read.
type room struct{ taken atomic.Int64 }

// take takes so many bytes; false when there is no room for them.
func (r *room) take(n int64) bool {
	if r.taken.Add(n) <= maxForms {
		return true
	}
	r.taken.Add(-n)
	return false
}

// readForm reads the form. Small ones need no room.
func (r *Request) readForm() ([]byte, error) {
	limit := r.limits.Binary
	size := r.http.ContentLength
	if size < 0 {
		size = limit
	}
	if size > firstRead && size <= limit {
		if !r.room.take(size) {
			e := Refuse(http.StatusTooManyRequests, "", "too many large forms come at a time: try again")
			e.Header = http.Header{"Retry-After": {retryAfter}}
			return nil, e
		}
		defer r.room.taken.Add(-size)
	}
	return r.readBody(limit)
}

// fromOtherPage reports whether a browser sends the request for a page of another origin that was asked for no preflight. Browsers
// add the credentials that they remember of an origin to what any page's form sends there, so a form brings its credentials as a
// field, or whoever made the page would act with those of its visitor. A page that sets a header of its own, as clients set
// X-Experience-API-Version, is asked for a preflight, and its answer allows no remembered credentials.
// Source: Fetch standard, "CORS-preflight request" and "CORS protocol and credentials".
func fromOtherPage(r *http.Request) bool {
	return r.Header.Get("X-Experience-API-Version") == "" && anyPage.Check(r) != nil
}

var anyPage = http.NewCrossOriginProtection()

// checkFormContent holds content and method against each other.
func (r *Request) checkFormContent() error {
	switch r.Method {
	case http.MethodPut, http.MethodPost:
		if !r.form.present {
			return BadRequest(alternateSection, "the form has no field content, which %s needs", r.Method)
		}
	default:
		if len(r.form.content) > 0 {
			return BadRequest(alternateSection, "the form has a field content, which %s does not take", r.Method)
		}
	}
	return nil
}

// validHeaderValue reports whether s could stand in a header: no control characters, valid UTF-8.
func validHeaderValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}
