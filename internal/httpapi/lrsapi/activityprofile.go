package lrsapi

import (
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
)

// ActivityProfile makes the Activity Profile Resource. IEEE 9274.1.1 names the parameter of its lists agent, a misprint.
// Source: xAPI 1.0.3 Communication 2.7; IEEE 9274.1.1 4.1.6.6.
func ActivityProfile(service DocumentService, path string) edge.Resource {
	d := &documents{
		service:  service,
		resource: document.ActivityProfile,
		scope:    auth.Profile,
		section:  "xAPI 1.0.3 Communication 2.7",
		owner:    []string{"activityId"},
		id:       "profileId",
	}
	return d.serve("activityprofile", path)
}
