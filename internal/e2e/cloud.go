package e2e

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"uuid"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// Cloud is the cloud-like road: internal/cmd/cloudroad in a process of its own, which runs each function in processes
// of theirs. Stores and credentials are made by the commands for a deployed stack.
type Cloud struct {
	*process
	operator            operator
	stack               string
	log, rights, faults string // files
	dynamoDB            string // endpoint of the tables' server
}

// deployTimeout bounds the start of the road: it builds the functions, which takes minutes where nothing is cached.
const deployTimeout = 8 * time.Minute

// Deploy builds the commands into dir and starts the road over a pair of servers, with more flags.
func Deploy(ctx context.Context, dir string, servers *cloudtest.Servers, flags ...string) (*Cloud, error) {
	cairn, err := Build(ctx, dir)
	if err != nil {
		return nil, err
	}
	if _, err := build(ctx, dir, "cairn-stack"); err != nil {
		return nil, err
	}
	road, err := build(ctx, dir, "cloudroad")
	if err != nil {
		return nil, err
	}
	c := &Cloud{log: filepath.Join(dir, "cloudroad.log"), rights: filepath.Join(dir, "rights"), faults: filepath.Join(dir, "faults"), dynamoDB: servers.DynamoDB}
	cmd := exec.Command(road, append([]string{"-addr", "127.0.0.1:0", "-console-addr", "127.0.0.1:0", "-log", c.log, "-rights", c.rights, "-faults", c.faults}, flags...)...)
	cmd.Env = append(os.Environ(), servers.Environ()...)
	if c.process, err = startProcess("cloudroad", cmd, deployTimeout); err != nil {
		return nil, err
	}
	if c.stack, err = field(c.Output(), "stack"); err != nil {
		return nil, errors.Join(err, c.Kill())
	}
	c.operator = operator{
		binary: cairn,
		target: []string{"-stack", c.stack},
		environment: append(servers.Environ(), "CAIRN_BUCKET="+c.stack, "AWS_REGION="+cloudtest.Region,
			"AWS_ACCESS_KEY_ID="+cloudtest.AccessKey, "AWS_SECRET_ACCESS_KEY="+cloudtest.SecretKey),
	}
	return c, nil
}

// NewStore makes a store by `cairn store create -stack`.
func (c *Cloud) NewStore(ctx context.Context) (string, error) { return c.operator.newStore(ctx) }

// SetStore changes settings by `cairn store set`.
func (c *Cloud) SetStore(ctx context.Context, store string, flags ...string) error {
	return c.operator.setStore(ctx, store, flags)
}

// NewCredential makes a credential by `cairn credential create -stack`.
func (c *Cloud) NewCredential(ctx context.Context, store string, scopes []string, trusted bool) (Credential, error) {
	return c.operator.newCredential(ctx, store, scopes, trusted)
}

// Command runs one of the operator's commands on the stack and returns what it printed.
func (c *Cloud) Command(ctx context.Context, args ...string) (string, error) {
	return c.operator.command(ctx, append(args, c.operator.target...)...)
}

// Import runs `cairn import` against the road.
func (c *Cloud) Import(ctx context.Context, who Credential, args ...string) (string, error) {
	return c.operator.command(ctx, append([]string{"import", "-endpoint", c.endpoint, "-key", who.Key, "-secret", who.Secret}, args...)...)
}

// Check runs `cairn fsck -stack` and returns what it printed. That something differs is an error.
func (c *Cloud) Check(ctx context.Context) (string, error) {
	return c.Command(ctx, "fsck", "-bucket", c.stack)
}

// Served is what the logs of the road say about one request.
type Served struct {
	Route         string // the route key; "-" where no route was found
	Status        string // that the client got
	HandlerStatus string // that the function gave; "-" when it gave none
	Problem       string // "-" for none
	Gateway       int    // id of the front's process
	Functions     []int  // ids of the processes that wrote a line about the request
}

// Requests reads the logs written so far, by request id.
func (c *Cloud) Requests() (map[string]*Served, error) {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return nil, fmt.Errorf("read log of the road: %w", err)
	}
	requests := make(map[string]*Served)
	of := func(id string) *Served {
		if requests[id] == nil {
			requests[id] = &Served{}
		}
		return requests[id]
	}
	for line := range strings.Lines(string(text)) {
		source, rest, _ := strings.Cut(line, " ")
		process, rest, _ := strings.Cut(rest, " ")
		pid, err := strconv.Atoi(process)
		if err != nil {
			return nil, fmt.Errorf("read log of the road: %q: %w", line, err)
		}
		var entry struct {
			RequestID     string `json:"requestId"` // the gateway's, and in a function's line that of the invocation
			ID            string `json:"id"`        // the gateway's, in a function's line
			Message       string `json:"message"`
			Route         string `json:"route"`
			Status        any    `json:"status"`
			HandlerStatus string `json:"handlerStatus"`
			Problem       string `json:"error"`
		}
		if err := json.Unmarshal([]byte(rest), &entry); err != nil {
			return nil, fmt.Errorf("read log of the road: %q: %w", line, err)
		}
		switch {
		case source == "gateway":
			s := of(entry.RequestID)
			s.Gateway, s.Route, s.HandlerStatus, s.Problem = pid, entry.Route, entry.HandlerStatus, entry.Problem
			s.Status = fmt.Sprint(entry.Status)
		case entry.Message == "request":
			s := of(entry.ID)
			s.Functions = append(s.Functions, pid)
		}
	}
	return requests, nil
}

