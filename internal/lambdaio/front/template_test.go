package front

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadTemplate(t *testing.T) {
	const text = `
Parameters:
  Level: {Type: String, Default: INFO}
  Lag: {Type: Number, Default: 5}
Globals:
  Function:
    MemorySize: 512
    Timeout: 29
    Environment: {Variables: {A: global, B: global}}
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  OneFunction:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: !Ref Lag
      Environment:
        Variables:
          B: !Ref Bucket
          C: !Sub "${AWS::StackName}-${Bucket.Arn}"
          D: !GetAtt Bucket.Arn
          E: 12
      LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: !Ref Level}
      Events:
        Two: {Type: HttpApi, Properties: {Path: /b, Method: any, PayloadFormatVersion: "2.0"}}
        One: {Type: HttpApi, Properties: {Path: $default, Method: ANY, PayloadFormatVersion: "2.0"}}
        Stream: {Type: DynamoDB, Properties: {StartingPosition: TRIM_HORIZON}}
  TwoFunction: {Type: AWS::Serverless::Function, Properties: {MemorySize: 128}}
`
	values := map[string]string{"AWS::StackName": "dev", "Bucket": "dev-bucket", "Bucket.Arn": "arn", "Level": "WARN"}
	got, err := ReadTemplate([]byte(text), values)
	if err != nil {
		t.Fatal(err)
	}
	want := &Template{Functions: []Function{
		{
			Name: "OneFunction", Routes: []string{"$default", "ANY /b"}, Memory: 512, Timeout: 5 * time.Second, LogFormat: "JSON", LogLevel: "WARN",
			Environment: map[string]string{"A": "global", "B": "dev-bucket", "C": "dev-arn", "D": "arn", "E": "12"},
		},
		{Name: "TwoFunction", Memory: 128, Timeout: 29 * time.Second, Environment: map[string]string{"A": "global", "B": "global"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

// What the front cannot do as AWS does is refused, not guessed.
func TestReadTemplateRefuses(t *testing.T) {
	function := func(properties string) string {
		return "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: " + properties + "}}"
	}
	event := func(properties string) string {
		return function("{Events: {E: {Type: HttpApi, Properties: " + properties + "}}}")
	}
	tests := []struct{ name, text, want string }{
		{"no YAML", "{", "read template"},
		{"no function", "Resources: {}", "it has no function"},
		{"unknown reference", function("{Environment: {Variables: {A: !Ref Nobody}}}"), "nothing is known of Nobody"},
		{"unknown reference in a text", function(`{Environment: {Variables: {A: !Sub "x${Nobody.Arn}"}}}`), "nothing is known of Nobody.Arn"},
		{"another intrinsic function", function("{Environment: {Variables: {A: !ImportValue x}}}"), "does not know !ImportValue"},
		{"intrinsic function with a list", function("{Environment: {Variables: {A: !Join ['', [a]]}}}"), "want text"},
		{"memory that is no number", function("{MemorySize: much}"), "MemorySize"},
		{"old payload format", event("{Path: /a, Method: ANY}"), "payload format"},
		{"path variables", event(`{Path: "/a/{id}", Method: ANY, PayloadFormatVersion: "2.0"}`), "without variables"},
		{"path without method", event(`{Path: /a, PayloadFormatVersion: "2.0"}`), "a method"},
		{"named stage", "Resources: {A: {Type: 'AWS::Serverless::HttpApi', Properties: {StageName: prod}}}", "stage"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ReadTemplate([]byte(test.text), nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, want string
		functions  []Function
	}{
		{"two functions for a route", "both serve ANY /a", []Function{{Name: "A", Routes: []string{"ANY /a"}}, {Name: "B", Routes: []string{"ANY /a"}}}},
		{"function slower than the gateway", "stops waiting", []Function{{Name: "A", Routes: []string{"ANY /a"}, Timeout: 30 * time.Second}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(Options{Template: &Template{Functions: test.functions}, Binary: func(string) string { return "" }})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// The template that is deployed can be served, and each of its functions knows its tables or needs none.
func TestDeployedTemplate(t *testing.T) {
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := ReadTemplate(text, map[string]string{"AWS::StackName": "dev", "Bucket": "dev-bucket"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(Options{Template: template, Binary: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"ANY /xapi/statements", "ANY /xapi/about", "$default"} {
		route, ok := f.routes[key]
		if !ok {
			t.Fatalf("there is no route %s", key)
		}
		if prefix := route.pool.environment["CAIRN_TABLE_PREFIX"]; prefix != "dev-" && key != "ANY /xapi/about" {
			t.Errorf("%s: the prefix of the tables is %q", key, prefix)
		}
	}
	if !strings.Contains(template.AccessLog, "$context.requestId") {
		t.Errorf("the access log %q has no request id", template.AccessLog)
	}
}
