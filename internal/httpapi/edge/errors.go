package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/transfer"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// statuses is the one table from an error to its status. An *Error carries its own; an *xapi.Error is a 400, or a 413
// when it is a limit; whatever is not here is a 500. The codes are those of xAPI 1.0.3 Communication 3.2, and 503 for
// what may succeed when tried again.
var statuses = []struct {
	kind    error
	status  int
	section string // where the broken rule stands, or ""
}{
	{lrs.ErrInvalid, http.StatusBadRequest, ""},
	{auth.ErrUnauthorized, http.StatusUnauthorized, ""},
	{lrs.ErrForbidden, http.StatusForbidden, ""},
	{lrs.ErrNotFound, http.StatusNotFound, ""},
	{lrs.ErrConflict, http.StatusConflict, ""},
	{lrs.ErrTooLarge, http.StatusRequestEntityTooLarge, ""},
	{document.ErrContentType, http.StatusBadRequest, "RFC 9110, 8.3"},
	{document.ErrJSON, http.StatusBadRequest, "xAPI 1.0.3 Communication 3.2"},
	{document.ErrMerge, http.StatusBadRequest, "xAPI 1.0.3 Communication 2.2"},
	{document.ErrBare, http.StatusBadRequest, "xAPI 1.0.3 Communication 3.1"},
	{document.ErrNotFound, http.StatusNotFound, "xAPI 1.0.3 Communication 3.2"},
	{document.ErrExists, http.StatusConflict, "xAPI 1.0.3 Communication 3.1"},
	{document.ErrPrecondition, http.StatusPreconditionFailed, "xAPI 1.0.3 Communication 3.1"},
	{transfer.ErrUpload, http.StatusBadRequest, ""},
	{transfer.ErrUploadSize, http.StatusRequestEntityTooLarge, ""},
	{document.ErrID, http.StatusRequestEntityTooLarge, ""},
	{document.ErrMergedSize, http.StatusRequestEntityTooLarge, ""},
	{document.ErrList, http.StatusRequestEntityTooLarge, ""},
	{lrs.ErrUnavailable, http.StatusServiceUnavailable, ""},
	{table.ErrThrottled, http.StatusServiceUnavailable, ""},
	{table.ErrConflict, http.StatusServiceUnavailable, ""},
	{table.ErrUnknown, http.StatusServiceUnavailable, ""},
	{blob.ErrUnavailable, http.StatusServiceUnavailable, ""},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, ""},
	{context.Canceled, http.StatusServiceUnavailable, ""},
}

// retryAfter is the Retry-After header of a 503 and a 429, in seconds.
const retryAfter = "1"

// Error is a refusal with its status and the words meant for the client.
type Error struct {
	Status    int
	Message   string      // one sentence for the client; "" in a 500
	Statement int         // index in the request; -1 when no single statement is at fault
	Path      string      // JSON pointer into the statement, or ""
	Rule      string      // the rule of the specification that was broken, or ""
	Section   string      // where that rule stands: "xAPI 1.0.3 Communication 3.2"; "" for a limit of ours
	Header    http.Header // added to the answer; may be nil
	Cause     error       // for the log only; may be nil
}

// Error gives message and cause, for the log.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Cause)
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Refuse makes the refusal of a whole request.
func Refuse(status int, section, format string, args ...any) *Error {
	return &Error{Status: status, Section: section, Message: fmt.Sprintf(format, args...), Statement: -1}
}

// BadRequest makes a 400.
func BadRequest(section, format string, args ...any) *Error {
	return Refuse(http.StatusBadRequest, section, format, args...)
}

// BadStatement makes a 400 that names a statement of the request and a place in it.
func BadStatement(index int, path, section, format string, args ...any) *Error {
	e := BadRequest(section, format, args...)
	e.Statement, e.Path = index, path
	return e
}

// asError turns what a handler returned into what the client is told.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*xapi.Error](err); ok {
		status := http.StatusBadRequest
		if e.TooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		return &Error{Status: status, Message: e.Error(), Statement: e.Statement, Path: e.Path, Rule: e.Rule, Section: e.Section}
	}
	out := &Error{Status: http.StatusInternalServerError, Statement: -1, Cause: err}
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			out.Status, out.Message, out.Section = s.status, s.kind.Error(), s.section
			break
		}
	}
	if refusal, ok := errors.AsType[*lrs.Refusal](err); ok && out.Status != http.StatusInternalServerError {
		out.Message, out.Statement, out.Path = refusal.Message, refusal.Statement, refusal.Path
	}
	switch out.Status {
	case http.StatusServiceUnavailable:
		out.Message = "the store cannot do this just now: try again" // whatever an engine says stays in the log
		out.Header = http.Header{"Retry-After": {retryAfter}}
	case http.StatusInternalServerError:
		out.Message = "internal error"
	}
	return out
}
