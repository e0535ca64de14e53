package document

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Resource is one of the document resources. The words are part of the data format: owners are hashed with them.
type Resource string

// The document resources.
const (
	State           Resource = "state"
	ActivityProfile Resource = "activityProfile"
	AgentProfile    Resource = "agentProfile"
)

// Owner is what documents belong to.
type Owner struct {
	Store    auth.Store
	Resource Resource
	Activity string   // IRI; of states and activity profiles
	Agent    xapi.IFI // of states and agent profiles
}

// Key names one document.
type Key struct {
	Owner
	Registration string // UUID; of states; "" is the document without one, which is another
	ID           string // stateId or profileId
}

// partition is the partition key of the owner's documents. An IRI has no space, so activity and agent cannot run
// together.
func (o Owner) partition() string {
	term := o.Store.Term(string(o.Resource), o.Activity+" "+o.Agent.Key())
	return o.Store.ID + "#" + base64.RawURLEncoding.EncodeToString(term[:])
}

// What a sort key begins with.
const (
	withoutRegistration byte = 0
	withRegistration    byte = 1
)

// sortPrefix is what the sort keys of an owner's documents with this registration, or with none, begin with.
func sortPrefix(registration string) ([]byte, error) {
	if registration == "" {
		return []byte{withoutRegistration}, nil
	}
	digits := strings.ReplaceAll(registration, "-", "")
	uuid, err := hex.DecodeString(digits)
	if err != nil || len(uuid) != 16 {
		return nil, fmt.Errorf("read registration: %d characters are not a UUID", len(registration))
	}
	return append([]byte{withRegistration}, uuid...), nil
}

// ref is where the document lies.
func (k Key) ref() (table.Ref, error) {
	if len(k.ID) > MaxID {
		return table.Ref{}, ErrID
	}
	prefix, err := sortPrefix(k.Registration)
	if err != nil {
		return table.Ref{}, err
	}
	return table.Ref{Table: schema.Documents, Key: table.Key{Partition: k.partition(), Sort: append(prefix, k.ID...)}}, nil
}

// idOf reads the document's id out of its sort key.
func idOf(sort []byte) (string, error) {
	prefix := 1
	if len(sort) > 0 && sort[0] == withRegistration {
		prefix += 16
	}
	if len(sort) < prefix {
		return "", fmt.Errorf("read key of a document: %d bytes", len(sort))
	}
	return string(sort[prefix:]), nil
}
