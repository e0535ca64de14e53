package table

// The limits of items, groups and pages, in bytes unless said. Source: DynamoDB developer guide, "Quotas" and
// "Managing complex workflows with transactions"; AWS counts in binary units.
const (
	MaxItem       = 400 << 10
	MaxPartition  = 2048
	MaxSort       = 1024
	MaxGroup      = 100 // writes and checks
	MaxGroupBytes = 4 << 20
	MaxToken      = 36      // of a group
	MaxPage       = 1 << 20 // what a query or scan reads before it stops
)

// Sizes of capacity units, in bytes. Source: DynamoDB developer guide, "Read and write operations".
const (
	readUnit  = 4 << 10
	writeUnit = 1 << 10
)

// Size is the item's size in bytes as DynamoDB counts it: the names of the attributes and their values. Source:
// developer guide, "DynamoDB item sizes and formats".
func (it Item) Size() int {
	n := 0
	for name, v := range it {
		n += len(name) + v.Size()
	}
	return n
}

// Size is the value's size in bytes as DynamoDB counts it, without its name. A number takes one byte for two
// significant digits, one for its exponent and one for a minus sign; a set takes what its members take.
func (v Value) Size() int {
	switch v.Kind {
	case Text:
		return len(v.S)
	case Number:
		return numberSize(v.N)
	case Binary:
		return len(v.B)
	case Set:
		n := 0
		for _, member := range v.Set {
			n += len(member)
		}
		return n
	}
	return 0
}

// numberSize counts digits in pairs from the decimal point, as DynamoDB packs them: trailing pairs of zeros go into the
// exponent, so 100 is as small as 1, and 120 takes a byte more than 12.
func numberSize(n int64) int {
	size := 1
	magnitude := uint64(n)
	if n < 0 {
		size++
		magnitude = -magnitude
	}
	for magnitude > 0 && magnitude%100 == 0 {
		magnitude /= 100
	}
	for ; magnitude > 0; magnitude /= 100 {
		size++
	}
	return size
}

// ReadUnits is what reading size bytes costs: one unit for each 4 KB begun, half of it when eventually consistent.
// What is not there costs as much as the smallest item. A query is charged for the sum of its page.
func ReadUnits(size int, c Consistency) float64 {
	units := float64(unitsOf(size, readUnit))
	if c == Eventual {
		return units / 2
	}
	return units
}

// WriteUnits is what one write of size bytes costs outside groups: one unit for each 1 KB begun. Size is the larger
// of the item before and after; an index entry is charged the same way.
func WriteUnits(size int) float64 { return float64(unitsOf(size, writeUnit)) }

func unitsOf(size, unit int) int { return max(1, (size+unit-1)/unit) }
