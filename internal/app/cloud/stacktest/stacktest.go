// Package stacktest makes stacks on the test servers: the tables and the bucket of a deployment, for as long as a test runs.
package stacktest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/config"
)

// Open makes a stack under a name that nobody else has.
func Open(t testing.TB, servers *cloudtest.Servers, log *slog.Logger) (name string, cairn *cloud.Cairn) {
	t.Helper()
	name = "test-" + strings.ToLower(rand.Text())
	cairn, err := cloud.New(config.Config{
		TablePrefix: name + "-", Bucket: name, DynamoDBEndpoint: servers.DynamoDB, S3Endpoint: servers.S3,
		AWS: config.AWS{Region: cloudtest.Region, AccessKeyID: cloudtest.AccessKey, Secret: cloudtest.SecretKey},
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := cairn.Tables.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cairn.Tables.DropTables(context.Background()); err != nil { // the test's own context has ended by now
			t.Error(err)
		}
	})
	if err := cairn.Blobs.CreateBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	return name, cairn
}
