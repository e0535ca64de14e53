package xapi

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// Actor is an Agent or a Group. Source: Data 2.4.2.
type Actor struct {
	Group   bool
	Name    string
	IFI     IFI      // zero for an anonymous Group
	Members []*Actor // of a Group
}

// Each calls f for the actor and for the members of a Group. A nil actor is nobody.
func (a *Actor) Each(f func(*Actor)) {
	if a == nil {
		return
	}
	f(a)
	for _, member := range a.Members {
		member.Each(f)
	}
}

// IFIKind names an inverse functional identifier by its property.
type IFIKind string

// The four kinds of inverse functional identifier. Source: Data 2.4.2.3.
const (
	Mbox        IFIKind = "mbox"
	MboxSHA1Sum IFIKind = "mbox_sha1sum"
	OpenID      IFIKind = "openid"
	Account     IFIKind = "account"
)

// IFI is an inverse functional identifier; the zero IFI is none.
type IFI struct {
	Kind     IFIKind
	Value    string // of mbox, mbox_sha1sum and openid, as received; the name of an account
	HomePage string // of an account
}

// Key is the canonical identity: two IFIs have the same key exactly if they name the
// same Agent or Group. The domain of an mbox and the digits of its hash are compared
// without case, everything else as it is. The key holds personal data. "" for the zero IFI.
// Source: Data 2.4.2.3 and 2.3.1 ("case sensitivity").
func (i IFI) Key() string {
	switch i.Kind {
	case "":
		return ""
	case Account: // an IRI has no space, so the parts cannot run together
		return string(i.Kind) + " " + i.HomePage + " " + i.Value
	}
	return string(i.Kind) + " " + i.comparableValue()
}

// Hashed is the identifier with an mbox as its mbox_sha1sum: one person has both. The
// domain is hashed in lower case, as clients should do. Source: Data 2.4.2.3.
func (i IFI) Hashed() IFI {
	if i.Kind != Mbox {
		return i
	}
	sum := sha1.Sum([]byte(i.comparableValue()))
	return IFI{Kind: MboxSHA1Sum, Value: hex.EncodeToString(sum[:])}
}

// comparableValue is the Value with its case-insensitive part in lower case.
func (i IFI) comparableValue() string {
	switch i.Kind {
	case Mbox:
		at := strings.LastIndexByte(i.Value, '@') + 1
		return i.Value[:at] + strings.ToLower(i.Value[at:])
	case MboxSHA1Sum:
		return strings.ToLower(i.Value)
	}
	return i.Value
}

// validMbox says whether s is a mailto IRI of one address. The address is held to
// little more than having two parts: what mail servers accept is wider than any grammar.
func validMbox(s string) bool {
	address, ok := strings.CutPrefix(s, "mailto:")
	if !ok {
		return false
	}
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 {
		return false
	}
	if address[0] != '"' && strings.Contains(address[:at], "@") { // two addresses
		return false
	}
	for _, r := range address {
		if r <= ' ' || r == 0x7F || r == '<' || r == '>' {
			return false
		}
	}
	return !strings.ContainsAny(address[at:], `,;?/\"()`)
}

func validSHA1(s string) bool { return len(s) == 40 && all(s, isHex) }

// actorRule says which actors a place takes.
type actorRule uint8

const (
	anyActor   actorRule = iota
	agentOnly            // members of Groups, contextAgents
	groupOnly            // team, contextGroups
	identified           // parameters of queries
)

// actor reads an Agent or a Group.
func (d *decoder) actor(rule actorRule) (*Actor, error) {
	r := actorReader{actor: new(Actor)}
	objectType := ""
	err := d.object(onActor, func(name string) error {
		if name == "objectType" {
			var err error
			objectType, err = d.format(onActor, isActorType, `the objectType must be "Agent" or "Group"`)
			return err
		}
		known, err := r.member(d, name)
		if !known {
			err = d.unknown(onActor)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := r.finish(d, objectType == "Group"); err != nil {
		return nil, err
	}
	switch {
	case rule == agentOnly && r.actor.Group:
		return nil, d.fault(onActor, "must be an Agent, not a Group")
	case rule == groupOnly && !r.actor.Group:
		return nil, d.fault(onActor, "must be a Group, not an Agent")
	case rule == identified && r.actor.IFI.Kind == "":
		return nil, d.fault(onActor, "must be an Agent or an identified Group: an anonymous Group identifies nobody")
	}
	return r.actor, nil
}

func isActorType(s string) bool { return s == "Agent" || s == "Group" }

// actorReader reads the members that Agents and Groups share before it is known
// which of the two it is: objectType may come last.
type actorReader struct {
	actor       *Actor
	identifiers int
	hasMembers  bool
}

func (r *actorReader) member(d *decoder, name string) (known bool, err error) {
	a := r.actor
	switch name {
	case "name":
		a.Name, err = d.string(onActor)
	case "member":
		r.hasMembers = true
		err = d.array(onActor, func() error {
			member, err := d.actor(agentOnly)
			a.Members = append(a.Members, member)
			return err
		})
	case "mbox":
		err = r.identifier(d, Mbox, validMbox, `must be a mailto IRI of one address: "mailto:" and the address`)
	case "mbox_sha1sum":
		err = r.identifier(d, MboxSHA1Sum, validSHA1, "must be a SHA-1 hash of 40 hexadecimal digits")
	case "openid":
		err = r.identifier(d, OpenID, ValidIRI, "must be a URI with a scheme")
	case "account":
		r.identifiers++
		a.IFI, err = d.account()
	default:
		return false, nil
	}
	return true, err
}

func (r *actorReader) identifier(d *decoder, kind IFIKind, valid func(string) bool, must string) error {
	r.identifiers++
	value, err := d.format(onIFI, valid, must)
	r.actor.IFI = IFI{Kind: kind, Value: value}
	return err
}

// finish checks an actor whose last token was just read.
func (r *actorReader) finish(d *decoder, group bool) error {
	r.actor.Group = group
	switch {
	case r.identifiers > 1:
		return d.fault(onIFI, "there must not be more than one of mbox, mbox_sha1sum, openid and account")
	case !group && r.hasMembers:
		return d.faultAt("/member", onActor, "an Agent must not have members: is the objectType Group missing?")
	case !group && r.identifiers == 0:
		return d.fault(onIFI, "an Agent must have one of mbox, mbox_sha1sum, openid and account")
	case group && r.identifiers == 0 && !r.hasMembers:
		return d.fault(onActor, "a Group must have an identifier, members or both")
	}
	return nil
}

func (d *decoder) account() (IFI, error) {
	ifi := IFI{Kind: Account}
	hasName := false
	err := d.object(onAccount, func(name string) error {
		var err error
		switch name {
		case "homePage":
			ifi.HomePage, err = d.iri(onAccount)
		case "name":
			hasName = true
			ifi.Value, err = d.string(onAccount)
		default:
			err = d.unknown(onAccount)
		}
		return err
	})
	if err == nil && (!hasName || ifi.HomePage == "") {
		err = d.fault(onAccount, "an account must have a homePage and a name")
	}
	return ifi, err
}

// authority reads an Agent, or the anonymous Group of a consumer and a user that
// 3-legged OAuth makes. Source: Data 2.4.9.
func (d *decoder) authority() (*Actor, error) {
	a, err := d.actor(anyActor)
	if err == nil && a.Group && (a.IFI.Kind != "" || len(a.Members) != 2) {
		err = d.fault(onAuthority, "the authority must be an Agent, or an anonymous Group of two Agents")
	}
	return a, err
}
