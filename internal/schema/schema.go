// Package schema is the one page that says how Cairn's records lie in tables: every
// table, key, index and projection. Pebble derives its key layout from Tables, the
// DynamoDB driver creates them for tests, and a test holds template.yaml equal to them.
//
// # Keys
//
// Every partition key begins with the store (the one exception is Credentials, whose key
// is what a request brings), so that dynamodb:LeadingKeys can fence stores from each
// other. Parts are joined by "#". A term is written as the base64url of its hash; shard
// is a small decimal number; UUIDs are in lower case.
//
//	Statements   store#statementId
//	  byTime           store#shard                 position
//	  byAgent          store#term                  position     actor
//	  byVerb           store#term#shard            position
//	  byActivity       store#term#shard            position     object
//	  byRegistration   store#term                  position
//	Terms        store#term[#shard]                position     one entry for each term that no index holds
//	References   store#statementId (the target)    0x00 | 0x01 voider's id | 0x02 referrer's id
//	Activities   store#term of the activity's id
//	Documents    store#term of the owner                0x00 id | 0x01 registration id
//	Persons      store#term of the agent's identifier
//	Credentials  accessKey
//	Stores       store
//	Checkpoints  consumer#shard
//	Rollups      store#generation#kind[#…]         by kind, see below
//	DeadLetters  store                             statement id
//
// # Statements
//
// One item is one statement. Its body is the statement as it is given out, compressed; a body too large for an item
// lies in the blob store. The index keys are there while the statement can be listed: voiding removes them and sets
// Voided, and changes nothing else. EffectiveTerms only ever grows. The indexes project it, so that a conjunction of
// filters is decided before a body is read.
//
// # Terms
//
// An entry says "the statement with this id, stored at this position, has this term". It is written before the
// statement it names, so it counts only when that statement exists at exactly this position. The kinds verb,
// activity, time and relatedActivity are sharded by the statement's id (see lrs), the others are not.
//
// # References
//
// A statement that refers to another leaves, before it is stored, an entry with its id under the target (0x01 when it
// voids the target, so that voids are found first; else 0x02) and the marker 0x00. The marker has a fixed key, so one
// batch read tells which of up to 100 new statements somebody waits for. An entry whose referrer does not exist, or does
// not refer to the target, counts for nothing.
//
// # Activities
//
// The canonical definition of each activity, merged over all statements that brought one (see lrs). The activity's id
// can be longer than a key, so the key has its term.
//
// # Persons
//
// The names that statements brought for each agent (see lrs). An mbox and its mbox_sha1sum have one item. It holds no
// identifier: an operator who looks at the table finds names, and not whose.
//
// # Documents
//
// One item is one document of the State, Activity Profile or Agent Profile Resource: its metadata, and its content up
// to 8 KB; larger content lies in the blob store. The owner is what a list of ids is asked for: the activity and agent of
// a state, the activity or agent of a profile. It is a term, since an activity's id can be longer than a key and an agent
// is a person. The registration is 16 bytes and stands before the document's id, so that one query reads the documents
// of an owner, or of an owner and a registration.
//
// # Checkpoints
//
// How far each consumer of the change feed has come, by consumer and shard, and under "merge" up to which change what statements
// say is merged; and under "derive" what was derived from the statements of a data folder that is older than the table for it
// (see lrs); and under "rebuild" how far a rebuild of rollups is, with the pages of what the newest one found.
//
// # Rollups
//
// What reports read (see report/rollup). A store's generation is its whole set of rows; `cairn rebuild` makes the next one
// beside it. Hashes are terms of report/fact, 12 bytes, in partition keys as base64url; g is the generation.
//
//	store#g#L#shard   learner, page      a ledger: the head (page 0) and its sealed pages; 16 shards by the learner's hash
//	store#g#I#scope   learner            the learner has facts under the activity; an entry without facts is harmless
//	store#g#B#scope   grain, at, lane    sums: of the days of a week and the week, of a month, of all time, of a cohort
//	store#g#N         hash               what a hash stands for: an activity, a verb
//	store#g#F         lane               the time up to which changes were folded in
//	store#Q           name               a saved query (see report); of no generation
//	store#K           name               an imported KPI
//	store#K#name      version, number    its rows
//
// The head of a ledger and the sums that change with it are written in one group, under the version of the head. The sums
// are attributes that are added to, one for each counter and day; their names are built by report/rollup.
//
// # DeadLetters
//
// Statements that could not be counted, by store and statement id, with the reason: `cairn dead-letters` lists them and tries
// them again.
package schema

import "github.com/cairn-lrs/cairn/internal/table"

// Names of the tables. A deployment may prefix them; the drivers know how.
const (
	Statements  = "Statements"
	Terms       = "Terms"
	References  = "References"
	Activities  = "Activities"
	Documents   = "Documents"
	Persons     = "Persons"
	Credentials = "Credentials"
	Stores      = "Stores"
	Checkpoints = "Checkpoints"
	Rollups     = "Rollups"
	DeadLetters = "DeadLetters"
)

// What follows the store in the partition keys of saved queries and KPIs. The template lets the reports function write these
// alone.
const (
	SavedQueries = "#Q"
	KPIs         = "#K"
)

