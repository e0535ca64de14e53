package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-lrs/cairn/internal/table"
)

const createTimeout = 2 * time.Minute // of one table

// CreateTables creates the schema's tables, on demand, and waits until they are ready; tables that exist are left as
// they are. It is for tests: a deployment's tables are made by its template.
func (d *DB) CreateTables(ctx context.Context) error {
	for i := range d.order {
		if err := d.createTable(ctx, &d.order[i]); err != nil {
			return fmt.Errorf("create table %s: %w", d.order[i].Name, err)
		}
	}
	return nil
}

func (d *DB) createTable(ctx context.Context, s *table.Schema) error {
	in := &dynamodb.CreateTableInput{
		TableName:            d.name(s.Name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: keyDefinitions(s),
		KeySchema:            keySchema(s.Partition, s.Sort),
	}
	for _, index := range s.Indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(index.Name),
			KeySchema:  keySchema(index.Partition, index.Sort),
			Projection: projection(index.Projects),
		})
	}
	if s.Stream {
		in.StreamSpecification = &types.StreamSpecification{
			StreamEnabled:  aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages,
		}
	}
	var exists *types.ResourceInUseException
	if _, err := d.client.CreateTable(ctx, in, once); errors.As(err, &exists) {
		return nil
	} else if err != nil {
		return err
	}
	waiter := dynamodb.NewTableExistsWaiter(d.client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay = 50 * time.Millisecond
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: in.TableName}, createTimeout); err != nil {
		return err
	}
	if s.Expiry == "" {
		return nil
	}
	_, err := d.client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: in.TableName,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(s.Expiry),
			Enabled:       aws.Bool(true),
		},
	}, once)
	return err
}

// DropTables deletes the schema's tables and all that is in them. It is for tests.
func (d *DB) DropTables(ctx context.Context) error {
	var errs []error
	for _, s := range d.order {
		_, err := d.client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: d.name(s.Name)}, once)
		var absent *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &absent) {
			errs = append(errs, fmt.Errorf("delete table %s: %w", s.Name, err))
		}
	}
	return errors.Join(errs...)
}

// keyDefinitions declares the type of each attribute that is a key of the table or of an index, once.
func keyDefinitions(s *table.Schema) []types.AttributeDefinition {
	var definitions []types.AttributeDefinition
	define := func(attr string, kind types.ScalarAttributeType) {
		known := func(d types.AttributeDefinition) bool { return *d.AttributeName == attr }
		if attr != "" && !slices.ContainsFunc(definitions, known) {
			definitions = append(definitions, types.AttributeDefinition{AttributeName: aws.String(attr), AttributeType: kind})
		}
	}
	define(s.Partition, types.ScalarAttributeTypeS)
	define(s.Sort, types.ScalarAttributeTypeB)
	for _, index := range s.Indexes {
		define(index.Partition, types.ScalarAttributeTypeS)
		define(index.Sort, types.ScalarAttributeTypeB)
	}
	return definitions
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	keys := []types.KeySchemaElement{{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash}}
	if sort != "" {
		keys = append(keys, types.KeySchemaElement{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange})
	}
	return keys
}

func projection(attrs []string) *types.Projection {
	if len(attrs) == 0 {
		return &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	}
	return &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: attrs}
}
