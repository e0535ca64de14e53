package xapi

import (
	"bytes"
	"encoding/json/jsontext"
	"fmt"
	"io"
)

// node is a JSON value as a tree over its bytes. Equality and the formats use it: they
// look at statements that were validated before, or at payloads that only have to be
// compared. Decoding a new statement does without, since every statement pays for it.
type node struct {
	kind     jsontext.Kind
	raw      []byte
	members  []member // of an object, in order
	elements []node   // of an array
}

type member struct {
	name  string
	quote []byte // the name as it stands
	value node
}

// maxNodeDepth lets through every statement within DefaultLimits: an extension can
// begin at depth 6, in the definition of a SubStatement's contextActivity.
const maxNodeDepth = 256 + 16

// parseNode reads one JSON value, strictly. The tree keeps data.
func parseNode(data []byte) (node, error) {
	tokens := tokenDecoders.Get().(*jsontext.Decoder)
	defer tokenDecoders.Put(tokens)
	tokens.Reset(bytes.NewBuffer(data))
	n, err := readNode(tokens, data, 0)
	if err == nil {
		if _, err = tokens.ReadToken(); err == io.EOF {
			err = nil
		} else if err == nil {
			err = fmt.Errorf("more than one value")
		}
	}
	tokens.Reset(bytes.NewReader(nil))
	if err != nil {
		return node{}, fmt.Errorf("read JSON: %w", err)
	}
	return n, nil
}

func readNode(tokens *jsontext.Decoder, data []byte, depth int) (node, error) {
	kind := tokens.PeekKind()
	if kind != jsontext.KindBeginObject && kind != jsontext.KindBeginArray {
		raw, err := readRaw(tokens, data)
		return node{kind: kind, raw: raw}, err
	}
	if depth == maxNodeDepth {
		return node{}, fmt.Errorf("nested deeper than %d levels", maxNodeDepth)
	}
	if _, err := tokens.ReadToken(); err != nil {
		return node{}, err
	}
	n := node{kind: kind}
	start := int(tokens.InputOffset()) - 1
	closing := jsontext.KindEndArray
	if kind == jsontext.KindBeginObject {
		closing = jsontext.KindEndObject
	}
	for tokens.PeekKind() != closing {
		var name []byte
		if kind == jsontext.KindBeginObject {
			var err error
			if name, err = readRaw(tokens, data); err != nil {
				return node{}, err
			}
		}
		value, err := readNode(tokens, data, depth+1)
		if err != nil {
			return node{}, err
		}
		if kind == jsontext.KindBeginObject {
			n.members = append(n.members, member{unquote(name), name, value})
		} else {
			n.elements = append(n.elements, value)
		}
	}
	if _, err := tokens.ReadToken(); err != nil {
		return node{}, err
	}
	n.raw = data[start:tokens.InputOffset()]
	return n, nil
}

// readRaw gives the next value as a part of data, not of the decoder's buffer.
func readRaw(tokens *jsontext.Decoder, data []byte) ([]byte, error) {
	value, err := tokens.ReadValue()
	end := int(tokens.InputOffset())
	return data[end-len(value) : end], err
}

// text is the text of a string, and "" of any other value.
func (n node) text() string {
	if n.kind != jsontext.KindString {
		return ""
	}
	return unquote(n.raw)
}

// get gives the member of that name, the zero node when there is none.
func (n node) get(name string) node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return node{}
}

// unquote gives the text of a valid JSON string.
func unquote(raw []byte) string {
	text, _ := jsontext.AppendUnquote(nil, raw)
	return string(text)
}
