package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Script is one conversation.
type Script struct {
	Name     string
	Variable string   // of "for each"; "" when there is none
	Values   []string // of Variable
	AnyOrder []string // names of the sections that run in every order
	OwnStore bool     // it counts what is in its store: nothing else may be there
	Sections []Section
}

// Section is a part of a script that may change places with others.
type Section struct {
	Name  string // "" before the first section line
	Steps []Step
}

// Step is one line with what belongs to it; a request carries the checks of its answer.
type Step struct {
	Line    int    // in the file, from 1
	Verb    string // first word: let, make, as, version, wait, sleep, check, requires, or "request"
	Name    string // of let and make
	Text    string // the rest, not expanded
	Request *Request
}

// Request is a request and what must come back. Nothing in it is expanded.
type Request struct {
	Method, Path   string
	Query, Form    []Pair
	Header         []Pair
	Without        []string
	Headers        string // a JSON object of further headers; "" for none
	Body           string
	HasBody        bool
	FollowMore     bool
	FollowRedirect bool // a 303 is followed
	Eventually     bool // the checks may come to hold a little later
	Status         []int
	Checks         []Check
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// Check is one expectation of an answer.
type Check struct {
	Line    int
	Subject string // header, json, raw, body, parts, part, save
	Of      string // header name, JSON path or name to save as
	Op      string
	Value   string
}

var (
	requestLine = regexp.MustCompile(`^([A-Z]+) (@?/\S*|reports/\S*|@?\{\{\S+)$`)
	headerLine  = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*): ?(.*)$`)
	pairLine    = regexp.MustCompile(`^([?&]) (\S+) =(?: (.*))?$`)
	assignLine  = regexp.MustCompile(`^(let|make|save) ([A-Za-z][A-Za-z0-9]*) =(?: (.*))?$`)
	expectLine  = regexp.MustCompile(`^expect (\d{3})(?: or (\d{3}))*$`)
	headerCheck = regexp.MustCompile(`^header (\S+) (=|~|present|absent)(?: (.*))?$`)
	jsonCheck   = regexp.MustCompile(`^json (\$\S*) (=|!=|~|is set|contains|count|present|absent)(?: (.*))?$`)
	rawCheck    = regexp.MustCompile(`^raw (\$\S*) (=) (.*)$`)
	bodyCheck   = regexp.MustCompile(`^body (=|~|contains|lacks|empty)(?: (.*))?$`)
)

// requiresLine begins a comment that names requirements.
const requiresLine = "# requires: "

// Parse reads a script. Errors name the line.
func Parse(name, text string) (*Script, error) {
	p := &parser{script: &Script{Name: name, Sections: []Section{{}}}, lines: strings.Split(text, "\n")}
	for p.at < len(p.lines) {
		if err := p.line(); err != nil {
			return nil, fmt.Errorf("parse %s: line %d: %w", name, p.at+1, err)
		}
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	return p.script, nil
}

type parser struct {
	script  *Script
	lines   []string
	at      int      // the line being read, from 0
	request *Request // the last request, while lines may still belong to it
}

// line reads one line and what is indented below it.
func (p *parser) line() error {
	line := strings.TrimRight(p.lines[p.at], " \t\r")
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case strings.HasPrefix(line, requiresLine):
		p.step(Step{Verb: "requires", Text: strings.TrimPrefix(line, requiresLine)})
	case line == "" || strings.HasPrefix(line, "#"):
	case strings.HasPrefix(line, "  "):
		return fmt.Errorf("an indented line belongs to nothing")
	case strings.HasPrefix(line, "for each "):
		return p.forEach(line)
	case strings.HasPrefix(line, "in any order: "):
		p.script.AnyOrder = strings.Fields(strings.TrimPrefix(line, "in any order: "))
	case line == "in a store of its own":
		p.script.OwnStore = true
	case word == "section":
		p.request = nil
		p.script.Sections = append(p.script.Sections, Section{Name: rest})
	case word == "let" || word == "make":
		return p.assign(line)
	case word == "as" || word == "version" || word == "sleep" || word == "check" || word == "store":
		p.step(Step{Verb: word, Text: rest})
	case line == "wait until consistent":
		p.step(Step{Verb: "wait"})
	case requestLine.MatchString(line):
		return p.begin(line)
	case p.request != nil && p.request.Status == nil:
		return p.part(line)
	case p.request != nil:
		return p.check(line)
	default:
		return fmt.Errorf("cannot read %q", line)
	}
	p.at++
	return nil
}

func (p *parser) step(s Step) {
	s.Line = p.at + 1
	p.request = s.Request
	section := &p.script.Sections[len(p.script.Sections)-1]
	section.Steps = append(section.Steps, s)
}

// block takes the indented lines below the current one, with the blank lines between them, and leaves at on the last.
func (p *parser) block() (text string, found bool) {
	var taken []string
	last := p.at
	for i := p.at + 1; i < len(p.lines); i++ {
		line := strings.TrimSuffix(p.lines[i], "\r")
		if indented, ok := strings.CutPrefix(line, "  "); ok {
			for range i - last - 1 {
				if taken != nil { // blank lines before the first are none of it
					taken = append(taken, "")
				}
			}
			taken = append(taken, indented)
			last = i
		} else if strings.TrimSpace(line) != "" {
			break
		}
	}
	p.at = last
	return strings.Join(taken, "\n"), taken != nil
}

func (p *parser) forEach(line string) error {
	name, values, ok := strings.Cut(strings.TrimPrefix(line, "for each "), " in ")
	if !ok || p.script.Variable != "" {
		return fmt.Errorf("want one line: for each NAME in VALUE …")
	}
	p.script.Variable, p.script.Values = name, strings.Fields(values)
	p.at++
	return nil
}

func (p *parser) assign(line string) error {
	m := assignLine.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("want %s NAME = …", strings.Fields(line)[0])
	}
	s := Step{Verb: m[1], Name: m[2], Text: m[3]}
	at := p.at
	if text, found := p.block(); found {
		s.Text = strings.TrimPrefix(m[3]+" "+text, " ")
		if m[3] == "" {
			s.Text = text
		}
	}
	end := p.at
	p.at = at
	p.step(s)
	p.at = end + 1
	return nil
}

func (p *parser) begin(line string) error {
	m := requestLine.FindStringSubmatch(line)
	p.step(Step{Verb: "request", Request: &Request{Method: m[1], Path: m[2]}})
	return p.body()
}

// body takes an indented body below the current line of a request.
func (p *parser) body() error {
	text, found := p.block()
	if found && p.request.HasBody {
		return fmt.Errorf("a second body")
	}
	if found {
		p.request.Body, p.request.HasBody = text, true
	}
	p.at++
	return nil
}

// part reads a line of the request itself.
func (p *parser) part(line string) error {
	r := p.request
	if m := pairLine.FindStringSubmatch(line); m != nil {
		if m[1] == "?" {
			r.Query = append(r.Query, Pair{m[2], m[3]})
		} else {
			r.Form = append(r.Form, Pair{m[2], m[3]})
		}
	} else if object, ok := strings.CutPrefix(line, "headers "); ok {
		r.Headers = object
	} else if name, ok := strings.CutPrefix(line, "without "); ok {
		r.Without = append(r.Without, name)
	} else if line == "follow more" {
		r.FollowMore = true
	} else if line == "follow redirect" {
		r.FollowRedirect = true
	} else if line == "eventually" {
		r.Eventually = true
	} else if strings.HasPrefix(line, "expect ") {
		return p.expect(line)
	} else if m := headerLine.FindStringSubmatch(line); m != nil {
		r.Header = append(r.Header, Pair{m[1], m[2]})
	} else {
		return fmt.Errorf("cannot read %q in a request", line)
	}
	return p.body()
}

func (p *parser) expect(line string) error {
	if !expectLine.MatchString(line) {
		return fmt.Errorf("want expect STATUS [or STATUS]")
	}
	for field := range strings.FieldsSeq(line) {
		if status, err := strconv.Atoi(field); err == nil {
			p.request.Status = append(p.request.Status, status)
		}
	}
	p.at++
	return nil
}

func (p *parser) check(line string) error {
	c := Check{Line: p.at + 1}
	c.Subject, _, _ = strings.Cut(line, " ")
	if m := headerCheck.FindStringSubmatch(line); m != nil {
		c.Of, c.Op, c.Value = m[1], m[2], m[3]
	} else if m := jsonCheck.FindStringSubmatch(line); m != nil {
		c.Of, c.Op, c.Value = m[1], m[2], m[3]
	} else if m := rawCheck.FindStringSubmatch(line); m != nil {
		c.Of, c.Op, c.Value = m[1], m[2], m[3]
	} else if m := bodyCheck.FindStringSubmatch(line); m != nil {
		c.Op, c.Value = m[1], m[2]
	} else if m := assignLine.FindStringSubmatch(line); m != nil && m[1] == "save" {
		c.Of = m[2]
		c.Op, c.Value, _ = strings.Cut(m[3], " ")
	} else if n, ok := strings.CutPrefix(line, "parts "); ok {
		c.Value = n
	} else if n, ok := strings.CutPrefix(line, "part "); ok {
		c.Value = n
	} else {
		return fmt.Errorf("cannot read the check %q", line)
	}
	if text, found := p.block(); found {
		c.Value += text
	}
	p.request.Checks = append(p.request.Checks, c)
	p.at++
	return nil
}

// finish looks for what no single line shows.
func (p *parser) finish() error {
	for _, section := range p.script.Sections {
		for _, step := range section.Steps {
			if step.Request != nil && step.Request.Status == nil {
				return fmt.Errorf("line %d: the request expects nothing", step.Line)
			}
		}
	}
	if len(p.script.AnyOrder) == 0 {
		return nil
	}
	names := make([]string, len(p.script.Sections))
	for i, section := range p.script.Sections {
		names[i] = section.Name
	}
	first := slices.Index(names, p.script.AnyOrder[0])
	if first < 0 || first+len(p.script.AnyOrder) > len(names) || !slices.Equal(names[first:first+len(p.script.AnyOrder)], p.script.AnyOrder) {
		return fmt.Errorf("in any order: the sections %v do not follow each other so", p.script.AnyOrder)
	}
	return nil
}
