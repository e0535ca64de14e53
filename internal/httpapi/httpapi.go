// Package httpapi is the edge of Cairn: all routes on this page, the machinery they share in package edge, and one file
// per xAPI resource in package lrsapi.
//
//	GET|HEAD|PUT|POST         /xapi/statements          lrsapi/statements*.go
//	GET|HEAD|PUT|POST|DELETE  /xapi/activities/state    lrsapi/state.go
//	GET|HEAD|PUT|POST|DELETE  /xapi/activities/profile  lrsapi/activityprofile.go
//	GET|HEAD|PUT|POST|DELETE  /xapi/agents/profile      lrsapi/agentprofile.go
//	GET|HEAD                  /xapi/activities          lrsapi/activities.go
//	GET|HEAD                  /xapi/agents              lrsapi/agents.go
//	GET|HEAD                  /xapi/about               lrsapi/about.go, open to all
//	POST                      /xapi/uploads             lrsapi/uploads.go: Cairn's own, for what is larger than a request
//	GET|HEAD                  /xapi and /               page.go: what this is and how to speak to it
//
// The reports (package reportapi) are served by a handler and on an origin of their own:
//
//	/reports/v1/…                                       reportapi/*.go
//
// Each resource can also be served alone, as a Lambda function does. Slow clients are the business of the http.Server
// around a handler: it must set ReadHeaderTimeout, ReadTimeout, WriteTimeout and IdleTimeout.
package httpapi

import (
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/httpapi/lrsapi"
	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
)

// Base is the path of the xAPI endpoint; clients are configured with it.
const Base = "/xapi"

// Options are what the handlers of this package stand on. Only the services, but for Answers, and Authenticator must be set.
type Options struct {
	Statements    lrsapi.StatementService
	Documents     lrsapi.DocumentService
	Uploads       lrsapi.UploadService
	Answers       lrsapi.AnswerService // nil: answers of any size are given as they are
	Activities    lrsapi.ActivityService
	Persons       lrsapi.PersonService
	Reports       reportapi.Service
	Authenticator edge.Authenticator

	Log    *slog.Logger     // one line per request; nil: none
	Limits edge.Limits      // zero: edge.DefaultLimits
	Now    func() time.Time // nil: time.Now
	NewID  func() string    // makes request ids; nil: random ones
	Random io.Reader        // of multipart boundaries; nil: crypto/rand

	// RequestIDHeader names the header in which a trusted front hands over its id of the request; "" trusts none.
	RequestIDHeader string
}

// New serves every resource and the page that explains them: one process that is a whole LRS.
func New(o Options) http.Handler {
	return o.serve(o.statements(), o.state(), o.activityProfile(), o.agentProfile(), o.activities(), o.agents(), o.uploads(), about(), page("/"), page(Base))
}

// Statements serves the statements resource alone.
func Statements(o Options) http.Handler { return o.serve(o.statements()) }

// State serves the State Resource alone.
func State(o Options) http.Handler { return o.serve(o.state()) }

// ActivityProfile serves the Activity Profile Resource alone.
func ActivityProfile(o Options) http.Handler { return o.serve(o.activityProfile()) }

// AgentProfile serves the Agent Profile Resource alone.
func AgentProfile(o Options) http.Handler { return o.serve(o.agentProfile()) }

// Activities serves the activities resource alone.
func Activities(o Options) http.Handler { return o.serve(o.activities()) }

// Agents serves the agents resource alone.
func Agents(o Options) http.Handler { return o.serve(o.agents()) }

// Uploads serves the uploads resource alone.
func Uploads(o Options) http.Handler { return o.serve(o.uploads()) }

// About serves the about resource alone; it needs no service and no authenticator.
func About(o Options) http.Handler { return o.serve(about()) }

// Reports serves the report API. It never shares an origin with the other resources: they serve what learners stored.
func Reports(o Options) http.Handler {
	return edge.New(o.edge(reportapi.Dialect), reportapi.Resources(o.Reports)...)
}

func (o Options) statements() edge.Resource {
	return lrsapi.Statements(lrsapi.StatementsConfig{
		Service: o.Statements, Answers: o.Answers, Path: Base + "/statements", Now: o.Now, Random: o.Random,
	})
}

func (o Options) state() edge.Resource { return lrsapi.State(o.Documents, Base+"/activities/state") }

func (o Options) activityProfile() edge.Resource {
	return lrsapi.ActivityProfile(o.Documents, Base+"/activities/profile")
}

func (o Options) agentProfile() edge.Resource {
	return lrsapi.AgentProfile(o.Documents, Base+"/agents/profile")
}

func (o Options) activities() edge.Resource {
	return lrsapi.Activities(o.Activities, Base+"/activities")
}

func (o Options) agents() edge.Resource { return lrsapi.Agents(o.Persons, Base+"/agents") }

func (o Options) uploads() edge.Resource { return lrsapi.Uploads(o.Uploads, Base+"/uploads") }

func about() edge.Resource { return lrsapi.About(Base + "/about") }

func (o Options) serve(resources ...edge.Resource) http.Handler {
	return edge.New(o.edge(edge.Dialect{}), resources...)
}

func (o Options) edge(d edge.Dialect) edge.Options {
	return edge.Options{
		Authenticator: o.Authenticator, Log: o.Log, Limits: o.Limits, Now: o.Now, NewID: o.NewID, RequestIDHeader: o.RequestIDHeader, Dialect: d,
	}
}
