package document

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// GarbageAge is how old a blob that nothing points to must be to count as garbage: a younger one may be a write under way.
// Uploads and large answers of package transfer, to which nothing ever points, are garbage at that age.
const GarbageAge = transfer.Life

// Check reads every document and holds its content against its record, and finds the blobs that no record points to: they
// are left by writes that failed, and harm nothing. It may run while documents are written. It holds some 100 bytes in
// memory for each large document.
type Check struct {
	*Service
	Scanner table.Scanner
	Lister  blob.Lister
	Report  func(Difference)
	Remove  bool // garbage is removed, unless there is a record that cannot be read: it might point there

	unread  bool // there is such a record
	Summary CheckSummary
}

// CheckSummary counts what a check has seen.
type CheckSummary struct {
	Documents, Blobs     int // Blobs are those that documents point to
	Differences          int
	Garbage, GarbageSize int64 // blobs that nothing points to, and their bytes
	Removed              int64 // of these blobs
}

// Difference is one document that is not as its record says.
type Difference struct {
	Partition string // of its key: the store, and the term of its owner
	What      string // one of the words below
	Detail    string
}

// What can differ.
const (
	DamagedRecord  = "damaged record"
	DamagedContent = "damaged content"
	LostContent    = "lost content"
)

// Run checks everything. The error is one of reading or removing, never a difference.
func (c *Check) Run(ctx context.Context) (CheckSummary, error) {
	garbage, err := c.oldBlobs(ctx)
	if err != nil {
		return c.Summary, err
	}
	for item, err := range table.Items(table.ScanPages(ctx, c.Scanner, schema.Documents, 0, 1)) {
		if err != nil {
			return c.Summary, err
		}
		if err := c.document(ctx, item, garbage); err != nil {
			return c.Summary, err
		}
	}
	for key, size := range garbage {
		c.Summary.Garbage++
		c.Summary.GarbageSize += size
		if !c.Remove || c.unread {
			continue
		}
		if err := c.Blobs.Delete(ctx, key); err != nil {
			return c.Summary, fmt.Errorf("remove garbage: %w", err)
		}
		c.Summary.Removed++
	}
	return c.Summary, nil
}

// oldBlobs lists the contents that are old enough to be garbage, with their sizes. It comes before the scan: a blob that
// is so old gets no new record.
func (c *Check) oldBlobs(ctx context.Context) (map[string]int64, error) {
	old, limit := map[string]int64{}, c.Now().Add(-GarbageAge)
	err := c.Lister.List(ctx, "", func(info blob.Info) error {
		_, rest, _ := strings.Cut(info.Key, "/")
		if (strings.HasPrefix(rest, blobFolder) || transfer.Temporary(info.Key)) && info.Modified.Before(limit) {
			old[info.Key] = info.Size
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list contents of documents: %w", err)
	}
	return old, nil
}

func (c *Check) differs(partition, what string, cause error) {
	c.Summary.Differences++
	c.Report(Difference{Partition: partition, What: what, Detail: cause.Error()})
}

// document reads one document and takes its content off the garbage.
func (c *Check) document(ctx context.Context, item table.Item, garbage map[string]int64) error {
	c.Summary.Documents++
	partition := item[schema.PK].S
	r, err := recordOf(item)
	if err != nil {
		c.differs(partition, DamagedRecord, err)
		c.unread = true
		return nil
	}
	store, _, _ := strings.Cut(partition, "#")
	if !r.inline {
		c.Summary.Blobs++
		delete(garbage, blobKey(store, r.attempts.newest()))
	}
	_, err = c.content(ctx, store, r)
	if errors.Is(err, blob.ErrNotFound) {
		err = c.lost(ctx, refOf(item), r)
	}
	switch {
	case err == nil:
	case errors.Is(err, blob.ErrNotFound):
		c.differs(partition, LostContent, err)
	case errors.Is(err, errDigest):
		c.differs(partition, DamagedContent, err)
	default:
		return err
	}
	return nil
}

// lost tells content that is lost from content that was replaced since its record was read. The newer one is left to the
// next check.
func (c *Check) lost(ctx context.Context, ref table.Ref, r *record) error {
	now, err := c.read(ctx, ref)
	if err != nil || !r.same(now) {
		return err
	}
	return fmt.Errorf("its blob is not there: %w", blob.ErrNotFound)
}
