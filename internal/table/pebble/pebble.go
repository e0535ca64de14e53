// Package pebble keeps the promises of package table in one folder of a local disk, on the embedded ordered
// key-value engine cockroachdb/pebble.
//
// An item, its index entries and its change in the feed are written in one atomic batch of the engine; writers that
// commit at the same time share the syncs of its log. Capacity units are computed by DynamoDB's published arithmetic.
// README.md tells the layout of keys, and what is durable when.
package pebble

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	engine "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Errors of this driver beyond those of the port.
var (
	// ErrLocked says that another process, or another DB of this one, has the folder open.
	ErrLocked = errors.New("pebble: the data folder is in use by another process")

	// ErrClosed is the answer of every call after Close.
	ErrClosed = errors.New("pebble: the database is closed")

	// ErrStopped says that the disk refused something earlier (it is full or broken). From then on no write is taken,
	// because nobody knows what of the log is on the disk; reads go on. Opening the folder again recovers it.
	// Errors that wrap it wrap table.ErrThrottled too: nothing was applied.
	ErrStopped = errors.New("pebble: the disk failed; writes are refused until the folder is opened again")
)

// Options are the settings of a DB. The zero value is right for a server.
type Options struct {
	FS         vfs.FS           // nil: the operating system's; vfs.NewMem() keeps all in memory, for tests
	Now        func() time.Time // nil: time.Now. Dates answers, changes and group tokens
	FeedAge    time.Duration    // changes older than this are trimmed now and then; 0: 24 h, as in DynamoDB Streams
	FeedLength uint64           // and all but about so many; 0: a million
	CacheBytes int64            // for blocks of the disk and writes not yet flushed to tables, together; 0: 192 MB
	ItemBytes  int64            // for items that were lately written or read, outside Go's heap; 0: 128 MB
	Faults     *Faults          // for tests: what goes wrong on purpose; nil: nothing
}

// The settings' defaults.
const (
	defaultFeedAge    = 24 * time.Hour
	defaultFeedLength = 1_000_000
	defaultCacheBytes = 192 << 20
	defaultItemBytes  = 128 << 20
)

// DB is an open folder. It implements table.DB and table.Scanner.
type DB struct {
	engine  *engine.DB
	lock    *engine.Lock
	schemas table.Schemas
	tables  map[string]*tableState
	locks   *itemLocks
	items   *itemCache
	feed    *sequencer
	tokens  *tokens
	now     func() time.Time
	keep    retention
	faults  *faults // nil: none

	open    sync.RWMutex   // held for reading by every call; Close takes it
	commits sync.WaitGroup // commits under way: they may outlive their calls
	closed  bool
	closing chan struct{} // closed when Close begins

	failure failure
}

// tableState is one table: its schema and the numbers that stand for names in engine keys.
type tableState struct {
	*table.Schema
	id      uint16
	indexes []indexState
	trimmed atomic.Uint64 // the last sequence number that was trimmed from its feed
	large   atomic.Bool   // it has, or once had, an item of more than one write unit
}

// blind reports whether an unconditional write need not know what it replaces: nothing derives from the items, and
// all of them cost the same.
func (t *tableState) blind() bool { return !t.Stream && len(t.indexes) == 0 && !t.large.Load() }

type indexState struct {
	*table.Index
	id      uint16
	keys    []string // the key attributes of index and table
	carries []string // the attributes in an entry's value, in order: what it projects, without the keys
}

var (
	_ table.DB      = (*DB)(nil)
	_ table.Scanner = (*DB)(nil)
)

// Open opens the folder, which is made when it is not there, and brings it to the schemas: new tables and indexes are
// made, new indexes filled, indexes no longer named are dropped. A table whose key attributes differ from before is
// refused, and so is a folder that is open already (ErrLocked).
func Open(dir string, schemas []table.Schema, opts Options) (*DB, error) {
	opts = opts.withDefaults()
	if err := opts.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	lock, err := engine.LockDirectory(dir, opts.FS)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	db := &DB{
		lock:    lock,
		schemas: table.NewSchemas(schemas),
		items:   newItemCache(opts.ItemBytes),
		tokens:  newTokens(),
		now:     opts.Now,
		keep:    retention{age: opts.FeedAge, length: opts.FeedLength},
		closing: make(chan struct{}),
		failure: failure{happened: make(chan struct{})},
	}
	db.locks = newItemLocks(&db.failure)
	if err := db.start(dir, schemas, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), db.abandon())
	}
	return db, nil
}

