package auth_test

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/pebble/pebbletest"
)

// world is one deployment with a clock that the test moves.
type world struct {
	*auth.Directory
	tables *pebble.DB
	now    atomic.Int64 // Unix milliseconds
}

func newWorld(t testing.TB, faults *pebble.Faults) *world {
	t.Helper()
	w := &world{tables: pebbletest.Open(t, schema.Tables, pebble.Options{Faults: faults})}
	w.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixMilli())
	w.Directory = w.process()
	if err := w.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// process makes another Directory over the same tables, as another process has one.
func (w *world) process() *auth.Directory {
	return auth.NewDirectory(auth.Config{
		Tables: table.Metered(w.tables), Scanner: w.tables, Shards: 1,
		Now: func() time.Time { return time.UnixMilli(w.now.Load()).UTC() },
	})
}

func (w *world) pass(d time.Duration) { w.now.Add(d.Milliseconds()) }

func (w *world) create(t *testing.T, store string, n auth.NewCredential) (key, secret string) {
	t.Helper()
	if n.Scopes == nil {
		n.Scopes = auth.Scopes{auth.All}
	}
	key, secret, err := w.CreateCredential(t.Context(), store, n)
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

// reads authenticates and returns the read units that it took.
func reads(t *testing.T, d *auth.Directory, key, secret string) (float64, error) {
	t.Helper()
	var meter table.Meter
	_, err := d.Authenticate(table.WithMeter(t.Context(), &meter), key, secret)
	cost, _ := meter.Total()
	return cost.Read, err
}

func TestAuthenticate(t *testing.T) {
	w := newWorld(t, nil)
	store, err := w.CreateStore(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	scopes := auth.Scopes{auth.StatementsWrite, auth.StatementsReadMine}
	key, secret := w.create(t, store.ID, auth.NewCredential{Label: "course", Scopes: scopes, Trusted: true})
	revoked, revokedSecret := w.create(t, store.ID, auth.NewCredential{})
	if err := w.Revoke(t.Context(), revoked); err != nil {
		t.Fatal(err)
	}

	p, err := w.Authenticate(t.Context(), key, secret)
	if err != nil {
		t.Fatal(err)
	}
	if p.Credential != key || p.Store.ID != store.ID || p.Scopes.String() != scopes.String() || !p.Trusted {
		t.Errorf("principal %+v", p)
	}
	wantAuthority := fmt.Sprintf(`{"objectType":"Agent","account":{"homePage":"https://cairn.invalid/stores/%s","name":"%s"}}`, store.ID, key)
	if string(p.Authority) != wantAuthority {
		t.Errorf("authority %s, want %s", p.Authority, wantAuthority)
	}

	refused := []struct{ name, key, secret string }{
		{"unknown key", "nobody", secret},
		{"wrong secret", key, secret + "x"},
		{"another's secret", key, revokedSecret},
		{"no secret", key, ""},
		{"no key", "", secret},
		{"revoked", revoked, revokedSecret},
		{"endless key", strings.Repeat("k", 5000), secret},
		{"endless secret", key, strings.Repeat("s", 5000)},
		{"key of another case", strings.ToUpper(key), secret},
	}
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			p, err := w.Authenticate(t.Context(), test.key, test.secret)
			if err != auth.ErrUnauthorized || p.Credential != "" {
				t.Errorf("principal %+v, error %v", p, err)
			}
		})
	}
}

func TestRefusalsCostTheSame(t *testing.T) {
	w := newWorld(t, nil)
	key, _ := w.create(t, auth.DefaultStore, auth.NewCredential{})
	revoked, revokedSecret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	if err := w.Revoke(t.Context(), revoked); err != nil {
		t.Fatal(err)
	}
	for _, refused := range []struct{ name, key, secret string }{
		{"unknown", "nobody", "x"}, {"wrong secret", key, "x"}, {"revoked", revoked, revokedSecret},
	} {
		t.Run(refused.name, func(t *testing.T) {
			process := w.process()
			for attempt, want := range []float64{2, 0} {
				got, err := reads(t, process, refused.key, refused.secret)
				if got != want || err != auth.ErrUnauthorized {
					t.Errorf("attempt %d cost %v read units, want %v; error %v", attempt, got, want, err)
				}
			}
		})
	}
}

