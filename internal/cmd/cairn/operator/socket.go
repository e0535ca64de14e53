package operator

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
)

// The protocol between a command and the server is one POST with a JSON value to one path per operation, over a Unix
// socket that only the owner of the data folder may open. There is no network address to guess and no password.

const (
	socketName   = "admin.sock"
	requestBytes = 64 << 10
	timeout      = time.Minute
)

// ErrNoServer says that no server listens in the folder.
var ErrNoServer = errors.New("no server runs on this data folder")

// Listen opens the socket of the data folder. The caller has the folder locked, so a socket that is there already was
// left by a server that died.
func Listen(dir string) (net.Listener, error) {
	path := socketPath(dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove old admin socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("protect admin socket: %w", errors.Join(err, listener.Close()))
	}
	return listener, nil
}

// socketPath is absolute or relative, whichever is shorter: a socket's path has room for about 100 bytes.
func socketPath(dir string) string {
	path := filepath.Join(dir, socketName)
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path // as given will do
	}
	if here, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(here, absolute); err == nil && len(relative) < len(absolute) {
			return relative
		}
	}
	return absolute
}

// The operations, by their paths.
const (
	createStore      = "/store/create"
	listStores       = "/store/list"
	createCredential = "/credential/create"
	rotateCredential = "/credential/rotate"
	revokeCredential = "/credential/revoke"
	listCredentials  = "/credential/list"
	setTimeZone      = "/store/time-zone"
	setPrivacy       = "/store/privacy"
	growShards       = "/store/shards"
	listDeadLetters  = "/dead-letters/list"
	replayLetters    = "/dead-letters/replay"
	startRebuild     = "/rebuild/start"
	showRebuild      = "/rebuild/show"
	listDifferences  = "/rebuild/differences"
)

// zoneOf is what setTimeZone takes.
type zoneOf struct {
	Store string `json:"store"`
	Zone  string `json:"zone"`
}

// shardsOf is what growShards takes.
type shardsOf struct {
	Store  string `json:"store"`
	Shards int    `json:"shards"`
}

// privacyOf is what setPrivacy takes.
type privacyOf struct {
	Store   string       `json:"store"`
	Privacy auth.Privacy `json:"privacy"`
}

// lettersOf is what the operations on dead letters take.
type lettersOf struct {
	Store string `json:"store"`
	After string `json:"after"`
}

// credentialFor is what createCredential takes.
type credentialFor struct {
	Store string `json:"store"`
	NewCredential
}

// none is what an operation takes or gives that has nothing to take or give.
type none struct{}

// NewServer makes the server that answers on the socket. The caller serves and closes it.
func NewServer(o Operator) *http.Server {
	mux := http.NewServeMux()
	handle(mux, createStore, o.CreateStore)
	handle(mux, listStores, func(ctx context.Context, _ none) ([]Store, error) { return o.Stores(ctx) })
	handle(mux, createCredential, func(ctx context.Context, in credentialFor) (Secret, error) {
		return o.CreateCredential(ctx, in.Store, in.NewCredential)
	})
	handle(mux, rotateCredential, o.RotateSecret)
	handle(mux, revokeCredential, func(ctx context.Context, key string) (none, error) { return none{}, o.Revoke(ctx, key) })
	handle(mux, listCredentials, func(ctx context.Context, _ none) ([]Credential, error) { return o.Credentials(ctx) })
	handle(mux, setTimeZone, func(ctx context.Context, in zoneOf) (none, error) {
		return none{}, o.SetTimeZone(ctx, in.Store, in.Zone)
	})
	handle(mux, setPrivacy, func(ctx context.Context, in privacyOf) (none, error) {
		return none{}, o.SetPrivacy(ctx, in.Store, in.Privacy)
	})
	handle(mux, growShards, func(ctx context.Context, in shardsOf) (Shards, error) { return o.GrowShards(ctx, in.Store, in.Shards) })
	handle(mux, listDeadLetters, func(ctx context.Context, in lettersOf) (DeadLetters, error) {
		return o.DeadLetters(ctx, in.Store, in.After)
	})
	handle(mux, replayLetters, func(ctx context.Context, in lettersOf) (Replayed, error) { return o.Replay(ctx, in.Store, in.After) })
	handle(mux, startRebuild, func(ctx context.Context, stores []string) (none, error) { return none{}, o.Rebuild(ctx, stores) })
	handle(mux, showRebuild, func(ctx context.Context, _ none) (Rebuilding, error) { return o.Rebuilding(ctx) })
	handle(mux, listDifferences, func(ctx context.Context, page int) ([]rollup.Difference, error) { return o.Differences(ctx, page) })
	return &http.Server{Handler: mux, ReadTimeout: timeout, WriteTimeout: timeout}
}

