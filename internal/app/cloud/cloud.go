// Package cloud is the cloud road: Cairn over DynamoDB and S3, one function per resource. With other endpoints in its
// configuration it is the cloud-like road of the tests.
package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob/s3"
	"github.com/cairn-lrs/cairn/internal/config"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/dynamo"
)

// Shards of a new store: one DynamoDB partition takes 1,000 write units a second, so four let one verb or activity
// take 4,000. Source: DynamoDB developer guide, "Designing partition keys to distribute your workload".
const Shards = 4

// requestIDHeader is lambdaio.RequestIDHeader, where API Gateway's id of the request comes: lambdaio takes away what a
// client sent under this name.
const requestIDHeader = "X-Request-Id"

// Statements makes the handler of the function that serves the statements resource, from the environment.
func Statements(log *slog.Logger) (http.Handler, error) {
	return serve(log, (*app.App).StatementsHandler)
}

// State makes the handler of the function that serves the State Resource.
func State(log *slog.Logger) (http.Handler, error) { return serve(log, (*app.App).StateHandler) }

// ActivityProfile makes the handler of the function that serves the Activity Profile Resource.
func ActivityProfile(log *slog.Logger) (http.Handler, error) {
	return serve(log, (*app.App).ActivityProfileHandler)
}

// AgentProfile makes the handler of the function that serves the Agent Profile Resource.
func AgentProfile(log *slog.Logger) (http.Handler, error) {
	return serve(log, (*app.App).AgentProfileHandler)
}

// Activities makes the handler of the function that serves the activities resource.
func Activities(log *slog.Logger) (http.Handler, error) {
	return serve(log, (*app.App).ActivitiesHandler)
}

// Agents makes the handler of the function that serves the agents resource.
func Agents(log *slog.Logger) (http.Handler, error) { return serve(log, (*app.App).AgentsHandler) }

// Reports makes the handler of the function that serves the report API, which has an origin of its own.
func Reports(log *slog.Logger) (http.Handler, error) { return serve(log, (*app.App).ReportsHandler) }

// Uploads makes the handler of the function that serves the uploads resource.
func Uploads(log *slog.Logger) (http.Handler, error) { return serve(log, (*app.App).UploadsHandler) }

// Fallback makes the handler of the function that serves what no route is for. Clients are configured with all sorts of
// slashes, and the gateway compares paths letter by letter, so it serves every resource.
func Fallback(log *slog.Logger) (http.Handler, error) { return serve(log, (*app.App).Handler) }

// Aggregate makes the consumer of the function that reads the stream of Statements, and tells what stands before the names of the
// tables in it. Each execution environment adds to a lane of its own choice, so that they seldom meet in one item.
func Aggregate(log *slog.Logger) (prefix string, consume func(context.Context, []table.Change) (int, error), err error) {
	c, err := config.Environment()
	if err != nil {
		return "", nil, err
	}
	cairn, err := New(c, log)
	if err != nil {
		return "", nil, err
	}
	return c.TablePrefix, cairn.Rollups.Consumer(uint8(rand.UintN(rollup.Lanes))), nil
}

// serve wires Cairn from the environment and takes one of its handlers.
func serve(log *slog.Logger, handler func(*app.App) http.Handler) (http.Handler, error) {
	c, err := config.Environment()
	if err != nil {
		return nil, err
	}
	cairn, err := New(c, log)
	if err != nil {
		return nil, err
	}
	return handler(cairn.App), nil
}

// About makes the handler of the function that serves the about resource.
func About(log *slog.Logger) http.Handler { return app.AboutHandler(log, requestIDHeader) }

// Cairn is a deployment.
type Cairn struct {
	*app.App
	Tables *dynamo.DB
	Blobs  *s3.Store
}

// s3Silence is how long S3 may take to begin an answer. The SDK's three tries then fit the time that a function has.
const s3Silence = 5 * time.Second

// New wires Cairn over DynamoDB and S3. It sends nothing: connections are made by the first request.
//
// The clients are made by hand. The SDK's own loading of configuration brings half a dozen ways to get credentials that
// a function does not have, and is paid for at every cold start.
func New(c config.Config, log *slog.Logger) (*Cairn, error) {
	if err := check(c); err != nil {
		return nil, fmt.Errorf("configure the cloud road: %w", err)
	}
	skew := cmp.Or(c.ClockSkew, lrs.DefaultClockSkew)
	clock := dynamo.NewClock(dynamo.Transport(), nil, skew)
	tables := openTables(c, &http.Client{Transport: clock})
	// The driver of the tables bounds each request; of S3 no request is that long without a word.
	objects := dynamo.Transport()
	objects.ResponseHeaderTimeout = s3Silence
	blobs := s3.New(awss3.New(awss3.Options{
		Region: c.AWS.Region, Credentials: keys(c.AWS), HTTPClient: &http.Client{Transport: objects}, BaseEndpoint: endpoint(c.S3Endpoint),
		UsePathStyle: c.S3Endpoint != "", // servers other than AWS have no name for each bucket
	}), c.Bucket, "")
	return &Cairn{
		App: app.New(app.Ports{
			Tables: tables, Scanner: tables, Blobs: blobs, Transfer: blobs, Log: log,
			IndexLag: cmp.Or(c.IndexLag, lrs.DefaultIndexLag), ClockSkew: skew, ClockRight: clock.Check,
			ReportBound: c.ReportBound, AnswersByURL: true,
			Shards: Shards, RequestIDHeader: requestIDHeader,
		}),
		Tables: tables, Blobs: blobs,
	}, nil
}

// Directory opens the stores and credentials of a stack for its operator, and nothing else of it: no bucket is needed. The
// tables are those of CAIRN_TABLE_PREFIX. It sends nothing.
func Directory(c config.Config) (*auth.Directory, error) {
	if err := errors.Join(checkAWS(c.AWS)...); err != nil {
		return nil, fmt.Errorf("open the stores of a stack: %w", err)
	}
	tables := openTables(c, &http.Client{Transport: dynamo.Transport()})
	return auth.NewDirectory(auth.Config{Tables: tables, Scanner: tables, Shards: Shards}), nil
}

func openTables(c config.Config, client *http.Client) *dynamo.DB {
	return dynamo.New(dynamodb.New(dynamodb.Options{
		Region: c.AWS.Region, Credentials: keys(c.AWS), HTTPClient: client, BaseEndpoint: endpoint(c.DynamoDBEndpoint),
	}), c.TablePrefix, schema.Tables, dynamo.Options{})
}

func keys(a config.AWS) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(a.AccessKeyID, a.Secret, a.SessionToken)
}

func endpoint(url string) *string {
	if url == "" {
		return nil
	}
	return aws.String(url)
}

// check names everything that is missing at once.
func check(c config.Config) error {
	problems := checkAWS(c.AWS)
	if c.Bucket == "" {
		problems = append(problems, errors.New("CAIRN_BUCKET is not set"))
	}
	if c.Credential.Key != "" {
		problems = append(problems, errors.New("CAIRN_CREDENTIAL is for the local road only: a function's settings are no place for a secret"))
	}
	return errors.Join(problems...)
}

func checkAWS(a config.AWS) []error {
	var problems []error
	for _, needed := range []struct{ name, value string }{
		{"AWS_REGION", a.Region}, {"AWS_ACCESS_KEY_ID", a.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", a.Secret},
	} {
		if needed.value == "" {
			problems = append(problems, fmt.Errorf("%s is not set", needed.name))
		}
	}
	return problems
}
