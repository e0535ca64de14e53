package front

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Right is one action that a function's role may do.
type Right struct {
	Action   string // "dynamodb:PutItem"
	Resource string // pattern of the end of an ARN: "table/NAME", "BUCKET/*/documents/*"
}

// Covers reports whether the right is to an action on a resource. In a pattern * stands for any text, / included.
// Source: IAM user guide, "IAM JSON policy elements: Resource".
func (r Right) Covers(action, resource string) bool {
	return r.Action == action && matches(r.Resource, resource)
}

func matches(pattern, text string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	if !ok {
		return false
	}
	for from := range len(text) + 1 {
		if matches(rest, text[from:]) {
			return true
		}
	}
	return false
}

// ReadRights reads what each function of template.yaml may do, by logical id. values is that of ReadTemplate. It refuses what
// it could not judge: managed policies, conditions, denials, and wildcards in actions.
func ReadRights(text []byte, values map[string]string) (map[string][]Right, error) {
	var file templateFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read rights: %w", err)
	}
	r, err := file.resources(values)
	if err != nil {
		return nil, fmt.Errorf("read rights: %w", err)
	}
	rights := make(map[string][]Right)
	for id, resource := range file.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		var properties struct {
			Policies []policy `yaml:"Policies"`
		}
		if err := resource.Properties.Decode(&properties); err != nil {
			return nil, fmt.Errorf("read rights of %s: %w", id, err)
		}
		rights[id] = []Right{}
		for _, p := range properties.Policies {
			granted, err := p.rights(r)
			if err != nil {
				return nil, fmt.Errorf("read rights of %s: %w", id, err)
			}
			rights[id] = append(rights[id], granted...)
		}
	}
	return rights, nil
}

// resources answers references to tables and buckets by the ends of their ARNs.
func (f templateFile) resources(values map[string]string) (resolver, error) {
	r := resolver{values: maps.Clone(values)}
	for id, resource := range f.Resources {
		switch resource.Type {
		case "AWS::DynamoDB::Table":
			var properties struct {
				TableName yaml.Node `yaml:"TableName"`
			}
			if err := resource.Properties.Decode(&properties); err != nil {
				return r, err
			}
			name, err := r.text(properties.TableName)
			if err != nil {
				return r, fmt.Errorf("%s: TableName: %w", id, err)
			}
			r.values[id+".Arn"] = "table/" + name
			r.values[id+".StreamArn"] = "table/" + name + "/stream/LABEL"
		case "AWS::S3::Bucket":
			r.values[id+".Arn"] = r.values[id]
		case "AWS::SQS::Queue":
			r.values[id+".Arn"] = id
		}
	}
	return r, nil
}

// policy is one document of a function's Policies.
type policy struct {
	Version   string `yaml:"Version"`
	Statement []struct {
		Effect   string         `yaml:"Effect"`
		Action   textOrList     `yaml:"Action"`
		Resource textOrList     `yaml:"Resource"`
		Sid      string         `yaml:"Sid"`
		Other    map[string]any `yaml:",inline"`
	} `yaml:"Statement"`
	Other map[string]any `yaml:",inline"` // a template of SAM's, for one
}

// textOrList is one value or several, as policies take both.
type textOrList []yaml.Node

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *textOrList) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode((*[]yaml.Node)(l))
	}
	*l = textOrList{*node}
	return nil
}

func (p policy) rights(r resolver) ([]Right, error) {
	if len(p.Other) > 0 {
		return nil, fmt.Errorf("a policy is a document with statements, not %q", slices.Sorted(maps.Keys(p.Other)))
	}
	var rights []Right
	for _, s := range p.Statement {
		if s.Effect != "Allow" || len(s.Other) > 0 {
			return nil, fmt.Errorf("statement %s: only Allow without conditions is understood, not %s with %q", s.Sid, s.Effect, slices.Sorted(maps.Keys(s.Other)))
		}
		for _, action := range s.Action {
			if strings.Contains(action.Value, "*") {
				return nil, fmt.Errorf("statement %s: %s is a wildcard: name each action", s.Sid, action.Value)
			}
			for _, resource := range s.Resource {
				pattern, err := r.text(resource)
				if err != nil {
					return nil, fmt.Errorf("statement %s: %w", s.Sid, err)
				}
				if strings.HasPrefix(pattern, "*") {
					return nil, errors.New("statement " + s.Sid + ": it is about every resource: name them")
				}
				rights = append(rights, Right{Action: action.Value, Resource: pattern})
			}
		}
	}
	return rights, nil
}
