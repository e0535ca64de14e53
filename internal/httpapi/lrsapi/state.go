package lrsapi

import (
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// State makes the State Resource. A document with a registration is another than the one without; lists, and DELETE
// without a stateId, cover every registration unless they name one. PUT replaces freely under 1.0.3, whose Communication 3.1
// exempts this resource; 2.0 does not (IEEE 9274.1.1 4.1.4). Source: xAPI 1.0.3 Communication 2.3; IEEE 9274.1.1 4.1.6.2.
func State(service DocumentService, path string) edge.Resource {
	d := &documents{
		service:    service,
		resource:   document.State,
		scope:      auth.State,
		section:    "xAPI 1.0.3 Communication 2.3",
		owner:      []string{"activityId", "agent"},
		id:         "stateId",
		further:    []string{"registration"},
		deletesAll: true,
		freePut:    xapi.V1,
	}
	return d.serve("state", path)
}
