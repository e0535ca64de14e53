// Package table is the seam between Cairn's rules and the engine that keeps its
// items. The port has DynamoDB's data model and semantics, no richer, so that all
// storage logic is written once: table/dynamo speaks to DynamoDB, table/pebble keeps
// the same promises in one data directory, and table/tabletest is the suite that both
// pass.
//
// Limits, checked by every driver before anything is sent (errors wrap ErrInvalid):
// items of 400 KB, partition keys of 1 to 2,048 bytes, sort keys of 1 to 1,024 bytes,
// groups of 100 writes and 4 MB. Sources: DynamoDB developer guide, "Quotas" and
// "Managing complex workflows with transactions".
package table

import (
	"context"
	"errors"
	"time"
)

// Schema describes one table. The value for Cairn's tables is in package schema.
type Schema struct {
	Name      string
	Partition string  // attribute of the partition key, text
	Sort      string  // attribute of the sort key, binary; "" when the table has none
	Indexes   []Index // global secondary indexes, sparse
	Expiry    string  // attribute with the expiry in Unix seconds, which readers honour: engines delete late or never; "" without
	Stream    bool    // changes are fed to Feed
}

// Index describes one global secondary index. An item has an entry only while both key
// attributes exist on it.
type Index struct {
	Name      string
	Partition string   // attribute of the index's partition key, text
	Sort      string   // attribute of the index's sort key, binary
	Projects  []string // further attributes carried by the entry; the keys of index and table always are
}

// Kind says what a Value holds.
type Kind uint8

// The kinds of attribute value that the port needs, with DynamoDB's type letters.
const (
	Text   Kind = iota + 1 // S
	Number                 // N, an int64
	Binary                 // B
	Set                    // BS: a set of binaries, never empty
)

// Value is one attribute value. The zero Value is no value.
type Value struct {
	Kind Kind
	S    string
	N    int64
	B    []byte
	Set  [][]byte
}

// S makes a text value.
func S(s string) Value { return Value{Kind: Text, S: s} }

// N makes a number.
func N(n int64) Value { return Value{Kind: Number, N: n} }

// B makes a binary value; the bytes are not copied.
func B(b []byte) Value { return Value{Kind: Binary, B: b} }

// SetOf makes a set of binaries; the members are not copied, and duplicates are the caller's error.
func SetOf(members ...[]byte) Value { return Value{Kind: Set, Set: members} }

// Item is one item by attribute name, key attributes included. Items and the bytes in them are never
// changed after they were handed over, in either direction.
type Item map[string]Value

// Row is one item as a query sees it that names the attributes it wants (Query.Only): their values in the order of the names,
// the zero Value for what is absent. It takes a fraction of an Item's memory and, like an Item, never changes.
type Row []Value

// Key is an item's primary key. Sort is nil for tables without a sort key.
type Key struct {
	Partition string
	Sort      []byte
}

// Ref names one item of one table.
type Ref struct {
	Table string
	Key   Key
}

// Consistency of a read. Indexes only have Eventual.
type Consistency bool

// The two read consistencies. A Strong read sees every write that was acknowledged before it began.
const (
	Eventual Consistency = false
	Strong   Consistency = true
)

// Op is what a Write does.
type Op uint8

// The operations of a Write. Check writes nothing and is for groups only.
const (
	OpPut Op = iota + 1
	OpUpdate
	OpDelete
	OpCheck
)

// Write is one write or check of one item, made by Put, Update, Delete or Check.
// All conditions must hold; otherwise nothing is written.
type Write struct {
	Op      Op
	Table   string
	Key     Key      // of Update, Delete and Check; a Put's key is in its item
	Item    Item     // of Put
	Actions []Action // of Update
	If      []Condition
}

// Put replaces the whole item.
func Put(table string, item Item, conditions ...Condition) Write {
	return Write{Op: OpPut, Table: table, Item: item, If: conditions}
}

// Update changes single attributes and makes the item when it is absent.
func Update(ref Ref, actions []Action, conditions ...Condition) Write {
	return Write{Op: OpUpdate, Table: ref.Table, Key: ref.Key, Actions: actions, If: conditions}
}

