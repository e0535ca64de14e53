package report

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
	"github.com/cairn-lrs/cairn/internal/report/sentence"
)

// Live is what is happening now.
type Live struct {
	Sentences []Spoken  `json:"sentences"` // the oldest first
	Skipped   bool      `json:"skipped,omitzero"`
	Learners  LiveCount `json:"learners"`  // M74
	PerMinute []Minute  `json:"perMinute"` // M75: of the last 60 minutes, the oldest first
	Delay     *float64  `json:"delay"`     // M76 in seconds; null when nothing came within the hour, or from too few
	Delayed   int       `json:"delayOf"`   // how many statements the delay is of
	AsOf      time.Time `json:"asOf"`
	Cursor    string    `json:"cursor"`
}

// LiveCount is a number, or why it is not told. Neither is there when more came than are looked at.
type LiveCount struct {
	Value      *int   `json:"value,omitzero"`
	Suppressed string `json:"suppressed,omitzero"`
}

// Minute is how many statements were stored in a minute.
type Minute struct {
	At time.Time `json:"at"`
	LiveCount
}

// Spoken is a statement in words.
type Spoken struct {
	ID     string    `json:"id,omitzero"` // of the statement; not told where names are hidden
	Stored time.Time `json:"stored"`
	Text   string    `json:"text"`
	Actor  string    `json:"actor,omitzero"`
	Verb   string    `json:"verb"`
	VerbID string    `json:"verbId"`
	Object string    `json:"object"`
}

const (
	liveWindow   = time.Hour
	nowWindow    = 5 * time.Minute
	liveMost     = 1000 // statements looked at, and kept, of the window
	liveFirst    = 20   // sentences of an answer without a cursor
	liveSpoken   = 100  // sentences of one answer
	liveOverlap  = 5 * time.Second
	overlapMost  = 200 // statements that a cursor names: what is stored side by side can be seen in another order
	liveStores   = 100 // stores that a process keeps the window of
	cursorFormat = 1
)

// tail is the window of one store: what a process has read of it.
type tail struct {
	mu      sync.Mutex
	seen    []seen // by stored time
	full    bool   // more came than are looked at: what is older than the first is not known
	through time.Time
}

// seen is a statement of the window.
type seen struct {
	id      uint64
	at      time.Time
	learner fact.Hash
	delay   time.Duration
	spoken  Spoken
}

// tails are the windows of a process.
type tails struct {
	mu     sync.Mutex
	stores map[string]*tail
}

func (t *tails) of(store string) *tail {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stores == nil || len(t.stores) > liveStores {
		t.stores = map[string]*tail{}
	}
	if t.stores[store] == nil {
		t.stores[store] = &tail{}
	}
	return t.stores[store]
}

// Live tells what is happening now: the newest statements in words, those behind the cursor of an answer before when there is
// one, and how many come. It reads the statements' index by time, what it has not read yet of the last hour. Nothing is lost
// between two cursors unless Skipped says so.
func (s *Service) Live(ctx context.Context, store auth.Store, cursor string) (Live, error) {
	after, known, err := openCursor(cursor)
	if err != nil {
		return Live{}, err
	}
	now := s.Now().UTC()
	t := s.tails.of(fmt.Sprint(store.ID, store.HideNames))
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := s.catchUp(ctx, store, t, now); err != nil {
		return Live{}, err
	}
	live := Live{AsOf: now.Truncate(time.Millisecond)}
	fresh := t.seen
	if cursor == "" {
		fresh = fresh[max(0, len(fresh)-liveFirst):]
	} else {
		fresh = slices.DeleteFunc(slices.Clone(fresh), func(s seen) bool { return s.at.Before(after) || known[s.id] })
		live.Skipped = t.full && len(t.seen) > 0 && t.seen[0].at.After(after)
	}
	if len(fresh) > liveSpoken {
		fresh, live.Skipped = fresh[len(fresh)-liveSpoken:], true
	}
	for _, f := range fresh {
		live.Sentences = append(live.Sentences, f.spoken)
	}
	live.Cursor = t.cursor(now)
	t.count(&live, now, smallest(store))
	return live, nil
}

// catchUp reads what was stored since the process looked last, and forgets what is older than the window.
func (s *Service) catchUp(ctx context.Context, store auth.Store, t *tail, now time.Time) error {
	begin := now.Add(-liveWindow)
	since := begin
	if t.through.After(begin) {
		since = t.through.Add(-liveOverlap)
	}
	statements, _, err := s.Feed.Newest(ctx, store, since, liveMost)
	if err != nil {
		return err
	}
	if len(statements) == liveMost { // there may be more in between
		t.seen, t.full = nil, true
	}
	have := map[uint64]bool{}
	for _, old := range t.seen {
		have[old.id] = true
	}
	options, err := s.speech(ctx, store, statements)
	if err != nil {
		return err
	}
	for _, st := range statements {
		if id := fact.IDOf(st.ID); !have[id] {
			t.seen = append(t.seen, see(id, st, store, options))
		}
	}
	slices.SortStableFunc(t.seen, func(a, b seen) int { return a.at.Compare(b.at) })
	if over := len(t.seen) - liveMost; over > 0 {
		t.seen, t.full = t.seen[over:], true
	}
	first := 0
	for first < len(t.seen) && t.seen[first].at.Before(begin) {
		first++
	}
	if first > 0 {
		t.full = false // the first is older than the window, so all of the window is there
	}
	t.seen = slices.Clone(t.seen[first:])
	t.through = now
	return nil
}

