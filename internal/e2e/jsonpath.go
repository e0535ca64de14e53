package e2e

import (
	"bytes"
	"cmp"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// pathStep takes one step of a path: .name, ['name'], [0], [-1] or [*].
var pathStep = regexp.MustCompile(`^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^']*)'\]|\[(-?\d+|\*)\])`)

// lookUp returns the value that a path leads to in a JSON text, as it stands there, and whether there is one. A path with
// [*] gives an array of what the rest of the path finds in each element.
func lookUp(text jsontext.Value, path string) (jsontext.Value, bool, error) {
	if path == "" || path[0] != '$' {
		return nil, false, fmt.Errorf("path %q does not begin with $", path)
	}
	return walkPath(text, path[1:])
}

func walkPath(text jsontext.Value, path string) (jsontext.Value, bool, error) {
	if path == "" {
		return bytes.TrimSpace(text), true, nil
	}
	m := pathStep.FindStringSubmatch(path)
	if m == nil {
		return nil, false, fmt.Errorf("cannot read the path at %q", path)
	}
	rest := path[len(m[0]):]
	if m[3] == "" {
		var members map[string]jsontext.Value
		if text.Kind() != '{' {
			return nil, false, nil
		}
		if err := json.Unmarshal(text, &members); err != nil {
			return nil, false, fmt.Errorf("read object: %w", err)
		}
		value, found := members[cmp.Or(m[1], m[2])]
		if !found {
			return nil, false, nil
		}
		return walkPath(value, rest)
	}
	if text.Kind() != '[' {
		return nil, false, nil
	}
	var elements []jsontext.Value
	if err := json.Unmarshal(text, &elements); err != nil {
		return nil, false, fmt.Errorf("read array: %w", err)
	}
	if m[3] == "*" {
		return walkEach(elements, rest)
	}
	i, err := strconv.Atoi(m[3])
	if err != nil {
		return nil, false, fmt.Errorf("read index: %w", err)
	}
	if i < 0 {
		i += len(elements)
	}
	if i < 0 || i >= len(elements) {
		return nil, false, nil
	}
	return walkPath(elements[i], rest)
}

func walkEach(elements []jsontext.Value, rest string) (jsontext.Value, bool, error) {
	found := [][]byte{}
	for _, element := range elements {
		value, ok, err := walkPath(element, rest)
		if err != nil {
			return nil, false, err
		}
		if ok {
			found = append(found, value)
		}
	}
	return slices.Concat([]byte("["), bytes.Join(found, []byte(",")), []byte("]")), true, nil
}

// canonical brings a JSON text into a form in which equal texts are the same bytes: members sorted, no white space,
// strings without needless escapes, numbers as they were written (1.0 is not 1 to a reader of bytes).
func canonical(text jsontext.Value) (string, error) {
	switch text.Kind() {
	case '{':
		var members map[string]jsontext.Value
		if err := json.Unmarshal(text, &members); err != nil {
			return "", fmt.Errorf("read object: %w", err)
		}
		names := make([]string, 0, len(members))
		for name := range members {
			names = append(names, name)
		}
		slices.Sort(names)
		out := "{"
		for i, name := range names {
			if i > 0 {
				out += ","
			}
			value, err := canonical(members[name])
			if err != nil {
				return "", err
			}
			out += strconv.Quote(name) + ":" + value
		}
		return out + "}", nil
	case '[':
		elements, err := canonicalElements(text)
		if err != nil {
			return "", err
		}
		return "[" + strings.Join(elements, ",") + "]", nil
	case '"':
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return "", fmt.Errorf("read string: %w", err)
		}
		return strconv.Quote(s), nil
	}
	if !text.IsValid() {
		return "", fmt.Errorf("not JSON: %.60q", []byte(text))
	}
	return string(bytes.TrimSpace(text)), nil
}

// canonicalElements brings each element of an array into canonical form.
func canonicalElements(text jsontext.Value) ([]string, error) {
	var elements []jsontext.Value
	if err := json.Unmarshal(text, &elements); err != nil {
		return nil, fmt.Errorf("read array: %w", err)
	}
	out := make([]string, len(elements))
	for i, element := range elements {
		value, err := canonical(element)
		if err != nil {
			return nil, err
		}
		out[i] = value
	}
	return out, nil
}
