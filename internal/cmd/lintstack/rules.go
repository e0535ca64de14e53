package main

import (
	"encoding/json/v2"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// rules say what is asked of each type of resource. A type that is not here is reported.
var rules = map[string]func(s *stack, id string, r resource){
	"AWS::DynamoDB::Table":          (*stack).table,
	"AWS::S3::Bucket":               (*stack).bucket,
	"AWS::SQS::Queue":               (*stack).queue,
	"AWS::Serverless::Function":     (*stack).function,
	"AWS::Serverless::HttpApi":      (*stack).api,
	"AWS::Logs::LogGroup":           (*stack).logGroup,
	"AWS::CloudWatch::Alarm":        (*stack).alarm,
	"AWS::CloudWatch::Dashboard":    (*stack).dashboard,
	"AWS::ApiGatewayV2::DomainName": (*stack).domain,

	"AWS::S3::BucketPolicy":         (*stack).tlsOnly,
	"AWS::SQS::QueuePolicy":         (*stack).tlsOnly,
	"AWS::ApiGatewayV2::ApiMapping": nothing,
	"AWS::CloudFormation::Stack":    nothing,
	"AWS::SNS::Topic":               nothing, // a key of one's own would be needed: alarms cannot use AWS's key for SNS
}

func nothing(*stack, string, resource) {}

// kept reports what would go with the stack, and what a first deployment that fails would leave: its name is taken then, and
// the next one fails at it. Source: CloudFormation template reference, "DeletionPolicy attribute".
func (s *stack) kept(id string, r resource) {
	if r.DeletionPolicy != "RetainExceptOnCreate" || r.UpdateReplacePolicy != "Retain" {
		s.report(id, "it would go with the stack, be replaced by an upgrade, or stay of a first deployment that failed: "+
			"want DeletionPolicy RetainExceptOnCreate and UpdateReplacePolicy Retain")
	}
}

func (s *stack) table(id string, r resource) {
	s.kept(id, r)
	s.want(id, r, map[string]string{"PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": "true"}, "a table can be restored")
	s.want(id, r, map[string]string{"SSESpecification.SSEEnabled": "true"}, "a table is encrypted")
	s.want(id, r, map[string]string{"DeletionProtectionEnabled": "KeepData"}, "a table is deleted by nobody's slip")
	s.watched(id, id, "WriteThrottleEvents")
	if id == "DeadLettersTable" { // what is put down there, reports lack
		s.watched(id, id, "ConsumedWriteCapacityUnits")
	}
}

func (s *stack) bucket(id string, r resource) {
	s.kept(id, r)
	s.want(id, r, map[string]string{
		"PublicAccessBlockConfiguration.BlockPublicAcls":       "true",
		"PublicAccessBlockConfiguration.BlockPublicPolicy":     "true",
		"PublicAccessBlockConfiguration.IgnorePublicAcls":      "true",
		"PublicAccessBlockConfiguration.RestrictPublicBuckets": "true",
		"OwnershipControls.Rules.0.ObjectOwnership":            "BucketOwnerEnforced",
	}, "learners' records are not public")
	if text(&r.Properties, "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm") == "" {
		s.report(id, "it is not encrypted")
	}
	if !anywhere(&r.Properties, "AbortIncompleteMultipartUpload") {
		s.report(id, "no lifecycle rule ends uploads that nobody finishes")
	}
	for _, folder := range []string{"uploads/", "answers/"} { // of package transfer
		if !anywhere(&r.Properties, folder) || !anywhere(&r.Properties, "ExpirationInDays") {
			s.report(id, "no lifecycle rule removes what is old in %s", folder)
		}
	}
	s.hasPolicy(id, "AWS::S3::BucketPolicy", "Bucket")
}

// minRetention is the least time that a failure stays in a queue, in seconds: a long weekend.
const minRetention = 4 * 24 * 3600

func (s *stack) queue(id string, r resource) {
	if text(&r.Properties, "SqsManagedSseEnabled") != "true" && text(&r.Properties, "KmsMasterKeyId") == "" {
		s.report(id, "it is not encrypted: want SqsManagedSseEnabled")
	}
	if kept, err := strconv.Atoi(text(&r.Properties, "MessageRetentionPeriod")); err != nil || kept < minRetention {
		s.report(id, "MessageRetentionPeriod is below %d seconds: nobody would have looked by then", minRetention)
	}
	s.hasPolicy(id, "AWS::SQS::QueuePolicy", "Queues.0")
	s.watched(id, id+".QueueName", "ApproximateNumberOfMessagesVisible")
}

// hasPolicy asks for a policy of the type that names the resource; tlsOnly looks at what it says.
func (s *stack) hasPolicy(id, kind, property string) {
	for _, policy := range s.of(kind) {
		if text(&policy.Properties, property) == id {
			return
		}
	}
	s.report(id, "no %s denies it what comes without TLS", kind)
}

func (s *stack) tlsOnly(id string, r resource) {
	statement := child(&r.Properties, "PolicyDocument.Statement.0")
	if statement == nil || text(statement, "Effect") != "Deny" || text(statement, "Principal") != "*" ||
		!strings.HasSuffix(text(statement, "Action"), ":*") || text(statement, "Condition.Bool.aws:SecureTransport") != "false" {
		s.report(id, "its first statement must deny everything to everybody without aws:SecureTransport")
	}
}

// watched asks for an alarm on a metric of a resource, which a dimension names.
func (s *stack) watched(id, dimension, metric string) {
	for _, alarm := range s.of("AWS::CloudWatch::Alarm") {
		if anywhere(&alarm.Properties, metric) && anywhere(&alarm.Properties, dimension) {
			return
		}
	}
	s.report(id, "no alarm watches its %s", metric)
}

func (s *stack) api(id string, r resource) {
	s.want(id, r, map[string]string{"StageName": "$default"}, "another stage would stand before every path")
	for _, limit := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit"} {
		if text(&r.Properties, "DefaultRouteSettings."+limit) == "" {
			s.report(id, "DefaultRouteSettings lacks %s: nothing bounds the bill", limit)
		}
	}
	format := text(&r.Properties, "AccessLogSettings.Format")
	if s.Resources[strings.TrimSuffix(text(&r.Properties, "AccessLogSettings.DestinationArn"), ".Arn")].Type != "AWS::Logs::LogGroup" {
		s.report(id, "its access log goes to no log group of the template")
	}
	if !strings.Contains(format, "$context.requestId") || personal.MatchString(format) {
		s.report(id, "its access log must have $context.requestId, and no path, query or address, which tell of learners")
	}
	if child(&r.Properties, "CorsConfiguration") != nil {
		s.report(id, "CorsConfiguration makes the gateway drop the headers that xAPI needs exposed")
	}
	s.watched(id, id, "5xx")
	s.watched(id, id, "Latency")
}

