package e2e

import (
	"context"
	"testing"
)

// Road is a running LRS that can make stores and credentials: the whole of what the tests know about a server.
type Road interface {
	// Endpoint is the address of the xAPI resources, without a slash at its end.
	Endpoint() string

	// Reports is the address of the report API, an origin of its own, without a slash at its end; "" when there is none.
	Reports() string

	// SetStore changes settings of a store by flags of `cairn store set`.
	SetStore(ctx context.Context, store string, flags ...string) error

	// NewStore makes an empty store.
	NewStore(ctx context.Context) (store string, err error)

	// NewCredential makes a credential of a store. No scopes means all of them.
	NewCredential(ctx context.Context, store string, scopes []string, trusted bool) (Credential, error)
}

// Credential is a key and its secret.
type Credential struct{ Key, Secret string }

// FreshStore makes an empty store and a credential of it with all scopes.
func FreshStore(t testing.TB, road Road) (store string, who Credential) {
	t.Helper()
	store, err := road.NewStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	who, err = road.NewCredential(t.Context(), store, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return store, who
}
