package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// stack is what the rules read of template.yaml.
type stack struct {
	Parameters map[string]yaml.Node `yaml:"Parameters"`
	Conditions yaml.Node            `yaml:"Conditions"`
	Globals    yaml.Node            `yaml:"Globals"`
	Outputs    yaml.Node            `yaml:"Outputs"`
	Resources  map[string]resource  `yaml:"Resources"`

	runbook string
	found   []string
}

type resource struct {
	Type                string    `yaml:"Type"`
	DeletionPolicy      string    `yaml:"DeletionPolicy"`
	UpdateReplacePolicy string    `yaml:"UpdateReplacePolicy"`
	Metadata            yaml.Node `yaml:"Metadata"`
	Properties          yaml.Node `yaml:"Properties"`
}

// check returns one sentence for each rule that the template breaks, beginning with the resource's name.
func check(text, runbook []byte) ([]string, error) {
	s := stack{runbook: string(runbook)}
	if err := yaml.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	s.references("Conditions", &s.Conditions)
	s.references("Globals", &s.Globals)
	s.references("Outputs", &s.Outputs)
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		properties := s.Resources[id].Properties
		s.references(id, &properties)
		if rule, ok := rules[s.Resources[id].Type]; ok {
			rule(&s, id, s.Resources[id])
		} else {
			s.report(id, "no rule knows the type %s: write one that says what is asked of it", s.Resources[id].Type)
		}
	}
	return s.found, nil
}

var placeholder = regexp.MustCompile(`\$\{([^}!]+)\}`)

// references reports what refers to nothing. cfn-lint does not: SAM's transformation could still make it.
func (s *stack) references(id string, n *yaml.Node) {
	var names []string
	switch n.Tag {
	case "!Ref", "!GetAtt":
		names = []string{n.Value}
	case "!Sub":
		for _, found := range placeholder.FindAllStringSubmatch(n.Value, -1) {
			names = append(names, found[1])
		}
	}
	for _, name := range names {
		base, _, _ := strings.Cut(name, ".")
		_, parameter := s.Parameters[base]
		_, resource := s.Resources[base]
		if !parameter && !resource && !strings.HasPrefix(name, "AWS::") {
			s.report(id, "line %d refers to %s, which is not there", n.Line, name)
		}
	}
	for _, c := range n.Content {
		s.references(id, c)
	}
}

func (s *stack) report(id, format string, args ...any) {
	s.found = append(s.found, id+": "+fmt.Sprintf(format, args...))
}

// want reports each property of a resource that does not have its value. A !Ref or !GetAtt has the value of its name.
func (s *stack) want(id string, r resource, wanted map[string]string, why string) {
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		if got := text(&r.Properties, path); got != wanted[path] {
			s.report(id, "%s is %q, want %q: %s", path, got, wanted[path], why)
		}
	}
}

// of returns the resources of a type, by name.
func (s *stack) of(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range s.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// child returns the node at a path of names with "." between them, nil when there is none. A sequence has its first entry at
// "0".
func child(n *yaml.Node, path string) *yaml.Node {
	for name := range strings.SplitSeq(path, ".") {
		if n = step(n, name); n == nil {
			return nil
		}
	}
	return n
}

func step(n *yaml.Node, name string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if name == "0" && len(n.Content) > 0 {
			return n.Content[0]
		}
	}
	return nil
}

// text is the scalar at a path; "" when there is none.
func text(n *yaml.Node, path string) string {
	if found := child(n, path); found != nil {
		return found.Value
	}
	return ""
}

// list is the scalars at a path: of a sequence, or one alone.
func list(n *yaml.Node, path string) []string {
	found := child(n, path)
	switch {
	case found == nil:
		return nil
	case found.Kind == yaml.SequenceNode:
		var values []string
		for _, c := range found.Content {
			values = append(values, c.Value)
		}
		return values
	}
	return []string{found.Value}
}

// anywhere says whether a scalar with the value stands in the node or below.
func anywhere(n *yaml.Node, value string) bool {
	return n.Value == value || slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return anywhere(c, value) })
}
