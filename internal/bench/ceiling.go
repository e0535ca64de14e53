package bench

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Ceiling is the ready-bytes server: statements lie in memory as they are given out, and each filter is a sorted list of
// their numbers. It serves the filters that the generator asks for. It is safe for concurrent use.
type Ceiling struct {
	mu         sync.RWMutex
	statements [][]byte       // in stored order
	stored     []time.Time    // parallel
	byID       map[string]int // lower-case id to number
	lists      map[term][]int // numbers, ascending
	documents  map[string][]byte
	now        func() time.Time
}

// NewCeiling makes an empty ceiling.
func NewCeiling() *Ceiling {
	return &Ceiling{byID: map[string]int{}, lists: map[term][]int{}, documents: map[string][]byte{}, now: time.Now}
}

// ServeHTTP serves POST, GET by id and filtered lists of statements, and state documents, below any prefix.
func (c *Ceiling) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	statements := strings.HasSuffix(r.URL.Path, "/statements")
	switch {
	case statements && r.Method == http.MethodPost:
		c.post(w, r)
	case statements && r.URL.Query().Has("statementId"):
		c.statement(w, r.URL.Query().Get("statementId"))
	case statements && r.Method == http.MethodGet:
		c.list(w, r)
	case strings.HasSuffix(r.URL.Path, "/activities/state") && r.Method == http.MethodPut:
		c.putState(w, r)
	case strings.HasSuffix(r.URL.Path, "/activities/state") && r.Method == http.MethodGet:
		c.state(w, r)
	default:
		refuse(w, http.StatusNotImplemented, errors.New("the ceiling serves statements and state"))
	}
}

func (c *Ceiling) post(w http.ResponseWriter, r *http.Request) {
	received, err := readStatements(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	parsed := make([]statement, len(received))
	ids := make([]string, len(received))
	for i, raw := range received {
		if err := json.Unmarshal(raw, &parsed[i]); err != nil {
			refuse(w, http.StatusBadRequest, fmt.Errorf("decode statement: %w", err))
			return
		}
		ids[i] = parsed[i].ID
	}
	c.mu.Lock()
	for i, raw := range received {
		number, stored := len(c.statements), c.now()
		c.statements = append(c.statements, stamped(raw, stored))
		c.stored = append(c.stored, stored)
		c.byID[ids[i]] = number
		for _, t := range parsed[i].terms() {
			if list := c.lists[t]; len(list) == 0 || list[len(list)-1] != number {
				c.lists[t] = append(list, number)
			}
		}
	}
	c.mu.Unlock()
	writeIDs(w, ids)
}

func (c *Ceiling) statement(w http.ResponseWriter, id string) {
	c.mu.RLock()
	number, ok := c.byID[strings.ToLower(id)]
	var body []byte
	if ok {
		body = c.statements[number]
	}
	c.mu.RUnlock()
	if !ok {
		refuse(w, http.StatusNotFound, errors.New("unknown statement"))
		return
	}
	writeJSON(w, body)
}

// list answers one page, newest first: the shortest list of the query's terms is walked and the others are asked.
func (c *Ceiling) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	terms, err := queryTerms(q)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 {
		limit = 100
	}
	before, err := strconv.Atoi(q.Get("before"))
	if err != nil {
		before = int(^uint(0) >> 1)
	}
	oldest := 0
	c.mu.RLock()
	if since, err := time.Parse(time.RFC3339Nano, q.Get("since")); err == nil {
		oldest = sort.Search(len(c.stored), func(i int) bool { return c.stored[i].After(since) })
	}
	numbers := c.match(terms, oldest, before, limit+1)
	page := make([][]byte, min(limit, len(numbers)))
	for i := range page {
		page[i] = c.statements[numbers[i]]
	}
	c.mu.RUnlock()
	more := ""
	if len(numbers) > limit {
		more = moreLink(r.URL, numbers[limit-1])
	}
	writeJSON(w, join(page, more))
}

// match returns up to limit numbers from oldest to below before that are in every term's list, newest first.
func (c *Ceiling) match(terms []term, oldest, before, limit int) []int {
	lists := make([][]int, len(terms))
	for i, t := range terms {
		lists[i] = c.lists[t]
	}
	sort.Slice(lists, func(i, j int) bool { return len(lists[i]) < len(lists[j]) })
	if len(lists) == 0 {
		return nil
	}
	var found []int
	driver := lists[0]
	for i := sort.SearchInts(driver, before) - 1; i >= 0 && driver[i] >= oldest && len(found) < limit; i-- {
		if inAll(lists[1:], driver[i]) {
			found = append(found, driver[i])
		}
	}
	return found
}

func inAll(lists [][]int, number int) bool {
	for _, list := range lists {
		if i := sort.SearchInts(list, number); i == len(list) || list[i] != number {
			return false
		}
	}
	return true
}

// join makes a StatementResult of ready statements.
func join(page [][]byte, more string) []byte {
	size := len(more) + 64
	for _, statement := range page {
		size += len(statement) + 1
	}
	out := append(make([]byte, 0, size), `{"statements":[`...)
	for i, statement := range page {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, statement...)
	}
	out = append(out, `],"more":`...)
	out = strconv.AppendQuote(out, more)
	return append(out, '}')
}

// moreLink is the request's own address, going on below a number.
func moreLink(u *url.URL, before int) string {
	q := u.Query()
	q.Set("before", strconv.Itoa(before))
	return u.Path + "?" + q.Encode()
}

func (c *Ceiling) putState(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	c.mu.Lock()
	c.documents[r.URL.RawQuery] = body
	c.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (c *Ceiling) state(w http.ResponseWriter, r *http.Request) {
	c.mu.RLock()
	body, ok := c.documents[r.URL.RawQuery]
	c.mu.RUnlock()
	if !ok {
		refuse(w, http.StatusNotFound, errors.New("unknown document"))
		return
	}
	w.Header().Set("ETag", `"ceiling"`)
	writeJSON(w, body)
}
