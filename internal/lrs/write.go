package lrs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// write is one request to store statements, on its way.
type write struct {
	*Service
	p          auth.Principal
	statements []*incoming
	byID       map[statementID]*incoming
	targets    map[statementID]*record // stored statements that the request refers to, as look found them
	month      string                  // in the keys of the attachments' contents
}

// incoming is one statement of a request.
type incoming struct {
	index  int // in the request
	in     *xapi.Statement
	id     statementID
	chosen bool // the id was chosen by the client, so it may be taken
	own    ownTerms
	target statementID // zero unless the object is a StatementRef
	voids  bool
	parts  []*part // attachments whose bytes came with it

	authority []byte // JSON; nil keeps the one that was sent

	stored  *record // an equal statement that was there before: this one changes nothing
	record  *record // what is put
	entries []table.Write
}

// Store stores all statements of a request or none, and returns their ids in the order of the request. Errors wrap a
// *Refusal or *xapi.Error when the client is to be told; a context error means that nothing is known.
// Source: xAPI 1.0.3 Communication 2.1.1, 2.1.2.
func (s *Service) Store(ctx context.Context, p auth.Principal, batch []*xapi.Statement, parts []Part) ([]string, error) {
	if !p.Scopes.MayWrite() {
		return nil, &Refusal{Kind: ErrForbidden, Statement: -1, Message: "this credential may not store statements: it needs the scope statements/write or all"}
	}
	w := &write{Service: s, p: p, byID: make(map[statementID]*incoming, len(batch))}
	if err := w.take(ctx, batch, parts); err != nil {
		return nil, err
	}
	if err := w.look(ctx); err != nil {
		return nil, err
	}
	if err := w.putAttachments(ctx); err != nil {
		return nil, err
	}
	if err := w.addAuthorities(ctx); err != nil {
		return nil, err
	}
	end, err := w.commit(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	if err := w.complete(ctx); err != nil {
		return nil, unavailable("the statements are stored, but what refers to them is not linked yet", err)
	}
	if err := w.describe(ctx); err != nil {
		return nil, unavailable("the statements are stored, but what they say of activities and agents is not merged yet", err)
	}
	ids := make([]string, len(w.statements))
	for i, st := range w.statements {
		ids[i] = st.id.String()
	}
	return ids, nil
}

// unavailable is the refusal of a request that may be repeated as it is: repeating stores nothing twice.
func unavailable(what string, cause error) error {
	return &Refusal{Kind: ErrUnavailable, Statement: -1, Message: what + ": repeat the request", Cause: cause}
}

// take gives every statement its id, its terms and its attachments, and checks the limits of a request.
func (w *write) take(ctx context.Context, batch []*xapi.Statement, parts []Part) error {
	if len(batch) > MaxBatch {
		return &Refusal{Kind: ErrTooLarge, Statement: -1,
			Message: fmt.Sprintf("%d statements in one request: the limit is %d; send several requests, or use `cairn import`", len(batch), MaxBatch)}
	}
	credential, err := xapi.DecodeAgent(w.p.Authority, xapi.V1)
	if err != nil {
		return fmt.Errorf("read authority of credential: %w", err)
	}
	terms := newTermMaker(w.p.Store)
	for i, in := range batch {
		st := &incoming{index: i, in: in, chosen: in.ID != "", authority: w.p.Authority}
		authority := credential
		if w.p.Trusted && in.Authority != nil {
			st.authority, authority = nil, in.Authority
		}
		if err := st.name(w.NewID); err != nil {
			return err
		}
		if other, taken := w.byID[st.id]; taken {
			return &Refusal{Kind: ErrInvalid, Statement: i, Path: "/id",
				Message: fmt.Sprintf("statement %d has the same id as statement %d of this request", i, other.index)}
		}
		st.own = termsOf(terms, in, authority)
		if n := len(st.own.all); n > MaxOwnTerms {
			return &Refusal{Kind: ErrTooLarge, Statement: i,
				Message: fmt.Sprintf("statement %d names %d agents, activities and other searchable things: the limit is %d", i, n, MaxOwnTerms)}
		}
		if target, ok := in.Refers(); ok {
			if st.target, err = parseID(target); err != nil {
				return err
			}
			_, st.voids = in.Voids()
		}
		w.byID[st.id] = st
		w.statements = append(w.statements, st)
	}
	return w.matchParts(ctx, parts)
}

// name takes the statement's own id or a new one. Source: xAPI 1.0.3 Data 2.4.1.
func (st *incoming) name(newID func() [16]byte) (err error) {
	if !st.chosen {
		st.id = newID()
		return nil
	}
	st.id, err = parseID(st.in.ID)
	return err
}

// look reads, in one strong batch, the ids that the client chose and the statements that are referred to.
func (w *write) look(ctx context.Context) error {
	var refs []table.Ref
	var ids []statementID
	asked := map[statementID]bool{}
	ask := func(id statementID) {
		if !asked[id] {
			asked[id] = true
			ids, refs = append(ids, id), append(refs, statementRef(w.p.Store.ID, id))
		}
	}
	for _, st := range w.statements {
		if st.chosen {
			ask(st.id)
		}
		if st.target != (statementID{}) && w.byID[st.target] == nil {
			ask(st.target)
		}
	}
	items, err := w.batchGet(ctx, refs)
	if err != nil {
		return unavailable("the statements' ids could not be looked up", err)
	}
	w.targets = make(map[statementID]*record)
	for i, item := range items {
		if item == nil {
			continue
		}
		st := w.byID[ids[i]]
		found, err := recordOf(item)
		if err != nil && st == nil {
			continue // a target that is damaged counts as not there
		}
		if err != nil {
			return err
		}
		if st != nil {
			if err := w.settle(ctx, st, found); err != nil {
				return err
			}
		}
		w.targets[ids[i]] = found
	}
	return w.mayVoid()
}

func (s *Service) batchGet(ctx context.Context, refs []table.Ref) ([]table.Item, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	items, _, err := s.Tables.BatchGet(ctx, refs, table.Strong)
	return items, err
}

// settle compares an incoming statement with the one that is stored under its id: equal ones change nothing, a
// different one is the conflict. Source: xAPI 1.0.3 Communication 2.1.1, Data 2.3.1.
func (w *write) settle(ctx context.Context, st *incoming, found *record) error {
	body, err := w.body(ctx, found)
	if err != nil {
		return err
	}
	equal, err := xapi.EqualStored(body, st.render(found.position))
	if err != nil {
		return fmt.Errorf("compare statement %s with the stored one: %w", st.id, err)
	}
	if !equal {
		return &Refusal{Kind: ErrConflict, Statement: st.index, Path: "/id",
			Message: fmt.Sprintf("a different statement is stored under the id %s", st.id)}
	}
	st.stored = found
	return nil
}

// mayVoid refuses the request when it voids what its credential may not. A target in the same request is the
// credential's own, unless it turns out to be an equal re-send of a statement that somebody else stored.
// Source: xAPI 1.0.3 Data 2.3.2.
func (w *write) mayVoid() error {
	if w.p.Scopes.MayVoidAny() {
		return nil
	}
	for _, st := range w.statements {
		if !st.voids {
			continue
		}
		target := w.targets[st.target]
		if sent := w.byID[st.target]; sent != nil {
			if sent.stored == nil {
				continue // stored by this very request
			}
			target = sent.stored
		}
		if target == nil || !w.owns(target) {
			return &Refusal{Kind: ErrForbidden, Statement: st.index,
				Message: "this credential may void only statements that it stored itself: voiding others needs the scope all"}
		}
	}
	return nil
}

// owns reports whether the principal's authority is the statement's.
func (w *write) owns(r *record) bool {
	owner, err := ownerTerm(w.p)
	return err == nil && r.effective().has(owner)
}

// ownerTerm is the term of every statement with the principal's authority.
func ownerTerm(p auth.Principal) (term, error) {
	authority, err := xapi.DecodeAgent(p.Authority, xapi.V1)
	if err != nil {
		return term{}, fmt.Errorf("read authority of credential: %w", err)
	}
	return newTerm(p.Store, ownerKind, authority.IFI.Key()), nil
}

// addAuthorities makes authorities that a trusted credential brings known to the store, before their first statement is.
func (w *write) addAuthorities(ctx context.Context) error {
	if !w.p.Trusted {
		return nil
	}
	known := map[[12]byte]bool{}
	for _, t := range w.p.Store.Authorities {
		known[[12]byte(t)] = true
	}
	for _, st := range w.statements {
		if st.authority != nil {
			continue
		}
		var missing [][12]byte
		eachAgent(st.in.Authority, func(ifi xapi.IFI) {
			if t := w.p.Store.Term(auth.AuthorityTerm, ifi.Key()); !known[t] {
				known[t] = true
				missing = append(missing, t)
			}
		})
		for _, t := range missing {
			if err := w.Authorities.AddAuthority(ctx, w.p.Store.ID, t); err != nil {
				return unavailable("the statements' authority could not be recorded", err)
			}
		}
	}
	return nil
}

// render is the statement as it is given out. The stored time, and what the LRS adds, do not count for equality.
func (st *incoming) render(at position.Position) []byte {
	stored := formatTime(at.Time())
	return st.in.Render(xapi.Edits{ID: st.id.String(), Stored: stored, Timestamp: stored, Authority: st.authority})
}

// formatTime writes a time as stored, with the milliseconds of its position.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// fresh lists the statements that are still to be put.
func (w *write) fresh() []*incoming {
	return slices.DeleteFunc(slices.Clone(w.statements), func(st *incoming) bool { return st.stored != nil })
}

// voidedBy reports whether a statement of the request voids the id.
func (w *write) voidedBy(id statementID) bool {
	return slices.ContainsFunc(w.statements, func(st *incoming) bool { return st.voids && st.target == id })
}

// place makes the records of the fresh statements at new positions, and the entries that name them.
func (w *write) place(ctx context.Context, fresh []*incoming, positions []position.Position) error {
	effective, truncated := w.effectiveTerms(fresh)
	size, entries := 0, 0
	for i, st := range fresh {
		body := st.render(positions[i])
		if size += len(body); size > MaxBatchBytes && len(fresh) > 1 {
			return &Refusal{Kind: ErrTooLarge, Statement: -1,
				Message: fmt.Sprintf("the statements of one request may have %d bytes together: send fewer at a time, or use `cairn import`", MaxBatchBytes)}
		}
		packed, err := pack(w.packing, body)
		if err != nil {
			return err
		}
		r := &record{
			store: w.p.Store.ID, id: st.id, position: positions[i], body: packed,
			terms: effective[st.id], truncated: truncated[st.id], own: st.own,
			refers: st.target, voiding: st.voids, shards: w.p.Store.WriteShards,
		}
		r.voided = !r.voiding && w.voidedBy(st.id)
		r.attachments, r.attachmentBytes = attachmentDigests(st.parts)
		r.attachmentMonth = w.month
		if len(packed) > maxInline {
			r.body, r.bodyBlob = nil, bodyKey(r)
			if err := w.Blobs.Put(ctx, r.bodyBlob, packed); err != nil {
				return unavailable("a large statement could not be stored", err)
			}
		}
		st.record = r
		st.entries = termEntries(r, slices.Concat(st.own.entries(), inherited(r.terms, st.own.all)))
		if st.target != (statementID{}) {
			st.entries = append(st.entries, referenceEntries(r)...)
		}
		if entries += len(st.entries); entries > MaxEntries && len(fresh) > 1 {
			return &Refusal{Kind: ErrTooLarge, Statement: -1,
				Message: fmt.Sprintf("the statements of one request may be found by %d members of groups, related activities and references together: send fewer at a time", MaxEntries)}
		}
	}
	return nil
}

// maxInline is the largest packed body that is kept in the item, in bytes: with 2,000 terms the item stays under 400 KB.
const maxInline = 300_000

// bodyKey is the blob key of a body that does not fit its item. The position makes it the body of one attempt.
func bodyKey(r *record) string {
	return fmt.Sprintf("%s/%s%s-%x", r.store, bodyFolder, r.id, r.position[:])
}

// inherited are the terms that a statement has by reference only; they need entries as no index holds them.
func inherited(effective, own termSet) []term {
	return slices.DeleteFunc(own.missing(effective), func(t term) bool { return t.kind() == authorityKind })
}

// termEntries are the items of Terms that list the statement under each of the terms.
func termEntries(r *record, terms []term) []table.Write {
	shard := shardOf(r.id, r.shards)
	entries := make([]table.Write, len(terms))
	for i, t := range terms {
		entries[i] = table.Put(schema.Terms, table.Item{
			schema.PK:          table.S(t.partition(r.store, shard)),
			schema.SK:          table.B(r.position[:]),
			schema.StatementID: table.B(r.id[:]),
		})
	}
	return entries
}
