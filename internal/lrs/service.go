package lrs

import (
	"context"
	"errors"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Config is what a Service stands on.
type Config struct {
	Tables    table.DB
	Blobs     blob.Store
	Positions *position.Clock
	Horizon   Horizon
}

// Service applies the rules of statements. It is safe for concurrent use.
type Service struct {
	Config
}

// New makes a Service.
func New(c Config) *Service { return &Service{Config: c} }

// Store stores all statements of a request or none, and returns their ids in the order of the request.
func (s *Service) Store(ctx context.Context, p auth.Principal, batch []*xapi.Statement, parts []Part) ([]string, error) {
	return nil, errors.New("being written")
}

// Statement returns one live (or, with voided, one voided) statement.
func (s *Service) Statement(ctx context.Context, p auth.Principal, id string, voided bool) (Statement, error) {
	return Statement{}, errors.New("being written")
}

// Query returns the first page of a list.
func (s *Service) Query(ctx context.Context, p auth.Principal, q Query) (Page, error) {
	return Page{}, errors.New("being written")
}

// More returns the page that a cursor of an earlier page stands for.
func (s *Service) More(ctx context.Context, p auth.Principal, cursor string) (Page, error) {
	return Page{}, errors.New("being written")
}

// Attachments returns the attachments that came with the statements, each digest once; those known by fileUrl only are not among them.
func (s *Service) Attachments(ctx context.Context, p auth.Principal, statements []Statement) ([]Part, error) {
	return nil, errors.New("being written")
}

// Definitions returns the canonical definitions (JSON) of those activities that have one.
func (s *Service) Definitions(ctx context.Context, p auth.Principal, activityIDs []string) (map[string][]byte, error) {
	return nil, errors.New("being written")
}

// ConsistentThrough returns the millisecond through which lists are complete. Source: xAPI 1.0.3 Communication 2.1.4.
func (s *Service) ConsistentThrough(ctx context.Context) (time.Time, error) {
	return time.Time{}, errors.New("being written")
}