// speech prepares the words for statements.
func (s *Service) speech(ctx context.Context, store auth.Store, statements []Stored) (sentence.Options, error) {
	ids := map[string]bool{}
	for _, st := range statements {
		if id := sentence.ActivityID(st.JSON); id != "" {
			ids[id] = true
		}
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	definitions, err := s.Definitions.Definitions(ctx, store, list)
	if err != nil {
		return sentence.Options{}, err
	}
	return sentence.Options{Anonymous: store.HideNames, Definition: func(id string) []byte { return definitions[id] }}, nil
}

// see takes what the window needs of a statement. One that reports cannot read is told of in few words and counts for no learner.
func see(id uint64, st Stored, store auth.Store, o sentence.Options) seen {
	out := seen{id: id, at: st.At.UTC(), spoken: Spoken{ID: st.ID, Stored: st.At.UTC()}}
	read, err := fact.From(fact.Input{Statement: st.JSON, ID: st.ID, Stored: st.At, Hash: store.Term})
	if err == nil && !read.Actor.Unattributed && !read.Actor.Group {
		out.learner = read.Actor.Key
	}
	if err == nil {
		out.delay = max(0, time.Duration(read.Fact.Stored-read.Fact.T)*time.Millisecond)
	}
	o.Learner = func([]byte) string { return nickname(out.learner) }
	said, err := sentence.Of(st.JSON, o)
	if err != nil {
		said.Text = "A statement came that cannot be put into words"
	}
	out.spoken.Text, out.spoken.Actor, out.spoken.Verb, out.spoken.VerbID, out.spoken.Object = said.Text, said.Actor, said.Verb, said.VerbID, said.Object
	if o.Anonymous {
		out.spoken.ID = ""
	}
	return out
}

// nickname is what a learner is called who has no name: the same in every report.
func nickname(h fact.Hash) string { return fmt.Sprintf("Learner %x", h[:2]) }

// count fills in M74 to M76.
func (t *tail) count(live *Live, now time.Time, k int) {
	learners, ever := map[fact.Hash]bool{}, map[fact.Hash]bool{}
	var delays []int64
	minutes := int(liveWindow / time.Minute)
	first := now.Truncate(time.Minute).Add(-time.Duration(minutes-1) * time.Minute)
	counts, who := make([]int, minutes), make([]map[fact.Hash]bool, minutes)
	for _, s := range t.seen {
		delays = append(delays, s.delay.Milliseconds())
		if (s.learner != fact.Hash{}) {
			ever[s.learner] = true
		}
		if (s.learner != fact.Hash{}) && now.Sub(s.at) <= nowWindow {
			learners[s.learner] = true
		}
		at := int(s.at.Sub(first) / time.Minute)
		if s.at.Before(first) || at >= minutes {
			continue
		}
		counts[at]++
		if (s.learner != fact.Hash{}) {
			if who[at] == nil {
				who[at] = map[fact.Hash]bool{}
			}
			who[at][s.learner] = true
		}
	}
	if !t.full || !t.seen[0].at.After(now.Add(-nowWindow)) {
		live.Learners = told(len(learners), len(learners), k)
	}
	for i := range counts {
		m := Minute{At: first.Add(time.Duration(i) * time.Minute)}
		if !t.full || !m.At.Before(t.seen[0].at) {
			m.LiveCount = told(counts[i], len(who[i]), k)
		}
		live.PerMinute = append(live.PerMinute, m)
	}
	if len(delays) > 0 && told(len(delays), len(ever), k).Value != nil { // S-3
		median := measure.Distribute(delays).Median / 1000
		live.Delay, live.Delayed = &median, len(delays)
	}
}

// told is a count of so many learners, unless they are too few (S-1).
func told(n, learners, k int) LiveCount {
	t := result.Table{Columns: []result.Column{{Kind: result.Count}}, Rows: []result.Row{{result.Counted(int64(n), learners)}}}
	t.Protect(k)
	if cell := t.Rows[0][0]; cell.State != result.Shown {
		return LiveCount{Suppressed: cell.Text}
	}
	return LiveCount{Value: &n}
}

// cursor marks what was told: everything stored before the overlap, and what it names of the overlap.
func (t *tail) cursor(now time.Time) string {
	from := now.Add(-liveOverlap)
	b := binary.BigEndian.AppendUint64([]byte{cursorFormat}, uint64(from.UnixMilli()))
	named := 0
	for _, s := range slices.Backward(t.seen) {
		if s.at.Before(from) || named == overlapMost {
			break
		}
		b = binary.BigEndian.AppendUint64(b, s.id)
		named++
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

var errCursor = errors.New("no cursor")

func openCursor(text string) (after time.Time, known map[uint64]bool, err error) {
	if text == "" {
		return time.Time{}, nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && (len(b) < 9 || b[0] != cursorFormat || (len(b)-1)%8 != 0) {
		err = errCursor
	}
	if err != nil {
		return time.Time{}, nil, invalid("cursor", "cursor is not one that an answer gave: begin again without it")
	}
	after = time.UnixMilli(int64(binary.BigEndian.Uint64(b[1:])))
	known = map[uint64]bool{}
	for r := bytes.NewReader(b[9:]); r.Len() > 0; {
		var id uint64
		if err := binary.Read(r, binary.BigEndian, &id); err != nil {
			return time.Time{}, nil, invalid("cursor", "cursor is not one that an answer gave: begin again without it")
		}
		known[id] = true
	}
	return after, known, nil
}
