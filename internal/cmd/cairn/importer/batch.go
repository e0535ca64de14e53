package importer

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json/jsontext"
	"hash"
	"strconv"
	"strings"
)

// maxBatchBytes closes a batch before Cairn's limit of 3.5 MB a request.
const maxBatchBytes = 3_000_000

// statement is one statement as it will be sent.
type statement struct {
	record
	id      string // "" when the value is not an object with a text id: the LRS will refuse it
	version string // of the X-Experience-API-Version header
}

// batch is what goes into one request.
type batch struct {
	sequence   int // counts from 0
	statements []statement
	bytes      int

	// How far the input has been read with this batch, for the state file.
	read int64
	sum  string // of all records to here
}

// version is that of the statements; only one stands in a batch.
func (b *batch) version() string {
	for _, s := range b.statements {
		if s.reason == "" {
			return s.version
		}
	}
	return ""
}

func (b *batch) fits(s statement, size int) bool {
	if len(b.statements) == 0 {
		return true
	}
	sameVersion := s.reason != "" || b.version() == "" || b.version() == s.version
	return len(b.statements) < size && b.bytes+len(s.value) <= maxBatchBytes && sameVersion
}

// batcher cuts a source into batches.
type batcher struct {
	source  *source
	size    int    // most statements of a batch
	version string // for statements that do not say 2.x themselves

	sequence int
	digest   hash.Hash  // of every record taken, in order
	ahead    *statement // read and not yet taken
}

func newBatcher(s *source, size int, version string) *batcher {
	return &batcher{source: s, size: size, version: version, digest: sha256.New()}
}

// peek reads one statement ahead.
func (b *batcher) peek() (statement, error) {
	if b.ahead == nil {
		r, err := b.source.next()
		if err != nil {
			return statement{}, err
		}
		s := identified(r, b.source.head)
		if s.version == "" {
			s.version = b.version
		}
		b.ahead = &s
	}
	return *b.ahead, nil
}

// take accepts the statement that peek showed.
func (b *batcher) take() {
	b.digest.Write(b.ahead.value)
	b.digest.Write([]byte{'\n'})
	b.ahead = nil
}

// skip passes over the first n statements and returns the sum of what they are.
func (b *batcher) skip(n int64) (sum string, err error) {
	for b.source.number < n || b.ahead != nil {
		if _, err := b.peek(); err != nil {
			return "", err
		}
		b.take()
	}
	return b.sum(), nil
}

func (b *batcher) sum() string { return hex.EncodeToString(b.digest.Sum(nil)) }

// next returns the next batch. With an error, which at the end of the input is io.EOF, it returns what was read before
// it: a batch that may be empty.
func (b *batcher) next() (*batch, error) {
	out := &batch{sequence: b.sequence}
	b.sequence++
	var err error
	for {
		var s statement
		if s, err = b.peek(); err != nil || !out.fits(s, b.size) {
			break
		}
		b.take()
		out.statements = append(out.statements, s)
		out.bytes += len(s.value) + 1
		out.read = s.number
	}
	out.sum = b.sum()
	return out, err
}

// identified finds a statement's id, and gives it one when it has none. The id is a name-based UUID (version 5) of the
// input's head, the statement's number and its bytes: the same statement gets the same id whenever the input is read
// again, so that nothing is stored twice, and two like statements of one input stay two.
func identified(r record, head [sha256.Size]byte) statement {
	s := statement{record: r}
	if r.value == nil {
		return s
	}
	empty, hasID := true, false
	eachMember(r.value, func(name string, value jsontext.Value) {
		empty = false
		switch name {
		case "id":
			hasID = true
			s.id = text(value)
		case "version":
			if strings.HasPrefix(text(value), "2.") {
				s.version = "2.0.0"
			}
		}
	})
	if hasID || jsontext.Value(r.value).Kind() != '{' {
		return s
	}
	h := sha1.New()
	h.Write(importNamespace[:])
	h.Write(head[:])
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(r.number)))
	h.Write(r.value)
	sum := h.Sum(nil)
	sum[6] = sum[6]&0x0f | 5<<4
	sum[8] = sum[8]&0x3f | 0x80
	digits := hex.EncodeToString(sum[:16])
	s.id = strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
	value := append([]byte(nil), `{"id":`...)
	value = strconv.AppendQuote(value, s.id)
	if !empty {
		value = append(value, ',')
	}
	s.value = append(value, r.value[1:]...)
	return s
}

// importNamespace is a random UUID that names made by an import hang under. Source: RFC 9562, 5.5.
var importNamespace = [16]byte{0x3e, 0x0b, 0x5d, 0x7e, 0x6c, 0x1a, 0x4f, 0x0d, 0x9a, 0x52, 0x7b, 0x21, 0xc4, 0x8e, 0xd9, 0x66}

// eachMember calls f for the members of an object, in order; for anything else it does nothing.
func eachMember(value jsontext.Value, f func(name string, value jsontext.Value)) {
	decoder := jsontext.NewDecoder(bytes.NewReader(value), lenient...)
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return
	}
	for decoder.PeekKind() == '"' {
		name, err := decoder.ReadToken()
		if err != nil {
			return
		}
		key := name.String()
		member, err := decoder.ReadValue()
		if err != nil {
			return
		}
		f(key, member)
	}
}

// text is the text of a JSON string; "" for any other value.
func text(value jsontext.Value) string {
	if value.Kind() != '"' {
		return ""
	}
	unquoted, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return ""
	}
	return string(unquoted)
}
