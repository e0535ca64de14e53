package rollup

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// reader decodes a page. Its first error stays; what is read after it is zero.
type reader struct {
	b             []byte
	err           error
	hashes        []fact.Hash
	registrations [][16]byte
	sessions      []uint64
	texts         []string
	shapes        []shape
	running
}

// decodePage is the inverse of encodePage.
func decodePage(b []byte) (page, error) {
	r := &reader{b: b}
	if r.byte() != pageFormat {
		r.fail()
	}
	r.hashes = make([]fact.Hash, r.count(len(fact.Hash{})))
	for i := range r.hashes {
		copy(r.hashes[i][:], r.bytes(len(fact.Hash{})))
	}
	r.registrations = make([][16]byte, r.count(16))
	for i := range r.registrations {
		copy(r.registrations[i][:], r.bytes(16))
	}
	r.sessions = make([]uint64, r.count(8))
	for i := range r.sessions {
		r.sessions[i] = r.uint64()
	}
	r.texts = make([]string, r.count(1))
	for i := range r.texts {
		r.texts[i] = string(r.bytes(r.count(1)))
	}
	r.shapes = make([]shape, r.count(12))
	for i := range r.shapes {
		r.shapes[i] = r.shape()
	}
	p := page{facts: make([]fact.Fact, r.count(12))}
	for i := range p.facts {
		r.fact(&p.facts[i])
	}
	p.tombs = make([]tomb, r.count(9))
	before := int64(0)
	for i := range p.tombs {
		p.tombs[i] = tomb{id: r.uint64(), stored: r.difference(&before)}
	}
	if len(r.b) > 0 {
		r.fail()
	}
	if r.err != nil {
		return page{}, r.err
	}
	return p, nil
}

func (r *reader) fail() {
	r.err, r.b = errDamagedPage, nil
}

func (r *reader) byte() byte {
	b := r.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.fail()
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uint64() uint64 {
	b := r.bytes(8)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads how many things of at least so many bytes follow: never more than there is room for.
func (r *reader) count(least int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/least) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) difference(before *int64) int64 {
	*before += r.varint()
	return *before
}

// entry returns the value that a dictionary has under a number.
func entry[V any](r *reader, values []V, n uint64) (v V) {
	switch {
	case n == 0:
		return v
	case n > uint64(len(values)):
		r.fail()
		return v
	}
	return values[n-1]
}

func (r *reader) shape() (s shape) {
	s.kind, s.action = fact.Kind(r.byte()), fact.Action(r.byte())
	packed := r.byte()
	s.success, s.completion, s.groupingCount = fact.Tri(packed&3), fact.Tri(packed>>2&3), packed>>4
	flags, class, has := r.uvarint(), r.uvarint(), r.uvarint()
	if s.groupingCount > fact.MaxGroupings || max(flags, class, has) > math.MaxUint16 {
		r.fail()
		return shape{}
	}
	s.flags, s.class, s.fields = fact.Flags(flags), fact.Class(class), fields(has)
	for _, n := range []*uint64{&s.verb, &s.content, &s.parent, &s.group, &s.registration, &s.platform, &s.language} {
		*n = r.uvarint()
	}
	for i := range s.groupings[:s.groupingCount] {
		s.groupings[i] = r.uvarint()
	}
	return s
}

func (r *reader) fact(f *fact.Fact) {
	s := entry(r, r.shapes, r.uvarint())
	*f = fact.Fact{
		Verb: entry(r, r.hashes, s.verb), Content: entry(r, r.hashes, s.content), Parent: entry(r, r.hashes, s.parent), Group: entry(r, r.hashes, s.group),
		Registration: entry(r, r.registrations, s.registration), Platform: entry(r, r.texts, s.platform), Language: entry(r, r.texts, s.language),
		Class: s.class, Kind: s.kind, Success: s.success, Completion: s.completion, Flags: s.flags,
		Duration: -1, Progress: -1,
	}
	if s.groupingCount > 0 {
		f.Groupings = make([]fact.Hash, s.groupingCount)
		for i, n := range s.groupings[:s.groupingCount] {
			f.Groupings[i] = entry(r, r.hashes, n)
		}
	}
	f.Session = entry(r, r.sessions, r.uvarint())
	f.ID = r.uint64()
	f.T = r.difference(&r.t)
	f.Stored = r.difference(&r.stored)
	if s.fields&hasScore != 0 {
		f.HasScore, f.Score = true, r.varint()
	}
	if s.fields&hasDuration != 0 {
		f.Duration = r.varint()
	}
	if s.fields&hasProgress != 0 {
		f.Progress = int32(r.varint())
	}
	if s.fields&hasResponse != 0 {
		f.Response = entry(r, r.texts, r.uvarint())
	}
	if s.fields&hasVideo != 0 {
		f.Video = r.video(s)
	}
}

func (r *reader) video(s shape) *fact.Video {
	has := s.fields
	v := &fact.Video{Action: s.action, Length: -1, Time: -1, From: -1, To: -1, Threshold: -1, Speed: -1}
	if has&hasLength != 0 {
		v.Length = r.difference(&r.length)
	}
	if has&hasTime != 0 {
		v.Time = r.varint()
	}
	if has&hasFrom != 0 {
		v.From = r.varint()
	}
	if has&hasTo != 0 {
		v.To = r.varint()
	}
	if has&hasThreshold != 0 {
		v.Threshold = r.difference(&r.threshold)
	}
	if has&hasSpeed != 0 {
		v.Speed = r.difference(&r.speed)
	}
	if has&hasSegments != 0 {
		v.Segments = r.segments()
	}
	return v
}

func (r *reader) segments() []fact.Segment {
	back := r.uvarint()
	var shared []fact.Segment
	if back > 0 {
		n := r.uvarint()
		if back > uint64(len(r.lists)) || n > uint64(len(r.lists[len(r.lists)-int(back)])) {
			r.fail()
			return nil
		}
		shared = r.lists[len(r.lists)-int(back)][:n]
	}
	rest := r.count(2)
	if rest == 0 && len(shared) > 0 {
		r.remember(shared)
		return slices.Clip(shared)
	}
	list := make([]fact.Segment, 0, len(shared)+rest)
	list = append(list, shared...)
	at := int64(0)
	if len(shared) > 0 {
		at = shared[len(shared)-1].To
	}
	for range rest {
		from := at + r.varint()
		at = from + r.varint()
		list = append(list, fact.Segment{From: from, To: at})
	}
	r.remember(list)
	return list
}