// Delete removes the item; removing an absent one succeeds.
func Delete(ref Ref, conditions ...Condition) Write {
	return Write{Op: OpDelete, Table: ref.Table, Key: ref.Key, If: conditions}
}

// Check only tests conditions. For groups.
func Check(ref Ref, conditions ...Condition) Write {
	return Write{Op: OpCheck, Table: ref.Table, Key: ref.Key, If: conditions}
}

// Action is one change of one attribute in an Update, made by SetTo, Add or Remove.
// One attribute may stand in one action only, and never a key attribute of the table.
type Action struct {
	Verb  ActionVerb
	Attr  string
	Value Value
}

// ActionVerb is the kind of an Action.
type ActionVerb uint8

// The kinds of Action.
const (
	ActionSet ActionVerb = iota + 1
	ActionAdd
	ActionRemove
)

// SetTo gives the attribute a value.
func SetTo(attr string, v Value) Action { return Action{ActionSet, attr, v} }

// Add adds a number to a number (absent counts as 0) or unites a set with a set.
func Add(attr string, v Value) Action { return Action{ActionAdd, attr, v} }

// Remove removes the attribute if it is there.
func Remove(attr string) Action { return Action{ActionRemove, attr, Value{}} }

// Condition tests one attribute of the item as it is stored now, made by Absent, Present or Equals.
// An absent item has no attributes, so Absent(partition key attribute) means that there is no item.
type Condition struct {
	Test  Test
	Attr  string
	Value Value
}

// Test is the kind of a Condition.
type Test uint8

// The kinds of Condition.
const (
	TestAbsent Test = iota + 1
	TestPresent
	TestEquals
)

// Absent holds when the item has no such attribute.
func Absent(attr string) Condition { return Condition{TestAbsent, attr, Value{}} }

// Present holds when the item has the attribute.
func Present(attr string) Condition { return Condition{TestPresent, attr, Value{}} }

// Equals holds when the attribute has exactly this value.
func Equals(attr string, v Value) Condition { return Condition{TestEquals, attr, v} }

// Query reads one partition of a table or index in the order of its sort key.
type Query struct {
	Table       string
	Index       string // "" reads the table itself
	Partition   string
	From, To    []byte // bounds of the sort key, both inclusive; nil is open
	Descending  bool
	Limit       int    // most items of a page; 0 leaves it to the engine (1 MB)
	After       Cursor // Next of the page before; nil begins
	Consistency Consistency
	Only        []string // attributes that the page's Rows have, each once, of an index among those that it carries; nil: Items
}

// Cursor is an engine's own mark of where a query or scan goes on. It is not stored and not shown to clients.
type Cursor []byte

// Page is one page of a query or scan. A page may be short, or empty, and still have a Next; only a nil
// Next is the end. Items of an index hold the keys and the projected attributes only.
type Page struct {
	Items []Item
	Rows  []Row // instead of Items, when the query names attributes
	Next  Cursor
}

// Cost is what one call consumed, by DynamoDB's published arithmetic, indexes included. A call that failed has a
// cost too, as far as the engine tells.
type Cost struct {
	Read, Write float64   // capacity units; halves occur
	Date        time.Time // the server's time at the answer; zero when it gave none
}

// Plus adds two costs and keeps the later date.
func (c Cost) Plus(d Cost) Cost {
	if d.Date.After(c.Date) {
		c.Date = d.Date
	}
	return Cost{Read: c.Read + d.Read, Write: c.Write + d.Write, Date: c.Date}
}

