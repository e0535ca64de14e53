package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Deployed is a stack that somebody else runs, known by its address. With an operator's rights it gets stores of its own;
// without, every script is played in the two stores whose credentials are given, among what is there already.
type Deployed struct {
	URL     string     // of the xAPI resources, without a slash at its end
	A, B    Credential // used where there is no Stack; B may be absent: an unknown key stands in for it then
	Stack   string     // its name, for `cairn … -stack`; "" without an operator's rights
	Command string     // the binary cairn, beside cairn-stack
}

// errOperator says that a script cannot be played by the given credentials.
var errOperator = errors.New("needs the rights of an operator")

// Endpoint is the address of the xAPI resources.
func (d *Deployed) Endpoint() string { return d.URL }

// Reports is "": scripts that ask the report API are not played.
func (d *Deployed) Reports() string { return "" }

// SetStore changes settings by `cairn store set -stack`.
func (d *Deployed) SetStore(ctx context.Context, store string, flags ...string) error {
	if d.Stack == "" {
		return errOperator
	}
	return d.operator().setStore(ctx, store, flags)
}

func (d *Deployed) operator() operator {
	return operator{binary: d.Command, target: []string{"-stack", d.Stack}}
}

// NewStore makes a store by `cairn store create -stack`.
func (d *Deployed) NewStore(ctx context.Context) (string, error) {
	if d.Stack == "" {
		return "", errOperator
	}
	return d.operator().newStore(ctx)
}

// NewCredential makes a credential by `cairn credential create -stack`.
func (d *Deployed) NewCredential(ctx context.Context, store string, scopes []string, trusted bool) (Credential, error) {
	if d.Stack == "" {
		return Credential{}, errOperator
	}
	return d.operator().newCredential(ctx, store, scopes, trusted)
}

// given returns the credential of store A or B where no store can be made.
func (d *Deployed) given(store string) (Credential, bool) {
	switch {
	case d.Stack != "":
		return Credential{}, false
	case store == "A":
		return d.A, true
	case d.B == Credential{}:
		return Credential{Key: "unknown", Secret: "secret"}, true
	}
	return d.B, true
}

// plays says why a script is not played; "" when it is.
func (d *Deployed) plays(s *Script) string {
	if s.asksReports() {
		return "the address of the report API is not known"
	}
	if d.Stack != "" {
		return ""
	}
	if s.OwnStore {
		return "it needs a store of its own"
	}
	for _, section := range s.Sections {
		for _, step := range section.Steps {
			with := strings.Contains(step.Text, " with ") && !strings.HasSuffix(step.Text, " with a wrong secret")
			if step.Verb == "as" && (with || step.Text == "B" && d.B == Credential{}) {
				return "it needs the credential: " + step.Text
			}
		}
	}
	return ""
}

// asksReports reports whether a request of the script is one to the report API.
func (s *Script) asksReports() bool {
	for _, section := range s.Sections {
		for _, step := range section.Steps {
			if step.Request != nil && strings.HasPrefix(step.Request.Path, "reports/") {
				return true
			}
		}
	}
	return false
}

// Played is what came of one script.
type Played struct {
	Name    string
	Left    string // why it was not played
	Problem error
}

// Play plays every script, a few at a time, and calls report for each, one call at a time.
func (d *Deployed) Play(ctx context.Context, atOnce int, report func(Played)) error {
	all, err := Scripts()
	if err != nil {
		return err
	}
	var (
		wait sync.WaitGroup
		one  sync.Mutex
		busy = make(chan struct{}, max(atOnce, 1))
	)
	for _, script := range all {
		left := d.plays(script)
		for _, variant := range script.variants() {
			played := Played{Name: strings.TrimSuffix(script.Name, ".http") + variant.name, Left: left}
			if left != "" {
				one.Lock()
				report(played)
				one.Unlock()
				break // once, whatever the variants
			}
			busy <- struct{}{}
			wait.Go(func() {
				defer func() { <-busy }()
				if _, played.Problem = script.play(ctx, d, variant); played.Problem != nil {
					played.Problem = fmt.Errorf("%s: %w", script.Name, played.Problem)
				}
				one.Lock()
				defer one.Unlock()
				report(played)
			})
		}
	}
	wait.Wait()
	return nil
}

// patient repeats what the gateway refuses because too many requests came: a stack for trying things allows few.
type patient struct{ http.RoundTripper }

// Its pauses add up to half a minute.
const patience, firstWait = 7, 250 * time.Millisecond

// RoundTrip sends a request until it is not refused with 429, or patience is at its end.
func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := range patience {
		response, err := p.RoundTripper.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusTooManyRequests || r.GetBody == nil {
			return response, err
		}
		if err := response.Body.Close(); err != nil {
			return nil, err
		}
		select {
		case <-time.After(firstWait << try):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return p.RoundTripper.RoundTrip(r)
}
