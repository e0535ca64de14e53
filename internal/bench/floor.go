package bench

import (
	"encoding/binary"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/klauspost/compress/zstd"
)

// keysPerStatement is what a statement costs the floor: its body under its id, and thirteen index entries, as many as a
// statement of the generator has terms and references in a plausible design.
const keysPerStatement = 14

// Floor is the bare store. It is safe for concurrent use.
type Floor struct {
	db       *pebble.DB
	encoder  *zstd.Encoder
	decoder  *zstd.Decoder
	position atomic.Uint64
	now      func() time.Time
}

// OpenFloor opens a floor in an empty directory.
func OpenFloor(dir string) (*Floor, error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{}})
	if err != nil {
		return nil, fmt.Errorf("open floor: %w", err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("open floor: %w", err)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		return nil, fmt.Errorf("open floor: %w", err)
	}
	return &Floor{db: db, encoder: encoder, decoder: decoder, now: time.Now}, nil
}

// Close closes the engine.
func (f *Floor) Close() error {
	f.decoder.Close()
	return f.db.Close()
}

// ServeHTTP serves POST and GET by id of statements, and PUT and GET of state documents, below any prefix. Lists are not
// the floor's business: they answer 501.
func (f *Floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	statements := strings.HasSuffix(r.URL.Path, "/statements")
	switch {
	case statements && r.Method == http.MethodPost:
		f.post(w, r)
	case statements && r.URL.Query().Has("statementId"):
		f.statement(w, r.URL.Query().Get("statementId"))
	case strings.HasSuffix(r.URL.Path, "/activities/state") && r.Method == http.MethodPut:
		f.putState(w, r)
	case strings.HasSuffix(r.URL.Path, "/activities/state") && r.Method == http.MethodGet:
		f.state(w, r)
	default:
		refuse(w, http.StatusNotImplemented, errors.New("the floor serves no lists"))
	}
}

func (f *Floor) post(w http.ResponseWriter, r *http.Request) {
	received, err := readStatements(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	batch := f.db.NewBatch()
	defer batch.Close()
	ids := make([]string, len(received))
	for i, raw := range received {
		var statement map[string]any
		if err := json.Unmarshal(raw, &statement); err != nil {
			refuse(w, http.StatusBadRequest, fmt.Errorf("decode statement: %w", err))
			return
		}
		id, _ := statement["id"].(string)
		if id == "" {
			refuse(w, http.StatusBadRequest, errors.New("the floor makes no ids"))
			return
		}
		ids[i] = id
		if err := f.add(batch, id, f.encoder.EncodeAll(stamped(raw, f.now()), nil)); err != nil {
			refuse(w, http.StatusInternalServerError, err)
			return
		}
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	writeIDs(w, ids)
}

// add puts a statement's keys into the batch: store, kind, a term of 12 bytes and a position of 16 make an index key.
func (f *Floor) add(batch *pebble.Batch, id string, body []byte) error {
	if err := batch.Set([]byte("s#"+id), body, nil); err != nil {
		return fmt.Errorf("add body: %w", err)
	}
	key := make([]byte, 0, 48)
	at := f.position.Add(1)
	for term := range uint64(keysPerStatement - 1) {
		key = append(key[:0], "t#default#"...)
		key = append(key, byte(term))
		key = binary.BigEndian.AppendUint64(key, at*0x9e3779b97f4a7c15%1009)
		key = binary.BigEndian.AppendUint32(key, uint32(term))
		key = binary.BigEndian.AppendUint64(key, at)
		key = binary.BigEndian.AppendUint64(key, term)
		if err := batch.Set(key, []byte(id), nil); err != nil {
			return fmt.Errorf("add index entry: %w", err)
		}
	}
	return nil
}

func (f *Floor) statement(w http.ResponseWriter, id string) {
	compressed, closer, err := f.db.Get([]byte("s#" + id))
	if err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	defer closer.Close()
	body, err := f.decoder.DecodeAll(compressed, nil)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	writeJSON(w, body)
}

func (f *Floor) putState(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := f.db.Set([]byte("d#"+r.URL.RawQuery), body, pebble.Sync); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *Floor) state(w http.ResponseWriter, r *http.Request) {
	body, closer, err := f.db.Get([]byte("d#" + r.URL.RawQuery))
	if err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	defer closer.Close()
	w.Header().Set("ETag", `"floor"`)
	writeJSON(w, body)
}

// quiet drops the engine's chatter: the table is the output.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}
