// Package pebbletest opens the embedded engine for tests of the code above the port.
package pebbletest

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// Open makes tables of the schemas for as long as the test runs, in memory unless the options name a file system.
func Open(t testing.TB, schemas []table.Schema, o pebble.Options) *pebble.DB {
	t.Helper()
	if o.FS == nil {
		o.FS = vfs.NewMem()
	}
	db, err := pebble.Open("data", schemas, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
