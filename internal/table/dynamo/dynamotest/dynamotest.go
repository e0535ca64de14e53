// Package dynamotest opens the DynamoDB driver on DynamoDB Local for tests of the code above the port.
package dynamotest

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/dynamo"
)

// Open makes tables of the schemas, under names of their own, for as long as the test runs.
func Open(t testing.TB, servers *cloudtest.Servers, schemas []table.Schema) *dynamo.DB {
	t.Helper()
	db := connect(servers, "test-"+rand.Text()+"-", schemas)
	if err := db.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.DropTables(context.Background()); err != nil { // the test's own context has ended by now
			t.Error(err)
		}
	})
	return db
}

// connect makes a driver, with the client of streams that functions do without. A request may take long: the machine of the
// test may be busy, and a write without an answer in time would be table.ErrUnknown.
func connect(servers *cloudtest.Servers, prefix string, schemas []table.Schema) *dynamo.DB {
	keys := credentials.NewStaticCredentialsProvider(cloudtest.AccessKey, cloudtest.SecretKey, "")
	client := &http.Client{Transport: dynamo.Transport()}
	return dynamo.New(
		dynamodb.New(dynamodb.Options{
			Region: cloudtest.Region, Credentials: keys, BaseEndpoint: aws.String(servers.DynamoDB), HTTPClient: client,
		}),
		prefix, schemas,
		dynamo.Options{Attempt: time.Minute, Streams: dynamodbstreams.New(dynamodbstreams.Options{
			Region: cloudtest.Region, Credentials: keys, BaseEndpoint: aws.String(servers.DynamoDB), HTTPClient: client,
		})},
	)
}
