package rollup

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// A page is a part of a ledger as it is stored: facts and tombstones. It needs no other page to be read. Whatever repeats
// stands in dictionaries before the facts, and each fact names its shape: everything about it that statements of one
// kind on one activity share. What is left is the id, the times and the numbers.
//
//	format  1
//	hashes  n, 12 bytes each        indexes into a dictionary begin with 1; 0 is nothing
//	registrations n, 16 bytes each
//	sessions      n, 8 bytes each
//	texts   n, each its length and its bytes
//	shapes  n, see shape
//	facts   n, each: shape, session, 8 bytes of id, T, Stored, and the fields that the shape names
//	tombs   n, each: 8 bytes of id, Stored
//
// Numbers are varints; times are differences to the fact before.
type page struct {
	facts []fact.Fact
	tombs []tomb
}

// tomb says that the statement with the id, as it was stored then or before, is not live any more.
type tomb struct {
	id     uint64
	stored int64
}

const pageFormat = 1

var errDamagedPage = errors.New("damaged page of a ledger")

// fields says which optional fields a fact has.
type fields uint16

const (
	hasScore fields = 1 << iota
	hasDuration
	hasProgress
	hasResponse
	hasVideo
	hasLength
	hasTime
	hasFrom
	hasTo
	hasThreshold
	hasSpeed
	hasSegments
)

// shape is what many facts share. Its indexes are those of a page's dictionaries.
type shape struct {
	verb, content, parent, group uint64
	groupings                    [fact.MaxGroupings]uint64
	groupingCount                uint8
	registration                 uint64
	platform, language           uint64
	class                        fact.Class
	kind                         fact.Kind
	action                       fact.Action // of the Video Profile
	success, completion          fact.Tri
	flags                        fact.Flags
	fields                       fields
}

// dictionary numbers values from 1 in the order in which they come.
type dictionary[K comparable] struct {
	numbers map[K]uint64
	values  []K
}

func (d *dictionary[K]) number(k K) uint64 {
	var none K
	if k == none {
		return 0
	}
	n, ok := d.numbers[k]
	if !ok {
		if d.numbers == nil {
			d.numbers = map[K]uint64{}
		}
		d.values = append(d.values, k)
		n = uint64(len(d.values))
		d.numbers[k] = n
	}
	return n
}

// writer encodes a page.
type writer struct {
	hashes        dictionary[fact.Hash]
	registrations dictionary[[16]byte]
	sessions      dictionary[uint64]
	texts         dictionary[string]
	shapes        dictionary[shape]
	body          []byte
	textBytes     int
	running
}

func (w *writer) text(s string) uint64 {
	before := len(w.texts.values)
	n := w.texts.number(s)
	if len(w.texts.values) > before {
		w.textBytes += len(s) + 2
	}
	return n
}

// running is what the next fact is written as a difference to. Writer and reader keep it alike.
type running struct {
	t, stored                int64
	length, threshold, speed int64
	lists                    [][]fact.Segment // the last of them, newest last
}

// recentLists is how many lists of segments are looked at for a common beginning. A player sends its whole list again
// with each statement, and a learner has few players open.
const recentLists = 4

func (r *running) remember(list []fact.Segment) {
	if len(r.lists) == recentLists {
		r.lists = append(r.lists[:0], r.lists[1:]...)
	}
	r.lists = append(r.lists, list)
}

// encodePage writes a page. Facts are sorted by time, which keeps the differences small.
func encodePage(p page) []byte {
	w := &writer{}
	sortFacts(p.facts)
	for i := range p.facts {
		w.fact(&p.facts[i])
	}
	return w.finish(len(p.facts), p.tombs)
}

func sortFacts(facts []fact.Fact) {
	sorted := true
	for i := 1; i < len(facts) && sorted; i++ { // by far the most often; sorting copies facts, which are large
		sorted = facts[i-1].Before(&facts[i])
	}
	if sorted {
		return
	}
	slices.SortFunc(facts, func(a, b fact.Fact) int {
		switch {
		case a.Before(&b):
			return -1
		case b.Before(&a):
			return 1
		}
		return 0
	})
}

func (w *writer) finish(facts int, tombs []tomb) []byte {
	out := make([]byte, 0, len(w.body)+16*len(w.hashes.values)+128)
	out = append(out, pageFormat)
	out = binary.AppendUvarint(out, uint64(len(w.hashes.values)))
	for _, h := range w.hashes.values {
		out = append(out, h[:]...)
	}
	out = binary.AppendUvarint(out, uint64(len(w.registrations.values)))
	for _, r := range w.registrations.values {
		out = append(out, r[:]...)
	}
	out = binary.AppendUvarint(out, uint64(len(w.sessions.values)))
	for _, s := range w.sessions.values {
		out = binary.BigEndian.AppendUint64(out, s)
	}
	out = binary.AppendUvarint(out, uint64(len(w.texts.values)))
	for _, t := range w.texts.values {
		out = append(binary.AppendUvarint(out, uint64(len(t))), t...)
	}
	out = binary.AppendUvarint(out, uint64(len(w.shapes.values)))
	for _, s := range w.shapes.values {
		out = s.append(out)
	}
	out = binary.AppendUvarint(out, uint64(facts))
	out = append(out, w.body...)
	slices.SortFunc(tombs, func(a, b tomb) int { return cmp.Or(cmp.Compare(a.stored, b.stored), cmp.Compare(a.id, b.id)) })
	out = binary.AppendUvarint(out, uint64(len(tombs)))
	before := int64(0)
	for _, t := range tombs {
		out = binary.BigEndian.AppendUint64(out, t.id)
		out = binary.AppendVarint(out, t.stored-before)
		before = t.stored
	}
	return out
}

