package rollup

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// space is one generation of a store's rollups: where its rows lie.
type space struct {
	store      string
	generation int
}

// The kinds of rows. They stand in partition keys.
const (
	ledgerRows = "L" // store#g#L#x: learner, page
	indexRows  = "I" // store#g#I#scope: learner
	bucketRows = "B" // store#g#B#scope: grain, number, lane
	nameRows   = "N" // store#g#N: hash
	freshRow   = "F" // store#g#F: lane
)

// ledgerShards is over how many partitions the ledgers of a store are spread, by the learner's hash.
const ledgerShards = 16

func (s space) partition(kind string) string {
	return s.store + "#" + strconv.Itoa(s.generation) + "#" + kind
}

func (s space) ledgers(shard int) string {
	return s.partition(ledgerRows) + "#" + strconv.FormatInt(int64(shard), ledgerShards)
}

func (s space) ledgersOf(learner fact.Hash) string { return s.ledgers(int(learner[0]) % ledgerShards) }

func (s space) index(scope fact.Hash) string { return s.partition(indexRows) + "#" + hashText(scope) }

func (s space) buckets(scope fact.Hash) string {
	return s.partition(bucketRows) + "#" + hashText(scope)
}

func hashText(h fact.Hash) string { return base64.RawURLEncoding.EncodeToString(h[:]) }

// pageRef names a page of a ledger; 0 is the head.
func (s space) pageRef(learner fact.Hash, n int) table.Ref {
	return table.Ref{Table: schema.Rollups, Key: table.Key{Partition: s.ledgersOf(learner), Sort: pageSort(learner, n)}}
}

func pageSort(learner fact.Hash, n int) []byte {
	return binary.BigEndian.AppendUint16(append(make([]byte, 0, len(learner)+2), learner[:]...), uint16(n))
}

// splitPageSort reads the sort key of a page.
func splitPageSort(sort []byte) (learner fact.Hash, n int, ok bool) {
	if len(sort) != len(learner)+2 {
		return learner, 0, false
	}
	return fact.Hash(sort[:len(learner)]), int(binary.BigEndian.Uint16(sort[len(learner):])), true
}

// Pseudo-ledgers have a hash that no learner has: the last 11 bytes are these.
var unattributedMark = [11]byte([]byte("\x00no learner"))

// unattributedLedger is the one of 256 ledgers that keeps a statement without a learner.
func unattributedLedger(id uint64) fact.Hash {
	h := fact.Hash{byte(id >> 56)}
	copy(h[1:], unattributedMark[:])
	return h
}

func unattributed(learner fact.Hash) bool { return bytes.Equal(learner[1:], unattributedMark[:]) }

// bucketSort is grain, number and lane. Numbers before 1970 are negative, hence the flipped sign.
func bucketSort(g measure.Grain, number int32, lane uint8) []byte {
	b := make([]byte, 0, 6)
	b = append(b, byte(g))
	b = binary.BigEndian.AppendUint32(b, uint32(number)^1<<31)
	return append(b, lane)
}

func splitBucketSort(sort []byte) (g measure.Grain, number int32, lane uint8, ok bool) {
	if len(sort) != 6 {
		return 0, 0, 0, false
	}
	return measure.Grain(sort[0]), int32(binary.BigEndian.Uint32(sort[1:5]) ^ 1<<31), sort[5], true
}
