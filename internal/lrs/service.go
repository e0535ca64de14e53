package lrs

import (
	"context"
	"log/slog"
	"time"
	"uuid"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// Config is what a Service stands on.
type Config struct {
	Tables      table.DB
	Blobs       blob.Store
	Uploads     *transfer.Service // over the same blobs
	Positions   *position.Clock
	Horizon     Horizon
	Authorities Authorities
	ClockRight  func() error    // tells when this process's clock is not the tables', as far as is known; nil: it is
	OnlyWriter  bool            // no other process writes these tables: what was merged can be remembered
	OwnDisk     bool            // the tables lie on a local disk: bodies are packed for speed, not for size
	Log         *slog.Logger    // of damaged statements; nil: none
	NewID       func() [16]byte // ids of statements that come without one; nil: random UUIDs, version 4
}

// Authorities keeps the agents that have been an authority of a store.
type Authorities interface {
	// AddAuthority adds the term (kind auth.AuthorityTerm) of an agent, durably, before it returns.
	AddAuthority(ctx context.Context, store string, term [12]byte) error
}

// Service applies the rules of statements, activities and persons. It is safe for concurrent use.
type Service struct {
	Config
	packing packing
	merged  *mergeMemory
}

// New makes a Service.
func New(c Config) *Service {
	c.Tables = table.Metered(c.Tables)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ClockRight == nil {
		c.ClockRight = func() error { return nil }
	}
	if c.NewID == nil {
		c.NewID = func() [16]byte { return uuid.NewV4() }
	}
	s := &Service{Config: c, packing: packedZstd1}
	if c.OwnDisk {
		s.packing = packedS2
	}
	if c.OnlyWriter {
		s.merged = newMergeMemory()
	}
	return s
}

// ConsistentThrough returns the millisecond through which lists are complete. Source: xAPI 1.0.3 Communication 2.1.4.
func (s *Service) ConsistentThrough(ctx context.Context) (time.Time, error) {
	return s.Horizon.Through(ctx)
}

// Statement returns one live or, with voided, one voided statement; ErrNotFound for every other one, and for one that
// the credential may not read. Source: xAPI 1.0.3 Communication 2.1.3, Data 2.3.2.
func (s *Service) Statement(ctx context.Context, p auth.Principal, id string, voided bool) (Statement, error) {
	reader, err := readerOf(p)
	if err != nil {
		return Statement{}, err
	}
	notFound := &Refusal{Kind: ErrNotFound, Statement: -1, Message: "there is no such statement"}
	if voided {
		notFound.Message = "there is no such voided statement"
	}
	key, err := parseID(id)
	if err != nil {
		return Statement{}, &Refusal{Kind: ErrInvalid, Statement: -1, Message: "the statement's id is not a UUID"}
	}
	rows, _, err := s.Tables.Select(ctx, []table.Ref{statementRef(p.Store.ID, key)}, table.Strong, givenOutColumns...)
	if err != nil {
		return Statement{}, unavailable("the statement could not be read", err)
	}
	if rows[0] == nil {
		return Statement{}, notFound
	}
	r := &record{store: p.Store.ID, id: key}
	if err := r.takeGivenOut(rows[0]); err != nil {
		return Statement{}, err
	}
	if r.voided != voided || (reader != nil && !reader.admitsMembers(r.termList)) {
		return Statement{}, notFound
	}
	return s.statement(ctx, r)
}

// statement turns a record into what is given out.
func (s *Service) statement(ctx context.Context, r *record) (Statement, error) {
	body, err := s.body(ctx, r)
	if err != nil {
		return Statement{}, err
	}
	return Statement{ID: r.id.String(), Stored: r.position.Time(), Body: body,
		attachments: r.attachments, attachmentBytes: r.attachmentBytes, attachmentMonth: r.attachmentMonth}, nil
}

// anyOf is a filter that holds when a statement has one of the terms.
type anyOf []term

// readerOf is the filter that a credential's scopes put on everything it reads; nil for none.
func readerOf(p auth.Principal) (anyOf, error) {
	switch {
	case p.Scopes.MayRead():
		return nil, nil
	case p.Scopes.MayReadMine():
		owner, err := ownerTerm(p)
		return anyOf{owner}, err
	}
	return nil, &Refusal{Kind: ErrForbidden, Statement: -1, Message: "this credential may not read statements: it needs the scope statements/read, statements/read/mine, all/read or all"}
}
