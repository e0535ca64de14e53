package table

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// The checks of this file are those that every driver makes before it sends anything. All errors wrap ErrInvalid and
// name tables and attributes only, never a value.

// invalid makes an error that wraps ErrInvalid.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Index returns the index of that name, nil when there is none.
func (s *Schema) Index(name string) *Index {
	for i := range s.Indexes {
		if s.Indexes[i].Name == name {
			return &s.Indexes[i]
		}
	}
	return nil
}

// KeyOf takes the primary key out of an item and checks it.
func (s *Schema) KeyOf(item Item) (Key, error) {
	partition := item[s.Partition]
	if partition.Kind != Text {
		return Key{}, invalid("%s: partition key %s is not a text", s.Name, s.Partition)
	}
	key := Key{Partition: partition.S}
	if s.Sort != "" {
		sort := item[s.Sort]
		if sort.Kind != Binary {
			return Key{}, invalid("%s: sort key %s is not binary", s.Name, s.Sort)
		}
		key.Sort = sort.B
	}
	return key, s.CheckKey(key)
}

// CheckKey checks the lengths of a key, and that it has a sort key exactly when the table has.
func (s *Schema) CheckKey(k Key) error {
	if err := checkPartition(s.Name, k.Partition); err != nil {
		return err
	}
	if s.Sort == "" {
		if k.Sort != nil {
			return invalid("%s: the table has no sort key", s.Name)
		}
		return nil
	}
	if len(k.Sort) == 0 || len(k.Sort) > MaxSort {
		return invalid("%s: a sort key of %d bytes", s.Name, len(k.Sort))
	}
	return nil
}

func checkPartition(where, partition string) error {
	if partition == "" || len(partition) > MaxPartition || !utf8.ValidString(partition) {
		return invalid("%s: a partition key of %d bytes, or not UTF-8", where, len(partition))
	}
	return nil
}