var personal = regexp.MustCompile(`\$context\.(path|identity|authorizer)`)

func (s *stack) logGroup(id string, r resource) {
	s.want(id, r, map[string]string{"RetentionInDays": "LogRetentionDays"}, "logs are not kept for ever")
}

// maxMetrics of one alarm; it cannot be raised. Source: CloudWatch user guide, "Limits", of alarms on metric math.
const maxMetrics = 10

func (s *stack) alarm(id string, r resource) {
	if !anywhere(&r.Properties, "AlarmTopic") {
		s.report(id, "AlarmActions does not name AlarmTopic: nobody is told")
	}
	for _, property := range []string{"AlarmDescription", "TreatMissingData"} {
		if text(&r.Properties, property) == "" {
			s.report(id, "it lacks %s", property)
		}
	}
	if metrics := child(&r.Properties, "Metrics"); metrics != nil {
		n := 0
		for _, metric := range metrics.Content {
			if child(metric, "MetricStat") != nil {
				n++
			}
		}
		if n > maxMetrics {
			s.report(id, "it has %d metrics, and CloudWatch takes %d at most in one alarm: make a second one", n, maxMetrics)
		}
	}
	if !strings.Contains(s.runbook, "| `"+id+"` |") {
		s.report(id, "infra/README.md does not say what it means and what to do")
	}
}

// dashboard asks for a line of each function, table and index. A search expression would need no such list, but finds either
// equal names alone (in double quotes) or what is named alike, as the functions of the stack cairn-dev beside those of cairn.
// Source: CloudWatch user guide, "CloudWatch search expression syntax".
func (s *stack) dashboard(id string, r resource) {
	var body struct {
		Widgets []struct {
			Properties struct {
				Metrics [][]any `json:"metrics"`
			} `json:"properties"`
		} `json:"widgets"`
	}
	if err := json.Unmarshal([]byte(text(&r.Properties, "DashboardBody")), &body); err != nil {
		s.report(id, "its body cannot be read: %v", err)
		return
	}
	shown := map[string]bool{}
	for _, widget := range body.Widgets {
		var line []string
		for _, metric := range widget.Properties.Metrics {
			line = spelledOut(metric, line)
			shown[strings.Join(line, " ")] = true
		}
	}
	want := func(line string) {
		if !shown[line] {
			s.report(id, "it does not show %s", line)
		}
	}
	for _, function := range slices.Sorted(maps.Keys(s.of("AWS::Serverless::Function"))) {
		for _, metric := range []string{"Errors", "Throttles", "Duration"} {
			want("AWS/Lambda " + metric + " FunctionName ${" + function + "}")
		}
	}
	tables := s.of("AWS::DynamoDB::Table")
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		for _, metric := range []string{"ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"} {
			line := "AWS/DynamoDB " + metric + " TableName ${" + table + "}"
			want(line)
			if indexes := child(new(tables[table].Properties), "GlobalSecondaryIndexes"); indexes != nil {
				for _, index := range indexes.Content {
					want(line + " GlobalSecondaryIndexName " + text(index, "IndexName"))
				}
			}
		}
	}
}

