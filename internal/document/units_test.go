package document

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/table"
)

// TestBudgets counts what requests consume. Units are the table port's, by DynamoDB's arithmetic.
func TestBudgets(t *testing.T) {
	w := newWorld(t, nil)
	key, sized := stateKey("bookmark"), func(n int) Upload {
		return jsonOf(`{"a":"` + strings.Repeat("x", n-len(`{"a":""}`)) + `"}`)
	}
	key.Registration = registrationA
	put := func(n int) func(context.Context) error {
		return func(ctx context.Context) error { _, err := w.Put(ctx, key, sized(n), noneSet); return err }
	}
	get := func(ctx context.Context) error { _, err := w.Get(ctx, key); return err }
	tests := []struct {
		name        string
		do          func(context.Context) error
		read, write float64 // at most
		calls       int     // of the table
		puts, gets  int     // of the blob store, exactly
	}{
		{"PUT of 2 KB, new", put(2048), 1, 3, 2, 0, 0},
		{"PUT of 2 KB over another", put(2048), 1, 3, 2, 0, 0},
		{"GET of 2 KB", get, 1, 0, 1, 0, 0},
		{"POST into 2 KB", func(ctx context.Context) error { _, err := w.Post(ctx, key, jsonOf(`{"b":1}`), noneSet); return err }, 1, 3, 2, 0, 0},
		{"list of one", func(ctx context.Context) error { _, err := w.List(ctx, key.Owner, "", time.Time{}); return err }, 1, 0, 1, 0, 0},
		{"PUT with a precondition that fails", func(ctx context.Context) error {
			if _, err := w.Put(ctx, key, sized(2048), ifNone); err != ErrPrecondition {
				t.Errorf("put: %v, want ErrPrecondition", err)
			}
			return nil
		}, 1, 0, 1, 0, 0},
		{"DELETE of 2 KB", func(ctx context.Context) error { return w.Delete(ctx, key, noneSet) }, 1, 3, 2, 0, 0},
		{"PUT of 200 KB, new", put(200_000), 1, 2, 2, 1, 0},
		{"PUT of 200 KB over another", put(200_000), 1, 2, 2, 1, 0},
		{"GET of 200 KB", get, 1, 0, 1, 0, 1},
		{"HEAD of 200 KB", func(ctx context.Context) error { _, err := w.Head(ctx, key); return err }, 1, 0, 1, 0, 0},
		{"DELETE of 200 KB", func(ctx context.Context) error { return w.Delete(ctx, key, noneSet) }, 1, 2, 2, 0, 0},
		{"GET of nothing", func(ctx context.Context) error {
			if err := get(ctx); err != ErrNotFound {
				t.Errorf("get: %v, want ErrNotFound", err)
			}
			return nil
		}, 1, 0, 1, 0, 0},
	}
	for _, tt := range tests {
		meter := &table.Meter{}
		putsBefore, getsBefore := w.blobs.counts()
		if err := tt.do(table.WithMeter(t.Context(), meter)); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		cost, calls := meter.Total()
		puts, gets := w.blobs.counts()
		puts, gets = puts-putsBefore, gets-getsBefore
		if cost.Read > tt.read || cost.Write > tt.write || calls != tt.calls || puts != tt.puts || gets != tt.gets {
			t.Errorf("%s: %v read and %v write units in %d calls, %d blobs put, %d got; want at most %v and %v in %d, %d and %d",
				tt.name, cost.Read, cost.Write, calls, puts, gets, tt.read, tt.write, tt.calls, tt.puts, tt.gets)
		}
		t.Logf("%-36s %v read, %v write units, %d blobs put, %d got", tt.name, cost.Read, cost.Write, puts, gets)
	}
}

// However often a document is written, its record stays as small.
func TestRecordsDoNotGrow(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 30 {
		meter := &table.Meter{}
		if _, err := w.Put(table.WithMeter(t.Context(), meter), stateKey("x"), jsonOf(strings.Repeat("1", 500)), noneSet); err != nil {
			t.Fatal(err)
		}
		if cost, _ := meter.Total(); cost.Write != 1 {
			t.Fatalf("write %d of 500 bytes costs %v units, want 1", i, cost.Write)
		}
	}
}
