package schema_test

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/cairn-lrs/cairn/internal/schema"
)

var update = flag.Bool("update", false, "write infra/scaling.yaml and infra/import.yaml anew")

// scalingFile is the nested stack that scales tables and indexes when they are provisioned.
const scalingFile = "../../infra/scaling.yaml"

// scalable is a table or an index, whose reads and writes are scaled apart.
type scalable struct {
	ID        string // its logical id begins so
	Resource  string // as Application Auto Scaling names it, after the prefix
	Dimension string // table or index
}

// Kinds are what is scaled apart.
func (scalable) Kinds() []string { return []string{"Read", "Write"} }

func scalables() []scalable {
	var all []scalable
	for _, s := range schema.Tables {
		all = append(all, scalable{s.Name, s.Name, "table"})
		for _, index := range s.Indexes {
			all = append(all, scalable{s.Name + "By" + index.Name[len("by"):], s.Name + "/index/" + index.Name, "index"})
		}
	}
	return all
}

var scalingTemplate = template.Must(template.New("").Parse(`AWSTemplateFormatVersion: "2010-09-09"
Description: Scales Cairn's provisioned tables and indexes.

# Written from internal/schema by go test ./internal/schema -run Scaling -update: a change here is lost.
# Target tracking keeps 70 % of what is provisioned in use. It follows a rise within minutes, not seconds.

Parameters:
  TablePrefix: {Type: String}
  MinUnits: {Type: Number}
  MaxUnits: {Type: Number}

Resources:
{{- range $s := .}}{{range $kind := $s.Kinds}}

  {{$s.ID}}{{$kind}}s:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: dynamodb
      ResourceId: !Sub "table/${TablePrefix}{{$s.Resource}}"
      ScalableDimension: dynamodb:{{$s.Dimension}}:{{$kind}}CapacityUnits
      MinCapacity: !Ref MinUnits
      MaxCapacity: !Ref MaxUnits

  {{$s.ID}}{{$kind}}Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: {{$kind}}s
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref {{$s.ID}}{{$kind}}s
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 70
        PredefinedMetricSpecification: {PredefinedMetricType: DynamoDB{{$kind}}CapacityUtilization}
{{- end}}{{end}}
`))

// TestScalingFollowsTheSchema: every table and every index is scaled, since one that is left out throttles the writes of
// its table; and the stack that scales them comes after them.
func TestScalingFollowsTheSchema(t *testing.T) {
	var want bytes.Buffer
	if err := scalingTemplate.Execute(&want, scalables()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(scalingFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(scalingFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("infra/scaling.yaml is not what -update writes (-want +got):\n%s", diff)
	}

	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var main struct {
		Resources map[string]struct {
			Type      string    `yaml:"Type"`
			DependsOn yaml.Node `yaml:"DependsOn"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &main); err != nil {
		t.Fatal(err)
	}
	var tables, after []string
	for id, r := range main.Resources {
		if r.Type == "AWS::DynamoDB::Table" {
			tables = append(tables, id)
		}
	}
	scaling := main.Resources["Scaling"]
	if err := scaling.DependsOn.Decode(&after); err != nil {
		t.Fatal(err)
	}
	slices.Sort(tables)
	slices.Sort(after)
	if diff := cmp.Diff(tables, after); diff != "" {
		t.Errorf("Scaling must wait for every table (-tables +DependsOn):\n%s", diff)
	}
}
