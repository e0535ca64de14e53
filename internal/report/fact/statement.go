package fact

import (
	"encoding/json/jsontext"
	"encoding/json/v2"

	"github.com/cairn-lrs/cairn/internal/xapi"
)

// statement is the part of a statement that counts. Whatever else it holds is passed over: the members of a Group, however
// many, and extensions, however large.
type statement struct {
	Actor     actor    `json:"actor"`
	Verb      verb     `json:"verb"`
	Object    activity `json:"object"`
	Result    *result  `json:"result"`
	Context   *context `json:"context"`
	Timestamp string   `json:"timestamp"`
}

type verb struct {
	ID      string         `json:"id"`
	Display jsontext.Value `json:"display"`
}

// activity is an Activity, or an object of another type, of which ObjectType alone counts.
type activity struct {
	ObjectType string     `json:"objectType"`
	ID         string     `json:"id"`
	Definition definition `json:"definition"`
}

func (a *activity) isActivity() bool { return a.ObjectType == "" || a.ObjectType == "Activity" }

// definition is the part of an activity's definition that counts.
type definition struct {
	Type            string               `json:"type"`
	InteractionType string               `json:"interactionType"`
	Name            jsontext.Value       `json:"name"`
	Extensions      definitionExtensions `json:"extensions"`
}

type definitionExtensions struct {
	Length jsontext.Value `json:"https://w3id.org/xapi/video/extensions/length"`
}

type result struct {
	Score      score            `json:"score"`
	Success    *bool            `json:"success"`
	Completion *bool            `json:"completion"`
	Response   string           `json:"response"`
	Duration   string           `json:"duration"`
	Extensions resultExtensions `json:"extensions"`
}

type resultExtensions struct {
	ProgressPercent jsontext.Value `json:"https://w3id.org/xapi/cmi5/result/extensions/progress"`
	VideoProgress   jsontext.Value `json:"https://w3id.org/xapi/video/extensions/progress"`
	Segments        jsontext.Value `json:"https://w3id.org/xapi/video/extensions/played-segments"`
	Time            jsontext.Value `json:"https://w3id.org/xapi/video/extensions/time"`
	TimeFrom        jsontext.Value `json:"https://w3id.org/xapi/video/extensions/time-from"`
	TimeTo          jsontext.Value `json:"https://w3id.org/xapi/video/extensions/time-to"`
	Length          jsontext.Value `json:"https://w3id.org/xapi/video/extensions/length"`
}

type context struct {
	Registration string            `json:"registration"`
	Team         actor             `json:"team"`
	Platform     string            `json:"platform"`
	Language     string            `json:"language"`
	Activities   contextActivities `json:"contextActivities"`
	Extensions   contextExtensions `json:"extensions"`
}

type contextActivities struct {
	Parent   activities `json:"parent"`
	Grouping activities `json:"grouping"`
	Category activities `json:"category"`
}

type contextExtensions struct {
	Session      jsontext.Value `json:"https://w3id.org/xapi/cmi5/context/extensions/sessionid"`
	VideoSession jsontext.Value `json:"https://w3id.org/xapi/video/extensions/session-id"`
	Length       jsontext.Value `json:"https://w3id.org/xapi/video/extensions/length"`
	Threshold    jsontext.Value `json:"https://w3id.org/xapi/video/extensions/completion-threshold"`
	Speed        jsontext.Value `json:"https://w3id.org/xapi/video/extensions/speed"`
}

// activities is a list of activities; a single one stands for a list of one.
type activities []activity

// UnmarshalJSONFrom reads an array or an object.
func (l *activities) UnmarshalJSONFrom(tokens *jsontext.Decoder) error {
	if tokens.PeekKind() == jsontext.KindBeginArray {
		return json.UnmarshalDecode(tokens, (*[]activity)(l), lenient)
	}
	var one activity
	err := json.UnmarshalDecode(tokens, &one, lenient)
	*l = activities{one}
	return err
}

type actor struct {
	ObjectType  string   `json:"objectType"`
	Name        string   `json:"name"`
	Mbox        string   `json:"mbox"`
	MboxSHA1Sum string   `json:"mbox_sha1sum"`
	OpenID      string   `json:"openid"`
	Account     *account `json:"account"`
}

type account struct {
	HomePage string `json:"homePage"`
	Name     string `json:"name"`
}

// ifi is the actor's identifier; zero for an anonymous Group.
func (a *actor) ifi() xapi.IFI {
	switch {
	case a.Mbox != "":
		return xapi.IFI{Kind: xapi.Mbox, Value: a.Mbox}
	case a.MboxSHA1Sum != "":
		return xapi.IFI{Kind: xapi.MboxSHA1Sum, Value: a.MboxSHA1Sum}
	case a.OpenID != "":
		return xapi.IFI{Kind: xapi.OpenID, Value: a.OpenID}
	case a.Account != nil:
		return xapi.IFI{Kind: xapi.Account, Value: a.Account.Name, HomePage: a.Account.HomePage}
	}
	return xapi.IFI{}
}
