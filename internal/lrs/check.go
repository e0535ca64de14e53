package lrs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"maps"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Check derives every term, term entry, index entry and reference again from the stored statements alone, compares
// them with what the tables hold, and reports each difference. It holds some 600 bytes a statement in memory, and 200 for each
// attachment of past months. While statements are being stored it may report what is only under way; on a quiet deployment every
// report is real damage.
type Check struct {
	*Service
	Scanner table.Scanner
	Lister  blob.Lister
	Stores  func(ctx context.Context, id string) (auth.Store, error)
	Report  func(Difference)
	Remove  bool // contents that no statement refers to are removed

	stores  map[string]auth.Store
	nodes   map[string]*node // by partition key of Statements
	garbage map[string]int64 // sizes of closed contents to which no statement read so far refers
	unread  bool             // a statement's record cannot be read
	Summary CheckSummary
}

// CheckSummary counts what a check has seen.
type CheckSummary struct {
	Statements, Entries, IndexEntries, References, Blobs int
	Differences                                          int
	// Garbage counts entries of attempts that failed: they point to nothing, are never listed, and harm nothing.
	Garbage int
	// Contents counts the attachments and large bodies that such attempts left, ContentBytes their bytes, and Removed how many of
	// them were removed.
	Contents, ContentBytes, Removed int64
}

// Difference is one thing that is not as the statements say.
type Difference struct {
	Store     string
	Statement string // id; "" when none can be named
	What      string // one of the words below
	Detail    string
}

// What can differ.
const (
	DamagedStatement = "damaged statement" // its body cannot be read, or is not what its key says
	WrongTerms       = "wrong terms"
	WrongIndexKeys   = "wrong index keys"
	VoidedButListed  = "voided but listed" // or the other way round
	MissingEntry     = "missing entry"
	ExtraEntry       = "extra entry"
	MissingReference = "missing reference"
	LostBlob         = "lost blob"
	DamagedBlob      = "damaged blob"
)

// node is one statement as the check remembers it.
type node struct {
	*record
	derived ownTerms
	closed  termSet // effective terms as they should be: derived, and inherited along references
	over    bool    // the bound of effective terms was reached
	void    bool    // should be voided
}

// Run checks everything. The error is one of reading or removing, never a difference.
func (c *Check) Run(ctx context.Context) (summary CheckSummary, err error) {
	c.stores, c.nodes = map[string]auth.Store{}, map[string]*node{}
	if c.garbage, err = c.closedContents(ctx); err != nil {
		return c.Summary, err
	}
	for item, err := range scanned(ctx, c.Scanner, schema.Statements) {
		if err != nil {
			return c.Summary, err
		}
		if err := c.statement(ctx, item); err != nil {
			return c.Summary, err
		}
	}
	c.expect()
	for _, n := range c.nodes {
		c.compare(n)
	}
	for _, step := range []func(context.Context) error{c.clearGarbage, c.entries, c.references, c.indexes} {
		if err := step(ctx); err != nil {
			return c.Summary, err
		}
	}
	return c.Summary, nil
}

func (c *Check) differs(store, statement, what, format string, args ...any) {
	c.Summary.Differences++
	c.Report(Difference{Store: store, Statement: statement, What: what, Detail: fmt.Sprintf(format, args...)})
}

// scanned yields every item of a table.
func scanned(ctx context.Context, scanner table.Scanner, name string) iter.Seq2[table.Item, error] {
	return table.Items(table.ScanPages(ctx, scanner, name, 0, 1))
}

// statement reads one statement, with its body and attachments, and derives its own terms.
func (c *Check) statement(ctx context.Context, item table.Item) error {
	c.Summary.Statements++
	r, err := recordOf(item)
	if err != nil {
		c.differs("", "", DamagedStatement, "%v", err)
		c.unread = true
		return nil
	}
	c.refer(r)
	n := &node{record: r}
	store, err := c.store(ctx, r.store)
	if err != nil {
		c.differs(r.store, r.id.String(), DamagedStatement, "its store cannot be read: %v", err)
		return nil
	}
	body, err := c.body(ctx, r)
	if errors.Is(err, blob.ErrUnavailable) || ctx.Err() != nil {
		return err
	}
	if err == nil {
		n.derived, err = derive(store, r, body)
	}
	if err != nil {
		what := DamagedStatement
		if errors.Is(err, blob.ErrNotFound) {
			what = LostBlob
		}
		c.differs(r.store, r.id.String(), what, "%v", err)
		return nil
	}
	r.own, r.body = n.derived, nil
	n.compareKeys(c, item)
	c.nodes[item[schema.PK].S] = n
	return c.attachments(ctx, r)
}

