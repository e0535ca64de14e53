package pebble

import (
	"context"
	"fmt"
	"sync"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// failure remembers the first refusal of the disk. After it the engine is in no state to go on: it calls Fatalf, or
// panics, or leaves its locks taken.
type failure struct {
	once     sync.Once
	happened chan struct{}
	err      error // read only after happened
}

func (f *failure) set(err error) {
	f.once.Do(func() {
		f.err = fmt.Errorf("%w: %w: %w", table.ErrThrottled, ErrStopped, err)
		close(f.happened)
	})
}

// get returns the failure, nil as long as all is well.
func (f *failure) get() error {
	select {
	case <-f.happened:
		return f.err
	default:
		return nil
	}
}

// guard does work that may write to the disk, and therefore may panic or never return. When the context ends or the
// disk fails first, the work is left to itself, and the error wraps table.ErrUnknown. It costs a goroutine, which is
// little beside a sync.
func (f *failure) guard(ctx context.Context, work func() error) (err error) {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				err := fmt.Errorf("engine stopped: %v", p)
				f.set(err)
				done <- err
			}
		}()
		done <- work()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		err = ctx.Err()
	case <-f.happened:
		err = f.get()
	}
	select {
	case err := <-done:
		return err
	default:
		return fmt.Errorf("%w: %v", table.ErrUnknown, err)
	}
}

// engineLog hears what the engine has to say. It says much that is of no use to an operator, so only what it calls
// fatal counts: the disk failed, and the engine must not go on. The goroutine that found out stops where it is, so that
// nothing more is written; whoever waits for it hears from failure. Reads do not need it.
type engineLog struct{ failure *failure }

func (engineLog) Infof(string, ...any)  {}
func (engineLog) Errorf(string, ...any) {}

func (l engineLog) Fatalf(format string, args ...any) {
	l.failure.set(fmt.Errorf(format, args...))
	select {}
}

// writeBatch commits a batch of this package's own bookkeeping, and closes it.
func (db *DB) writeBatch(batch *engine.Batch, sync *engine.WriteOptions) error {
	return db.failure.guard(context.Background(), func() error {
		if err := db.engine.Apply(batch, sync); err != nil {
			return err
		}
		return batch.Close()
	})
}
