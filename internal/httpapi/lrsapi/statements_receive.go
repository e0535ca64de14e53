package lrsapi

import (
	"fmt"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Where the rules of content stand.
const (
	contentSection   = "xAPI 1.0.3 Communication 1.5"
	multipartSection = "xAPI 1.0.3 Communication 1.5.2"
)

// received is what a PUT or POST brought: statements and parts each valid by itself. Which part belongs to which
// statement, and whether one is missing, is decided with the statements, in package lrs.
type received struct {
	batch  []*xapi.Statement
	single bool       // one object, not an array
	parts  []lrs.Part // the attachments that came along
}

// readStatements reads and checks the content of a request: statements as application/json, or as multipart/mixed with
// their attachments. Either may name uploads, each in place of a part. Content without a Content-Type is taken for JSON, which it
// has to be anyway.
func readStatements(r *edge.Request) (received, error) {
	mediaType, params, err := r.MediaType()
	if err != nil {
		return received{}, err
	}
	switch mediaType {
	case "", "application/json", "multipart/mixed":
	case "application/x-www-form-urlencoded":
		return received{}, edge.BadRequest("xAPI 1.0.3 Communication 1.3", "statements come with the Content-Type application/json; a form needs the parameter method in the query: POST ?method=PUT, POST or GET")
	default:
		return received{}, edge.BadRequest(contentSection, "the Content-Type of statements must be application/json or multipart/mixed")
	}
	body, err := r.Body()
	if err != nil {
		return received{}, err
	}
	in := received{}
	if mediaType == "multipart/mixed" {
		if body, in.parts, err = splitParts(body, params["boundary"]); err != nil {
			return received{}, err
		}
	}
	for _, id := range uploadIDs(r.Header) {
		in.parts = append(in.parts, lrs.Part{Upload: id})
	}
	if len(in.parts) > maxParts {
		return received{}, tooManyParts()
	}
	if in.batch, in.single, err = xapi.DecodeStatements(body, r.Version, xapi.DefaultLimits); err != nil {
		return received{}, err
	}
	return in, nil
}

// partError is a refusal of one part, counted from 1 as people do.
func partError(number int, format string, args ...any) error {
	return edge.BadRequest(multipartSection, "part %d: %s", number, fmt.Sprintf(format, args...))
}
