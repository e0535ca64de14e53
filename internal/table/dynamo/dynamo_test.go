package dynamo

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
	"github.com/cairn-lrs/cairn/internal/table/tabletest"
)

// connect makes a driver for the server at the endpoint, through the given transport. Pauses are short. A request may take
// long: the machine of the test may be busy, and a write without an answer in time would be table.ErrUnknown.
func connect(endpoint string, transport http.RoundTripper, schemas []table.Schema) *DB {
	keys := credentials.NewStaticCredentialsProvider(cloudtest.AccessKey, cloudtest.SecretKey, "")
	httpClient := &http.Client{Transport: transport}
	client := dynamodb.New(dynamodb.Options{
		Region: cloudtest.Region, Credentials: keys, BaseEndpoint: aws.String(endpoint), HTTPClient: httpClient,
	})
	streams := dynamodbstreams.New(dynamodbstreams.Options{
		Region: cloudtest.Region, Credentials: keys, BaseEndpoint: aws.String(endpoint), HTTPClient: httpClient,
	})
	return New(client, "test-"+rand.Text()+"-", schemas, Options{
		Streams: streams,
		Attempt: time.Minute,
		Jitter:  func(most time.Duration) time.Duration { return most / 20 },
	})
}

var transport = Transport()

// open makes tables of the schemas on DynamoDB Local, under names of their own, for as long as the test runs.
func open(t *testing.T, servers *cloudtest.Servers, schemas []table.Schema) *DB {
	t.Helper()
	return openThrough(t, servers, transport, schemas)
}

func openThrough(t *testing.T, servers *cloudtest.Servers, through http.RoundTripper, schemas []table.Schema) *DB {
	t.Helper()
	db := connect(servers.DynamoDB, through, schemas)
	if err := db.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := connectLike(db, servers.DynamoDB).DropTables(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return db
}

// connectLike makes a driver for the tables of db that meets no faults.
func connectLike(db *DB, endpoint string) *DB {
	plain := connect(endpoint, transport, db.order)
	plain.prefix = db.prefix
	return plain
}

func TestConformance(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	tabletest.Run(t, func(t *testing.T, schemas []table.Schema) table.DB { return open(t, servers, schemas) })
}
