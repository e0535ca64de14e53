package sentence

import (
	"encoding/json/v2"
	"strings"
)

// actor is an Agent or a Group.
type actor struct {
	ObjectType string   `json:"objectType"`
	Name       string   `json:"name"`
	Mbox       string   `json:"mbox"`
	MboxSHA1   string   `json:"mbox_sha1sum"`
	OpenID     string   `json:"openid"`
	Account    *account `json:"account"`
}

type account struct {
	Name string `json:"name"`
}

func (a actor) isGroup() bool { return a.ObjectType == "Group" }

// actor names an actor: by name, the account's name, the local part of the mbox, or as a learner without a name.
func (o Options) actor(a actor) string {
	local, _, _ := strings.Cut(strings.TrimPrefix(a.Mbox, "mailto:"), "@")
	names := []string{a.Name}
	if a.Account != nil {
		names = append(names, a.Account.Name)
	}
	for _, name := range append(names, local) {
		if name = clean(name); name != "" {
			return name
		}
	}
	if a.isGroup() {
		return "A group"
	}
	if o.Learner == nil {
		return "A learner"
	}
	identifier, err := json.Marshal(struct {
		MboxSHA1 string `json:"mbox_sha1sum,omitzero"`
		OpenID   string `json:"openid,omitzero"`
	}{a.MboxSHA1, a.OpenID})
	if err != nil {
		return "A learner"
	}
	return o.Learner(identifier)
}
