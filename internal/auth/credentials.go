package auth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Lengths of what CreateCredential makes, in Crockford base32 characters of 5 random bits.
const (
	accessKeyChars = 26 // 130 bits; it is no secret and stands in the authority of every statement
	secretChars    = 52 // 260 bits
)

// NewCredential says what a credential to be made may do.
type NewCredential struct {
	Label   string // for people; may be empty
	Scopes  Scopes // at least one
	Trusted bool   // statements may bring their own authority
}

// Credential is what may be shown of a credential.
type Credential struct {
	Key     string
	Store   string // id
	Label   string
	Scopes  Scopes
	Trusted bool
	Revoked bool
	Created time.Time
}

// CreateCredential makes a credential of a store. The secret is returned this once and kept as SHA-256 only.
func (d *Directory) CreateCredential(ctx context.Context, store string, n NewCredential) (key, secret string, err error) {
	if key, err = randomName(d.Random, accessKeyChars); err != nil {
		return "", "", fmt.Errorf("create credential: %w", err)
	}
	if secret, err = randomName(d.Random, secretChars); err != nil {
		return "", "", fmt.Errorf("create credential: %w", err)
	}
	if err := d.putCredential(ctx, store, key, secret, n); err != nil {
		return "", "", fmt.Errorf("create credential: %w", err)
	}
	return key, secret, nil
}

// UpsertDefault gives the default store a credential with all scopes under a key and secret that the operator chose, or
// changes the secret of the one that has this key. For the local road only: the caller sees to that.
func (d *Directory) UpsertDefault(ctx context.Context, key, secret string) error {
	if len(key) > maxKeyBytes || key == "" || !printable(key) || strings.Contains(key, ":") {
		return fmt.Errorf("%w: a key has 1 to %d bytes of printable text without a colon", ErrRefused, maxKeyBytes)
	}
	if len(secret) > maxSecretBytes || secret == "" || !printable(secret) {
		return fmt.Errorf("%w: a secret has 1 to %d bytes of printable text", ErrRefused, maxSecretBytes)
	}
	err := d.putCredential(ctx, DefaultStore, key, secret, NewCredential{Label: "fixed by the operator", Scopes: Scopes{All}})
	if errors.Is(err, table.ErrCondition) {
		hash := sha256.Sum256([]byte(secret))
		err = d.changeCredential(ctx, key,
			[]table.Action{table.SetTo(schema.SecretHash, table.B(hash[:])), table.Remove(schema.Revoked)},
			table.Equals(schema.Store, table.S(DefaultStore)))
		if errors.Is(err, table.ErrCondition) {
			return fmt.Errorf("%w: the key is a credential of another store", ErrRefused)
		}
	}
	if err != nil {
		return fmt.Errorf("fix credential: %w", err)
	}
	return nil
}

// RotateSecret gives a credential a new secret. Key, authority and cursors stay as they are; the old secret is refused
// at once by this process and within CacheLife by others.
func (d *Directory) RotateSecret(ctx context.Context, key string) (secret string, err error) {
	if secret, err = randomName(d.Random, secretChars); err != nil {
		return "", fmt.Errorf("rotate secret: %w", err)
	}
	hash := sha256.Sum256([]byte(secret))
	err = d.changeCredential(ctx, key, []table.Action{table.SetTo(schema.SecretHash, table.B(hash[:]))}, table.Absent(schema.Revoked))
	if errors.Is(err, table.ErrCondition) {
		return "", fmt.Errorf("%w: credential %q is revoked for good; create another", ErrRefused, key)
	}
	if err != nil {
		return "", fmt.Errorf("rotate secret: %w", err)
	}
	return secret, nil
}

// Revoke ends a credential for good: at once in this process and within CacheLife in others. What was stored with it
// stays, with its authority.
func (d *Directory) Revoke(ctx context.Context, key string) error {
	if err := d.changeCredential(ctx, key, []table.Action{table.SetTo(schema.Revoked, table.N(1))}); err != nil {
		return fmt.Errorf("revoke credential: %w", err)
	}
	return nil
}

// Credentials lists the credentials of all stores, by store and age.
func (d *Directory) Credentials(ctx context.Context) ([]Credential, error) {
	var credentials []Credential
	for item, err := range table.Items(table.ScanPages(ctx, d.Scanner, schema.Credentials, 0, 1)) {
		if err != nil {
			return nil, fmt.Errorf("list credentials: %w", err)
		}
		c, err := credentialFromItem(item)
		if err != nil {
			return nil, fmt.Errorf("list credentials: %w", err)
		}
		credentials = append(credentials, c)
	}
	slices.SortFunc(credentials, func(a, b Credential) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), a.Created.Compare(b.Created), cmp.Compare(a.Key, b.Key))
	})
	return credentials, nil
}

