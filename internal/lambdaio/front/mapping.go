package front

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Mapping is the event source mapping between the stream of a DynamoDB table and a function.
type Mapping struct {
	Name        string        // logical ids of the function and of the event: "AggregateFunction.Changes"
	Table       string        // name of the table, as DynamoDB knows it
	BatchSize   int           // most records of an invocation
	Window      time.Duration // how long records are gathered after the first one
	Lanes       int           // ParallelizationFactor: batches of a shard under way at once; the records of an item share a lane
	Retries     int           // of a batch, after the first try; forever: without end
	MaxAge      time.Duration // of a record, after which it is given up; 0: none
	Bisect      bool          // a batch that fails is halved
	Partial     bool          // the answer says which records failed
	Destination string        // logical id of the queue that is told of what was given up; "": none
}

// forever is the number of retries that never end, which is Lambda's default.
const forever = -1

// mappingEvent is the event as SAM describes it. What is not here is refused: it would be ignored, and untested.
// Source: AWS SAM, DynamoDB event source; Lambda API reference, CreateEventSourceMapping, for defaults and bounds.
type mappingEvent struct {
	Stream                         yaml.Node `yaml:"Stream"`
	StartingPosition               string    `yaml:"StartingPosition"`
	BatchSize                      yaml.Node `yaml:"BatchSize"`
	MaximumBatchingWindowInSeconds yaml.Node `yaml:"MaximumBatchingWindowInSeconds"`
	ParallelizationFactor          yaml.Node `yaml:"ParallelizationFactor"`
	MaximumRetryAttempts           yaml.Node `yaml:"MaximumRetryAttempts"`
	MaximumRecordAgeInSeconds      yaml.Node `yaml:"MaximumRecordAgeInSeconds"`
	BisectBatchOnFunctionError     bool      `yaml:"BisectBatchOnFunctionError"`
	FunctionResponseTypes          []string  `yaml:"FunctionResponseTypes"`
	DestinationConfig              struct {
		OnFailure struct {
			Type        string    `yaml:"Type"`
			Destination yaml.Node `yaml:"Destination"`
		} `yaml:"OnFailure"`
	} `yaml:"DestinationConfig"`
}

var mappingProperties = []string{
	"Stream", "StartingPosition", "BatchSize", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "MaximumRetryAttempts",
	"MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "FunctionResponseTypes", "DestinationConfig",
}

// findTables notes what the tables of the template are called.
func (r resolver) findTables(file templateFile) error {
	for id, resource := range file.Resources {
		if resource.Type != "AWS::DynamoDB::Table" {
			continue
		}
		var table struct {
			Name yaml.Node `yaml:"TableName"`
		}
		err := resource.Properties.Decode(&table)
		if err == nil {
			r.tables[id], err = r.text(table.Name)
		}
		if err != nil {
			return fmt.Errorf("read template: %s: %w", id, err)
		}
	}
	return nil
}

func (r resolver) mapping(name string, node yaml.Node) (Mapping, error) {
	var e mappingEvent
	if err := node.Decode(&e); err != nil {
		return Mapping{}, err
	}
	var problems []error
	for i := 0; i < len(node.Content); i += 2 {
		if property := node.Content[i].Value; !slices.Contains(mappingProperties, property) {
			problems = append(problems, fmt.Errorf("the front does not know %s", property))
		}
	}
	bounded := func(what string, node yaml.Node, absent, least, most int) int {
		n, err := r.number(node, absent)
		if err == nil && n != absent && (n < least || n > most) {
			err = fmt.Errorf("%d is not within %d and %d", n, least, most)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", what, err))
		}
		return n
	}
	m := Mapping{
		Name:      name,
		BatchSize: bounded("BatchSize", e.BatchSize, 100, 1, 10000),
		Window:    time.Duration(bounded("MaximumBatchingWindowInSeconds", e.MaximumBatchingWindowInSeconds, 0, 0, 300)) * time.Second,
		Lanes:     bounded("ParallelizationFactor", e.ParallelizationFactor, 1, 1, 10),
		Retries:   bounded("MaximumRetryAttempts", e.MaximumRetryAttempts, forever, 0, 10000),
		MaxAge:    time.Duration(max(0, bounded("MaximumRecordAgeInSeconds", e.MaximumRecordAgeInSeconds, -1, 60, 604800))) * time.Second,
		Bisect:    e.BisectBatchOnFunctionError,
		Partial:   slices.Contains(e.FunctionResponseTypes, "ReportBatchItemFailures"),
	}
	var err error
	m.Table, err = r.streamed(e.Stream)
	problems = append(problems, err)
	if e.StartingPosition != "TRIM_HORIZON" {
		problems = append(problems, fmt.Errorf("StartingPosition %q: want TRIM_HORIZON, since others miss what happens while the stack is made", e.StartingPosition))
	}
	if failure := e.DestinationConfig.OnFailure; !failure.Destination.IsZero() {
		queue, isArn := strings.CutSuffix(failure.Destination.Value, ".Arn")
		if failure.Type != "SQS" || failure.Destination.Tag != "!GetAtt" || !isArn {
			problems = append(problems, errors.New("OnFailure: want Type SQS and a Destination !GetAtt with the Arn of a queue"))
		}
		m.Destination = queue
	}
	return m, errors.Join(problems...)
}

// streamed returns the name of the table that !GetAtt Table.StreamArn is about.
func (r resolver) streamed(node yaml.Node) (string, error) {
	id, isStream := strings.CutSuffix(node.Value, ".StreamArn")
	name := r.tables[id]
	if node.Tag != "!GetAtt" || !isStream || name == "" {
		return "", fmt.Errorf("stream %s: want !GetAtt with the StreamArn of a table of this template that has a name", strconv.Quote(node.Value))
	}
	return name, nil
}
