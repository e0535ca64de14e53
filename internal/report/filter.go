package report

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Filter says which facts count. Zero fields let all through.
type Filter struct {
	Content      string // IRI: the activity and everything under it by parent or grouping
	Kind         string // of the content
	Learner      string // a key that a report gave, or a JSON Agent
	Group        string // a key, or a JSON Group
	Registration string // UUID
	Platform     string
	Language     string
}

// KindNames are the kinds of content, by fact.Kind.
var KindNames = []string{"other", "course", "module", "video", "audio", "question", "assessment", "document", "simulation", "live", "discussion"}

// sieve is a filter with the store's hashes in it.
type sieve struct {
	scope        fact.Hash
	kind         *fact.Kind
	learner      fact.Hash
	group        fact.Hash
	registration [16]byte
	platform     string
	language     string
}

// sieveOf reads a filter. Anonymous stores take no filter that could pick one learner, and one of the others at a time (S-5).
func sieveOf(f Filter, store auth.Store, anonymous bool) (s sieve, err error) {
	hash := fact.Hasher(store.Term)
	if f.Content != "" {
		if !xapi.ValidIRI(f.Content) {
			return s, invalid("content", "content must be the id of an activity, an IRI with a scheme")
		}
		s.scope = hash.Activity(f.Content)
	}
	if f.Kind != "" {
		i := slices.Index(KindNames, f.Kind)
		if i < 0 {
			return s, invalid("kind", "%q is no kind: it is one of %s", f.Kind, strings.Join(KindNames, ", "))
		}
		kind := fact.Kind(i)
		s.kind = &kind
	}
	if f.Learner != "" {
		if s.learner, err = keyOf(f.Learner, false, hash); err != nil {
			return s, err
		}
	}
	if f.Group != "" {
		if s.group, err = keyOf(f.Group, true, hash); err != nil {
			return s, err
		}
	}
	if f.Registration != "" {
		if !xapi.ValidUUID(f.Registration) {
			return s, invalid("registration", "registration must be a UUID")
		}
		if _, err := hex.Decode(s.registration[:], []byte(strings.ReplaceAll(xapi.NormalizeUUID(f.Registration), "-", ""))); err != nil {
			return s, invalid("registration", "registration must be a UUID")
		}
	}
	s.platform, _ = fact.Shorten(f.Platform, fact.MaxText)
	s.language, _ = fact.Shorten(f.Language, fact.MaxText)
	if anonymous {
		return s, f.checkAnonymous()
	}
	return s, nil
}

// checkAnonymous refuses filters that would single people out. Source: definitions, S-5.
func (f Filter) checkAnonymous() error {
	for name, value := range map[string]string{"learner": f.Learner, "registration": f.Registration} {
		if value != "" {
			return invalid(name, "this store hides names: there is no filter by learner or registration")
		}
	}
	cohorts := 0
	for _, value := range []string{f.Group, f.Platform, f.Language} {
		if value != "" {
			cohorts++
		}
	}
	if cohorts > 1 {
		return invalid("group", "this store hides names: of group, platform and language one may be given at a time")
	}
	return nil
}

// scopeOnly reports whether the filter has nothing but a content, which buckets can answer.
func (s sieve) scopeOnly() bool {
	return s == sieve{scope: s.scope}
}

// keyText writes a hash as reports show it: a key that says nothing of the identifier.
func keyText(h fact.Hash) string { return base64.RawURLEncoding.EncodeToString(h[:]) }

// keyOf reads a key of a learner or group, or its identifier as JSON.
func keyOf(text string, group bool, hash fact.Hasher) (h fact.Hash, err error) {
	what := "learner"
	if group {
		what = "group"
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) != len(h) {
			return h, invalid(what, "%s must be a key of 16 characters as reports give it, or the %s as JSON", what, map[bool]string{false: "Agent", true: "Group"}[group])
		}
		return fact.Hash(raw), nil
	}
	actor, err := xapi.DecodeAgent([]byte(text), xapi.V1)
	if err != nil || actor.IFI == (xapi.IFI{}) {
		return h, invalid(what, "%s is no Agent or Group with an identifier", what)
	}
	if group {
		return hash.Group(actor.IFI), nil
	}
	return hash.Learner(actor.IFI), nil
}

// takes reports whether a fact passes, but for the kind, which is joined when the report is read.
func (s sieve) takes(f *fact.Fact) bool {
	return f.Under(s.scope) &&
		(s.group == fact.Hash{} || f.Group == s.group) &&
		(s.registration == [16]byte{} || f.Registration == s.registration) &&
		(s.platform == "" || f.Platform == s.platform) &&
		(s.language == "" || f.Language == s.language)
}
