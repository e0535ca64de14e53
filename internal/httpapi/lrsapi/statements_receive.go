package lrsapi

import (
	"fmt"
	"mime"
	"strings"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Where the rules of content stand.
const (
	contentSection    = "xAPI 1.0.3 Communication 1.5"
	multipartSection  = "xAPI 1.0.3 Communication 1.5.2"
	attachmentSection = "xAPI 1.0.3 Data 2.4.11"
)

// received is what a PUT or POST brought, checked.
type received struct {
	batch  []*xapi.Statement
	single bool       // one object, not an array
	parts  []lrs.Part // the attachments that came along, each digest once
}

// readStatements reads and checks the content of a request: statements as application/json, or as multipart/mixed with
// their attachments. Content without a Content-Type is taken for JSON, which it has to be anyway.
func readStatements(r *edge.Request) (received, error) {
	mediaType, params, err := r.MediaType()
	if err != nil {
		return received{}, err
	}
	switch mediaType {
	case "", "application/json", "multipart/mixed":
	case "application/x-www-form-urlencoded":
		return received{}, edge.BadRequest("xAPI 1.0.3 Communication 1.3", "a form needs the parameter method in the query: POST ?method=PUT, POST or GET")
	default:
		return received{}, edge.BadRequest(contentSection, "the Content-Type of statements must be application/json or multipart/mixed")
	}
	body, err := r.Body()
	if err != nil {
		return received{}, err
	}
	var parts []part
	if mediaType == "multipart/mixed" {
		if body, parts, err = splitParts(body, params["boundary"]); err != nil {
			return received{}, err
		}
	}
	in := received{}
	if in.batch, in.single, err = xapi.DecodeStatements(body, r.Version, xapi.DefaultLimits); err != nil {
		return received{}, err
	}
	in.parts, err = matchParts(in.batch, parts)
	return in, err
}

// declared is an attachment that a statement of the request describes.
type declared struct {
	statement int
	path      string
	xapi.Attachment
}

// matchParts holds the parts of a request against the attachments that its statements describe, by digest and by nothing
// else: each part must be described, and each attachment without fileUrl needs its part. Source: Communication 1.5.2.
func matchParts(batch []*xapi.Statement, parts []part) ([]lrs.Part, error) {
	bySHA2 := make(map[string]*part, len(parts))
	for i := range parts {
		bySHA2[parts[i].sha2] = &parts[i]
	}
	described := map[string]xapi.Attachment{}
	for i, s := range batch {
		var err error
		s.EachAttachment(func(path string, a xapi.Attachment) {
			if err == nil {
				err = checkAttachment(declared{statement: i, path: path, Attachment: a}, bySHA2[a.SHA2])
				described[a.SHA2] = a
			}
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([]lrs.Part, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		a, ok := described[p.sha2]
		if !ok {
			return nil, edge.BadRequest(multipartSection, "part %d belongs to no attachment: no statement describes its X-Experience-API-Hash", i+2)
		}
		if bySHA2[p.sha2] == p { // a digest may come twice, and is kept once
			out = append(out, lrs.Part{SHA2: p.sha2, ContentType: a.ContentType, Body: p.body})
		}
	}
	return out, nil
}

// checkAttachment holds one description against the part with its digest, nil when none came.
func checkAttachment(a declared, p *part) error {
	refuse := func(member, section, format string, args ...any) error {
		return edge.BadStatement(a.statement, a.path+member, section, format, args...)
	}
	switch {
	case p == nil && a.UsageType == xapi.SignatureUsage:
		return refuse("", "xAPI 1.0.3 Data 2.6", "the signature did not come along: it must be a part of the request, found by its sha2")
	case p == nil && a.FileURL == "":
		return refuse("", multipartSection, "the attachment has no fileUrl and no part of the request has its sha2: send it as multipart/mixed")
	case p == nil:
		return nil
	case a.Length != int64(len(p.body)):
		return refuse("/length", attachmentSection, "the attachment came with %d bytes, which is not its length", len(p.body))
	case p.contentType != "" && !sameMediaType(p.contentType, a.ContentType):
		return refuse("/contentType", multipartSection, "the Content-Type of the attachment's part is not its contentType")
	}
	return nil
}

// sameMediaType reports whether two media types agree: in type and subtype, and in each parameter that both have. The
// specification's own example declares a charset on one side only.
func sameMediaType(a, b string) bool {
	if a == b {
		return true
	}
	typeA, paramsA, errA := mime.ParseMediaType(a)
	typeB, paramsB, errB := mime.ParseMediaType(b)
	if errA != nil || errB != nil || typeA != typeB {
		return false
	}
	for name, value := range paramsA {
		if other, ok := paramsB[name]; ok && !strings.EqualFold(value, other) {
			return false
		}
	}
	return true
}

// partError is a refusal of one part, counted from 1 as people do.
func partError(number int, format string, args ...any) error {
	return edge.BadRequest(multipartSection, "part %d: %s", number, fmt.Sprintf(format, args...))
}