func TestCacheLives(t *testing.T) {
	w := newWorld(t, nil)
	key, secret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	other := w.process()
	expect := func(what, secret string, wantReads float64, wantErr error) {
		t.Helper()
		got, err := reads(t, other, key, secret)
		if got != wantReads || !errors.Is(err, wantErr) {
			t.Errorf("%s: %v read units, error %v; want %v, %v", what, got, err, wantReads, wantErr)
		}
	}
	expect("first time", secret, 2, nil)
	expect("again", secret, 0, nil)
	w.pass(auth.CacheLife - time.Millisecond)
	expect("just before the end of its life", secret, 0, nil)
	w.pass(time.Millisecond)
	expect("at the end of its life", secret, 2, nil)

	rotated, err := w.RotateSecret(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	expect("rotated elsewhere, just read here", rotated, 0, auth.ErrUnauthorized)
	w.pass(6 * time.Second)
	expect("rotated elsewhere, a moment later", rotated, 2, nil)
	expect("the old secret", secret, 0, auth.ErrUnauthorized)

	if err := w.Revoke(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	w.pass(auth.CacheLife)
	expect("revoked elsewhere, a cache life later", rotated, 2, auth.ErrUnauthorized)
	w.now.Add(-time.Hour.Milliseconds())
	expect("the clock stepped back", rotated, 2, auth.ErrUnauthorized)
}

func TestChangesCountAtOnceInTheirOwnProcess(t *testing.T) {
	w := newWorld(t, nil)
	key, secret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	before, err := w.Authenticate(t.Context(), key, secret)
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := w.RotateSecret(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), key, secret); err != auth.ErrUnauthorized {
		t.Errorf("old secret: %v", err)
	}
	after, err := w.Authenticate(t.Context(), key, rotated)
	if err != nil {
		t.Fatal(err)
	}
	if string(after.Authority) != string(before.Authority) || string(after.Store.CursorKey) != string(before.Store.CursorKey) {
		t.Error("rotation changed the authority or the cursor key")
	}
	w.create(t, auth.DefaultStore, auth.NewCredential{})
	if after, err = w.Authenticate(t.Context(), key, rotated); err != nil || len(after.Store.Authorities) != 2 {
		t.Errorf("%d authorities are known, want 2; error %v", len(after.Store.Authorities), err)
	}
	if err := w.Revoke(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), key, rotated); err != auth.ErrUnauthorized {
		t.Errorf("revoked: %v", err)
	}
	if _, err := w.RotateSecret(t.Context(), key); !errors.Is(err, auth.ErrRefused) {
		t.Errorf("rotation of a revoked credential: %v", err)
	}
}

func TestGuessesDoNotPushOutTheKnown(t *testing.T) {
	w := newWorld(t, nil)
	key, secret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	if _, err := w.Authenticate(t.Context(), key, secret); err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		if _, err := w.Authenticate(t.Context(), fmt.Sprint("guess", i), "x"); err != auth.ErrUnauthorized {
			t.Fatal(err)
		}
	}
	if got, err := reads(t, w.Directory, key, secret); got != 0 || err != nil {
		t.Errorf("%v read units, error %v", got, err)
	}
}

// A read that began before a revocation and ends after it must not be remembered.
func TestARevocationDuringARead(t *testing.T) {
	var w *world
	var key string
	revoke := atomic.Bool{}
	w = newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if c.Op == pebble.OpGet && c.Table == schema.Stores && revoke.CompareAndSwap(true, false) {
			if err := w.Revoke(context.Background(), key); err != nil {
				t.Error(err)
			}
		}
		return pebble.Fault{}
	}})
	key, secret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	revoke.Store(true)
	if _, err := w.Authenticate(t.Context(), key, secret); err != nil {
		t.Fatalf("the read began before the revocation: %v", err)
	}
	if _, err := w.Authenticate(t.Context(), key, secret); err != auth.ErrUnauthorized {
		t.Errorf("after the revocation: %v", err)
	}
}

func TestAuthenticateTellsFailuresFromRefusals(t *testing.T) {
	fail := atomic.Bool{}
	w := newWorld(t, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if fail.Load() {
			return pebble.Failed(table.ErrThrottled)
		}
		return pebble.Fault{}
	}})
	key, secret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	fail.Store(true)
	if _, err := w.Authenticate(t.Context(), key, secret); !errors.Is(err, table.ErrThrottled) || errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("error %v", err)
	}
	fail.Store(false)
	if _, err := w.Authenticate(t.Context(), key, secret); err != nil {
		t.Errorf("the failure was remembered: %v", err)
	}
}