// start opens the engine and reads what is in it.
func (db *DB) start(dir string, schemas []table.Schema, opts Options) (err error) {
	settings := engineOptions(opts, db.lock, &db.failure)
	defer settings.Cache.Unref()
	err = db.failure.guard(context.Background(), func() (err error) {
		db.engine, err = engine.Open(dir, settings)
		return err
	})
	if err != nil {
		return fmt.Errorf("open engine: %w", err)
	}
	cat, err := db.readCatalogue() // before anything is written: the folder may have another format
	if err != nil {
		return err
	}
	if err := db.releaseDelayed([]byte{spaceDelayed + 1}); err != nil {
		return err
	}
	if db.tables, err = db.reconcile(cat, schemas); err != nil {
		return err
	}
	next, err := db.nextSequence()
	if err != nil {
		return err
	}
	db.feed = newSequencer(next)
	if err := db.dropTokens(); err != nil {
		return err
	}
	if err := db.tokens.load(db.engine); err != nil {
		return err
	}
	if opts.Faults != nil {
		db.faults = newFaults(opts.Faults, db)
	}
	return nil
}

// abandon gives back what a failed Open took, unless the engine stands still.
func (db *DB) abandon() error {
	if db.failure.get() != nil {
		return nil
	}
	var err error
	if db.engine != nil {
		err = db.engine.Close()
	}
	return errors.Join(err, db.lock.Close())
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FeedAge == 0 {
		o.FeedAge = defaultFeedAge
	}
	if o.FeedLength == 0 {
		o.FeedLength = defaultFeedLength
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.ItemBytes == 0 {
		o.ItemBytes = defaultItemBytes
	}
	return o
}

// memTableBytes is when writes in memory are flushed. The engine takes this from the cache, and as much again while
// it flushes: the cache has to be several times as large, or it caches nothing. With each of them begins a log, which is
// written over one that is flushed: a sync of it takes half the time of one that lets a file grow.
const memTableBytes = 32 << 20

// engineOptions are the settings measured for many small durable writes on two cores; see README.md. The caller
// unrefs the cache once the engine has it.
func engineOptions(opts Options, lock *engine.Lock, f *failure) *engine.Options {
	settings := &engine.Options{
		FS:                          opts.FS,
		Lock:                        lock,
		Logger:                      engineLog{f},
		EventListener:               &engine.EventListener{DataCorruption: toldByTheRead},
		FormatMajorVersion:          engine.FormatTableFormatV6,
		Cache:                       engine.NewCache(opts.CacheBytes),
		MemTableSize:                min(memTableBytes, uint64(opts.CacheBytes/4)),
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		BytesPerSync:                1 << 20,
		WALBytesPerSync:             0, // the log is synced by commits anyway
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, 2 },
	}
	settings.ApplyCompressionSettings(func() engine.DBCompressionSettings { return engine.DBCompressionFastest })
	for i := range settings.Levels {
		settings.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		settings.Levels[i].BlockSize = 16 << 10
	}
	return settings
}

// toldByTheRead leaves it to the read that met a damaged block to tell of it. The engine's own answer is Fatalf, for which this
// package would stop the reader where it is, for ever, and every writer.
func toldByTheRead(engine.DataCorruptionInfo) {}

// Close ends the DB. Calls under way are waited for, and their contexts bound the wait; later ones get ErrClosed.
// After a failure of the disk the engine cannot be closed in order: Close returns that failure, and the folder stays
// locked until the process ends.
func (db *DB) Close() error {
	db.open.Lock()
	if db.closed {
		db.open.Unlock()
		return ErrClosed
	}
	db.closed = true
	close(db.closing)
	db.open.Unlock()
	if err := db.failure.get(); err != nil {
		return err
	}
	return db.failure.guard(context.Background(), func() error {
		defer db.items.close()
		db.commits.Wait()
		var err error
		if db.faults != nil {
			err = db.faults.close()
		}
		return errors.Join(err, db.engine.Close(), db.lock.Close())
	})
}

// enter begins a call; the caller ends it by db.open.RUnlock.
func (db *DB) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", table.ErrThrottled, err)
	}
	db.open.RLock()
	if db.closed {
		db.open.RUnlock()
		return ErrClosed
	}
	return nil
}

// table finds a table that the checks have seen already.
func (db *DB) table(name string) *tableState { return db.tables[name] }

// cost dates a cost.
func (db *DB) cost(read, write float64) table.Cost {
	return table.Cost{Read: read, Write: write, Date: db.now()}
}
