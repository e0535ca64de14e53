package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/config"
)

// greeting is what `cairn serve` says about the credential to begin with.
type greeting struct {
	key    string // "" when there are only revoked ones
	secret string // of a credential made just now; "" when it cannot be shown
	fixed  bool   // by CAIRN_CREDENTIAL
}

// greet fixes the default store's credential or, when the store never had one, makes it.
func greet(ctx context.Context, fixed config.Credential, directory *auth.Directory) (greeting, error) {
	if fixed.Key != "" {
		if err := directory.UpsertDefault(ctx, fixed.Key, fixed.Secret); err != nil {
			return greeting{}, fmt.Errorf("use CAIRN_CREDENTIAL: %w", err)
		}
		return greeting{key: fixed.Key, fixed: true}, nil
	}
	all, err := directory.Credentials(ctx)
	if err != nil {
		return greeting{}, err
	}
	some := false
	for _, c := range all {
		if c.Store != auth.DefaultStore {
			continue
		}
		some = true
		if !c.Revoked {
			return greeting{key: c.Key}, nil
		}
	}
	if some {
		return greeting{}, nil
	}
	key, secret, err := directory.CreateCredential(ctx, auth.DefaultStore, auth.NewCredential{Label: "first", Scopes: auth.Scopes{auth.All}})
	return greeting{key: key, secret: secret}, err
}

// write tells how to reach the server, with lines that work when pasted.
func (g greeting) write(w io.Writer, program, data, endpoint, reports string) {
	if reports != "" {
		reports = "  reports   " + reports + "\n"
	}
	fmt.Fprintf(w, "Cairn is ready.\n\n  endpoint  %s\n%s  data      %s\n", endpoint, reports, data)
	if g.key != "" {
		fmt.Fprintf(w, "  key       %s\n", g.key)
	}
	user := g.key
	another := program + " credential create -data " + quote(data)
	switch {
	case g.secret != "":
		fmt.Fprintf(w, "  secret    %s   (shown this once)\n", g.secret)
		user += ":" + g.secret
	case g.fixed:
		fmt.Fprint(w, "  secret    that of CAIRN_CREDENTIAL\n")
	case g.key == "":
		fmt.Fprintf(w, "  key       all are revoked; make one with: %s\n\n", another)
		return
	default:
		fmt.Fprintf(w, "  secret    not kept; for another credential: %s\n", another)
	}
	const curl = "curl -u %s -H 'X-Experience-API-Version: 1.0.3'"
	fmt.Fprintf(w, "\nStore a statement, then read it:\n\n  "+curl+" -H 'Content-Type: application/json' -d %s %s/statements\n  "+
		curl+" %s/statements\n\n", quote(user), quote(exampleStatement), endpoint, quote(user), endpoint)
}

// quote makes one word of a POSIX shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// exampleStatement is the smallest that says something.
const exampleStatement = `{"actor":{"mbox":"mailto:ada@example.com"},` +
	`"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},` +
	`"object":{"id":"http://example.com/courses/first-steps"}}`
