package lrs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// record is one statement as the Statements table keeps it.
type record struct {
	store    string
	id       statementID
	position position.Position
	body     []byte   // packed; nil when it lies in the blob store
	bodyBlob string   // its key there
	terms    termSet  // effective terms of a record about to be written
	termList [][]byte // effective terms of a record that was read

	refers    statementID // zero unless the object is a StatementRef
	voiding   bool
	voided    bool
	truncated bool
	shards    int // shard count that its entries were written with

	own ownTerms // only of a record about to be written: which terms the indexes hold

	attachments     [][]byte // digests whose bytes came with this statement
	attachmentBytes int64    // their sizes together
	attachmentMonth string   // of their contents' keys
}

func statementRef(store string, id statementID) table.Ref {
	return table.Ref{Table: schema.Statements, Key: table.Key{Partition: store + "#" + id.String()}}
}

// item is the record as it is put.
func (r *record) item() table.Item {
	item := make(table.Item, 16) // it has 10 as a rule, and a map that grows is filled twice
	item[schema.PK] = table.S(r.store + "#" + r.id.String())
	item[schema.Position] = table.B(r.position[:])
	item[schema.EffectiveTerms] = termValue(r.terms)
	item[schema.Shards] = table.N(int64(r.shards))
	if r.bodyBlob != "" {
		item[schema.BodyBlob] = table.S(r.bodyBlob)
	} else {
		item[schema.Body] = table.B(r.body)
	}
	if r.refers != (statementID{}) {
		item[schema.Refers] = table.B(r.refers[:])
	}
	for _, flag := range []struct {
		attr string
		set  bool
	}{{schema.Voiding, r.voiding}, {schema.Voided, r.voided}, {schema.Truncated, r.truncated}} {
		if flag.set {
			item[flag.attr] = table.N(1)
		}
	}
	if len(r.attachments) > 0 {
		item[schema.Attachments] = table.SetOf(r.attachments...)
		item[schema.AttachmentBytes] = table.N(r.attachmentBytes)
		item[schema.AttachmentMonth] = table.S(r.attachmentMonth)
	}
	if !r.voided {
		for attr, key := range r.indexKeys() {
			item[attr] = table.S(key)
		}
	}
	return item
}

// indexKeys are the partition keys by which the indexes list the statement.
func (r *record) indexKeys() map[string]string {
	shard := shardOf(r.id, r.shards)
	keys := map[string]string{schema.TimeKey: timePartition(r.store, shard)}
	for _, key := range []struct {
		attr string
		term term
	}{
		{schema.AgentKey, r.own.agent}, {schema.VerbKey, r.own.verb}, {schema.ActivityKey, r.own.activity}, {schema.RegistrationKey, r.own.registration},
	} {
		if key.term != (term{}) {
			keys[key.attr] = key.term.partition(r.store, shard)
		}
	}
	return keys
}

// indexAttributes are the attributes that voiding removes.
var indexAttributes = []string{schema.TimeKey, schema.AgentKey, schema.VerbKey, schema.ActivityKey, schema.RegistrationKey}

// effective are the record's effective terms.
func (r *record) effective() termSet {
	if r.terms == nil {
		r.terms = make(termSet, len(r.termList))
		for _, b := range r.termList {
			r.terms.add(term(b))
		}
	}
	return r.terms
}

// termValue is a set of terms as an attribute, sorted so that equal sets make equal items.
func termValue(terms termSet) table.Value {
	members := make([][]byte, 0, len(terms))
	flat := make([]byte, 0, len(terms)*len(term{}))
	for t := range terms {
		flat = append(flat, t[:]...)
		members = append(members, flat[len(flat)-len(t):])
	}
	slices.SortFunc(members, func(a, b []byte) int { return slices.Compare(a, b) })
	return table.SetOf(members...)
}

// errDamaged says that a stored item is not one that this package writes.
var errDamaged = errors.New("damaged item")

// recordOf reads an item of Statements. Every error wraps errDamaged and names the statement, and nobody else.
func recordOf(item table.Item) (*record, error) {
	r, err := parseRecord(item)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return r, nil
}

func parseRecord(item table.Item) (*record, error) {
	store, id, err := splitStatementKey(item[schema.PK].S)
	if err != nil {
		return nil, err
	}
	row := make(table.Row, len(recordColumns))
	for i, name := range recordColumns {
		row[i] = item[name]
	}
	r := &record{store: store, id: id}
	return r, r.take(row)
}

// The columns of a row that a record is made of. Those before refersColumn make what is given out.
const (
	positionColumn = iota
	termsColumn
	bodyColumn
	bodyBlobColumn
	voidedColumn
	shardsColumn
	attachmentsColumn
	attachmentBytesColumn
	attachmentMonthColumn
	refersColumn
	voidingColumn
	truncatedColumn
)

var recordColumns = []string{
	positionColumn:        schema.Position,
	termsColumn:           schema.EffectiveTerms,
	bodyColumn:            schema.Body,
	bodyBlobColumn:        schema.BodyBlob,
	voidedColumn:          schema.Voided,
	shardsColumn:          schema.Shards,
	attachmentsColumn:     schema.Attachments,
	attachmentBytesColumn: schema.AttachmentBytes,
	attachmentMonthColumn: schema.AttachmentMonth,
	refersColumn:          schema.Refers,
	voidingColumn:         schema.Voiding,
	truncatedColumn:       schema.Truncated,
}

// givenOutColumns are those that a statement to be given out needs.
var givenOutColumns = recordColumns[:refersColumn]

// takeGivenOut takes a row of givenOutColumns into a record that has its store and id. Every error wraps errDamaged.
func (r *record) takeGivenOut(row table.Row) error {
	if err := r.take(row); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

// take takes a row of recordColumns, or of givenOutColumns, into a record that has its store and id.
func (r *record) take(row table.Row) (err error) {
	r.body = row[bodyColumn].B
	r.bodyBlob = row[bodyBlobColumn].S
	r.voided = row[voidedColumn].N == 1
	r.shards = int(row[shardsColumn].N)
	r.attachments = row[attachmentsColumn].Set
	r.attachmentBytes = row[attachmentBytesColumn].N
	r.attachmentMonth = row[attachmentMonthColumn].S
	if r.shards < 1 {
		return fmt.Errorf("read statement %s: written with %d shards", r.id, r.shards)
	}
	if r.position, err = position.Parse(row[positionColumn].B); err != nil {
		return fmt.Errorf("read statement %s: %w", r.id, err)
	}
	r.termList = row[termsColumn].Set
	for _, b := range r.termList {
		if len(b) != len(term{}) {
			return fmt.Errorf("read statement %s: term of %d bytes", r.id, len(b))
		}
	}
	if len(row) == len(givenOutColumns) {
		return nil
	}
	r.voiding = row[voidingColumn].N == 1
	r.truncated = row[truncatedColumn].N == 1
	if b := row[refersColumn].B; b != nil {
		if len(b) != len(r.refers) {
			return fmt.Errorf("read statement %s: reference of %d bytes", r.id, len(b))
		}
		r.refers = statementID(b)
	}
	return nil
}
