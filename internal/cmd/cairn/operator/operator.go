// Package operator is what the commands `cairn store` and `cairn credential` do to a data folder: by themselves while no
// server runs on it, else through the server, which owns the folder and listens for them on a socket in it.
package operator

import (
	"context"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// Operator administers the stores and credentials of one data folder. Refusals have messages meant for the operator.
type Operator interface {
	// CreateStore makes a store.
	CreateStore(ctx context.Context, name string) (Store, error)

	// Stores lists all stores.
	Stores(ctx context.Context) ([]Store, error)

	// CreateCredential makes a credential of a store. Its secret cannot be had again.
	CreateCredential(ctx context.Context, store string, n NewCredential) (Secret, error)

	// RotateSecret gives a credential a new secret, and ends the old one at once.
	RotateSecret(ctx context.Context, key string) (Secret, error)

	// Revoke ends a credential at once and for good.
	Revoke(ctx context.Context, key string) error

	// Credentials lists the credentials of all stores.
	Credentials(ctx context.Context) ([]Credential, error)
}

// Store is what an operator sees of a store: everything but its keys.
type Store struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	TimeZone string `json:"timeZone"`
}

// NewCredential says what a credential to be made may do.
type NewCredential struct {
	Label   string `json:"label"`
	Scopes  string `json:"scopes"` // separated by spaces or commas
	Trusted bool   `json:"trusted"`
}

// Secret is a fresh secret with the key that it belongs to.
type Secret struct {
	Key    string `json:"key"`
	Secret string `json:"secret"`
}

// Credential is what an operator sees of a credential.
type Credential struct {
	Key     string    `json:"key"`
	Store   string    `json:"store"`
	Label   string    `json:"label"`
	Scopes  string    `json:"scopes"`
	Trusted bool      `json:"trusted"`
	Revoked bool      `json:"revoked"`
	Created time.Time `json:"created"`
}

// direct is the Operator of the process that has the folder open.
type direct struct {
	directory *auth.Directory
}

// Direct makes the Operator over a directory of this process.
func Direct(d *auth.Directory) Operator { return direct{d} }

func (d direct) CreateStore(ctx context.Context, name string) (Store, error) {
	s, err := d.directory.CreateStore(ctx, name)
	return view(s), err
}

func (d direct) Stores(ctx context.Context) ([]Store, error) {
	stores, err := d.directory.Stores(ctx)
	var out []Store
	for _, s := range stores {
		out = append(out, view(s))
	}
	return out, err
}

func view(s auth.Store) Store { return Store{ID: s.ID, Name: s.Name, TimeZone: s.TimeZone} }

func (d direct) CreateCredential(ctx context.Context, store string, n NewCredential) (Secret, error) {
	scopes, err := auth.ParseScopes(n.Scopes)
	if err != nil {
		return Secret{}, err
	}
	key, secret, err := d.directory.CreateCredential(ctx, store, auth.NewCredential{Label: n.Label, Scopes: scopes, Trusted: n.Trusted})
	return Secret{Key: key, Secret: secret}, err
}

func (d direct) RotateSecret(ctx context.Context, key string) (Secret, error) {
	secret, err := d.directory.RotateSecret(ctx, key)
	return Secret{Key: key, Secret: secret}, err
}

func (d direct) Revoke(ctx context.Context, key string) error { return d.directory.Revoke(ctx, key) }

func (d direct) Credentials(ctx context.Context) ([]Credential, error) {
	credentials, err := d.directory.Credentials(ctx)
	var out []Credential
	for _, c := range credentials {
		out = append(out, Credential{
			Key: c.Key, Store: c.Store, Label: c.Label, Scopes: c.Scopes.String(),
			Trusted: c.Trusted, Revoked: c.Revoked, Created: c.Created,
		})
	}
	return out, err
}
