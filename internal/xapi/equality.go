package xapi

import (
	"bytes"
	"encoding/json/jsontext"
	"slices"
	"strconv"
	"strings"
)

// EqualJSON says whether a and b are the same statement by the rules of the
// specification, whatever the LRS or the sender's libraries did to them: see
// comparison for what is ignored. README.md has the reasons. They are JSON, received
// or stored, or the payload of a signature, and need not be valid as statements; an
// error says that one is no JSON. The rules of 2.0 apply when either has a version
// that begins with "2.".
// Source: Data 2.3.1; IEEE 9274.1.1 4.2.
func EqualJSON(a, b []byte) (bool, error) {
	return compare(a, b, func(statement node) node { return statement.get("timestamp") })
}

// EqualStored is EqualJSON of a statement that an LRS keeps and one that came under the same id, rendered as it would be kept
// in its place. A timestamp that is the stored time was set by the LRS: the sender left it out, and so it does not count.
func EqualStored(kept, came []byte) (bool, error) {
	return compare(kept, came, func(statement node) node {
		at := statement.get("timestamp")
		if bytes.Equal(at.raw, statement.get("stored").raw) {
			return node{}
		}
		return at
	})
}

// compare compares with the timestamps that the senders set, as sent gives them; the zero node is none.
func compare(a, b []byte, sent func(statement node) node) (bool, error) {
	if bytes.Equal(a, b) {
		_, err := parseNode(a)
		return err == nil, err
	}
	left, err := parseNode(a)
	if err != nil {
		return false, err
	}
	right, err := parseNode(b)
	if err != nil {
		return false, err
	}
	c := comparison{ignoreTimestamp: isLater(left) || isLater(right)}
	if !bytes.Equal(c.event(left), c.event(right)) {
		return false, nil
	}
	x, y := sent(left), sent(right)
	return c.ignoreTimestamp || x.kind == 0 || y.kind == 0 || bytes.Equal(c.timestamp(x), c.timestamp(y)), nil
}

func isLater(statement node) bool {
	return strings.HasPrefix(statement.get("version").text(), "2.")
}

// comparison turns a statement into a form that equal statements share byte for byte:
// every difference that the specification ignores is taken out, members are sorted,
// and strings and numbers have one notation each. Being a function of one statement,
// it makes equality reflexive, symmetric and transitive; the timestamp of a statement,
// which counts only when both have one, stands outside.
type comparison struct {
	ignoreTimestamp bool // in SubStatements too
}

// event is the form of a statement or SubStatement. The activity definitions and
// verb displays that it refers to, and attachments, are no part of it.
func (c comparison) event(n node) []byte {
	return c.object(n, func(name string, v node) []byte {
		switch name {
		case "id", "authority", "stored", "version", "timestamp", "attachments":
			return nil
		case "actor":
			return c.actor(v)
		case "verb":
			return c.idAlone(v)
		case "object":
			return c.objectOfStatement(v)
		case "result":
			return c.result(v)
		case "context":
			return c.context(v)
		}
		return c.value(v)
	})
}

func (c comparison) objectOfStatement(n node) []byte {
	switch n.get("objectType").text() {
	case "Agent", "Group":
		return c.actor(n)
	case "StatementRef":
		return c.reference(n)
	case "SubStatement":
		form := append([]byte("SubStatement "), c.event(n)...)
		if at := n.get("timestamp"); at.kind != 0 && !c.ignoreTimestamp {
			form = append(form, c.timestamp(at)...)
		}
		return form
	}
	return c.activity(n)
}

// activity is the id alone: a definition is no part of the statement, and an
// objectType that is left out means Activity.
func (c comparison) activity(n node) []byte {
	return append([]byte("Activity "), c.idAlone(n)...)
}

func (c comparison) idAlone(n node) []byte {
	if id := n.get("id"); id.kind == jsontext.KindString {
		return c.value(id)
	}
	return c.value(n)
}

// actor ignores the order of members, an objectType that says what its absence says,
// and the case of an mbox's domain and of a hash.
func (c comparison) actor(n node) []byte {
	return c.object(n, func(name string, v node) []byte {
		switch name {
		case "objectType":
			if v.text() == "Agent" {
				return nil
			}
		case "mbox", "mbox_sha1sum":
			ifi := IFI{Kind: IFIKind(name), Value: v.text()}
			return quoted(ifi.comparableValue())
		case "member":
			forms := make([][]byte, len(v.elements))
			for i, element := range v.elements {
				forms[i] = c.actor(element)
			}
			slices.SortFunc(forms, bytes.Compare)
			return list(forms)
		}
		return c.value(v)
	})
}

