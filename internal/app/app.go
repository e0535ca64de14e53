// Package app wires Cairn from its ports: rules over tables and blobs, the edge over the rules. It knows no driver;
// app/local opens those of one machine, app/cloud those of AWS.
package app

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/httpapi"
	"github.com/cairn-lrs/cairn/internal/httpapi/lrsapi"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// Ports are what an App stands on.
type Ports struct {
	Tables  table.DB
	Scanner table.Scanner // for the operator's commands; nil in functions
	Blobs   blob.Store

	// Transfer makes URLs for what is larger than a request or an answer.
	Transfer blob.Transfer

	// AnswersByURL says that answers have a limit, as those of AWS Lambda have: statements with attachments that are larger are
	// given by a URL.
	AnswersByURL bool

	Log *slog.Logger     // one line per request; nil: none
	Now func() time.Time // nil: time.Now

	// OnlyWriter says that no other process writes these tables, as on the local road.
	OnlyWriter bool

	// IndexLag is how late an index entry may be when lists are announced as complete.
	IndexLag time.Duration

	// ClockSkew is how far the clocks of two writers may be apart; one writer has one clock.
	ClockSkew time.Duration

	// ClockRight tells when this process's clock is further from the tables' than ClockSkew, as far as is known; nil: it never
	// is.
	ClockRight func() error

	// Shards is how many shards a new store gets.
	Shards int

	// ReportBound is the most ledgers that one report may read; 0: report.DefaultBound.
	ReportBound int

	// RequestIDHeader names the header in which a trusted front hands over its id of the request; "" trusts none.
	RequestIDHeader string
}

// App is the wired whole. Its parts are safe for concurrent use.
type App struct {
	Directory  *auth.Directory
	Statements *lrs.Service
	Documents  *document.Service
	Rollups    *Rollups
	Reports    *report.Service

	options httpapi.Options
}

// New wires an App. It does no I/O.
func New(p Ports) *App {
	if p.Now == nil {
		p.Now = time.Now
	}
	// Authentication is metered with the request that it is for.
	directory := auth.NewDirectory(auth.Config{Tables: table.Metered(p.Tables), Scanner: p.Scanner, Now: p.Now, Shards: p.Shards})
	positions := position.NewClock(p.Now, nil)
	var horizon lrs.Horizon = lrs.ManyProcesses{Now: p.Now, IndexLag: p.IndexLag, ClockSkew: p.ClockSkew, ClockRight: p.ClockRight}
	if p.OnlyWriter {
		horizon = lrs.OneProcess{Positions: positions, IndexLag: p.IndexLag}
	}
	transfers := transfer.New(transfer.Config{Blobs: p.Blobs, URLs: p.Transfer, Now: p.Now})
	service := lrs.New(lrs.Config{
		Tables:      p.Tables,
		Blobs:       p.Blobs,
		Uploads:     transfers,
		Positions:   positions,
		Horizon:     horizon,
		Authorities: directory,
		ClockRight:  p.ClockRight,
		OnlyWriter:  p.OnlyWriter,
		OwnDisk:     p.OnlyWriter,
		Log:         p.Log,
	})
	documents := document.New(document.Config{Tables: p.Tables, Blobs: p.Blobs, Transfer: transfers, Now: p.Now})
	reports := newReports(p, service)
	var answers lrsapi.AnswerService
	if p.AnswersByURL {
		answers = transfers
	}
	return &App{
		Directory:  directory,
		Statements: service,
		Documents:  documents,
		Rollups:    newRollups(p, directory, service),
		Reports:    reports,
		options: httpapi.Options{
			Statements:      service,
			Documents:       documents,
			Uploads:         transfers,
			Answers:         answers,
			Activities:      service,
			Persons:         service,
			Reports:         reports,
			Authenticator:   directory,
			Log:             p.Log,
			Now:             p.Now,
			RequestIDHeader: p.RequestIDHeader,
		},
	}
}

// Handler serves everything: one process that is a whole LRS.
func (a *App) Handler() http.Handler { return httpapi.New(a.options) }

// StatementsHandler serves the statements resource alone.
func (a *App) StatementsHandler() http.Handler { return httpapi.Statements(a.options) }

// StateHandler serves the State Resource alone.
func (a *App) StateHandler() http.Handler { return httpapi.State(a.options) }

// ActivityProfileHandler serves the Activity Profile Resource alone.
func (a *App) ActivityProfileHandler() http.Handler { return httpapi.ActivityProfile(a.options) }

// AgentProfileHandler serves the Agent Profile Resource alone.
func (a *App) AgentProfileHandler() http.Handler { return httpapi.AgentProfile(a.options) }

// ActivitiesHandler serves the activities resource alone.
func (a *App) ActivitiesHandler() http.Handler { return httpapi.Activities(a.options) }

// AgentsHandler serves the agents resource alone.
func (a *App) AgentsHandler() http.Handler { return httpapi.Agents(a.options) }

// UploadsHandler serves the uploads resource alone.
func (a *App) UploadsHandler() http.Handler { return httpapi.Uploads(a.options) }

// AboutHandler serves the about resource alone. It needs no ports.
func AboutHandler(log *slog.Logger, requestIDHeader string) http.Handler {
	return httpapi.About(httpapi.Options{Log: log, RequestIDHeader: requestIDHeader})
}
