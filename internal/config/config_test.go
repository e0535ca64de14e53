package config_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/config"
)

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := pairs[name]
		return value, ok
	}
}

func TestRead(t *testing.T) {
	tests := []struct {
		name  string
		env   map[string]string
		want  config.Config
		fails []string // what the error names
	}{
		{name: "nothing set"},
		{name: "set but empty", env: map[string]string{"CAIRN_CREDENTIAL": "", "CAIRN_LOG_LEVEL": ""}},
		{
			name: "everything",
			env: map[string]string{
				"CAIRN_CREDENTIAL": "key:se:cret", "CAIRN_TABLE_PREFIX": "dev-", "CAIRN_BUCKET": "b",
				"CAIRN_DYNAMODB_ENDPOINT": "http://127.0.0.1:1", "CAIRN_S3_ENDPOINT": "https://s3.test", "CAIRN_LOG_LEVEL": "warn",
				"CAIRN_INDEX_LAG": "250ms", "CAIRN_CLOCK_SKEW": "1m", "CAIRN_METRICS": "on",
				"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
			},
			want: config.Config{
				Credential: config.Credential{Key: "key", Secret: "se:cret"}, TablePrefix: "dev-", Bucket: "b",
				DynamoDBEndpoint: "http://127.0.0.1:1", S3Endpoint: "https://s3.test", LogLevel: slog.LevelWarn,
				IndexLag: 250 * time.Millisecond, ClockSkew: time.Minute, Metrics: true,
				AWS: config.AWS{Region: "eu-west-1", AccessKeyID: "id", Secret: "secret", SessionToken: "token"},
			},
		},
		{
			name: "every mistake is named at once",
			env: map[string]string{
				"CAIRN_CREDENTIAL": "onlykey", "CAIRN_TABLE_PREFIX": "a/b", "CAIRN_DYNAMODB_ENDPOINT": "localhost:8000",
				"CAIRN_S3_ENDPOINT": "ftp://x", "CAIRN_LOG_LEVEL": "loud", "CAIRN_INDEX_LAG": "0", "CAIRN_CLOCK_SKEW": "2m",
				"CAIRN_METRICS": "yes",
			},
			fails: []string{"CAIRN_METRICS", "CAIRN_INDEX_LAG", "CAIRN_CLOCK_SKEW", "CAIRN_CREDENTIAL", "CAIRN_TABLE_PREFIX", "CAIRN_DYNAMODB_ENDPOINT", "CAIRN_S3_ENDPOINT", "CAIRN_LOG_LEVEL"},
		},
		{name: "no secret", env: map[string]string{"CAIRN_CREDENTIAL": "key:"}, fails: []string{"CAIRN_CREDENTIAL"}},
		{name: "no key", env: map[string]string{"CAIRN_CREDENTIAL": ":secret"}, fails: []string{"CAIRN_CREDENTIAL"}},
		{name: "long prefix", env: map[string]string{"CAIRN_TABLE_PREFIX": strings.Repeat("p", 201)}, fails: []string{"CAIRN_TABLE_PREFIX"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := config.Read(environment(test.env))
			if (err != nil) != (test.fails != nil) {
				t.Fatalf("error is %v, want one: %v", err, test.fails != nil)
			}
			for _, name := range test.fails {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("error does not name %s: %v", name, err)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	const secret = "canary-of-the-secret"
	c, err := config.Read(environment(map[string]string{
		"CAIRN_CREDENTIAL": "key:" + secret, "CAIRN_BUCKET": "shown",
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": secret,
	}))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "config", c)
	shown := log.String() + fmt.Sprint(c)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		shown += fmt.Sprintf(verb, c)
	}
	if strings.Contains(shown, secret) {
		t.Errorf("the secret is shown: %s", shown)
	}
	if !strings.Contains(log.String(), "shown") || !strings.Contains(log.String(), "key:(secret)") {
		t.Errorf("the log line lacks settings: %s", log.String())
	}
	if _, err := config.Read(environment(map[string]string{"CAIRN_CREDENTIAL": secret})); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error shows the value: %v", err)
	}
}
