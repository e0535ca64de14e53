package s3

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cairn-lrs/cairn/internal/blob/blobtest"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// newClient makes a client for a server at the endpoint, through the given transport.
func newClient(endpoint string, transport http.RoundTripper, options ...func(*s3.Options)) *s3.Client {
	return s3.New(s3.Options{
		Region:       cloudtest.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(cloudtest.AccessKey, cloudtest.SecretKey, ""),
		BaseEndpoint: aws.String(endpoint),
		UsePathStyle: true,
		HTTPClient:   &http.Client{Transport: transport},
	}, options...)
}

func open(t *testing.T, servers *cloudtest.Servers) *Store {
	t.Helper()
	s := New(newClient(servers.S3, http.DefaultTransport), "test-"+strings.ToLower(rand.Text()), "prefix/")
	if err := s.CreateBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	blobtest.Run(t, func(t *testing.T) blobtest.Store { return open(t, servers) })
}

func TestSigner(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	blobtest.RunSigner(t, func(t *testing.T) blobtest.SigningStore { return open(t, servers) })
}
