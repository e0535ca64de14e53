// Package auth knows who asks: stores (one tenant's records each), the credentials of a
// store, their scopes and the authority that statements get from them.
package auth

import (
	"fmt"
	"strings"
	"unicode"
)

// Principal is an authenticated credential with its store. Every rule takes the store from here and from nowhere else.
type Principal struct {
	Credential string // the access key
	Store      Store
	Scopes     Scopes
	Authority  []byte // the JSON Agent that statements get as authority
	Trusted    bool   // statements may bring their own authority (imports)
}

// Scope is one permission. Source: xAPI 1.0.3 Communication 4.2, with the specification's names.
type Scope string

// The scopes of the specification.
const (
	StatementsWrite    Scope = "statements/write"
	StatementsReadMine Scope = "statements/read/mine"
	StatementsRead     Scope = "statements/read"
	State              Scope = "state"
	Define             Scope = "define"
	Profile            Scope = "profile"
	AllRead            Scope = "all/read"
	All                Scope = "all"
)

var allScopes = Scopes{StatementsWrite, StatementsReadMine, StatementsRead, State, Define, Profile, AllRead, All}

// Scopes is a set of scopes.
type Scopes []Scope

// ParseScopes reads scopes separated by white space or commas and refuses names that the specification does not have.
// No scope at all is an error too: a credential that may do nothing is a mistake.
func ParseScopes(text string) (Scopes, error) {
	var scopes Scopes
	for name := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		scope := Scope(name)
		if !allScopes.Has(scope) {
			return nil, fmt.Errorf("scope %q is not one of the specification's (%s)", name, allScopes)
		}
		if !scopes.Has(scope) {
			scopes = append(scopes, scope)
		}
	}
	if len(scopes) == 0 {
		return nil, fmt.Errorf("a credential needs at least one scope (%s)", allScopes)
	}
	return scopes, nil
}

// Has reports whether the set holds one of the scopes literally; what implies what is said by the methods below.
func (s Scopes) Has(any ...Scope) bool {
	for _, have := range s {
		for _, want := range any {
			if have == want {
				return true
			}
		}
	}
	return false
}

// MayWrite reports whether statements may be stored.
func (s Scopes) MayWrite() bool { return s.Has(StatementsWrite, All) }

// MayRead reports whether every statement of the store may be read.
func (s Scopes) MayRead() bool { return s.Has(StatementsRead, AllRead, All) }

// MayReadMine reports whether statements with the credential's own authority may be read.
func (s Scopes) MayReadMine() bool { return s.MayRead() || s.Has(StatementsReadMine) }

// MayDefine reports whether new statements change the canonical definitions of activities. Source: Communication 4.2.
func (s Scopes) MayDefine() bool { return s.Has(Define, All) }

// MayVoidAny reports whether any statement may be voided; without it only those of the same authority may.
func (s Scopes) MayVoidAny() bool { return s.Has(All) }

// MayReadDocuments reports whether documents may be read for which scope is the one of the specification: State or
// Profile. Source: Communication 4.2.
func (s Scopes) MayReadDocuments(scope Scope) bool { return s.Has(scope, AllRead, All) }

// MayWriteDocuments reports whether they may be changed.
func (s Scopes) MayWriteDocuments(scope Scope) bool { return s.Has(scope, All) }

// String joins the scopes by spaces.
func (s Scopes) String() string {
	names := make([]string, len(s))
	for i, scope := range s {
		names[i] = string(scope)
	}
	return strings.Join(names, " ")
}