func (c *Check) store(ctx context.Context, id string) (auth.Store, error) {
	if store, ok := c.stores[id]; ok {
		return store, nil
	}
	store, err := c.Stores(ctx, id)
	if err == nil {
		c.stores[id] = store
	}
	return store, err
}

// derive reads a stored body and checks that it is the statement that its record says.
func derive(store auth.Store, r *record, body []byte) (ownTerms, error) {
	st, err := xapi.DecodeStatement(body, xapi.V2, xapi.DefaultLimits)
	if err != nil {
		return ownTerms{}, fmt.Errorf("read body: %w", err)
	}
	if st.ID != r.id.String() {
		return ownTerms{}, errors.New("the id in its body is another one")
	}
	if at, err := xapi.ParseTimestamp(st.Stored); err != nil || !at.Equal(r.position.Time()) {
		return ownTerms{}, errors.New("the stored time in its body is not its position's")
	}
	if st.Authority == nil {
		return ownTerms{}, errors.New("its body has no authority")
	}
	var target statementID
	if ref, ok := st.Refers(); ok {
		if target, err = parseID(ref); err != nil {
			return ownTerms{}, err
		}
	}
	if _, voids := st.Voids(); target != r.refers || voids != r.voiding {
		return ownTerms{}, errors.New("its body refers to something else than its record")
	}
	return termsOf(newTermMaker(store), st, st.Authority), nil
}

// compareKeys compares the index keys on the item with those of the derived terms.
func (n *node) compareKeys(c *Check, item table.Item) {
	want := map[string]string{}
	if !n.voided {
		want = n.indexKeys()
	}
	for _, attr := range indexAttributes {
		if got := item[attr].S; got != want[attr] {
			c.differs(n.store, n.id.String(), WrongIndexKeys, "attribute %s is %q, want %q", attr, got, want[attr])
		}
	}
}

func (c *Check) attachments(ctx context.Context, r *record) error {
	for _, digest := range r.attachments {
		c.Summary.Blobs++
		sha2 := hex.EncodeToString(digest)
		h := digestOf(len(digest))
		body, err := blob.Open(ctx, c.Blobs, attachmentKey(r.store, r.attachmentMonth, sha2))
		if err == nil {
			_, err = io.Copy(h, body)
			err = errors.Join(err, body.Close())
		}
		switch {
		case errors.Is(err, blob.ErrNotFound):
			c.differs(r.store, r.id.String(), LostBlob, "attachment %s", sha2)
		case err != nil:
			return fmt.Errorf("read attachment %s: %w", sha2, err)
		case !bytes.Equal(h.Sum(nil), digest):
			c.differs(r.store, r.id.String(), DamagedBlob, "attachment %s has other bytes", sha2)
		}
	}
	return nil
}

// digestOf is the hash of xAPI attachments by the length of its digest. Source: xAPI 1.0.3 Data 2.4.11.
func digestOf(size int) hash.Hash {
	switch size {
	case sha512.Size384:
		return sha512.New384()
	case sha512.Size:
		return sha512.New()
	}
	return sha256.New()
}

// expect computes what every statement's effective terms and voided state should be.
func (c *Check) expect() {
	var referrers []*node
	for _, n := range c.nodes {
		n.closed = n.derived.all
		if n.refers == (statementID{}) {
			continue
		}
		referrers = append(referrers, n)
		n.closed = maps.Clone(n.derived.all)
		if target := c.target(n); n.voiding && target != nil && !target.voiding {
			target.void = true
		}
	}
	for changed := true; changed; {
		changed = false
		for _, n := range referrers {
			target := c.target(n)
			if target == nil {
				continue
			}
			for t := range target.closed.inheritable() {
				changed = changed || !n.closed.has(t)
				n.closed.add(t)
			}
			n.over = len(n.closed) > MaxEffectiveTerms
		}
	}
}

func (c *Check) target(n *node) *node {
	if n.refers == (statementID{}) {
		return nil
	}
	return c.nodes[referencePartition(n.store, n.refers)]
}

// compare compares a statement's terms and voided state with what they should be.
func (c *Check) compare(n *node) {
	have := n.effective()
	lacks := have.missing(n.closed)
	extra := n.closed.missing(have)
	if n.over && n.truncated {
		lacks = have.missing(n.derived.all) // which terms it inherited before the bound depends on the order
	}
	if len(lacks) > 0 || len(extra) > 0 {
		c.differs(n.store, n.id.String(), WrongTerms, "%d missing, %d too many", len(lacks), len(extra))
	}
	if n.voided != n.void {
		c.differs(n.store, n.id.String(), VoidedButListed, "voided is %t, want %t", n.voided, n.void)
	}
}