// The store knows an authority before its credential can be used, whatever fails.
func TestCreateCredentialUnderFaults(t *testing.T) {
	faults := map[string]pebble.Fault{"failed": pebble.Failed(table.ErrThrottled), "reply lost": pebble.ReplyLost()}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			for at := int64(1); ; at++ {
				var armed, calls atomic.Int64
				w := newWorld(t, &pebble.Faults{OnCall: func(pebble.Call) pebble.Fault {
					if armed.Load() == 1 && calls.Add(1) == at {
						return fault
					}
					return pebble.Fault{}
				}})
				armed.Store(1)
				_, _, err := w.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
				armed.Store(0)
				credentials, listErr := w.Credentials(t.Context())
				store, storeErr := w.Store(t.Context(), auth.DefaultStore)
				if listErr != nil || storeErr != nil {
					t.Fatal(listErr, storeErr)
				}
				if len(credentials) > len(store.Authorities) {
					t.Errorf("fault at call %d: %d credentials, %d authorities", at, len(credentials), len(store.Authorities))
				}
				if calls.Load() < at {
					if err != nil {
						t.Errorf("without a fault: %v", err)
					}
					if at < 4 {
						t.Errorf("only %d calls saw a fault", at-1)
					}
					return
				}
				if err == nil {
					t.Errorf("fault at call %d: no error", at)
				}
			}
		})
	}
}

func TestUpsertDefault(t *testing.T) {
	w := newWorld(t, nil)
	other, err := w.CreateStore(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := w.create(t, other.ID, auth.NewCredential{})
	tests := []struct {
		name, key, secret string
		err               error
	}{
		{"new", "key", "secret", nil},
		{"the same", "key", "secret", nil},
		{"another secret", "key", "se:cret two", nil},
		{"key with quotes", `a"b\c`, "secret", nil},
		{"a key of another store", foreign, "secret", auth.ErrRefused},
		{"no key", "", "secret", auth.ErrRefused},
		{"no secret", "key", "", auth.ErrRefused},
		{"a colon in the key", "a:b", "secret", auth.ErrRefused},
		{"a control character", "a\nb", "secret", auth.ErrRefused},
		{"long key", strings.Repeat("k", 129), "secret", auth.ErrRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := w.UpsertDefault(t.Context(), test.key, test.secret); !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if test.err != nil {
				return
			}
			p, err := w.Authenticate(t.Context(), test.key, test.secret)
			if err != nil || p.Store.ID != auth.DefaultStore || !p.Scopes.MayWrite() {
				t.Fatalf("principal %+v, error %v", p, err)
			}
			var agent struct {
				Account struct {
					Name string `json:"name"`
				} `json:"account"`
			}
			if err := json.Unmarshal(p.Authority, &agent); err != nil || agent.Account.Name != test.key {
				t.Errorf("authority %s: %v", p.Authority, err)
			}
		})
	}
	if err := w.Revoke(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	if err := w.UpsertDefault(t.Context(), "key", "back"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), "key", "back"); err != nil {
		t.Errorf("fixed again after a revocation: %v", err)
	}
}

func TestSecretsAreNotStored(t *testing.T) {
	w := newWorld(t, nil)
	_, secret := w.create(t, auth.DefaultStore, auth.NewCredential{Label: "x"})
	const fixed = "canary-of-the-secret"
	if err := w.UpsertDefault(t.Context(), "key", fixed); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, s := range schema.Tables {
		page, _, err := w.tables.Scan(t.Context(), s.Name, 0, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			seen++
			for name, v := range item {
				text := v.S + string(v.B) + string(bytes.Join(v.Set, nil))
				if strings.Contains(text, secret) || strings.Contains(text, fixed) {
					t.Errorf("a secret stands in attribute %s of %s", name, s.Name)
				}
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d items were looked at, want 2 credentials and a store", seen)
	}
}

func TestAuthenticateBesideChanges(t *testing.T) {
	w := newWorld(t, nil)
	key, secret := w.create(t, auth.DefaultStore, auth.NewCredential{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 200 {
				if p, err := w.Authenticate(t.Context(), key, secret); err != nil || p.Store.Term("verb", "x") == [12]byte{} {
					t.Errorf("error %v", err)
				}
			}
		})
	}
	for range 20 {
		w.create(t, auth.DefaultStore, auth.NewCredential{})
	}
	wait.Wait()
}