func (c comparison) reference(n node) []byte {
	return c.object(n, func(name string, v node) []byte {
		if name == "id" {
			return quoted(NormalizeUUID(v.text()))
		}
		return c.value(v)
	})
}

func (c comparison) result(n node) []byte {
	return c.object(n, func(name string, v node) []byte {
		if name == "duration" {
			return quoted(comparableDuration(v.text()))
		}
		return c.value(v)
	})
}

func (c comparison) context(n node) []byte {
	return c.object(n, func(name string, v node) []byte {
		switch name {
		case "registration":
			return quoted(NormalizeUUID(v.text()))
		case "language":
			return quoted(strings.ToLower(v.text()))
		case "instructor", "team":
			return c.actor(v)
		case "statement":
			return c.reference(v)
		case "contextActivities":
			return c.object(v, func(_ string, v node) []byte { return c.activities(v) })
		case "contextAgents", "contextGroups":
			forms := make([][]byte, len(v.elements))
			for i, element := range v.elements {
				forms[i] = c.contextActor(element)
			}
			return list(forms)
		}
		return c.value(v)
	})
}

// activities makes an array of a single Activity.
func (c comparison) activities(n node) []byte {
	if n.kind == jsontext.KindBeginObject {
		return list([][]byte{c.activity(n)})
	}
	forms := make([][]byte, len(n.elements))
	for i, element := range n.elements {
		forms[i] = c.activity(element)
	}
	return list(forms)
}

func (c comparison) contextActor(n node) []byte {
	return c.object(n, func(name string, v node) []byte {
		if name == "agent" || name == "group" {
			return c.actor(v)
		}
		return c.value(v)
	})
}

func (c comparison) timestamp(n node) []byte { return quoted(comparableTimestamp(n.text())) }

// object is an object of the members that form does not give nil for, sorted by
// name. A value of another kind is taken as it is.
func (c comparison) object(n node, form func(name string, v node) []byte) []byte {
	if n.kind != jsontext.KindBeginObject {
		return c.value(n)
	}
	type entry struct {
		name  string
		value []byte
	}
	entries := make([]entry, 0, len(n.members))
	for _, m := range n.members {
		if value := form(m.name, m.value); value != nil {
			entries = append(entries, entry{m.name, value})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	out := []byte("{")
	for _, e := range entries {
		out = append(append(out, quoted(e.name)...), ':')
		out = append(append(out, e.value...), ',')
	}
	return append(out, '}')
}

// value is any JSON, as in an extension: sorted members, one notation for strings
// and numbers.
func (c comparison) value(n node) []byte {
	switch n.kind {
	case jsontext.KindBeginObject:
		return c.object(n, func(_ string, v node) []byte { return c.value(v) })
	case jsontext.KindBeginArray:
		forms := make([][]byte, len(n.elements))
		for i, element := range n.elements {
			forms[i] = c.value(element)
		}
		return list(forms)
	case jsontext.KindString:
		return quoted(n.text())
	case jsontext.KindNumber:
		return comparableNumber(n.raw)
	}
	return n.raw
}

func list(forms [][]byte) []byte {
	return append(append([]byte("["), bytes.Join(forms, []byte(","))...), ']')
}

func quoted(s string) []byte {
	out, _ := jsontext.AppendQuote(nil, s)
	return out
}

// maxExponentDigits keeps the arithmetic on exponents inside an int64.
const maxExponentDigits = 15

// comparableNumber gives equal numbers equal bytes, 1.0 and 1 and 10e-1, without
// ever computing one: a number of a million digits costs no more than its length.
func comparableNumber(raw []byte) []byte {
	mantissa, exponentText := string(raw), ""
	if at := bytes.IndexAny(raw, "eE"); at >= 0 {
		mantissa, exponentText = mantissa[:at], strings.TrimPrefix(mantissa[at+1:], "+")
	}
	if len(exponentText) > maxExponentDigits {
		return raw
	}
	exponent, _ := strconv.ParseInt(exponentText, 10, 64)
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent -= int64(len(fraction))
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return []byte("0")
	}
	significant := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(significant))
	out := []byte(significant + "e" + strconv.FormatInt(exponent, 10))
	if negative {
		out = append([]byte("-"), out...)
	}
	return out
}
