package pebble_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/tabletest"
)

func TestSuite(t *testing.T) {
	faults := &pebble.Faults{
		IndexDelay: func() time.Duration { return rand.N(20 * time.Millisecond) },
		ShardSpan:  40,
	}
	tests := []struct {
		name string
		opts func(t *testing.T) (dir string, opts pebble.Options)
	}{
		{"on a disk", func(t *testing.T) (string, pebble.Options) { return t.TempDir(), pebble.Options{} }},
		{"in memory, flushing often", func(*testing.T) (string, pebble.Options) {
			return "data", pebble.Options{FS: vfs.NewMem(), CacheBytes: 1 << 20}
		}},
		{"with late indexes and a feed in shards", func(*testing.T) (string, pebble.Options) {
			return "data", pebble.Options{FS: vfs.NewMem(), Faults: faults}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tabletest.Run(t, func(t *testing.T, schemas []table.Schema) table.DB {
				dir, opts := test.opts(t)
				db, err := pebble.Open(dir, schemas, opts)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := db.FlushIndexes(); err != nil {
						t.Error(err)
					}
					if err := db.Verify(context.Background()); err != nil {
						t.Error(err)
					}
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
				return db
			})
		})
	}
}
