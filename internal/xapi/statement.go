package xapi

// Statement is a statement that has been validated, with the bytes it came in.
// Source: xAPI 1.0.3 Data 2.4; IEEE 9274.1.1 4.2.
type Statement struct {
	ID          string // lower case; "" when the sender left it to the LRS
	Event              // what happened: the part that a SubStatement shares
	Authority   *Actor // as sent; the LRS overwrites it unless the credential is trusted
	Stored      string // as sent; always overwritten
	Version     string // as sent; "" when absent
	raw         []byte // received bytes with the declared edits that need no LRS state already made
	memberSpans []span // top-level members of raw, in order
}

// Event is what Statement and SubStatement have in common.
type Event struct {
	Actor       *Actor
	Verb        Verb
	Object      Object
	Result      *Result
	Context     *Context
	Timestamp   string // UTC with "Z", no precision lost; "" when absent
	Attachments []Attachment
}

// Verb is the action. Source: Data 2.4.3.
type Verb struct {
	ID      string
	Display []byte // JSON language map; nil when absent
}

// VoidedVerb is the reserved verb of voiding statements. Source: Data 2.3.2.
const VoidedVerb = "http://adlnet.gov/expapi/verbs/voided"

// Actor is an Agent or a Group. Source: Data 2.4.2.
type Actor struct {
	Group   bool
	Name    string
	IFI     IFI      // zero for an anonymous Group
	Members []*Actor // of a Group
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

// ObjectKind says what the object of a statement is.
type ObjectKind uint8

// The kinds of object. Source: Data 2.4.4.
const (
	ActivityObject ObjectKind = iota + 1
	AgentObject               // Agent or Group
	StatementRefObject
	SubStatementObject
)

// Object is the object of a statement: exactly the field that Kind names is set.
type Object struct {
	Kind     ObjectKind
	Activity *Activity
	Actor    *Actor
	Ref      string // id of the referenced statement, lower case
	Sub      *Event
}

// Activity is an Activity. Source: Data 2.4.4.1.
type Activity struct {
	ID         string
	Definition []byte // the definition's JSON, valid; nil when absent
}

// Result is the outcome, kept for the parts that rules need. Source: Data 2.4.5.
type Result struct {
	Duration string // ISO 8601, as received; "" when absent
}

// Context is the context of a statement. Source: Data 2.4.6; IEEE 9274.1.1 4.2.6.
type Context struct {
	Registration     string // lower case; "" when absent
	Instructor, Team *Actor
	Parent           []*Activity
	Grouping         []*Activity
	Category         []*Activity
	Other            []*Activity
	StatementRef     string
	Agents           []*Actor // of contextAgents, 2.0 only
	Groups           []*Actor // of contextGroups, 2.0 only
}

// Attachment is the description of an attachment. Source: Data 2.4.11.
type Attachment struct {
	UsageType   string
	ContentType string
	Length      int64
	SHA2        string // lower-case hex
	FileURL     string // "" when the bytes must come with the statement
}

type span struct{ nameStart, nameEnd, valueStart, valueEnd int }

// Voids gives the id of the statement that s voids. A SubStatement with the voided
// verb voids nothing. Source: Data 2.3.2.
func (s *Statement) Voids() (target string, ok bool) {
	if s.Verb.ID != VoidedVerb {
		return "", false
	}
	return s.Refers()
}

// Refers gives the id of the statement that the object of s itself refers to, in a
// voiding statement too. The object of a SubStatement and context.statement are not
// references in this sense. Source: Communication 2.1.3, filter conditions for StatementRefs.
func (s *Statement) Refers() (target string, ok bool) {
	return s.Object.Ref, s.Object.Kind == StatementRefObject
}
