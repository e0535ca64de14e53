package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
)

const (
	headBytes = 64 << 10 // what is looked at to tell one layout, and one file, from another

	// maxValueBytes bounds one statement in memory. No LRS is asked to take more: Cairn's own limit is 6 MB.
	maxValueBytes = 16 << 20
)

// record is one statement of the input, as it stands there.
type record struct {
	number int64 // counts from 1
	place  string
	value  []byte // JSON; nil when it cannot be read as such
	reason string // why not
}

// source streams the statements of one input: NDJSON, arrays, or objects one after the other; plain or gzip.
type source struct {
	in     *bufio.Reader
	head   [sha256.Size]byte // of the first headBytes: tells inputs apart
	next   func() (record, error)
	number int64
	line   int64
}

// newSource detects compression and layout.
func newSource(r io.Reader) (*source, error) {
	in := bufio.NewReaderSize(r, headBytes)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("read gzip header: %w", err)
		}
		in = bufio.NewReaderSize(unzipped, headBytes)
	}
	if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\ufeff")) {
		in.Discard(len(bom)) // peeked: it is there
	}
	// An error here comes again, and is told, when what is before it has been read.
	head, _ := in.Peek(headBytes)
	s := &source{in: in, head: sha256.Sum256(head)}
	if isLines(head) {
		s.next = s.nextLine
	} else {
		s.next = s.values()
	}
	return s, nil
}

// isLines reports whether the input holds one value a line. It does not when it begins with an array, or with a line
// that is only the beginning of a value, as a pretty-printed object's is.
func isLines(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) > 0 && head[0] == '[' {
		return false
	}
	line, _, whole := bytes.Cut(head, []byte("\n"))
	if !whole {
		return true
	}
	_, err := jsontext.NewDecoder(bytes.NewReader(line), lenient...).ReadValue()
	return !errors.Is(err, io.ErrUnexpectedEOF)
}

// lenient leaves it to the LRS to judge a statement; only where it begins and ends is decided here.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// nextLine reads the next line that is not blank.
func (s *source) nextLine() (record, error) {
	for {
		line, tooLong, err := s.readLine()
		if err != nil && (err != io.EOF || len(line) == 0 && !tooLong) {
			return record{}, err
		}
		s.line++
		line = bytes.TrimSpace(line)
		if len(line) == 0 && !tooLong {
			continue
		}
		s.number++
		r := record{number: s.number, place: fmt.Sprintf("line %d", s.line)}
		switch {
		case tooLong:
			r.reason = fmt.Sprintf("the line is longer than %d bytes", maxValueBytes)
		case !jsontext.Value(line).IsValid(lenient...):
			r.reason = "the line is not one JSON value"
		default:
			r.value = line
		}
		return r, nil
	}
}

// readLine reads to the end of the line; of a line that is too long it keeps nothing.
func (s *source) readLine() (line []byte, tooLong bool, err error) {
	for {
		part, err := s.in.ReadSlice('\n')
		if len(line)+len(part) > maxValueBytes {
			line, tooLong = nil, true
		}
		if !tooLong {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}

// values reads values one after the other, and of arrays the elements.
func (s *source) values() func() (record, error) {
	bounded := &boundedReader{r: s.in}
	decoder := jsontext.NewDecoder(bounded, lenient...)
	return func() (record, error) {
		for {
			bounded.allowed = decoder.InputOffset() + maxValueBytes
			if kind := decoder.PeekKind(); decoder.StackDepth() == 0 && kind == '[' || decoder.StackDepth() == 1 && kind == ']' {
				if _, err := decoder.ReadToken(); err != nil {
					return record{}, err
				}
				continue
			}
			value, err := decoder.ReadValue()
			if err != nil {
				return record{}, err
			}
			s.number++
			return record{number: s.number, place: fmt.Sprintf("statement %d", s.number), value: bytes.Clone(value)}, nil
		}
	}
}

// boundedReader refuses to read further than allowed, so that one endless value does not fill the memory.
type boundedReader struct {
	r             io.Reader
	read, allowed int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.read >= b.allowed {
		return 0, fmt.Errorf("one statement is longer than %d bytes", maxValueBytes)
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	return n, err
}
