// Package operator is what the commands `cairn store`, `cairn credential`, `cairn dead-letters` and `cairn rebuild` do. On a data
// folder they work by themselves while no server runs on it, else through the server, which owns the folder and listens for
// them on a socket in it. On a deployed stack they work through the program cairn-stack, which listens in the same way.
package operator

import (
	"context"
	"errors"
	"time"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
)

// Operator administers one data folder or deployed stack. Refusals have messages meant for the operator.
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

	// SetTimeZone says by which time zone the days of a store's reports are counted, once they are rebuilt.
	SetTimeZone(ctx context.Context, store, zone string) error

	// GrowShards does the next step towards n shards of a store.
	GrowShards(ctx context.Context, store string, n int) (Shards, error)

	// SetPrivacy changes what reports of a store may tell.
	SetPrivacy(ctx context.Context, store string, p auth.Privacy) error

	// DeadLetters lists some of the statements of a store that reports could not count, by id, from after an id.
	DeadLetters(ctx context.Context, store, after string) (DeadLetters, error)

	// Replay tries some of a store's dead letters again, from after an id.
	Replay(ctx context.Context, store, after string) (Replayed, error)

	// Rebuild begins to rebuild what reports read, of some stores or, when none is named, of all. It goes on with a rebuild
	// that was interrupted. While one runs it begins nothing, and that is an error where stores are named.
	Rebuild(ctx context.Context, stores []string) error

	// Rebuilding tells how far the rebuild is that Rebuild began.
	Rebuilding(ctx context.Context) (Rebuilding, error)

	// Differences lists a page, from 0, of what the newest rebuild found. Rebuilding tells how many there are.
	Differences(ctx context.Context, page int) ([]rollup.Difference, error)
}

// Store is what an operator sees of a store: everything but its keys.
type Store struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	TimeZone string `json:"timeZone"`
}

// Shards is how far the growth of a store's shards is: another step is to be done after WaitSeconds, none when it is 0.
type Shards struct {
	Readers     int   `json:"readers"`
	Writers     int   `json:"writers"`
	WaitSeconds int64 `json:"waitSeconds"`
}

// DeadLetters are some statements that reports could not count, by id.
type DeadLetters struct {
	Letters []DeadLetter `json:"letters"`
	More    bool         `json:"more"` // there are others behind them
}

// DeadLetter is one statement that reports could not count.
type DeadLetter struct {
	Store     string    `json:"store"`
	Statement string    `json:"statement"` // id
	Reason    string    `json:"reason"`
	When      time.Time `json:"when"`
}

// Replayed says what became of dead letters that were tried again.
type Replayed struct {
	Gone  int    `json:"gone"`
	Still int    `json:"still"`
	Next  string `json:"next"` // the id to go on after; "" at the end
}

// Rebuilding is how far a rebuild is.
type Rebuilding struct {
	rollup.Progress
	Running bool   `json:"running"`
	Problem string `json:"problem"` // how it failed; "" when it did not
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
	rollups   *app.Background
}

// Direct makes the Operator over the parts of this process. Without rollups (a stack whose bucket is not named) what needs them
// is refused. Whoever made them stops them.
func Direct(d *auth.Directory, rollups *app.Background) Operator { return direct{d, rollups} }

// errNoBucket refuses what reads statements.
var errNoBucket = errors.New("large statements lie in the stack's bucket: set CAIRN_BUCKET to its output BucketName")

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

func (d direct) SetTimeZone(ctx context.Context, store, zone string) error {
	return d.directory.SetTimeZone(ctx, store, zone)
}

func (d direct) GrowShards(ctx context.Context, store string, n int) (Shards, error) {
	s, wait, err := d.directory.GrowShards(ctx, store, n)
	return Shards{Readers: s.Shards, Writers: s.WriteShards, WaitSeconds: int64((wait + time.Second - 1) / time.Second)}, err
}

func (d direct) SetPrivacy(ctx context.Context, store string, p auth.Privacy) error {
	return d.directory.SetPrivacy(ctx, store, p)
}

func (d direct) DeadLetters(ctx context.Context, store, after string) (out DeadLetters, err error) {
	if d.rollups == nil {
		return out, errNoBucket
	}
	letters, more, err := d.rollups.DeadLetters(ctx, store, after)
	for _, l := range letters {
		out.Letters = append(out.Letters, DeadLetter{Store: l.Store, Statement: l.StatementID, Reason: l.Reason, When: l.When})
	}
	out.More = more
	return out, err
}

func (d direct) Replay(ctx context.Context, store, after string) (out Replayed, err error) {
	if d.rollups == nil {
		return out, errNoBucket
	}
	out.Gone, out.Still, out.Next, err = d.rollups.Replay(ctx, store, after)
	return out, err
}

func (d direct) Rebuild(_ context.Context, stores []string) error {
	if d.rollups == nil {
		return errNoBucket
	}
	return d.rollups.Start(stores)
}

func (d direct) Rebuilding(context.Context) (Rebuilding, error) {
	if d.rollups == nil {
		return Rebuilding{}, errNoBucket
	}
	progress, running, err := d.rollups.Progress()
	out := Rebuilding{Progress: progress, Running: running}
	if err != nil {
		out.Problem = err.Error()
	}
	return out, nil
}

func (d direct) Differences(ctx context.Context, page int) ([]rollup.Difference, error) {
	if d.rollups == nil {
		return nil, errNoBucket
	}
	return d.rollups.Differences(ctx, page)
}