// reply is the answer to an operation: a result or the words of a refusal.
type reply[Out any] struct {
	Result Out    `json:"result"`
	Error  string `json:"error"`
}

func handle[In, Out any](mux *http.ServeMux, path string, f func(context.Context, In) (Out, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var in In
		var out reply[Out]
		err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, requestBytes), &in)
		if err == nil {
			out.Result, err = f(r.Context(), in)
		}
		if err != nil {
			out = reply[Out]{Error: err.Error()} // the operator may see everything
		}
		body, err := json.Marshal(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(body) // when nobody reads it, nobody is to be told
	})
}

// remote is the Operator that asks the server on the folder.
type remote struct {
	http *http.Client
}

// Dial finds the server that runs on the data folder, ErrNoServer when there is none.
func Dial(ctx context.Context, dir string) (Operator, error) {
	path := socketPath(dir)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	connection, err := dial(ctx, "", "")
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrNoServer
	case err != nil:
		return nil, fmt.Errorf("reach the server of the data folder: %w", err)
	}
	if err := connection.Close(); err != nil {
		return nil, fmt.Errorf("reach the server of the data folder: %w", err)
	}
	return remote{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: timeout}}, nil
}

func (r remote) CreateStore(ctx context.Context, name string) (Store, error) {
	return ask[string, Store](ctx, r, createStore, name)
}

func (r remote) Stores(ctx context.Context) ([]Store, error) {
	return ask[none, []Store](ctx, r, listStores, none{})
}

func (r remote) CreateCredential(ctx context.Context, store string, n NewCredential) (Secret, error) {
	return ask[credentialFor, Secret](ctx, r, createCredential, credentialFor{store, n})
}

func (r remote) RotateSecret(ctx context.Context, key string) (Secret, error) {
	return ask[string, Secret](ctx, r, rotateCredential, key)
}

func (r remote) Revoke(ctx context.Context, key string) error {
	_, err := ask[string, none](ctx, r, revokeCredential, key)
	return err
}

func (r remote) Credentials(ctx context.Context) ([]Credential, error) {
	return ask[none, []Credential](ctx, r, listCredentials, none{})
}

func (r remote) SetTimeZone(ctx context.Context, store, zone string) error {
	_, err := ask[zoneOf, none](ctx, r, setTimeZone, zoneOf{store, zone})
	return err
}

func (r remote) SetPrivacy(ctx context.Context, store string, p auth.Privacy) error {
	_, err := ask[privacyOf, none](ctx, r, setPrivacy, privacyOf{store, p})
	return err
}

func (r remote) GrowShards(ctx context.Context, store string, n int) (Shards, error) {
	return ask[shardsOf, Shards](ctx, r, growShards, shardsOf{store, n})
}

func (r remote) DeadLetters(ctx context.Context, store, after string) (DeadLetters, error) {
	return ask[lettersOf, DeadLetters](ctx, r, listDeadLetters, lettersOf{store, after})
}

func (r remote) Replay(ctx context.Context, store, after string) (Replayed, error) {
	return ask[lettersOf, Replayed](ctx, r, replayLetters, lettersOf{store, after})
}

func (r remote) Rebuild(ctx context.Context, stores []string) error {
	_, err := ask[[]string, none](ctx, r, startRebuild, stores)
	return err
}

func (r remote) Rebuilding(ctx context.Context) (Rebuilding, error) {
	return ask[none, Rebuilding](ctx, r, showRebuild, none{})
}

func (r remote) Differences(ctx context.Context, page int) ([]rollup.Difference, error) {
	return ask[int, []rollup.Difference](ctx, r, listDifferences, page)
}

// ask sends one operation. Where the request is for is decided by the dialer; the host in its URL is a name only.
func ask[In, Out any](ctx context.Context, r remote, path string, in In) (Out, error) {
	var out reply[Out]
	body, err := json.Marshal(in)
	if err != nil {
		return out.Result, fmt.Errorf("encode request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://cairn"+path, bytes.NewReader(body))
	if err != nil {
		return out.Result, fmt.Errorf("make request: %w", err)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return out.Result, fmt.Errorf("ask the server: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, requestBytes)) // what can be read of it
		return out.Result, fmt.Errorf("ask the server: it answered %s: %s", resp.Status, bytes.TrimSpace(text))
	}
	if err := json.UnmarshalRead(resp.Body, &out); err != nil {
		return out.Result, fmt.Errorf("read the server's answer: %w", err)
	}
	if out.Error != "" {
		return out.Result, errors.New(out.Error)
	}
	return out.Result, nil
}
