package cloudtest

import (
	"net/http"
	"testing"
)

func TestServersRunAndEnd(t *testing.T) {
	if _, ok := Start(t); !ok {
		return
	}
	for _, variable := range []string{EndpointDynamoDB, EndpointS3} {
		t.Setenv(variable, "") // a pair of our own, even where one is shared
	}
	s, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{s.DynamoDB, s.S3} {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, url := range []string{s.DynamoDB, s.S3} {
		if response, err := http.Get(url); err == nil {
			t.Errorf("%s answers after Close: %s", url, response.Status)
		}
	}
}
