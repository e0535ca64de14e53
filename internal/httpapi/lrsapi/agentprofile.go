package lrsapi

import (
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
)

// AgentProfile makes the Agent Profile Resource. Source: xAPI 1.0.3 Communication 2.6; IEEE 9274.1.1 4.1.6.5.
func AgentProfile(service DocumentService, path string) edge.Resource {
	d := &documents{
		service:  service,
		resource: document.AgentProfile,
		scope:    auth.Profile,
		section:  "xAPI 1.0.3 Communication 2.6",
		owner:    []string{"agent"},
		id:       "profileId",
	}
	return d.serve("agentprofile", path)
}
