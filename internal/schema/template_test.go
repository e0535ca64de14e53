package schema_test

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// stackFile is what the test reads of template.yaml. CloudFormation's short forms (!Ref, !Sub) are tagged
// scalars to a YAML parser, so a string field gets their text.
type stackFile struct {
	Resources map[string]struct {
		Type       string    `yaml:"Type"`
		Properties yaml.Node `yaml:"Properties"`
	} `yaml:"Resources"`
}

// tableResource has the properties of an AWS::DynamoDB::Table that Cairn sets, with the names of
// CloudFormation's reference. Unknown ones fail the test: they would not be checked.
type tableResource struct {
	TableName             string     `yaml:"TableName"`
	BillingMode           string     `yaml:"BillingMode"`
	ProvisionedThroughput throughput `yaml:"ProvisionedThroughput"`
	AttributeDefinitions  []struct {
		AttributeName string `yaml:"AttributeName"`
		AttributeType string `yaml:"AttributeType"`
	} `yaml:"AttributeDefinitions"`
	KeySchema              keySchema `yaml:"KeySchema"`
	GlobalSecondaryIndexes []struct {
		IndexName  string    `yaml:"IndexName"`
		KeySchema  keySchema `yaml:"KeySchema"`
		Projection struct {
			ProjectionType   string   `yaml:"ProjectionType"`
			NonKeyAttributes []string `yaml:"NonKeyAttributes"`
		} `yaml:"Projection"`
		ProvisionedThroughput throughput `yaml:"ProvisionedThroughput"`
	} `yaml:"GlobalSecondaryIndexes"`
	StreamSpecification struct {
		StreamViewType string `yaml:"StreamViewType"`
	} `yaml:"StreamSpecification"`
	TimeToLiveSpecification struct {
		AttributeName string `yaml:"AttributeName"`
		Enabled       bool   `yaml:"Enabled"`
	} `yaml:"TimeToLiveSpecification"`
}

// throughput is what a table or index has when it is provisioned: !If [Provisioned, {…}, nothing].
type throughput [3]yaml.Node

// fromMinUnits says that it begins with the parameter MinUnits, and with nothing when on demand.
func (t throughput) fromMinUnits() bool {
	var given map[string]yaml.Node
	if t[1].Decode(&given) != nil || len(given) != 2 {
		return false
	}
	return t[0].Value == "Provisioned" && t[2].Value == "AWS::NoValue" &&
		given["ReadCapacityUnits"].Value == "MinUnits" && given["WriteCapacityUnits"].Value == "MinUnits"
}

type keySchema []struct {
	AttributeName string `yaml:"AttributeName"`
	KeyType       string `yaml:"KeyType"`
}

// keys returns the partition and the sort attribute.
func (k keySchema) keys(t *testing.T) (partition, sort string) {
	t.Helper()
	for i, part := range k {
		switch {
		case i == 0 && part.KeyType == "HASH":
			partition = part.AttributeName
		case i == 1 && part.KeyType == "RANGE":
			sort = part.AttributeName
		default:
			t.Errorf("key part %d is %+v", i, part)
		}
	}
	return partition, sort
}

// deployed reads one table as the port describes it, and the type that each key attribute is deployed with.
func (r tableResource) deployed(t *testing.T, name string) (table.Schema, map[string]string) {
	t.Helper()
	s := table.Schema{Name: name, Stream: r.StreamSpecification.StreamViewType == "NEW_AND_OLD_IMAGES"}
	s.Partition, s.Sort = r.KeySchema.keys(t)
	if r.TimeToLiveSpecification.Enabled {
		s.Expiry = r.TimeToLiveSpecification.AttributeName
	}
	for _, index := range r.GlobalSecondaryIndexes {
		if index.Projection.ProjectionType != "INCLUDE" {
			t.Errorf("index %s projects %s, want INCLUDE", index.IndexName, index.Projection.ProjectionType)
		}
		partition, sort := index.KeySchema.keys(t)
		s.Indexes = append(s.Indexes, table.Index{Name: index.IndexName, Partition: partition, Sort: sort, Projects: index.Projection.NonKeyAttributes})
	}
	types := make(map[string]string)
	for _, a := range r.AttributeDefinitions {
		types[a.AttributeName] = a.AttributeType
	}
	return s, types
}

// keyTypes says which attributes a schema has in keys: partition keys are text, sort keys are binary.
func keyTypes(s table.Schema) map[string]string {
	types := map[string]string{s.Partition: "S"}
	if s.Sort != "" {
		types[s.Sort] = "B"
	}
	for _, index := range s.Indexes {
		types[index.Partition], types[index.Sort] = "S", "B"
	}
	return types
}

func TestTemplateDeploysTheSchema(t *testing.T) {
	resources := readTables(t)
	for _, want := range schema.Tables {
		t.Run(want.Name, func(t *testing.T) {
			r, ok := resources["${AWS::StackName}-"+want.Name]
			if !ok {
				t.Fatal("template.yaml has no such table")
			}
			got, types := r.deployed(t, want.Name)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("table (-schema +template):\n%s", diff)
			}
			if diff := cmp.Diff(keyTypes(want), types); diff != "" {
				t.Errorf("types of key attributes (-schema +template):\n%s", diff)
			}
			if r.BillingMode != "BillingMode" || !r.ProvisionedThroughput.fromMinUnits() {
				t.Error("a table is billed as the parameter BillingMode says and begins with MinUnits: copy both properties from another table")
			}
			for _, index := range r.GlobalSecondaryIndexes {
				if !index.ProvisionedThroughput.fromMinUnits() {
					t.Errorf("index %s: an index begins with MinUnits: copy ProvisionedThroughput from another one", index.IndexName)
				}
			}
		})
	}
	if len(resources) != len(schema.Tables) {
		t.Errorf("template.yaml has %d tables, the schema %d", len(resources), len(schema.Tables))
	}
}

// readTables returns the tables of template.yaml by name, the stack's name as a placeholder in it.
func readTables(t *testing.T) map[string]tableResource {
	t.Helper()
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var whole stackFile
	if err := yaml.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	tables := make(map[string]tableResource)
	for id, resource := range whole.Resources {
		if resource.Type != "AWS::DynamoDB::Table" {
			continue
		}
		var known map[string]yaml.Node
		var r tableResource
		if err := resource.Properties.Decode(&known); err != nil {
			t.Fatal(err)
		}
		if err := resource.Properties.Decode(&r); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		for name := range known {
			if !slices.Contains(readProperties, name) {
				t.Errorf("%s sets %s, which nothing reads", id, name)
			}
		}
		tables[r.TableName] = r
	}
	return tables
}

// readProperties are those that are compared, and last those that internal/cmd/lintstack looks at.
var readProperties = []string{
	"TableName", "BillingMode", "ProvisionedThroughput", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "StreamSpecification",
	"TimeToLiveSpecification", "PointInTimeRecoverySpecification", "SSESpecification", "DeletionProtectionEnabled",
}