func (s *shape) append(out []byte) []byte {
	out = append(out, byte(s.kind), byte(s.action), byte(s.success)|byte(s.completion)<<2|s.groupingCount<<4)
	for _, n := range []uint64{uint64(s.flags), uint64(s.class), uint64(s.fields), s.verb, s.content, s.parent, s.group, s.registration, s.platform, s.language} {
		out = binary.AppendUvarint(out, n)
	}
	for _, n := range s.groupings[:s.groupingCount] {
		out = binary.AppendUvarint(out, n)
	}
	return out
}

// shapeOf reduces a fact to its shape.
func (w *writer) shapeOf(f *fact.Fact) shape {
	s := shape{
		verb: w.hashes.number(f.Verb), content: w.hashes.number(f.Content), parent: w.hashes.number(f.Parent), group: w.hashes.number(f.Group),
		registration: w.registrations.number(f.Registration), platform: w.text(f.Platform), language: w.text(f.Language),
		class: f.Class, kind: f.Kind, success: f.Success, completion: f.Completion, flags: f.Flags, fields: fieldsOf(f),
	}
	for i, g := range f.Groupings[:min(len(f.Groupings), fact.MaxGroupings)] {
		s.groupings[i] = w.hashes.number(g)
		s.groupingCount++
	}
	if f.Video != nil {
		s.action = f.Video.Action
	}
	return s
}

func fieldsOf(f *fact.Fact) (has fields) {
	set := func(bit fields, is bool) {
		if is {
			has |= bit
		}
	}
	set(hasScore, f.HasScore)
	set(hasDuration, f.Duration != -1)
	set(hasProgress, f.Progress != -1)
	set(hasResponse, f.Response != "")
	if v := f.Video; v != nil {
		has |= hasVideo
		set(hasLength, v.Length != -1)
		set(hasTime, v.Time != -1)
		set(hasFrom, v.From != -1)
		set(hasTo, v.To != -1)
		set(hasThreshold, v.Threshold != -1)
		set(hasSpeed, v.Speed != -1)
		set(hasSegments, v.Segments != nil)
	}
	return has
}

func (w *writer) fact(f *fact.Fact) {
	s := w.shapeOf(f)
	w.body = binary.AppendUvarint(w.body, w.shapes.number(s))
	w.body = binary.AppendUvarint(w.body, w.sessions.number(f.Session))
	w.body = binary.BigEndian.AppendUint64(w.body, f.ID)
	w.difference(&w.t, f.T)
	w.difference(&w.stored, f.Stored)
	if s.fields&hasScore != 0 {
		w.body = binary.AppendVarint(w.body, f.Score)
	}
	if s.fields&hasDuration != 0 {
		w.body = binary.AppendVarint(w.body, f.Duration)
	}
	if s.fields&hasProgress != 0 {
		w.body = binary.AppendVarint(w.body, int64(f.Progress))
	}
	if s.fields&hasResponse != 0 {
		w.body = binary.AppendUvarint(w.body, w.text(f.Response))
	}
	if s.fields&hasVideo != 0 {
		w.video(f.Video, s.fields)
	}
}

func (w *writer) difference(before *int64, n int64) {
	w.body = binary.AppendVarint(w.body, n-*before) // wraps around, and back when it is read
	*before = n
}

func (w *writer) video(v *fact.Video, has fields) {
	if has&hasLength != 0 {
		w.difference(&w.length, v.Length)
	}
	if has&hasTime != 0 {
		w.body = binary.AppendVarint(w.body, v.Time)
	}
	if has&hasFrom != 0 {
		w.body = binary.AppendVarint(w.body, v.From)
	}
	if has&hasTo != 0 {
		w.body = binary.AppendVarint(w.body, v.To)
	}
	if has&hasThreshold != 0 {
		w.difference(&w.threshold, v.Threshold)
	}
	if has&hasSpeed != 0 {
		w.difference(&w.speed, v.Speed)
	}
	if has&hasSegments != 0 {
		w.segments(v.Segments)
	}
}

// segments writes a list as the beginning that it shares with one of the lists before, and the rest.
func (w *writer) segments(list []fact.Segment) {
	back, shared := 0, 0
	for i := 1; i <= len(w.lists); i++ {
		if n := commonPrefix(w.lists[len(w.lists)-i], list); n > shared {
			back, shared = i, n
		}
	}
	w.body = binary.AppendUvarint(w.body, uint64(back))
	if back > 0 {
		w.body = binary.AppendUvarint(w.body, uint64(shared))
	}
	w.body = binary.AppendUvarint(w.body, uint64(len(list)-shared))
	at := int64(0)
	if shared > 0 {
		at = list[shared-1].To
	}
	for _, s := range list[shared:] {
		w.body = binary.AppendVarint(w.body, s.From-at)
		w.body = binary.AppendVarint(w.body, s.To-s.From)
		at = s.To
	}
	w.remember(list)
}

func commonPrefix(a, b []fact.Segment) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
