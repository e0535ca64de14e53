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
  Main: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default, AccessLogSettings: {Format: $context.requestId}}}
  Second: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default}}
  Items: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "${AWS::StackName}-Items"}}
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
        Two: {Type: HttpApi, Properties: {ApiId: !Ref Second, Path: /b, Method: any, PayloadFormatVersion: "2.0"}}
        One: {Type: HttpApi, Properties: {ApiId: !Ref Main, Path: $default, Method: ANY, PayloadFormatVersion: "2.0"}}
        Three: {Type: HttpApi, Properties: {ApiId: !Ref Main, Path: /b, Method: any, PayloadFormatVersion: "2.0"}}
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 1000
            MaximumBatchingWindowInSeconds: !Ref Lag
            ParallelizationFactor: 10
            MaximumRetryAttempts: 0
            MaximumRecordAgeInSeconds: 3600
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
        Plain: {Type: DynamoDB, Properties: {Stream: !GetAtt Items.StreamArn, StartingPosition: TRIM_HORIZON, MaximumRecordAgeInSeconds: -1}}
  TwoFunction: {Type: AWS::Serverless::Function, Properties: {MemorySize: 128}}
`
	values := map[string]string{"AWS::StackName": "dev", "Bucket": "dev-bucket", "Bucket.Arn": "arn", "Level": "WARN"}
	got, err := ReadTemplate([]byte(text), values)
	if err != nil {
		t.Fatal(err)
	}
	want := &Template{APIs: []API{{Name: "Main", AccessLog: "$context.requestId"}, {Name: "Second"}}, Functions: []Function{
		{
			Name: "OneFunction", Routes: []Route{{"Main", "$default"}, {"Main", "ANY /b"}, {"Second", "ANY /b"}},
			Mappings: []Mapping{
				{
					Name: "OneFunction.Changes", Table: "dev-Items", BatchSize: 1000, Window: 5 * time.Second, Lanes: 10, Retries: 0,
					MaxAge: time.Hour, Bisect: true, Partial: true, Destination: "Dead",
				},
				{Name: "OneFunction.Plain", Table: "dev-Items", BatchSize: 100, Lanes: 1, Retries: forever},
			},
			Memory: 512, Timeout: 5 * time.Second, LogFormat: "JSON", LogLevel: "WARN",
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
	stream := func(properties string) string {
		return function("{Events: {E: {Type: DynamoDB, Properties: " + properties + "}}}")
	}
	tests := []struct{ name, text, want string }{
		{"no YAML", "{", "read template"},
		{"no function", "Resources: {}", "it has no function"},
		{"unknown reference", function("{Environment: {Variables: {A: !Ref Nobody}}}"), "nothing is known of Nobody"},
		{"unknown reference in a text", function(`{Environment: {Variables: {A: !Sub "x${Nobody.Arn}"}}}`), "nothing is known of Nobody.Arn"},
		{"another intrinsic function", function("{Environment: {Variables: {A: !ImportValue x}}}"), "does not know !ImportValue"},
		{"intrinsic function with a list", function("{Environment: {Variables: {A: !Join ['', [a]]}}}"), "want text"},
		{"memory that is no number", function("{MemorySize: much}"), "MemorySize"},
		{"old payload format", event("{ApiId: !Ref A, Path: /a, Method: ANY}"), "payload format"},
		{"path variables", event(`{ApiId: !Ref A, Path: "/a/{id}", Method: ANY, PayloadFormatVersion: "2.0"}`), "without variables"},
		{"path without method", event(`{ApiId: !Ref A, Path: /a, PayloadFormatVersion: "2.0"}`), "a method"},
		{"no API", event(`{Path: /a, Method: ANY, PayloadFormatVersion: "2.0"}`), "ApiId"},
		{"tumbling window", stream("{TumblingWindowInSeconds: 60}"), "does not know TumblingWindowInSeconds"},
		{"filter", stream("{FilterCriteria: {}}"), "does not know FilterCriteria"},
		{"batch of nothing", stream("{BatchSize: 0}"), "BatchSize: 0 is not within"},
		{"too many lanes", stream("{ParallelizationFactor: 11}"), "ParallelizationFactor: 11 is not within"},
		{"records that are too young to be old", stream("{MaximumRecordAgeInSeconds: 59}"), "MaximumRecordAgeInSeconds: 59 is not within"},
		{"latest", stream("{StartingPosition: LATEST}"), "want TRIM_HORIZON"},
		{"stream of another stack", stream("{Stream: 'arn:aws:dynamodb:x'}"), "StreamArn of a table of this template"},
		{"topic", stream("{DestinationConfig: {OnFailure: {Type: SNS, Destination: !Ref T}}}"), "the Arn of a queue"},
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
	api := []API{{Name: "Api"}}
	routes := []Route{{"Api", "ANY /a"}}
	tests := []struct {
		name, want string
		template   Template
	}{
		{"two functions for a route", "both serve ANY /a of Api", Template{APIs: api, Functions: []Function{{Name: "A", Routes: routes}, {Name: "B", Routes: routes}}}},
		{"function slower than the gateway", "stops waiting", Template{APIs: api, Functions: []Function{{Name: "A", Routes: routes, Timeout: 30 * time.Second}}}},
		{"route of no API", "which is no AWS::Serverless::HttpApi", Template{Functions: []Function{{Name: "A", Routes: routes}}}},
		{"mapping without streams", "A.Changes reads a stream", Template{Functions: []Function{{Name: "A", Mappings: []Mapping{{Name: "A.Changes"}}}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(Options{Template: &test.template, Binary: func(string) string { return "" }})
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
	f, err := New(Options{Template: template, Binary: func(string) string { return "" }, Streams: &ledger{}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // no process was started
	for _, key := range []string{"ANY /xapi/statements", "ANY /xapi/about", "$default"} {
		route, ok := f.gateways["Api"].routes[key]
		if !ok {
			t.Fatalf("there is no route %s", key)
		}
		if prefix := route.pool.environment["CAIRN_TABLE_PREFIX"]; prefix != "dev-" && key != "ANY /xapi/about" {
			t.Errorf("%s: the prefix of the tables is %q", key, prefix)
		}
	}
	mappings := 0
	for _, function := range template.Functions {
		mappings += len(function.Mappings)
		for _, m := range function.Mappings { // lambdaio.Stream depends on the first two
			if !m.Partial || !m.Bisect || m.Destination == "" || m.Retries == forever {
				t.Errorf("%s: a bad record would stop a shard, or go without a trace: %+v", m.Name, m)
			}
		}
	}
	if mappings == 0 || len(template.APIs) != 2 {
		t.Errorf("%d event source mappings and %d APIs, want the stream of statements, and an origin each for xAPI and reports", mappings, len(template.APIs))
	}
	for _, api := range template.APIs {
		if !strings.Contains(api.AccessLog, "$context.requestId") {
			t.Errorf("the access log of %s, %q, has no request id", api.Name, api.AccessLog)
		}
	}
}
