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

// A request that dies, or is refused, after it put contents and before its statements leaves contents to which nothing refers.
// They harm nothing and cost their storage. A content is garbage when both of these hold, and neither needs to ask those who are
// storing statements meanwhile:
//
//   - No new statement can come to refer to it: the attempt that put a large body is over, or the month in an attachment's key
//     is. contentLife allows for the longest request and for clocks that differ.
//   - A scan of the statements that began after that finds none that refers to it.

// contentLife is for how long, at most, a content may still get a statement after its attempt or month is over.
const contentLife = transfer.Life

// closedContents lists the contents that no new statement can come to refer to, with their sizes in bytes.
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

// isClosed reports whether a content was closed to new statements before the limit. One whose key has no month never is: an older
// version of the program may be storing.
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

// refer takes what a statement refers to out of the garbage.
func (c *Check) refer(r *record) {
	delete(c.garbage, r.bodyBlob)
	for _, digest := range r.attachments {
		delete(c.garbage, attachmentKey(r.store, r.attachmentMonth, hex.EncodeToString(digest)))
	}
}

// clearGarbage counts the garbage and removes it if that is asked for, but not while a statement cannot be read: it might refer
// to it.
func (c *Check) clearGarbage(ctx context.Context) error {
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
