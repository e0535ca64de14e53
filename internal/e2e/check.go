package e2e

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// view is what checks look at: an answer, or one part of it.
type view struct {
	header http.Header
	body   []byte
}

// checkAll holds an answer against a request's expectations. Each error names its line.
func (r *Request) checkAll(line int, a answer, v *values) error {
	if !slices.Contains(r.Status, a.status) {
		return fmt.Errorf("line %d: %s %s: status %d, want %v: %.500s", line, r.Method, r.Path, a.status, r.Status, a.body)
	}
	var failures []error
	look := view{a.header, a.body}
	for _, c := range r.Checks {
		value, err := v.expand(c.Value)
		if err == nil {
			err = c.hold(&look, a, value, v)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("line %d: %s %s: %w", c.Line, c.Subject, c.Of, err))
		}
	}
	return errors.Join(failures...)
}

// hold decides one check. It may move the view to a part and save a value.
func (c Check) hold(look *view, a answer, value string, v *values) error {
	switch c.Subject {
	case "header":
		return c.header(look.header, value)
	case "json":
		return c.json(look.body, value)
	case "raw":
		got, found, err := lookUp(look.body, c.Of)
		if err != nil || !found {
			return errors.Join(err, fmt.Errorf("nothing is there in %.300s", look.body))
		}
		return same(string(got), value)
	case "body":
		return c.text(string(look.body), value)
	case "save":
		saved, err := c.saved(*look, value)
		v.text[c.Of] = saved
		return err
	}
	parts, err := a.parts()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return err
	}
	if c.Subject == "parts" {
		return same(strconv.Itoa(len(parts)), value)
	}
	if n >= len(parts) {
		return fmt.Errorf("there are %d parts", len(parts))
	}
	*look = view(parts[n])
	return nil
}

func (c Check) header(header http.Header, value string) error {
	got := header.Values(c.Of)
	switch {
	case c.Op == "absent" && len(got) > 0:
		return fmt.Errorf("is %q, want none", got)
	case c.Op == "absent":
		return nil
	case len(got) != 1:
		return fmt.Errorf("stands %d times, want once: %q", len(got), got)
	case c.Op == "=":
		return same(got[0], value)
	case c.Op == "~":
		return matches(got[0], value)
	}
	return nil
}

func (c Check) json(body []byte, value string) error {
	got, found, err := lookUp(body, c.Of)
	if err != nil {
		return fmt.Errorf("%w in %.300s", err, body)
	}
	if c.Op == "absent" {
		if found {
			return fmt.Errorf("is %.300s, want nothing", got)
		}
		return nil
	}
	if !found {
		return fmt.Errorf("nothing is there in %.500s", body)
	}
	switch c.Op {
	case "present":
		return nil
	case "contains":
		return contains(string(got), value)
	case "~":
		return matches(plain(got), value)
	case "count":
		elements, err := canonicalElements(got)
		if err != nil {
			return err
		}
		return same(strconv.Itoa(len(elements)), value)
	case "is set":
		return sameSet(got, jsontext.Value(value))
	}
	gotText, err := canonical(got)
	if err != nil {
		return err
	}
	wantText, err := canonical(jsontext.Value(value))
	if err != nil {
		return fmt.Errorf("read the wanted value: %w", err)
	}
	if c.Op == "!=" {
		if gotText == wantText {
			return fmt.Errorf("is %.300s, want anything else", got)
		}
		return nil
	}
	return same(gotText, wantText)
}

func (c Check) text(got, value string) error {
	switch c.Op {
	case "=":
		return same(got, value)
	case "~":
		return matches(got, value)
	case "contains":
		return contains(got, value)
	case "lacks":
		if strings.Contains(got, value) {
			return fmt.Errorf("holds %q: %.500s", value, got)
		}
		return nil
	}
	return same(got, "")
}

// saved finds the value of a save line: json PATH, raw PATH, header NAME or body.
func (c Check) saved(look view, of string) (string, error) {
	switch c.Op {
	case "json", "raw":
		got, found, err := lookUp(look.body, of)
		if err != nil || !found {
			return "", errors.Join(err, fmt.Errorf("%s: nothing is there in %.300s", of, look.body))
		}
		if c.Op == "raw" {
			return string(got), nil
		}
		return plain(got), nil
	case "header":
		if look.header.Get(of) == "" {
			return "", fmt.Errorf("there is no header %s", of)
		}
		return look.header.Get(of), nil
	case "body":
		return string(look.body), nil
	}
	return "", fmt.Errorf("cannot save %q", c.Op)
}

// plain is the text of a JSON string, and the JSON of anything else.
func plain(value jsontext.Value) string {
	if value.Kind() == '"' {
		if text, err := jsontext.AppendUnquote(nil, bytes.TrimSpace(value)); err == nil {
			return string(text)
		}
	}
	return string(value)
}

func sameSet(got, want jsontext.Value) error {
	gotElements, err := canonicalElements(got)
	if err != nil {
		return err
	}
	wantElements, err := canonicalElements(want)
	if err != nil {
		return fmt.Errorf("read the wanted set: %w", err)
	}
	slices.Sort(gotElements)
	slices.Sort(wantElements)
	return same(strings.Join(gotElements, ","), strings.Join(wantElements, ","))
}

func same(got, want string) error {
	if got != want {
		return fmt.Errorf("got  %.800s\n\t\twant %.800s", got, want)
	}
	return nil
}

func contains(got, want string) error {
	if !strings.Contains(got, want) {
		return fmt.Errorf("%.500s does not hold %s", got, want)
	}
	return nil
}

func matches(got, pattern string) error {
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("read pattern: %w", err)
	}
	if !expression.MatchString(got) {
		return fmt.Errorf("%.500q does not match %s", got, pattern)
	}
	return nil
}
