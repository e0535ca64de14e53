package front

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const rightsTemplate = `
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  ATable: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "${AWS::StackName}-A"}}
  OneFunction:
    Type: AWS::Serverless::Function
    Properties:
      Policies: POLICIES
  TwoFunction: {Type: AWS::Serverless::Function, Properties: {MemorySize: 128}}
`

var rightsValues = map[string]string{"AWS::StackName": "dev", "Bucket": "dev-bucket"}

func TestReadRights(t *testing.T) {
	text := strings.Replace(rightsTemplate, "POLICIES", `
        - Statement:
            - {Sid: Items, Effect: Allow, Action: [dynamodb:GetItem, dynamodb:PutItem], Resource: !GetAtt ATable.Arn}
            - {Effect: Allow, Action: dynamodb:Query, Resource: [!Sub "${ATable.Arn}/index/x", !GetAtt ATable.Arn]}
        - Version: "2012-10-17"
          Statement:
            - {Effect: Allow, Action: s3:GetObject, Resource: !Sub "${Bucket.Arn}/*/documents/*"}
            - Effect: Allow
              Action: dynamodb:DeleteItem
              Resource: !GetAtt ATable.Arn
              Condition: {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*#Q", "*#K"]}, "Null": {"dynamodb:LeadingKeys": "false"}}
`, 1)
	got, err := ReadRights([]byte(text), rightsValues)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]Right{
		"OneFunction": {
			{"dynamodb:GetItem", "table/dev-A", ""}, {"dynamodb:PutItem", "table/dev-A", ""},
			{"dynamodb:Query", "table/dev-A/index/x", ""}, {"dynamodb:Query", "table/dev-A", ""},
			{"s3:GetObject", "dev-bucket/*/documents/*", ""},
			{"dynamodb:DeleteItem", "table/dev-A", "*#Q"}, {"dynamodb:DeleteItem", "table/dev-A", "*#K"},
		},
		"TwoFunction": {},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
}

// A policy that is not understood must not count as one that grants nothing, or everything.
func TestReadRightsRefuses(t *testing.T) {
	for name, policies := range map[string]string{
		"a managed policy":                     `[AWSLambdaBasicExecutionRole]`,
		"a template of SAM":                    `[{DynamoDBReadPolicy: {TableName: A}}]`,
		"a condition":                          `[{Statement: [{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt ATable.Arn, Condition: {Null: {a: "true"}}}]}]`,
		"a condition that an absent key meets": `[{Statement: [{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt ATable.Arn, Condition: {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [a]}}}]}]`,
		"a denial":                             `[{Statement: [{Effect: Deny, Action: dynamodb:GetItem, Resource: !GetAtt ATable.Arn}]}]`,
		"all actions":                          `[{Statement: [{Effect: Allow, Action: "dynamodb:*", Resource: !GetAtt ATable.Arn}]}]`,
		"all resources":                        `[{Statement: [{Effect: Allow, Action: dynamodb:GetItem, Resource: "*"}]}]`,
		"an unknown table":                     `[{Statement: [{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt BTable.Arn}]}]`,
		"everything but one":                   `[{Statement: [{Effect: Allow, NotAction: dynamodb:GetItem, Resource: !GetAtt ATable.Arn}]}]`,
	} {
		if got, err := ReadRights([]byte(strings.Replace(rightsTemplate, "POLICIES", policies, 1)), rightsValues); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEveryFunctionOfTheTemplateHasReadableRights(t *testing.T) {
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := ReadTemplate(text, rightsValues)
	if err != nil {
		t.Fatal(err)
	}
	rights, err := ReadRights(text, rightsValues)
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range template.Functions {
		if _, known := rights[function.Name]; !known {
			t.Errorf("%s has no rights", function.Name)
		}
	}
}

func TestRightCovers(t *testing.T) {
	for _, test := range []struct {
		pattern, resource string
		want              bool
	}{
		{"table/A", "table/A", true},
		{"table/A", "table/A/index/x", false},
		{"table/A/index/*", "table/A/index/x", true},
		{"bucket/*/documents/*", "bucket/store/documents/a/b", true},
		{"bucket/*/documents/*", "bucket/store/attachments/a", false},
		{"bucket/*/documents/*", "other/store/documents/a", false},
		{"a*b*c", "abbc", true},
		{"a*b*c", "abb", false},
	} {
		if got := (Right{"x:Y", test.pattern, ""}).Covers("x:Y", test.resource, "a key"); got != test.want {
			t.Errorf("%s covers %s: %t, want %t", test.pattern, test.resource, got, test.want)
		}
	}
	if (Right{"x:Y", "table/A", ""}).Covers("x:Z", "table/A", "") {
		t.Error("a right is to one action")
	}
	fenced := Right{"x:Y", "table/A", "*#Q"}
	if !fenced.Covers("x:Y", "table/A", "store#Q") || fenced.Covers("x:Y", "table/A", "store#K") || fenced.Covers("x:Y", "table/A", "") {
		t.Error("a right to some keys is not to others, and not to a call that names none")
	}
}