// CheckItem checks a whole item: its key, its values, the keys of its indexes and its size.
func (s *Schema) CheckItem(item Item) error {
	if _, err := s.KeyOf(item); err != nil {
		return err
	}
	for name, v := range item {
		if err := checkAttribute(name, v); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	for i := range s.Indexes {
		if err := s.Indexes[i].checkKeys(s.Name, item); err != nil {
			return err
		}
	}
	if size := item.Size(); size > MaxItem {
		return invalid("%s: an item of %d bytes, more than %d", s.Name, size, MaxItem)
	}
	return nil
}

// checkKeys checks the key attributes of the index as far as they are there.
func (ix *Index) checkKeys(table string, item Item) error {
	if v, ok := item[ix.Partition]; ok {
		if v.Kind != Text {
			return invalid("%s: index key %s is not a text", table, ix.Partition)
		}
		if err := checkPartition(table+"."+ix.Name, v.S); err != nil {
			return err
		}
	}
	if v, ok := item[ix.Sort]; ok && (v.Kind != Binary || len(v.B) == 0 || len(v.B) > MaxSort) {
		return invalid("%s: index key %s is not binary of 1 to %d bytes", table, ix.Sort, MaxSort)
	}
	return nil
}

func checkAttribute(name string, v Value) error {
	if name == "" {
		return invalid("an attribute without a name")
	}
	switch v.Kind {
	case Text:
		if !utf8.ValidString(v.S) {
			return invalid("attribute %s is not UTF-8", name)
		}
	case Number, Binary:
	case Set:
		if len(v.Set) == 0 {
			return invalid("attribute %s is an empty set", name)
		}
		sorted := SortedSet(v.Set)
		for i := 1; i < len(sorted); i++ {
			if bytes.Equal(sorted[i-1], sorted[i]) {
				return invalid("attribute %s has a member twice", name)
			}
		}
	default:
		return invalid("attribute %s has no value", name)
	}
	return nil
}

// CheckWrite checks one write. What an update makes of its item is checked where it is known.
func (s *Schema) CheckWrite(w *Write) error {
	for i := range w.If {
		if err := w.If[i].check(); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	switch w.Op {
	case OpPut:
		return s.CheckItem(w.Item)
	case OpUpdate:
		if err := s.checkActions(w.Actions); err != nil {
			return err
		}
	case OpCheck:
		if len(w.If) == 0 {
			return invalid("%s: a check without a condition", s.Name)
		}
	case OpDelete:
	default:
		return invalid("%s: operation %d", s.Name, w.Op)
	}
	return s.CheckKey(w.Key)
}

func (c *Condition) check() error {
	switch c.Test {
	case TestEquals:
		return checkAttribute(c.Attr, c.Value)
	case TestAbsent, TestPresent:
		if c.Attr == "" {
			return invalid("a condition without an attribute")
		}
		return nil
	}
	return invalid("condition %d", c.Test)
}

func (s *Schema) checkActions(actions []Action) error {
	if len(actions) == 0 {
		return invalid("%s: an update without an action", s.Name)
	}
	for i, a := range actions {
		if a.Attr == "" || a.Attr == s.Partition || a.Attr == s.Sort {
			return invalid("%s: an action on a key or on no attribute", s.Name)
		}
		if slices.ContainsFunc(actions[:i], func(b Action) bool { return a.Attr == b.Attr }) {
			return invalid("%s: two actions on %s", s.Name, a.Attr)
		}
		switch a.Verb {
		case ActionRemove:
			continue
		case ActionAdd:
			if a.Value.Kind != Number && a.Value.Kind != Set {
				return invalid("%s: %s: only numbers and sets can be added", s.Name, a.Attr)
			}
		case ActionSet:
		default:
			return invalid("%s: action %d", s.Name, a.Verb)
		}
		if err := checkAttribute(a.Attr, a.Value); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return nil
}

// Schemas finds schemas by the names of their tables.
type Schemas map[string]*Schema

// NewSchemas refers to the given schemas.
func NewSchemas(schemas []Schema) Schemas {
	m := make(Schemas, len(schemas))
	for i := range schemas {
		m[schemas[i].Name] = &schemas[i]
	}
	return m
}

// Find returns the table's schema.
func (m Schemas) Find(table string) (*Schema, error) {
	s, ok := m[table]
	if !ok {
		return nil, invalid("no table %s", table)
	}
	return s, nil
}

// CheckRef checks one reference.
func (m Schemas) CheckRef(ref Ref) error {
	s, err := m.Find(ref.Table)
	if err != nil {
		return err
	}
	return s.CheckKey(ref.Key)
}

// CheckSelect checks the references and the attributes of a Select.
func (m Schemas) CheckSelect(refs []Ref, attributes []string) error {
	for _, ref := range refs {
		if err := m.CheckRef(ref); err != nil {
			return err
		}
	}
	if len(attributes) == 0 {
		return invalid("a selection of no attributes")
	}
	return checkOnly(attributes)
}

// checkOnly checks that each attribute has a name and is named once.
func checkOnly(attributes []string) error {
	for i, name := range attributes {
		if name == "" || slices.Contains(attributes[:i], name) {
			return invalid("attribute %q is no name, or named twice", name)
		}
	}
	return nil
}

// CheckApply checks the write of an Apply.
func (m Schemas) CheckApply(w *Write) error {
	s, err := m.Find(w.Table)
	if err != nil {
		return err
	}
	if w.Op == OpCheck {
		return invalid("%s: a check alone", w.Table)
	}
	return s.CheckWrite(w)
}

// CheckGroup checks a group: its token, its writes, that they are 1 to MaxGroup of as many items, and their sum of
// bytes.
func (m Schemas) CheckGroup(token string, ws []Write) error {
	if len(token) > MaxToken {
		return invalid("a token of %d bytes", len(token))
	}
	if len(ws) == 0 || len(ws) > MaxGroup {
		return invalid("a group of %d writes", len(ws))
	}
	total := 0
	for i := range ws {
		s, err := m.Find(ws[i].Table)
		if err != nil {
			return err
		}
		if err := s.CheckWrite(&ws[i]); err != nil {
			return fmt.Errorf("write %d: %w", i, err)
		}
		total += ws[i].size()
	}
	if total > MaxGroupBytes {
		return invalid("a group of %d bytes, more than %d", total, MaxGroupBytes)
	}
	return m.checkDistinct(ws)
}

// CheckBatch checks that a batch has unconditional puts and deletes of different items only.
func (m Schemas) CheckBatch(ws []Write) error {
	for i := range ws {
		w := &ws[i]
		s, err := m.Find(w.Table)
		if err != nil {
			return err
		}
		if w.Op != OpPut && w.Op != OpDelete || len(w.If) > 0 {
			return invalid("%s: a batch has unconditional puts and deletes only", w.Table)
		}
		if err := s.CheckWrite(w); err != nil {
			return fmt.Errorf("write %d: %w", i, err)
		}
	}
	return m.checkDistinct(ws)
}

// checkDistinct refuses two writes of one item: a group must not have them, and in a batch, whose order is open, the
// outcome would be.
func (m Schemas) checkDistinct(ws []Write) error {
	if len(ws) < 2 {
		return nil
	}
	type id struct{ table, partition, sort string }
	seen := make(map[id]struct{}, len(ws))
	for i := range ws {
		key := ws[i].Key
		if ws[i].Op == OpPut {
			key, _ = m[ws[i].Table].KeyOf(ws[i].Item)
		}
		seen[id{ws[i].Table, key.Partition, string(key.Sort)}] = struct{}{}
		if len(seen) != i+1 {
			return invalid("%s: two writes of one item, the second is number %d", ws[i].Table, i)
		}
	}
	return nil
}

// size is what a write counts towards a group's bytes.
func (w *Write) size() int {
	n := w.Item.Size() + len(w.Key.Partition) + len(w.Key.Sort)
	for _, a := range w.Actions {
		n += len(a.Attr) + a.Value.Size()
	}
	return n
}

// CheckQuery checks a query and returns the index it reads, nil for the table itself.
func (m Schemas) CheckQuery(q *Query) (*Index, error) {
	s, err := m.Find(q.Table)
	if err != nil {
		return nil, err
	}
	var index *Index
	if q.Index != "" {
		if index = s.Index(q.Index); index == nil {
			return nil, invalid("%s: no index %s", q.Table, q.Index)
		}
		if q.Consistency == Strong {
			return nil, invalid("%s.%s: an index has no strong reads", q.Table, q.Index)
		}
	}
	if err := checkOnly(q.Only); err != nil {
		return nil, fmt.Errorf("%s: %w", q.Table, err)
	}
	if index != nil {
		for _, name := range q.Only {
			if name != s.Partition && name != s.Sort && name != index.Partition && name != index.Sort && !slices.Contains(index.Projects, name) {
				return nil, invalid("%s.%s: the index has no %s", q.Table, q.Index, name)
			}
		}
	}
	bounded := q.From != nil || q.To != nil
	switch {
	case q.Limit < 0:
		return nil, invalid("%s: limit %d", q.Table, q.Limit)
	case bounded && index == nil && s.Sort == "":
		return nil, invalid("%s: bounds of a sort key that the table lacks", q.Table)
	case q.From != nil && (len(q.From) == 0 || len(q.From) > MaxSort):
		return nil, invalid("%s: a lower bound of %d bytes", q.Table, len(q.From))
	case q.To != nil && (len(q.To) == 0 || len(q.To) > MaxSort):
		return nil, invalid("%s: an upper bound of %d bytes", q.Table, len(q.To))
	}
	return index, checkPartition(q.Table, q.Partition)
}

// Empty reports whether the bounds of the query exclude everything. Such a query answers an empty page.
func (q *Query) Empty() bool {
	return q.From != nil && q.To != nil && bytes.Compare(q.From, q.To) > 0
}
