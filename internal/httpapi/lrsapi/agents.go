package lrsapi

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"slices"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// agentSection is where the agents resource stands. IEEE 9274.1.1 4.1.6.3 asks for the same.
const agentSection = "xAPI 1.0.3 Communication 2.4"

// PersonService knows the names of agents; *lrs.Service is one.
type PersonService interface {
	// Names returns the names that statements brought for the identifier, the one that was new last first. An mbox and its
	// mbox_sha1sum have the same ones. It sees every write before it.
	Names(ctx context.Context, p auth.Principal, identifier xapi.IFI) ([]string, error)
}

// Agents makes the agents resource: a Person, which is the identifier that was asked for and its names.
func Agents(service PersonService, path string) edge.Resource {
	return edge.Resource{
		Name: "agents",
		Path: path,
		Methods: map[string]edge.Handler{
			http.MethodGet: func(w http.ResponseWriter, r *edge.Request) error {
				agent, err := readAgent(r)
				if err != nil {
					return err
				}
				names, err := service.Names(r.Context(), r.Principal, agent.IFI)
				if err != nil {
					return fmt.Errorf("read names: %w", err)
				}
				body, err := json.Marshal(newPerson(agent, names))
				if err != nil {
					return fmt.Errorf("write person: %w", err)
				}
				return writeTagged(w, r, body)
			},
		},
	}
}

// readAgent checks the request and reads its one parameter: an Agent, never a Group.
func readAgent(r *edge.Request) (*xapi.Actor, error) {
	if err := mayReadMerged(r, "agent"); err != nil {
		return nil, err
	}
	value, ok := r.Params["agent"]
	if !ok {
		return nil, edge.BadRequest(agentSection, "the parameter agent is missing")
	}
	agent, err := xapi.DecodeAgent([]byte(value), r.Version)
	if err != nil {
		return nil, agentError(err)
	}
	if agent.Group {
		return nil, edge.BadRequest(agentSection, "the parameter agent must be an Agent, not a Group")
	}
	return agent, nil
}

// person is a Person. Source: Communication 2.4, "Person Properties".
type person struct {
	ObjectType  string    `json:"objectType"`
	Name        []string  `json:"name,omitempty"`
	Mbox        []string  `json:"mbox,omitempty"`
	MboxSHA1Sum []string  `json:"mbox_sha1sum,omitempty"`
	OpenID      []string  `json:"openid,omitempty"`
	Account     []account `json:"account,omitempty"`
}

type account struct {
	HomePage string `json:"homePage"`
	Name     string `json:"name"`
}

// newPerson makes the Person of an agent. Its one identifier is that of the request, as it was sent: who knows a hash is
// not told the address. The request's own name is among the names, since a Person of whom nothing is known has to hold
// what was asked with.
func newPerson(agent *xapi.Actor, names []string) person {
	if agent.Name != "" && !slices.Contains(names, agent.Name) {
		names = append(names, agent.Name)
	}
	p := person{ObjectType: "Person", Name: names}
	switch ifi := agent.IFI; ifi.Kind {
	case xapi.Mbox:
		p.Mbox = []string{ifi.Value}
	case xapi.MboxSHA1Sum:
		p.MboxSHA1Sum = []string{ifi.Value}
	case xapi.OpenID:
		p.OpenID = []string{ifi.Value}
	case xapi.Account:
		p.Account = []account{{ifi.HomePage, ifi.Value}}
	}
	return p
}
