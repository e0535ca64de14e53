package stack_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/app/cloud/stack"
	"github.com/cairn-lrs/cairn/internal/app/cloud/stacktest"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/config"
)

// signIn makes the environment of an operator who has these settings and nothing else.
func signIn(t *testing.T, settings map[string]string) {
	t.Helper()
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, settings[name])
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	keys := map[string]string{"AWS_REGION": cloudtest.Region, "AWS_ACCESS_KEY_ID": cloudtest.AccessKey, "AWS_SECRET_ACCESS_KEY": cloudtest.SecretKey}
	tests := []struct {
		name, stack string
		settings    map[string]string
		want        string
	}{
		{"wrong name", "a b", keys, `"a b" is no name of a stack`},
		{"no region", "cairn", nil, "AWS_REGION"},
		{"not signed in", "cairn", map[string]string{"AWS_REGION": "eu-west-1"}, "sign in to AWS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			signIn(t, test.settings)
			if _, _, err := stack.Open(t.Context(), config.Config{}, test.stack); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestStoresAreThoseOfTheFunctions(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	signIn(t, map[string]string{"AWS_REGION": cloudtest.Region, "AWS_ACCESS_KEY_ID": cloudtest.AccessKey, "AWS_SECRET_ACCESS_KEY": cloudtest.SecretKey})
	operators := config.Config{DynamoDBEndpoint: servers.DynamoDB}

	if _, _, err := stack.Open(t.Context(), operators, "nowhere"); err == nil || !strings.Contains(err.Error(), "there is no stack of Cairn with the name nowhere") {
		t.Errorf("where there is none: %v", err)
	}
	name, deployed := stacktest.Open(t, servers, slog.New(slog.DiscardHandler))
	directory, _, err := stack.Open(t.Context(), operators, name)
	if err != nil {
		t.Fatal(err)
	}
	store, err := directory.CreateStore(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	if store.Shards != cloud.Shards {
		t.Errorf("the store has %d shards, want %d", store.Shards, cloud.Shards)
	}
	key, secret, err := directory.CreateCredential(t.Context(), store.ID, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		t.Fatal(err)
	}
	principal, err := deployed.Directory.Authenticate(t.Context(), key, secret)
	if err != nil || principal.Store.ID != store.ID {
		t.Errorf("a function takes the credential for store %q, error %v; it is of %q", principal.Store.ID, err, store.ID)
	}
}
