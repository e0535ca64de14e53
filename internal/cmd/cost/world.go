package main

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// usage is what a number of requests consumed.
type usage struct {
	requests, statements int
	write, read          float64 // units
	calls                int     // of the tables
	puts, gets           int     // of objects, by functions
	urlPuts, urlGets     int     // of objects, by clients with signed URLs
	moved                int64   // bytes of objects that functions read and wrote
	answered             int64   // bytes of bodies, and of what clients got by signed URLs
	logged               int64   // bytes of the function's and the gateway's lines
	stored               int64   // bytes of items and index entries, as they are billed
	kept                 int64   // bytes of objects that stay
	temporary            int64   // bytes of uploads and large answers, which are removed after a day
}

// scaled is the usage of n times as much.
func (u usage) scaled(n float64) usage {
	scale := func(i int) int { return int(float64(i)*n + 0.5) }
	long := func(i int64) int64 { return int64(float64(i)*n + 0.5) }
	return usage{
		requests: scale(u.requests), statements: scale(u.statements), write: u.write * n, read: u.read * n, calls: scale(u.calls),
		puts: scale(u.puts), gets: scale(u.gets), urlPuts: scale(u.urlPuts), urlGets: scale(u.urlGets), moved: long(u.moved),
		answered: long(u.answered), logged: long(u.logged), stored: long(u.stored), kept: long(u.kept), temporary: long(u.temporary),
	}
}

// world is Cairn as it is deployed, but for the engines.
type world struct {
	tables      *pebble.DB
	blobs       *countedBlobs
	cairn       *app.App
	handler     http.Handler
	reports     http.Handler
	consume     func(ctx context.Context, changes []table.Change) (done int, err error)
	consumed    string // sequence number up to which changes were consumed
	key, secret string
	accessLine  int64 // bytes of the gateway's line for one request
	used        usage
}

// shards of a store in the cloud.
const shards = 4

