package rollup

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Lanes is how many items one bucket is spread over, so that consumers that run side by side seldom meet in one.
const Lanes = 4

// bucket names a row of sums: those of the days of an ISO week and of the week, those of a month, of all time, or of a cohort.
type bucket struct {
	scope fact.Hash
	grain measure.Grain // Day for a week with its days
	at    int32         // of a week: day number of its Monday
}

func (b bucket) compare(c bucket) int {
	if n := bytes.Compare(b.scope[:], c.scope[:]); n != 0 {
		return n
	}
	return cmp.Or(cmp.Compare(b.grain, c.grain), cmp.Compare(b.at, c.at))
}

func (b bucket) ref(s space, lane uint8) table.Ref {
	return table.Ref{Table: schema.Rollups, Key: table.Key{Partition: s.buckets(b.scope), Sort: bucketSort(b.grain, b.at, lane)}}
}

// place is where the sum of a cell lies: the bucket and the attribute. Attributes begin with a letter: a to g for the days of
// a week, w, m, t and c for week, month, total and cohort. The counter's number follows in base 36.
func place(c measure.Cell) (bucket, string) {
	letter := byte('t')
	b := bucket{scope: c.Scope, grain: c.Grain, at: c.At}
	switch c.Grain {
	case measure.Day:
		b.at = measure.WeekOf(c.At)
		letter = 'a' + byte(c.At-b.at)
	case measure.Week:
		b.grain = measure.Day
		letter = 'w'
	case measure.Month:
		letter = 'm'
	case measure.Cohort:
		letter = 'c'
	}
	return b, attribute(letter, c.Counter)
}

func attribute(letter byte, c measure.Counter) string {
	if int(c) < len(attributes[0]) {
		return attributes[letter-'a'][c]
	}
	return string(letter) + strconv.FormatUint(uint64(c), 36)
}

// attributes are the names of attributes by letter and counter, made once: each sum of each statement has one.
var attributes = func() (names ['w' - 'a' + 1][measure.RetainedWeek + measure.RetainedWeeks + 1]string) {
	for letter := range names {
		for c := range names[letter] {
			names[letter][c] = string(rune('a'+letter)) + strconv.FormatUint(uint64(c), 36)
		}
	}
	return names
}()

// cellOf is the inverse of place.
func cellOf(b bucket, attr string) (measure.Cell, error) {
	c := measure.Cell{Scope: b.scope, Grain: b.grain, At: b.at}
	if len(attr) < 2 {
		return c, fmt.Errorf("read bucket: attribute %q", attr)
	}
	counter, err := strconv.ParseUint(attr[1:], 36, 16)
	if err != nil {
		return c, fmt.Errorf("read bucket: attribute %q", attr)
	}
	c.Counter = measure.Counter(counter)
	switch letter := attr[0]; {
	case b.grain == measure.Day && letter >= 'a' && letter <= 'g':
		c.At += int32(letter - 'a')
	case b.grain == measure.Day && letter == 'w':
		c.Grain = measure.Week
	}
	return c, nil
}

// addition is what is added to one attribute of a bucket.
type addition struct {
	bucket
	attr string
	n    int64
}

func (a addition) compare(b addition) int {
	if n := a.bucket.compare(b.bucket); n != 0 {
		return n
	}
	return cmp.Compare(a.attr, b.attr)
}

// additionsOf are what sums add, in order.
func additionsOf(sums measure.Sums) []addition {
	out := make([]addition, 0, len(sums))
	for cell, n := range sums {
		b, attr := place(cell)
		out = append(out, addition{b, attr, n})
	}
	slices.SortFunc(out, addition.compare)
	return out
}

// bucketWrites are the updates of the buckets, in their order.
func bucketWrites(s space, lane uint8, all []addition) []table.Write {
	slices.SortFunc(all, addition.compare)
	var writes []table.Write
	for len(all) > 0 {
		b := all[0].bucket
		var actions []table.Action
		for len(all) > 0 && all[0].bucket == b {
			attr, n := all[0].attr, int64(0)
			for ; len(all) > 0 && all[0].bucket == b && all[0].attr == attr; all = all[1:] {
				n += all[0].n
			}
			if n != 0 {
				actions = append(actions, table.Add(attr, table.N(n)))
			}
		}
		if len(actions) > 0 {
			writes = append(writes, table.Update(b.ref(s, lane), actions))
		}
	}
	return writes
}

// readBucket adds what one item holds.
func readBucket(sums measure.Sums, scope fact.Hash, item table.Item) error {
	grain, at, _, ok := splitBucketSort(item[schema.SK].B)
	if !ok {
		return fmt.Errorf("read bucket: a key of %d bytes", len(item[schema.SK].B))
	}
	for attr, v := range item {
		if attr == schema.PK || attr == schema.SK {
			continue
		}
		cell, err := cellOf(bucket{scope, grain, at}, attr)
		if err != nil {
			return err
		}
		sums.Add(cell, v.N)
	}
	return nil
}
