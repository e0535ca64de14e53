package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// fault is one change that makes template.yaml wrong.
type fault struct {
	name      string
	in        string // the resource that it is planted in
	old, new  string // the first old of the resource becomes new
	byLinter  bool   // cfn-lint must report it; else the rules of this folder
	mentioned string // stands in the report; "" for the resource's name
}

// faults are what an edit may get wrong: one for each rule of this folder, and what cfn-lint is relied on for.
var faults = []fault{
	{name: "table goes with the stack", in: "StatementsTable", old: "DeletionPolicy: RetainExceptOnCreate", new: "DeletionPolicy: Delete"},
	{name: "table is replaced and lost", in: "TermsTable", old: "UpdateReplacePolicy: Retain", new: "UpdateReplacePolicy: Delete"},
	{name: "table that stays of a deployment that failed", in: "RollupsTable", old: "RetainExceptOnCreate", new: "Retain"},
	{name: "table that cannot be restored", in: "DocumentsTable", old: "PointInTimeRecoveryEnabled: true", new: "PointInTimeRecoveryEnabled: false"},
	{name: "table without encryption", in: "StoresTable", old: "SSEEnabled: true", new: "SSEEnabled: false"},
	{name: "table without protection", in: "CredentialsTable", old: "DeletionProtectionEnabled: !Ref KeepData", new: "DeletionProtectionEnabled: false"},
	{name: "table whose throttled writes nobody sees", in: "WritesThrottled", old: "!Ref DocumentsTable", new: "!Ref PersonsTable", mentioned: "DocumentsTable: no alarm"},
	{name: "bucket goes with the stack", in: "Bucket", old: "DeletionPolicy: RetainExceptOnCreate", new: "DeletionPolicy: Delete"},
	{name: "bucket that a policy may open", in: "Bucket", old: "RestrictPublicBuckets: true", new: "RestrictPublicBuckets: false"},
	{name: "bucket whose objects others may own", in: "Bucket", old: "BucketOwnerEnforced", new: "ObjectWriter"},
	{name: "bucket without encryption", in: "Bucket", old: "SSEAlgorithm: AES256", new: ""},
	{name: "bucket that keeps half uploads", in: "Bucket", old: "AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}", new: "ExpirationInDays: 7"},
	{name: "bucket without TLS", in: "BucketPolicy", old: `"false"`, new: `"true"`},
	{name: "bucket whose policy is another's", in: "BucketPolicy", old: "Bucket: !Ref Bucket", new: "Bucket: other", mentioned: "Bucket: no AWS::S3::BucketPolicy"},
	{name: "queue without encryption", in: "AggregateFailures", old: "SqsManagedSseEnabled: true", new: "SqsManagedSseEnabled: false"},
	{name: "queue that forgets in an hour", in: "AggregateFailures", old: "1209600", new: "3600"},
	{name: "queue without TLS", in: "AggregateFailuresPolicy", old: "Effect: Deny", new: "Effect: Allow"},
	{name: "queue that nobody watches", in: "ChangesGivenUp", old: "AggregateFailures.QueueName", new: "Other.QueueName", mentioned: "AggregateFailures: no alarm"},
	{name: "dead letters that nobody watches", in: "StatementsNotCounted", old: "!Ref DeadLettersTable", new: "!Ref RollupsTable", mentioned: "DeadLettersTable: no alarm"},
	{name: "gateway without a rate", in: "Api", old: "ThrottlingRateLimit: !Ref RequestsPerSecond", new: ""},
	{name: "gateway that answers CORS", in: "Api", old: "StageName: $default", new: "StageName: $default\n      CorsConfiguration: true"},
	{name: "gateway that logs queries", in: "Api", old: "$context.routeKey", new: "$context.path"},
	{name: "gateway without an access log", in: "Api", old: "DestinationArn: !GetAtt ApiLogs.Arn", new: ""},
	{name: "log kept for ever", in: "StatementsLogs", old: "RetentionInDays: !Ref LogRetentionDays", new: "LogGroupClass: STANDARD"},
	{name: "alarm that tells nobody", in: "ServerErrors", old: "AlarmActions: [!If [HasAlarmEmail, !Ref AlarmTopic, !Ref AWS::NoValue]]", new: ""},
	{name: "alarm that sleeps while nothing comes", in: "SlowRequests", old: "TreatMissingData: notBreaching", new: ""},
	{name: "alarm of eleven metrics", in: "WritesThrottled", old: "        - Id: terms\n", new: "        - {Id: more, MetricStat: {Stat: Sum}}\n        - Id: terms\n"},
	{name: "no alarm for 5xx", in: "ServerErrors", old: "MetricName: 5xx", new: "MetricName: 4xx", mentioned: "Api: no alarm watches its 5xx"},
	{name: "no alarm for latency", in: "SlowRequests", old: "MetricName: Latency", new: "MetricName: Count", mentioned: "Api: no alarm watches its Latency"},
	{name: "function that no alarm watches", in: "FunctionErrors", old: "Value: !Ref AgentsFunction", new: "Value: !Ref AboutFunction", mentioned: "AgentsFunction: no alarm"},
	{name: "function that outlives the gateway", in: "StateFunction", old: "Properties:", new: "Properties:\n      Timeout: 60"},
	{name: "function without traces", in: "AgentsFunction", old: "Properties:", new: "Properties:\n      Tracing: PassThrough"},
	{name: "function that costs a fifth more", in: "AgentsFunction", old: "Properties:", new: "Properties:\n      Architectures: [x86_64]"},
	{name: "function that writes to another's log", in: "AgentsFunction", old: "LogGroup: !Ref AgentsLogs", new: "LogGroup: !Ref StateLogs"},
	{name: "function with every action", in: "StatementsFunction", old: "Action: [dynamodb:Query]", new: `Action: ["dynamodb:*"]`},
	{name: "function that may read everything", in: "ActivitiesFunction", old: "dynamodb:BatchGetItem", new: "dynamodb:Scan"},
	{name: "function on every table", in: "AgentsFunction", old: "Resource: !GetAtt PersonsTable.Arn", new: `Resource: "*"`},
	{name: "function on every index", in: "StatementsFunction", old: "/index/byTime", new: "/index/*"},
	{name: "function on every object", in: "StateFunction", old: "${Bucket.Arn}/*/documents/*", new: "${Bucket.Arn}/*"},
	{name: "function with a policy of AWS's", in: "AgentsFunction", old: `- Version: "2012-10-17"`, new: "- AmazonDynamoDBFullAccess\n        - Version: \"2012-10-17\""},
	{name: "stream that tries for a day", in: "AggregateFunction", old: "MaximumRetryAttempts: 30", new: "MaximumRetryAttempts: -1"},
	{name: "stream that is not cut in halves", in: "AggregateFunction", old: "BisectBatchOnFunctionError: true", new: ""},
	{name: "stream that misses its beginning", in: "AggregateFunction", old: "TRIM_HORIZON", new: "LATEST"},
	{name: "stream that repeats what was done", in: "AggregateFunction", old: "FunctionResponseTypes: [ReportBatchItemFailures]", new: ""},
	{name: "stream whose failures are lost", in: "AggregateFunction", old: "DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt AggregateFailures.Arn}}", new: ""},
	{name: "uploads that stay", in: "Bucket", old: "Prefix: uploads/", new: "Prefix: upload/"},
	{name: "large answers that stay", in: "Bucket", old: "Prefix: answers/", new: "Prefix: answer/"},
	{name: "old TLS", in: "Domain", old: "TLS_1_2", new: "TLS_1_0"},
	{name: "dashboard without a function", in: "Dashboard", old: `[".", ".", ".", "${AgentsFunction}"], `, new: "", mentioned: "Dashboard: it does not show AWS/Lambda Throttles FunctionName ${AgentsFunction}"},
	{name: "dashboard without an index", in: "Dashboard", old: `[".", ".", ".", ".", ".", "byVerb"],`, new: "", mentioned: "GlobalSecondaryIndexName byVerb"},
	{name: "dashboard that is no JSON", in: "Dashboard", old: `"type": "metric",`, new: `"type": metric,`},
	{name: "a type that no rule knows", in: "Dashboard", old: "AWS::CloudWatch::Dashboard", new: "AWS::Kinesis::Stream"},

	{name: "value from nothing", in: "StateFunction", old: "${AWS::StackName}", new: "${Stack}"},
	{name: "unknown property", in: "StateFunction", old: "Description:", new: "Descripton:", byLinter: true},
	{name: "reference to nothing", in: "StateFunction", old: "!Ref Bucket", new: "!Ref Buckets"},
	{name: "attribute that is not there", in: "BucketPolicy", old: "Bucket.Arn", new: "Bucket.Name", byLinter: true},
	{name: "value that is not allowed", in: "Bucket", old: "SSEAlgorithm: AES256", new: "SSEAlgorithm: AES128", byLinter: true},
	{name: "key that is not defined", in: "DocumentsTable", old: "{AttributeName: sk, AttributeType: B}", new: "{AttributeName: other, AttributeType: B}", byLinter: true},
	{name: "action that does not exist", in: "AgentsFunction", old: "dynamodb:GetItem", new: "dynamodb:GetItems"},
	{name: "wrong shape", in: "FunctionErrors", old: "Threshold: 0", new: "Threshold: [0]", byLinter: true},
	{name: "retention that CloudWatch does not have", in: "ApiLogs", old: "!Ref LogRetentionDays", new: "42", byLinter: true},
	{name: "queue that keeps for a month", in: "AggregateFailures", old: "1209600", new: "2592000", byLinter: true},
}

// plant returns the template with the fault.
func (f fault) plant(template []byte) ([]byte, error) {
	head := []byte("\n  " + f.in + ":\n")
	start := bytes.Index(template, head)
	if start < 0 {
		return nil, fmt.Errorf("plant %q: there is no %s", f.name, f.in)
	}
	start += len(head)
	end := len(template)
	if next := nextResource.FindIndex(template[start:]); next != nil {
		end = start + next[0]
	}
	at := bytes.Index(template[start:end], []byte(f.old))
	if at < 0 {
		return nil, fmt.Errorf("plant %q: %s has no %q", f.name, f.in, f.old)
	}
	at += start
	return bytes.Join([][]byte{template[:at], []byte(f.new), template[at+len(f.old):]}, nil), nil
}

// nextResource is where a resource ends: at the next one, or at the next part of the template.
var nextResource = regexp.MustCompile(`\n {0,2}\w+:\n`)

// reportedIn says whether the reports tell of this fault.
func (f fault) reportedIn(reports []string) bool {
	mentioned := f.mentioned
	if mentioned == "" {
		mentioned = f.in
	}
	return strings.Contains(strings.Join(reports, "\n"), mentioned)
}