// open makes a world in a folder.
func open(ctx context.Context, folder string, accessLine int64) (*world, error) {
	tables, err := pebble.Open(filepath.Join(folder, "tables"), schema.Tables, pebble.Options{})
	if err != nil {
		return nil, fmt.Errorf("open tables: %w", err)
	}
	objects, err := disk.Open(filepath.Join(folder, "blobs"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open blobs: %w", err), tables.Close())
	}
	w := &world{tables: tables, blobs: &countedBlobs{Store: objects}, accessLine: accessLine}
	cairn := app.New(app.Ports{
		Tables: tables, Scanner: tables, Blobs: w.blobs, Transfer: w.blobs, AnswersByURL: true, Shards: shards,
		Log:      slog.New(slog.NewJSONHandler(logCounter{w}, nil)),
		IndexLag: lrs.DefaultIndexLag, ClockSkew: lrs.DefaultClockSkew,
	})
	w.cairn, w.handler, w.reports = cairn, cairn.Handler(), cairn.ReportsHandler()
	w.consume = cairn.Rollups.Consumer(0)
	// A store's keys decide which learners lie together, and so what their reports read: they are the same in each run.
	directory := auth.NewDirectory(auth.Config{Tables: tables, Scanner: tables, Shards: shards, Random: rand.NewChaCha8([32]byte{1})})
	store, err := directory.CreateStore(ctx, "cost")
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.key, w.secret, err = directory.CreateCredential(ctx, store.ID, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) close() error { return errors.Join(w.blobs.Close(), w.tables.Close()) }

// send serves one request, which must be answered with the status.
func (w *world) send(ctx context.Context, status int, method, path string, query url.Values, header map[string]string, body string) error {
	_, err := w.ask(ctx, status, method, path, query, header, body)
	return err
}

// ask is send with the answer.
func (w *world) ask(ctx context.Context, status int, method, path string, query url.Values, header map[string]string, body string) (*httptest.ResponseRecorder, error) {
	r := httptest.NewRequestWithContext(ctx, method, "/xapi"+path+"?"+query.Encode(), bytes.NewReader([]byte(body)))
	r.SetBasicAuth(w.key, w.secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Accept-Encoding", "gzip")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	if strings.HasPrefix(path, reportapi.Base) {
		r.URL.Path = path
		w.reports.ServeHTTP(answer, r)
	} else {
		w.handler.ServeHTTP(answer, r)
	}
	if answer.Code != status {
		return nil, fmt.Errorf("%s %s: %d, want %d: %.300s", method, path, answer.Code, status, answer.Body)
	}
	w.used.requests++
	w.used.answered += int64(answer.Body.Len())
	w.used.logged += w.accessLine
	return answer, nil
}

// upload sends bytes to a signed URL, as the client of the bucket does.
func (w *world) upload(ctx context.Context, signed string, header map[string]string, body []byte) error {
	w.used.urlPuts++
	_, err := w.byURL(ctx, http.MethodPut, signed, header, body)
	return err
}

// download fetches what a signed URL leads to, and returns how many bytes that are.
func (w *world) download(ctx context.Context, signed string) (int64, error) {
	w.used.urlGets++
	n, err := w.byURL(ctx, http.MethodGet, signed, nil, nil)
	w.used.answered += n
	return n, err
}

// byURL serves one request with a signed URL, of which no function knows. It returns the length of the answer.
func (w *world) byURL(ctx context.Context, method, signed string, header map[string]string, body []byte) (int64, error) {
	r := httptest.NewRequestWithContext(ctx, method, signed, bytes.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	w.blobs.Store.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		return 0, fmt.Errorf("%s by signed URL: %d: %.300s", method, answer.Code, answer.Body)
	}
	return int64(answer.Body.Len()), nil
}

// fold hands the changes of Statements that were not consumed yet to the consumer, at most so many at a time, as the event
// source mapping does.
func (w *world) fold(ctx context.Context, together int) error {
	streams, err := w.tables.Shards(ctx, schema.Statements)
	if err != nil || len(streams) != 1 {
		return fmt.Errorf("find the stream of Statements: %d shards, %w", len(streams), err)
	}
	for {
		changes, _, err := w.tables.Changes(ctx, schema.Statements, streams[0].ID, w.consumed, together)
		if err != nil || len(changes) == 0 {
			return err
		}
		meter := &table.Meter{}
		if _, err := w.consume(table.WithMeter(ctx, meter), changes); err != nil {
			return fmt.Errorf("consume changes: %w", err)
		}
		cost, calls := meter.Total()
		w.used.write += cost.Write
		w.used.read += cost.Read
		w.used.calls += calls
		w.used.requests++
		w.used.statements += len(changes)
		w.consumed = changes[len(changes)-1].Sequence
	}
}

// logCounter reads what a request consumed from its own log line, as an operator does.
type logCounter struct{ *world }

// fixed is the length of what differs from line to line: the time, the milliseconds, and the two ids that the logger of a
// function adds (package lambdaio).
const fixed = len("2026-11-26T12:00:00.123456789Z") + len("12.345678") +
	len(`,"requestId":"9c1b3a5e-2d4f-4a6b-8c7d-0e1f2a3b4c5d","trace":"1-6920a1c4-0f2d5e6b7c8d9e0f1a2b3c4d"`)

// Write takes one line.
func (l logCounter) Write(line []byte) (int, error) {
	var entry struct {
		Time       string  `json:"time"`
		Millis     any     `json:"ms"`
		ReadUnits  float64 `json:"readUnits"`
		WriteUnits float64 `json:"writeUnits"`
		Calls      int     `json:"calls"`
	}
	if err := json.Unmarshal(line, &entry); err != nil {
		return 0, fmt.Errorf("read log line: %w", err)
	}
	millis, err := json.Marshal(entry.Millis)
	if err != nil {
		return 0, fmt.Errorf("read log line: %w", err)
	}
	l.used.read += entry.ReadUnits
	l.used.write += entry.WriteUnits
	l.used.calls += entry.Calls
	l.used.logged += int64(len(line) - len(entry.Time) - len(millis) + fixed)
	return len(line), nil
}

// countedBlobs counts what functions ask of the objects.
type countedBlobs struct {
	*disk.Store
	puts, gets int
	moved      int64 // bytes
}

// Put counts.
func (c *countedBlobs) Put(ctx context.Context, key string, body []byte) error {
	c.puts++
	c.moved += int64(len(body))
	return c.Store.Put(ctx, key, body)
}

// PutFrom counts.
func (c *countedBlobs) PutFrom(ctx context.Context, key string, body io.ReadSeeker) error {
	c.puts++
	size, err := body.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find length of object: %w", err)
	}
	c.moved += size
	return c.Store.PutFrom(ctx, key, body)
}

// Copy counts: S3 copies without the function, for the price of a PUT.
func (c *countedBlobs) Copy(ctx context.Context, from, to string) error {
	c.puts++
	return c.Store.Copy(ctx, from, to)
}

// Get counts.
func (c *countedBlobs) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, int64, error) {
	c.gets++
	body, size, err := c.Store.Get(ctx, key, offset, length)
	if err != nil {
		return nil, 0, err
	}
	return countedBody{body, c}, size, nil
}

