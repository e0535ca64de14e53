// Package importer sends files of statements to a running LRS: streamed, in batches, several at a time, resumable, and
// idempotent, since every statement that is sent has an id.
//
// It speaks plain xAPI and works with any LRS. What an LRS refuses is found by halving the batch and written to a file
// with its reason; the rest goes in.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options of an import.
type Options struct {
	Endpoint    string // URL of the xAPI endpoint, such as http://127.0.0.1:8080/xapi
	Key, Secret string
	Version     string        // X-Experience-API-Version of statements that do not say 2.x themselves
	Concurrency int           // requests at a time
	Batch       int           // most statements of a request, 1 to 100
	Patience    time.Duration // how long a request that fails is tried again before the import stops
	Statefile   string        // "" is beside the input
	Progress    Progress      // told how it goes
	Stdin       io.Reader     // what the file name "-" reads
}

// Progress is told how an import goes, from one goroutine at a time.
type Progress interface {
	// Begin names the input and its size in bytes, -1 when it is not known.
	Begin(file string, size int64)
	// Note says something worth a line.
	Note(text string)
	// Advance says how many bytes of the input have been read, and what has become of its statements.
	Advance(read int64, s Summary)
	// End ends the input.
	End()
}

// Summary counts the statements of an input.
type Summary struct {
	Before  int64 // settled by an earlier, interrupted run; the other numbers do not count them
	Stored  int64 // stored now, or found equal
	Refused int64 // of this run and those before

	RefusedFile string // "" while there are none
}

const (
	stateInterval  = time.Second
	requestTimeout = 2 * time.Minute
)

// Import sends one file. After an interruption, which is an error of ctx, the same call goes on where it ended. An error
// says why the import stopped; refused statements are no error.
func Import(ctx context.Context, file string, o Options) (Summary, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.Concurrency
	defer transport.CloseIdleConnections()
	r := &run{
		Options:   o,
		file:      file,
		stateFile: o.Statefile,
		refusedAs: file + ".refused.ndjson",
		client: &client{
			http:     &http.Client{Transport: transport, Timeout: requestTimeout},
			endpoint: strings.TrimRight(o.Endpoint, "/"),
			key:      o.Key, secret: o.Secret,
			patience: o.Patience,
		},
	}
	if file == "-" {
		r.refusedAs = "stdin.refused.ndjson"
	} else if r.stateFile == "" {
		r.stateFile = file + ".import-state"
	}
	summary, err := r.run(ctx)
	if err != nil {
		return summary, fmt.Errorf("import %s: %w", filepath.Base(file), err)
	}
	return summary, nil
}

// run is one input on its way.
type run struct {
	Options
	client    *client
	file      string
	stateFile string // "" keeps none
	refusedAs string

	batcher    *batcher
	read       *countingReader
	unreadable error // why the input ended early
	refused    *refusedFile
	state      state
	summary    Summary
	waiting    map[int]outcome // settled out of order, by sequence
	settled    int             // sequence of the next batch to count
	saved      time.Time
}

func (r *run) run(ctx context.Context) (Summary, error) {
	input, err := r.begin(ctx)
	if err != nil {
		return r.summary, err
	}
	defer input.Close()
	defer r.Progress.End()

	err = r.pump(ctx)
	err = errors.Join(err, r.refused.close())
	if err != nil {
		return r.summary, errors.Join(err, r.save())
	}
	if r.stateFile != "" {
		if err := os.Remove(r.stateFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r.summary, fmt.Errorf("remove state: %w", err)
		}
	}
	return r.summary, nil
}

// begin opens the input, and goes on where an earlier run ended if input and LRS are still the same.
func (r *run) begin(ctx context.Context) (io.Closer, error) {
	input, err := r.open()
	if err != nil {
		return nil, err
	}
	var earlier state
	if r.stateFile != "" {
		if earlier, err = readState(r.stateFile); err != nil {
			return nil, errors.Join(err, input.Close())
		}
	}
	r.state = state{Endpoint: r.client.endpoint, Key: r.Key}
	if earlier.Read > 0 {
		changed, err := r.resume(ctx, earlier)
		if err != nil {
			return nil, errors.Join(err, input.Close())
		}
		if changed != "" {
			r.Progress.Note("beginning anew: " + changed)
			if err := input.Close(); err != nil {
				return nil, fmt.Errorf("close input: %w", err)
			}
			if input, err = r.open(); err != nil {
				return nil, err
			}
		}
	}
	r.refused, err = openRefused(r.refusedAs, r.state.RefusedBytes)
	if err != nil {
		return nil, errors.Join(err, input.Close())
	}
	r.summary = Summary{Before: r.state.Stored, Refused: r.state.Refused}
	if r.state.Refused > 0 {
		r.summary.RefusedFile = r.refusedAs
	}
	return input, nil
}

