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
	Key      string // pattern of the partition keys of the items; "" for all
}

// Covers reports whether the right is to an action on a resource, and on the item with a key. In a pattern * stands for any
// text, / included. Source: IAM user guide, "IAM JSON policy elements: Resource", "… Condition operators".
func (r Right) Covers(action, resource, key string) bool {
	return r.Action == action && matches(r.Resource, resource) && (r.Key == "" || key != "" && matches(r.Key, key))
}

// String names the right.
func (r Right) String() string {
	if r.Key == "" {
		return r.Action + " " + r.Resource
	}
	return r.Action + " " + r.Resource + " " + r.Key
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
// it could not judge: managed policies, denials, wildcards in actions, and conditions other than on all leading keys.
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
	Version   string            `yaml:"Version"`
	Statement []policyStatement `yaml:"Statement"`
	Other     map[string]any    `yaml:",inline"` // a template of SAM's, for one
}

type policyStatement struct {
	Effect    string         `yaml:"Effect"`
	Action    textOrList     `yaml:"Action"`
	Resource  textOrList     `yaml:"Resource"`
	Sid       string         `yaml:"Sid"`
	Condition *condition     `yaml:"Condition"`
	Other     map[string]any `yaml:",inline"`
}

// condition is the one that is understood: all partition keys of a request match one of the patterns, and there is one.
type condition struct {
	StringLike struct {
		Keys  []string       `yaml:"dynamodb:LeadingKeys"`
		Other map[string]any `yaml:",inline"`
	} `yaml:"ForAllValues:StringLike"`
	Null struct {
		Keys  string         `yaml:"dynamodb:LeadingKeys"`
		Other map[string]any `yaml:",inline"`
	} `yaml:"Null"`
	Other map[string]any `yaml:",inline"`
}

// keys are the patterns of partition keys; "" alone without a condition.
func (c *condition) keys() ([]string, error) {
	if c == nil {
		return []string{""}, nil
	}
	if len(c.Other)+len(c.StringLike.Other)+len(c.Null.Other) > 0 || len(c.StringLike.Keys) == 0 || c.Null.Keys != "false" {
		return nil, errors.New("a condition is understood only when it asks all leading keys to be like something, and not to be absent")
	}
	return c.StringLike.Keys, nil
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
		granted, err := s.rights(r)
		if err != nil {
			return nil, fmt.Errorf("statement %s: %w", s.Sid, err)
		}
		rights = append(rights, granted...)
	}
	return rights, nil
}

func (s policyStatement) rights(r resolver) ([]Right, error) {
	if s.Effect != "Allow" || len(s.Other) > 0 {
		return nil, fmt.Errorf("only Allow is understood, not %s with %q", s.Effect, slices.Sorted(maps.Keys(s.Other)))
	}
	keys, err := s.Condition.keys()
	if err != nil {
		return nil, err
	}
	var rights []Right
	for _, action := range s.Action {
		if strings.Contains(action.Value, "*") {
			return nil, fmt.Errorf("%s is a wildcard: name each action", action.Value)
		}
		for _, resource := range s.Resource {
			pattern, err := r.text(resource)
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(pattern, "*") {
				return nil, errors.New("it is about every resource: name them")
			}
			for _, key := range keys {
				rights = append(rights, Right{Action: action.Value, Resource: pattern, Key: key})
			}
		}
	}
	return rights, nil
}