// countedBody counts the bytes that are read of an object.
type countedBody struct {
	io.ReadCloser
	blobs *countedBlobs
}

// Read counts.
func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.blobs.moved += int64(n)
	return n, err
}

// sizes adds up what lies there: what stays, and what is removed after a day.
func (c *countedBlobs) sizes(ctx context.Context) (kept, temporary int64, err error) {
	err = c.List(ctx, "", func(info blob.Info) error {
		if transfer.Temporary(info.Key) {
			temporary += info.Size
		} else {
			kept += info.Size
		}
		return nil
	})
	return kept, temporary, err
}

// entryOverhead is billed for each item and each index entry, in bytes.
const entryOverhead = 100

// size adds up what lies in the tables, as it is billed.
func (w *world) size(ctx context.Context) (int64, error) {
	var total int64
	for _, s := range schema.Tables {
		for item, err := range table.Items(table.ScanPages(ctx, w.tables, s.Name, 0, 1)) {
			if err != nil {
				return 0, err
			}
			total += billed(s, item)
		}
	}
	return total, nil
}

// billed is the size of an item with its index entries.
func billed(s table.Schema, item table.Item) int64 {
	total := item.Size() + entryOverhead
	for _, index := range s.Indexes {
		entry := table.Item{}
		for _, name := range append([]string{s.Partition, s.Sort, index.Partition, index.Sort}, index.Projects...) {
			if value, ok := item[name]; ok {
				entry[name] = value
			}
		}
		_, partition := entry[index.Partition]
		_, sort := entry[index.Sort]
		if partition && sort {
			total += entry.Size() + entryOverhead
		}
	}
	return int64(total)
}

// measure runs a flow in a world of its own, after a first round that is not counted: definitions and names are known
// then, and the credential is in the cache.
func measure(ctx context.Context, f flow, accessLine int64) (u usage, err error) {
	folder, err := os.MkdirTemp("", "cairn-cost-")
	if err != nil {
		return usage{}, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	w, err := open(ctx, folder, accessLine)
	if err != nil {
		return usage{}, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := f.prepare(ctx, w); err != nil {
		return usage{}, fmt.Errorf("%s: prepare: %w", f.name, err)
	}
	before, err := w.atRest(ctx)
	if err != nil {
		return usage{}, err
	}
	w.used, w.blobs.puts, w.blobs.gets, w.blobs.moved = usage{}, 0, 0, 0
	if err := f.run(ctx, w); err != nil {
		return usage{}, fmt.Errorf("%s: %w", f.name, err)
	}
	u = w.used
	u.puts, u.gets, u.moved = w.blobs.puts, w.blobs.gets, w.blobs.moved
	after, err := w.atRest(ctx)
	u.stored, u.kept, u.temporary = after.stored-before.stored, after.kept-before.kept, after.temporary-before.temporary
	return u, err
}

// atRest is what lies in the tables and the bucket.
func (w *world) atRest(ctx context.Context) (u usage, err error) {
	if u.stored, err = w.size(ctx); err != nil {
		return u, err
	}
	u.kept, u.temporary, err = w.blobs.sizes(ctx)
	return u, err
}