// DB is the port. Calls honour the context's deadline and never act after they returned: a write that was sent
// and not answered in time returns ErrUnknown, and its connection is closed. Implementations are safe for
// concurrent use.
type DB interface {
	// Get reads one item; nil when there is none.
	Get(ctx context.Context, ref Ref, c Consistency) (Item, Cost, error)

	// BatchGet reads any number of items, of any tables. The answer is parallel to refs, nil where there is no
	// item. It is not a snapshot. What the engine leaves unread is asked again, with jitter, until the context
	// ends; then the error wraps ErrThrottled. Duplicate refs are allowed.
	BatchGet(ctx context.Context, refs []Ref, c Consistency) ([]Item, Cost, error)

	// Select is BatchGet of the attributes that are named, each once; keys are attributes, too. It costs what the whole items do.
	Select(ctx context.Context, refs []Ref, c Consistency, attributes ...string) ([]Row, Cost, error)

	// Query reads one page.
	Query(ctx context.Context, q Query) (Page, Cost, error)

	// Apply does one conditional write, durably and at most once: it is never retried once it may have been
	// applied. It returns the item as an Update left it (nil for the other operations). Errors: a *ConditionError;
	// ErrConflict and ErrThrottled (not applied); ErrUnknown (applied or not).
	Apply(ctx context.Context, w Write) (Item, Cost, error)

	// Group does up to 100 writes and checks, on as many different items, durably, all or none. Within ten
	// minutes the same non-empty token with the same writes applies once. Errors: a *GroupError that has the
	// old item of each failed condition; ErrConflict and ErrThrottled (not applied); ErrUnknown (all or none).
	Group(ctx context.Context, token string, ws []Write) (Cost, error)

	// Batch does any number of unconditional puts and deletes of different items, in any order, not atomically: after an
	// error any subset is done. What the engine leaves undone is tried again, with jitter, until the context
	// ends. It is durable at the latest when an Apply or Group that the same caller makes later returns.
	Batch(ctx context.Context, ws []Write) (Cost, error)

	Feed
}

// Feed is the stream of changes to the tables whose schema says Stream. Order is kept per item only; every
// change comes at least once. A write that changes nothing feeds nothing.
type Feed interface {
	// Shards lists the shards of a table's stream, parents before children.
	Shards(ctx context.Context, table string) ([]Shard, error)

	// Changes reads a shard after a sequence number ("" begins at its oldest change), at most limit changes.
	// An empty answer with open=true means nothing new yet; open=false that the shard has ended. When changes after
	// that number are no longer kept (DynamoDB keeps 24 hours), the error wraps ErrTrimmed.
	Changes(ctx context.Context, table, shard, after string, limit int) (changes []Change, open bool, err error)
}

// Shard is one shard of a stream.
type Shard struct {
	ID     string
	Parent string // "" when it has none
}

// Change is one change of one item.
type Change struct {
	Table    string
	Key      Key
	Shard    string
	Sequence string // rises within the shard
	Old, New Item   // nil: absent before, absent after
}

// Scanner reads whole tables. It is for the operator's commands only and never granted to a function.
type Scanner interface {
	// Scan reads one page of segment 0 ≤ segment < of, in no particular order, strongly consistent.
	Scan(ctx context.Context, table string, segment, of int, after Cursor) (Page, Cost, error)
}

// The outcomes of a call that did not do what was asked.
var (
	ErrInvalid   = errors.New("table: request is not valid")              // a limit or rule of the port was broken; nothing was sent
	ErrConflict  = errors.New("table: another transaction is in the way") // not applied; may be tried again
	ErrThrottled = errors.New("table: throttled")                         // not applied; may be tried again later
	ErrUnknown   = errors.New("table: outcome unknown")                   // applied or not; read to find out
	ErrCondition = errors.New("table: condition failed")                  // not applied; ConditionError and GroupError wrap it
	ErrTrimmed   = errors.New("table: changes are no longer kept")        // of a feed: what was not read in time is gone
)

// ConditionError says that the condition of an Apply did not hold. It wraps ErrCondition.
type ConditionError struct {
	Old Item // the item as it stands; nil when there is none
}

func (e *ConditionError) Error() string { return ErrCondition.Error() }

// Unwrap makes errors.Is(err, ErrCondition) hold.
func (e *ConditionError) Unwrap() error { return ErrCondition }

// GroupError says which conditions of a Group did not hold. It wraps ErrCondition.
type GroupError struct {
	Failed map[int]Item // by index into the group's writes: the item as it stood, nil when there was none
}

func (e *GroupError) Error() string { return ErrCondition.Error() }

// Unwrap makes errors.Is(err, ErrCondition) hold.
func (e *GroupError) Unwrap() error { return ErrCondition }