// putCredential writes a new credential; the error wraps table.ErrCondition when the key is taken. The store knows the
// authority before the credential exists, so no statement can have an authority that its store does not know.
func (d *Directory) putCredential(ctx context.Context, storeID, key, secret string, n NewCredential) error {
	if n.Label != "" {
		if err := checkName("label", n.Label); err != nil {
			return err
		}
	}
	if len(n.Scopes) == 0 {
		return fmt.Errorf("%w: a credential needs at least one scope", ErrRefused)
	}
	store, err := d.Store(ctx, storeID)
	if err != nil {
		return err
	}
	authority, identity, err := authorityOf(storeID, key)
	if err != nil {
		return err
	}
	term := store.Term(AuthorityTerm, identity.Key())
	known := slices.ContainsFunc(store.Authorities, func(have []byte) bool { return bytes.Equal(have, term[:]) })
	if !known {
		if err := d.AddAuthority(ctx, storeID, term); err != nil {
			return err
		}
	}
	hash := sha256.Sum256([]byte(secret))
	item := table.Item{
		schema.PK:         table.S(key),
		schema.Store:      table.S(storeID),
		schema.SecretHash: table.B(hash[:]),
		schema.Scopes:     table.S(n.Scopes.String()),
		schema.Authority:  table.S(string(authority)),
		schema.Created:    table.S(d.created()),
	}
	if n.Label != "" {
		item[schema.Label] = table.S(n.Label)
	}
	if n.Trusted {
		item[schema.Trusted] = table.N(1)
	}
	if _, _, err := d.Tables.Apply(ctx, table.Put(schema.Credentials, item, table.Absent(schema.PK))); err != nil {
		return fmt.Errorf("write credential: %w", err)
	}
	d.cache.clear()
	return nil
}

// changeCredential updates a credential that exists. A condition of the caller's that fails is a table.ErrCondition.
func (d *Directory) changeCredential(ctx context.Context, key string, actions []table.Action, conditions ...table.Condition) error {
	if key == "" || len(key) > maxKeyBytes {
		return fmt.Errorf("%w credential: %q", ErrNotFound, key)
	}
	conditions = append(conditions, table.Present(schema.PK))
	_, _, err := d.Tables.Apply(ctx, table.Update(credentialRef(key), actions, conditions...))
	var failed *table.ConditionError
	if errors.As(err, &failed) && failed.Old == nil {
		return fmt.Errorf("%w credential: %q", ErrNotFound, key)
	}
	if err != nil {
		return fmt.Errorf("write credential: %w", err)
	}
	d.cache.clear()
	return nil
}

// authorityOf makes the Agent that statements of a credential get as authority. It depends on the store's id and the
// key alone, so it survives rotation and can be derived again. The name .invalid is reserved never to resolve (RFC
// 6761, 6.4): the home page is a valid IRL and nobody's site.
func authorityOf(store, key string) (agent []byte, identity xapi.IFI, err error) {
	identity = xapi.IFI{Kind: xapi.Account, HomePage: "https://cairn.invalid/stores/" + store, Value: key}
	name, err := jsontext.AppendQuote(nil, key)
	if err != nil {
		return nil, xapi.IFI{}, fmt.Errorf("quote key: %w", err)
	}
	agent = fmt.Appendf(nil, `{"objectType":"Agent","account":{"homePage":%q,"name":%s}}`, identity.HomePage, name)
	return agent, identity, nil
}

func credentialFromItem(item table.Item) (Credential, error) {
	key := item[schema.PK].S
	scopes, err := ParseScopes(item[schema.Scopes].S)
	if err != nil {
		return Credential{}, fmt.Errorf("read credential %q: %w", key, err)
	}
	created, err := time.Parse(time.RFC3339, item[schema.Created].S)
	if err != nil {
		return Credential{}, fmt.Errorf("read credential %q: its time of creation is not valid", key)
	}
	return Credential{
		Key:     key,
		Store:   item[schema.Store].S,
		Label:   item[schema.Label].S,
		Scopes:  scopes,
		Trusted: item[schema.Trusted].N != 0,
		Revoked: item[schema.Revoked].N != 0,
		Created: created,
	}, nil
}

func (d *Directory) created() string { return d.Now().UTC().Format(time.RFC3339Nano) }