// spelledOut writes a line of a widget with what "." stands for: what stands there in the line before.
func spelledOut(metric []any, before []string) []string {
	var line []string
	for i, part := range metric {
		word, _ := part.(string) // else how it is drawn
		if word == "." && i < len(before) {
			word = before[i]
		}
		if word != "" {
			line = append(line, word)
		}
	}
	return line
}

func (s *stack) domain(id string, r resource) {
	s.want(id, r, map[string]string{"DomainNameConfigurations.0.SecurityPolicy": "TLS_1_2"}, "older TLS is broken")
}

// maxHTTP is the longest that a function behind the gateway may take, in seconds: the gateway gives up after 30.
const maxHTTP = 29

func (s *stack) function(id string, r resource) {
	setting := func(path string) string {
		if own := text(&r.Properties, path); own != "" {
			return own
		}
		return text(&s.Globals, "Function."+path)
	}
	for path, want := range map[string]string{
		"Tracing": "Active", "Architectures.0": "arm64", "Runtime": "provided.al2023",
		"LoggingConfig.LogFormat": "JSON", "LoggingConfig.SystemLogLevel": "WARN",
	} {
		if got := setting(path); got != want {
			s.report(id, "%s is %q, want %q", path, got, want)
		}
	}
	if logs := setting("LoggingConfig.LogGroup"); s.Resources[logs].Type != "AWS::Logs::LogGroup" || logs != strings.TrimSuffix(id, "Function")+"Logs" {
		s.report(id, "it writes to the log group %q, want its own of the template, whose retention is set", logs)
	}
	s.watched(id, id, "Errors")
	for _, event := range entries(child(&r.Properties, "Events")) {
		switch text(event, "Type") {
		case "HttpApi":
			if seconds, err := strconv.Atoi(setting("Timeout")); err != nil || seconds > maxHTTP {
				s.report(id, "Timeout is %q, want at most %d: the gateway would have given up", setting("Timeout"), maxHTTP)
			}
		case "DynamoDB":
			s.stream(id, event)
		}
	}
	s.policies(id, child(&r.Properties, "Policies"))
}

// stream looks at an event source mapping: one poisoned record must not stand in the way for a day.
func (s *stack) stream(id string, event *yaml.Node) {
	p := child(event, "Properties")
	if p == nil {
		p = &yaml.Node{}
	}
	for path, want := range map[string]string{
		"StartingPosition": "TRIM_HORIZON", "BisectBatchOnFunctionError": "true", "FunctionResponseTypes.0": "ReportBatchItemFailures",
	} {
		if got := text(p, path); got != want {
			s.report(id, "%s of its stream is %q, want %q", path, got, want)
		}
	}
	for _, bound := range []string{"MaximumRetryAttempts", "DestinationConfig.OnFailure.Destination"} {
		if value := text(p, bound); value == "" || value == "-1" {
			s.report(id, "its stream lacks %s: a record that it cannot take stands in the way until it expires", bound)
		}
	}
	s.watched(id, id, "IteratorAge")
}

// actions are what a function may be allowed at all: those that exist, are spelled so, and ask for what is named. There is
// no Scan and no ListBucket among them. Source: Service Authorization Reference, Amazon DynamoDB, S3, SQS.
var actions = []string{
	"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
	"dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem",
	"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator",
	"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "sqs:SendMessage",
}

// policies looks for wildcards. Objects of a bucket have one in their store's place, since stores are made later.
func (s *stack) policies(id string, n *yaml.Node) {
	if n == nil {
		return
	}
	for _, policy := range n.Content {
		statements := child(policy, "Statement")
		if statements == nil {
			s.report(id, "the policy %q is not written out: it may allow more than the function does", policy.Value)
			continue
		}
		for _, statement := range statements.Content {
			for _, action := range list(statement, "Action") {
				if !slices.Contains(actions, action) {
					s.report(id, "%s allows %s, which is not among the actions of lintstack", text(statement, "Sid"), action)
				}
			}
			for _, target := range list(statement, "Resource") {
				if folder, ok := strings.CutPrefix(target, "${Bucket.Arn}/"); ok {
					target = strings.TrimSuffix(strings.TrimPrefix(folder, "*/"), "/*")
				}
				if target == "" || strings.Contains(target, "*") {
					s.report(id, "%s allows its actions on %q", text(statement, "Sid"), target)
				}
			}
		}
	}
}

// entries are the values of a mapping.
func entries(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	var values []*yaml.Node
	for i := 1; i < len(n.Content); i += 2 {
		values = append(values, n.Content[i])
	}
	return values
}
