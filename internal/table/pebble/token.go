package pebble

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// tokenLife is how long a group's token is remembered. Source: DynamoDB developer guide, "Managing complex workflows
// with transactions".
const tokenLife = 10 * time.Minute

// fingerprint tells groups of writes apart.
type fingerprint [sha256.Size]byte

// tokens remembers the groups of the last ten minutes by their tokens. What was committed is stored too, in the
// group's own batch, so that it outlives a crash.
type tokens struct {
	mu   sync.Mutex
	seen map[string]seenToken
	old  []seenToken // in the order of their times
	gone int         // how many were forgotten since the stored ones were dropped
}

type seenToken struct {
	token   string
	print   fingerprint
	at      time.Time
	pending bool
}

func newTokens() *tokens { return &tokens{seen: map[string]seenToken{}} }

// begin notes that a group with this token starts. It reports whether the same group was committed before. Another
// group under the token is table.ErrInvalid, a group that is still under way table.ErrConflict.
func (ts *tokens) begin(token string, print fingerprint, now time.Time) (repeated bool, err error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.forget(now)
	t, ok := ts.seen[token]
	switch {
	case !ok:
		ts.seen[token] = seenToken{token: token, print: print, at: now, pending: true}
		return false, nil
	case t.pending:
		return false, fmt.Errorf("%w: a group with this token is under way", table.ErrConflict)
	case t.print != print:
		return false, fmt.Errorf("%w: the token was used for another group", table.ErrInvalid)
	}
	return true, nil
}

// end closes what begin opened. For a group without a token it does nothing.
func (ts *tokens) end(token string, committed bool) {
	if token == "" {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if !committed {
		delete(ts.seen, token)
		return
	}
	t := ts.seen[token]
	t.pending = false
	ts.seen[token] = t
	ts.old = append(ts.old, t)
}

func (ts *tokens) forget(now time.Time) {
	n := 0
	for n < len(ts.old) && now.Sub(ts.old[n].at) >= tokenLife {
		delete(ts.seen, ts.old[n].token)
		n++
	}
	ts.old = ts.old[n:]
	ts.gone += n
}

// dropEvery is after how many forgotten tokens the stored ones are dropped.
const dropEvery = 1000

// droppable reports whether it is time to drop stored tokens, once.
func (ts *tokens) droppable() bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.gone < dropEvery {
		return false
	}
	ts.gone = 0
	return true
}

// tokenKey orders tokens by time, so that old ones are one range.
func tokenKey(at time.Time, token string) []byte {
	return append(tokenTime(at), token...)
}

func tokenTime(at time.Time) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceToken}, uint64(max(0, at.UnixMilli())))
}

// load reads the stored tokens.
func (ts *tokens) load(db *engine.DB) error {
	iter, err := db.NewIter(&engine.IterOptions{LowerBound: []byte{spaceToken}, UpperBound: []byte{spaceToken + 1}})
	if err != nil {
		return fmt.Errorf("read tokens: %w", err)
	}
	for iter.First(); iter.Valid(); iter.Next() {
		key, value := iter.Key(), iter.Value()
		if len(key) < 9 || len(value) != sha256.Size {
			return fmt.Errorf("read tokens: %w", errKey)
		}
		t := seenToken{token: string(key[9:]), print: fingerprint(value), at: time.UnixMilli(int64(binary.BigEndian.Uint64(key[1:9])))}
		ts.seen[t.token] = t
		ts.old = append(ts.old, t)
	}
	return iter.Close()
}

// dropTokens removes the stored tokens whose life is over.
func (db *DB) dropTokens() error {
	batch := db.engine.NewBatch()
	if err := batch.DeleteRange([]byte{spaceToken}, tokenTime(db.now().Add(-tokenLife)), nil); err != nil {
		return errors.Join(fmt.Errorf("drop old tokens: %w", err), batch.Close())
	}
	if err := db.writeBatch(batch, engine.NoSync); err != nil {
		return fmt.Errorf("drop old tokens: %w", err)
	}
	return nil
}

// fingerprintOf sums up the writes of a group: operations, keys, items, actions and conditions.
func fingerprintOf(changes []change) fingerprint {
	h := sha256.New()
	var buf []byte
	for i := range changes {
		w := changes[i].write
		buf = append(buf[:0], byte(w.Op))
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(changes[i].engineKey)))
		buf = append(buf, changes[i].engineKey...)
		if w.Op == table.OpPut {
			buf = appendItem(buf, w.Item, "", "")
		}
		for _, a := range w.Actions {
			buf = appendTested(append(buf, 'a', byte(a.Verb)), a.Attr, a.Value)
		}
		for _, c := range w.If {
			buf = appendTested(append(buf, 'c', byte(c.Test)), c.Attr, c.Value)
		}
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(buf))))
		h.Write(buf)
	}
	return fingerprint(h.Sum(nil))
}

func appendTested(dst []byte, attr string, v table.Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(attr)))
	return appendItem(append(dst, attr...), table.Item{"": v}, "-", "-")
}