// Batches counts the batches of changes that functions were invoked with so far.
func (c *Cloud) Batches() (int, error) {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return 0, fmt.Errorf("read log of the road: %w", err)
	}
	return bytes.Count(text, []byte(`"message":"changes"`)), nil
}

// Upgrade builds the functions again and lets them take over, and returns when no request begins with the old ones any more.
func (c *Cloud) Upgrade() error {
	const upgraded, problem = "  upgraded  ", "  problem   "
	before := strings.Count(c.Output(), upgraded)
	if err := c.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("upgrade the road: %w", err)
	}
	for begun := time.Now(); time.Since(begun) < deployTimeout; time.Sleep(20 * time.Millisecond) {
		switch said := c.Output(); {
		case strings.Count(said, upgraded) > before:
			return nil
		case strings.Contains(said, problem):
			return fmt.Errorf("upgrade the road: it printed %s", said)
		}
	}
	return fmt.Errorf("upgrade the road: nothing happened within %v", deployTimeout)
}

// Processes are the ids of the processes that have answered requests so far.
func (c *Cloud) Processes() ([]int, error) {
	requests, err := c.Requests()
	if err != nil {
		return nil, err
	}
	var all []int
	for _, r := range requests {
		all = append(all, r.Functions...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Failures are the lines of the log about requests that a function answered by 500, and what else is more than information.
func (c *Cloud) Failures() (string, error) {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return "", fmt.Errorf("read log of the road: %w", err)
	}
	var failures strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"status":500`) || !strings.HasPrefix(line, "gateway ") && !strings.Contains(line, `"level":"INFO"`) {
			failures.WriteString(line)
		}
	}
	return failures.String(), nil
}

// Damage puts an item into Statements that no function would: it names a statement, and has nothing of one. repair removes it.
func (c *Cloud) Damage(ctx context.Context, store string) (repair func() error, err error) {
	key := fmt.Sprintf(`{"pk":{"S":"%s#%s"}}`, store, uuid.NewV4())
	put := func(operation, member string) error {
		body := fmt.Sprintf(`{"TableName":"%s-Statements","%s":%s}`, c.stack, member, key)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.dynamoDB, strings.NewReader(body))
		if err != nil {
			return fmt.Errorf("damage a statement: %w", err)
		}
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		request.Header.Set("Content-Type", "application/x-amz-json-1.0")
		// DynamoDB Local tells databases apart by key and region, and checks no signature.
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+cloudtest.AccessKey+"/20260101/"+cloudtest.Region+
			"/dynamodb/aws4_request, SignedHeaders=host, Signature=none")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("damage a statement: %w", err)
		}
		if response.StatusCode != http.StatusOK {
			err = fmt.Errorf("damage a statement: %s", response.Status)
		}
		return errors.Join(err, response.Body.Close())
	}
	return func() error { return put("DeleteItem", "Key") }, put("PutItem", "Item")
}

// Storm lets a share of the functions' calls to the stores go wrong, from now on; a share of 0 ends it.
func (c *Cloud) Storm(seed uint64, share float64) error {
	if share == 0 {
		return c.Mend()
	}
	return c.fault(fmt.Sprintln(seed, share))
}

// Lose lets a function find no object in the bucket, until Mend.
func (c *Cloud) Lose(function string) error { return c.fault("lose " + function) }

// Refuse denies a function every call to the stores, until Mend.
func (c *Cloud) Refuse(function string) error { return c.fault("refuse " + function) }

// Mend ends what goes wrong.
func (c *Cloud) Mend() error { return os.Remove(c.faults) }

// fault writes the file of faults; the road must not read half of it.
func (c *Cloud) fault(text string) error {
	if err := os.WriteFile(c.faults+".new", []byte(text), 0o600); err != nil {
		return fmt.Errorf("write faults: %w", err)
	}
	return os.Rename(c.faults+".new", c.faults)
}

// GivenUp counts the messages to the queue of changes that were given up.
func (c *Cloud) GivenUp() (int, error) {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return 0, fmt.Errorf("read log of the road: %w", err)
	}
	return bytes.Count(text, []byte("\nAggregateFailures ")), nil
}

// Rights is what the functions' policies allow and what the functions have asked for so far. Each entry is a function, an
// action and a resource, with STACK for the stack's name.
type Rights struct {
	Allowed, Used, Denied []string
}

// Rights reads what the wires between the functions and the stores have seen.
func (c *Cloud) Rights() (Rights, error) {
	text, err := os.ReadFile(c.rights)
	if err != nil {
		return Rights{}, fmt.Errorf("read rights: %w", err)
	}
	var r Rights
	for line := range strings.Lines(strings.ReplaceAll(string(text), c.stack, "STACK")) {
		word, right, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "may":
			r.Allowed = append(r.Allowed, right)
		case "used":
			r.Used = append(r.Used, right)
		case "denied":
			r.Denied = append(r.Denied, right)
		default:
			return Rights{}, fmt.Errorf("read rights: what is %q?", line)
		}
	}
	return r, nil
}
