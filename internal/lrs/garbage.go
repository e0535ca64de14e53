package lrs

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// A request that dies, or is refused, between its contents and its statements leaves contents to which nothing refers. They harm
// nothing and cost their storage. Which of them are garbage is decided by two facts, and without a word to those who are storing
// statements meanwhile:
//
//   - A content gets no new statement any more: the large body of an attempt, when the attempt is over; an attachment, when the month
//     in its key is. contentLife is far longer than any request takes, and than clocks are apart.
//   - No statement refers to it, in a scan that begins after that.

// contentLife is how long after its last moment a content may still get a statement, at most.
const contentLife = transfer.Life

// closedContents lists the contents that get no new statement any more, with their sizes in bytes.
func (c *Check) closedContents(ctx context.Context) (map[string]int64, error) {
	closed, limit := map[string]int64{}, c.Positions.Now().Add(-contentLife)
	err := c.Lister.List(ctx, "", func(info blob.Info) error {
		if isClosed(info, limit) {
			closed[info.Key] = info.Size
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list contents of statements: %w", err)
	}
	return closed, nil
}

// isClosed reports whether a content of statements has got its last one before the limit. One of before there were months in keys
// never has: older versions of the program may be storing.
func isClosed(info blob.Info, limit time.Time) bool {
	_, key, _ := strings.Cut(info.Key, "/")
	if strings.HasPrefix(key, bodyFolder) {
		return info.Modified.Before(limit)
	}
	key, ok := strings.CutPrefix(key, attachmentFolder)
	month, _, inMonth := strings.Cut(key, "/")
	if !ok || !inMonth {
		return false
	}
	begin, err := time.Parse(monthLayout, month)
	return err == nil && begin.AddDate(0, 1, 0).Before(limit)
}

// refer takes what a statement refers to off the garbage.
func (c *Check) refer(r *record) {
	delete(c.garbage, r.bodyBlob)
	for _, digest := range r.attachments {
		delete(c.garbage, attachmentKey(r.store, r.attachmentMonth, hex.EncodeToString(digest)))
	}
}

// clear counts the garbage, and removes it where that is asked for: but nothing while there is a statement that cannot be read,
// and might refer to it.
func (c *Check) clear(ctx context.Context) error {
	for key, size := range c.garbage {
		c.Summary.Contents++
		c.Summary.ContentBytes += size
		if !c.Remove || c.unread {
			continue
		}
		if err := c.Blobs.Delete(ctx, key); err != nil {
			return fmt.Errorf("remove content of no statement: %w", err)
		}
		c.Summary.Removed++
	}
	return nil
}