// Names of the indexes of Statements.
const (
	ByTime         = "byTime"
	ByAgent        = "byAgent"
	ByVerb         = "byVerb"
	ByActivity     = "byActivity"
	ByRegistration = "byRegistration"
)

// Attributes. They are short because their names count in an item's size, which decides its price.
const (
	PK = "pk" // partition key of every table
	SK = "sk" // sort key of Terms, References, Documents, Rollups and DeadLetters

	// Of Statements.
	Position        = "p"  // 16 bytes: order and stored time; sort key of every index
	Body            = "b"  // compressed statement; absent when it lies in the blob store
	BodyBlob        = "u"  // its key there
	EffectiveTerms  = "t"  // own terms and those inherited by reference
	Refers          = "r"  // id of the statement that the object refers to, 16 bytes
	Voiding         = "x"  // 1 on a statement that voids another
	Voided          = "v"  // 1 once voided
	Shards          = "n"  // the shard count it was written with
	Truncated       = "f"  // 1 when inheritance stopped at the bound of effective terms
	Attachments     = "m"  // digests of the attachments whose bytes came with it: only those are given out with it
	AttachmentBytes = "mb" // their sizes together
	AttachmentMonth = "mo" // the month in the keys of their contents, "2026-11"; absent: there is none in them
	TimeKey         = "kt"
	AgentKey        = "ka"
	VerbKey         = "kv"
	ActivityKey     = "kc"
	RegistrationKey = "kr"

	// Of Terms.
	StatementID = "i" // 16 bytes

	// Of Activities and Persons.
	Definition = "d" // the merged definition, compressed
	Names      = "g" // set: the position of the first statement that brought a name, then the name
	Version    = "w" // rises with each change

	// Of Documents.
	ContentType = "ct"
	Content     = "c"  // absent when it lies in the blob store
	ContentSize = "z"  // bytes
	Digest      = "e"  // SHA-1 of the content, 20 bytes: the ETag
	Updated     = "up" // when it was written, in nanoseconds of Unix time
	Attempts    = "at" // random tokens of the last writes, 16 bytes each, newest first (see document)

	// Of Credentials and Stores.
	Store       = "s"  // the store of a credential
	SecretHash  = "h"  // SHA-256 of the secret
	Scopes      = "sc" // space-separated
	Authority   = "au" // JSON Agent
	Label       = "l"
	Trusted     = "tr" // 1 when statements may bring their own authority
	Revoked     = "rv" // 1
	Created     = "cr" // RFC 3339
	Name        = "nm"
	TimeZone    = "tz"
	StoreKey    = "k"  // 32 secret bytes
	WriteShards = "nw" // of Stores, beside Shards: the number that writers use (see auth.Store)
	ShardsGrown = "ng" // when Shards last grew, in nanoseconds of Unix time
	Authorities = "a"  // terms of every agent that has been an authority

	Generation   = "gn" // of Stores: the generation of its rollups that reports read, 0 for the first
	Building     = "gb" // the generation that is being built, if one is
	NextTimeZone = "tn" // the time zone that the next generation counts days by; absent: that of this one

	SmallNumber = "sn" // of Stores: the fewest learners that reports tell; absent: the default
	HideNames   = "hn" // 1 when reports name nobody
	TestData    = "td" // 1 when the store holds made-up data only

	// Of Rollups, beside Version and Body of a ledger. Sums have names of their own.
	IRI     = "i"  // of an activity or verb
	Display = "d"  // its language map, JSON
	Type    = "y"  // of an activity
	Kinds   = "k"  // set: what statements said that it is
	IsVerb  = "v"  // 1
	Through = "th" // the newest stored time that was folded, milliseconds of Unix time

	// Of DeadLetters, and of saved queries and KPIs.
	Reason = "e"
	When   = "at" // milliseconds of Unix time

	// Of Checkpoints.
	Sequence = "q" // of the last change that is done; of a derivation, its version
)

var statementIndex = []string{EffectiveTerms}

// Tables is the whole schema.
var Tables = []table.Schema{
	{
		Name:      Statements,
		Partition: PK,
		Indexes: []table.Index{
			{Name: ByTime, Partition: TimeKey, Sort: Position, Projects: statementIndex},
			{Name: ByAgent, Partition: AgentKey, Sort: Position, Projects: statementIndex},
			{Name: ByVerb, Partition: VerbKey, Sort: Position, Projects: statementIndex},
			{Name: ByActivity, Partition: ActivityKey, Sort: Position, Projects: statementIndex},
			{Name: ByRegistration, Partition: RegistrationKey, Sort: Position, Projects: statementIndex},
		},
		Stream: true,
	},
	{Name: Terms, Partition: PK, Sort: SK},
	{Name: References, Partition: PK, Sort: SK},
	{Name: Activities, Partition: PK},
	{Name: Documents, Partition: PK, Sort: SK},
	{Name: Persons, Partition: PK},
	{Name: Credentials, Partition: PK},
	{Name: Stores, Partition: PK},
	{Name: Checkpoints, Partition: PK},
	{Name: Rollups, Partition: PK, Sort: SK},
	{Name: DeadLetters, Partition: PK, Sort: SK},
}
