package fact

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"unicode/utf8"

	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Limits of what is kept to be shown, in bytes: each must fit a row with others, whatever a statement holds.
const (
	MaxName    = 200  // of a person, or of a thing in one language when all languages are too much
	MaxIRI     = 1000 // of an id, a type, or a part of an identifier (see Shorten)
	MaxDisplay = 4000 // of a language map
)

// Actor says whose ledger a fact belongs to (definition 0.4).
type Actor struct {
	Key          Hash   // of a learner, or of an identified Group; zero when Unattributed
	Unattributed bool   // an anonymous Group
	Group        bool   // an identified Group
	Identity     []byte // the inverse functional identifier as a JSON object: {"mbox":…}
	Name         string // "" when absent
}

// Name is what a statement says of a thing that its fact names by a hash only. Its slices are of their own.
type Name struct {
	Hash    Hash
	Verb    bool           // else an activity
	IRI     string         // the id
	Display jsontext.Value // language map: a verb's display, an activity's name; nil when absent
	Type    string         // an activity's type; "" when absent
}

// bounded cuts what is longer than the limits.
func (n Name) bounded() Name {
	n.IRI, _ = Shorten(n.IRI, MaxIRI)
	n.Type, _ = Shorten(n.Type, MaxIRI)
	if len(n.Display) > MaxDisplay {
		n.Display = fewerTexts(n.Display)
	}
	return n
}

// fewerTexts is the first texts of a language map, each cut to MaxName, as many as fit; nil when none does.
func fewerTexts(languages jsontext.Value) jsontext.Value {
	tokens := jsontext.NewDecoder(bytes.NewReader(languages), lenient)
	var out bytes.Buffer
	write := jsontext.NewEncoder(&out, lenient)
	if token, err := tokens.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject || write.WriteToken(token) != nil {
		return nil
	}
	for texts := 0; ; texts++ {
		language, err := tokens.ReadToken()
		if err != nil || language.Kind() != jsontext.KindString {
			break
		}
		name := language.String()
		text, err := tokens.ReadToken()
		if err != nil || text.Kind() != jsontext.KindString {
			break
		}
		// The worst that escapes make of a byte is six.
		if len(name) > MaxName || out.Len()+6*(len(name)+MaxName)+8 > MaxDisplay {
			break
		}
		if write.WriteToken(jsontext.String(name)) != nil || write.WriteToken(jsontext.String(prefix(text.String(), MaxName))) != nil {
			return nil
		}
	}
	if write.WriteToken(jsontext.EndObject) != nil || out.Len() <= len("{}\n") {
		return nil
	}
	return bytes.TrimSpace(out.Bytes())
}

// prefix is the beginning of a text, at most limit bytes of it.
func prefix(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// read says who the actor is (definition 0.4).
func (a *actor) read(hash Hasher) (Actor, error) {
	out := Actor{Name: prefix(a.Name, MaxName), Group: a.ObjectType == "Group"}
	ifi := a.ifi()
	switch {
	case ifi == (xapi.IFI{}) && !out.Group:
		return Actor{}, errors.New("read statement: its actor is nobody")
	case ifi == (xapi.IFI{}):
		out.Group, out.Unattributed = false, true
		return out, nil
	case out.Group:
		out.Key = hash.Group(ifi)
	default:
		out.Key = hash.Learner(ifi)
	}
	var err error
	out.Identity, err = json.Marshal(identityOf(a), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	return out, err
}

// identity is an actor's identifier alone.
type identity struct {
	Mbox        string           `json:"mbox,omitempty"`
	MboxSHA1Sum string           `json:"mbox_sha1sum,omitempty"`
	OpenID      string           `json:"openid,omitempty"`
	Account     *identityAccount `json:"account,omitempty"`
}

type identityAccount struct {
	HomePage string `json:"homePage"`
	Name     string `json:"name"`
}

func identityOf(a *actor) identity {
	short := func(s string) string { s, _ = Shorten(s, MaxIRI); return s }
	id := identity{Mbox: short(a.Mbox), MboxSHA1Sum: a.MboxSHA1Sum, OpenID: short(a.OpenID)}
	if a.Account != nil {
		id.Account = &identityAccount{HomePage: short(a.Account.HomePage), Name: short(a.Account.Name)}
	}
	return id
}