// resume passes over what an earlier run settled. changed says why that cannot be, "" that it was done.
func (r *run) resume(ctx context.Context, earlier state) (changed string, err error) {
	if earlier.Endpoint != r.client.endpoint || earlier.Key != r.Key {
		return "the interrupted import went to another endpoint or credential", nil
	}
	if earlier.LastStored != "" {
		there, err := r.client.has(ctx, earlier.LastStored)
		if err != nil {
			return "", fmt.Errorf("look for the last statement of the interrupted import: %w", err)
		}
		if !there {
			return "the LRS does not have what the interrupted import stored", nil
		}
	}
	sum, err := r.batcher.skip(earlier.Read)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read again: %w", err)
	}
	if err == nil && sum == earlier.Sum {
		r.state = earlier
		r.Progress.Note(fmt.Sprintf("going on after statement %d", earlier.Read))
		return "", nil
	}
	if r.file == "-" {
		return "", fmt.Errorf("standard input is not what %s knows: delete that file to begin anew", r.stateFile)
	}
	return "the file is not what it was when the import was interrupted", nil
}

func (r *run) open() (io.Closer, error) {
	var in io.ReadCloser = io.NopCloser(r.Stdin)
	size := int64(-1)
	if r.file != "-" {
		f, err := os.Open(r.file)
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if info.Mode().IsRegular() {
			size = info.Size()
		}
		in = f
	}
	r.read = &countingReader{r: in}
	source, err := newSource(r.read)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	r.batcher = newBatcher(source, r.Batch, r.Version)
	r.Progress.Begin(r.file, size)
	return in, nil
}

// pump reads, sends and counts until the input ends. Batches are sent out of order and counted in order, so that the
// state is always a prefix of the input; a window bounds how far apart they get, and so the memory.
func (r *run) pump(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	window := make(chan struct{}, 4*r.Concurrency)
	batches := make(chan *batch)
	outcomes := make(chan outcome)
	notes := make(chan string, 1)
	r.client.retried = func(reason string) {
		select {
		case notes <- "trying again: " + reason:
		default: // one note at a time is enough
		}
	}
	group.Go(func() error {
		defer close(batches)
		return r.produce(ctx, window, batches)
	})
	senders, sending := errgroup.WithContext(ctx)
	for range r.Concurrency {
		senders.Go(func() error {
			for b := range batches {
				out, err := r.client.send(sending, b)
				if err != nil {
					return err
				}
				select {
				case outcomes <- out:
				case <-sending.Done():
					return sending.Err()
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(outcomes)
		return senders.Wait()
	})
	r.waiting = map[int]outcome{}
	r.settled = 0
	group.Go(func() error {
		for {
			select {
			case note := <-notes:
				r.Progress.Note(note)
			case out, ok := <-outcomes:
				if !ok {
					return nil
				}
				if err := r.settle(out, window); err != nil {
					return err
				}
			}
		}
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return r.unreadable
}

// produce reads batches and hands them on. What stands before an error of the input is sent like the rest.
func (r *run) produce(ctx context.Context, window chan<- struct{}, batches chan<- *batch) error {
	for {
		b, err := r.batcher.next()
		if len(b.statements) > 0 {
			select {
			case window <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case batches <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				r.unreadable = fmt.Errorf("after statement %d the input cannot be read: %w", r.batcher.source.number, err)
			}
			return nil
		}
	}
}

// settle counts an outcome and those that waited for it.
func (r *run) settle(out outcome, window <-chan struct{}) error {
	r.waiting[out.sequence] = out
	for {
		out, ok := r.waiting[r.settled]
		if !ok {
			break
		}
		delete(r.waiting, r.settled)
		r.settled++
		<-window
		if err := r.refused.add(out.refused); err != nil {
			return err
		}
		if len(out.refused) > 0 {
			r.summary.RefusedFile = r.refusedAs
		}
		r.summary.Stored += int64(out.stored)
		r.summary.Refused += int64(len(out.refused))
		r.state.Read, r.state.Sum = out.read, out.sum
		r.state.Stored += int64(out.stored)
		r.state.Refused += int64(len(out.refused))
		r.state.RefusedBytes = r.refused.size
		if out.lastStored != "" {
			r.state.LastStored = out.lastStored
		}
	}
	r.Progress.Advance(r.read.read.Load(), r.summary)
	if time.Since(r.saved) < stateInterval {
		return nil
	}
	return r.save()
}

// save writes the state file, once there is something to say.
func (r *run) save() error {
	r.saved = time.Now()
	if r.stateFile == "" || r.state.Read == 0 {
		return nil
	}
	return r.state.write(r.stateFile)
}
