package e2e

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// Cloud is the cloud-like road: internal/cmd/cloudroad in a process of its own, which runs each function in processes
// of theirs. Stores and credentials are made by the commands for a deployed stack.
type Cloud struct {
	*process
	operator operator
	log      string // file
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
	c := &Cloud{log: filepath.Join(dir, "cloudroad.log")}
	cmd := exec.Command(road, append([]string{"-addr", "127.0.0.1:0", "-console-addr", "127.0.0.1:0", "-log", c.log}, flags...)...)
	cmd.Env = append(os.Environ(), servers.Environ()...)
	if c.process, err = startProcess("cloudroad", cmd, deployTimeout); err != nil {
		return nil, err
	}
	stack, err := field(c.Output(), "stack")
	if err != nil {
		return nil, err
	}
	c.operator = operator{
		binary: cairn,
		target: []string{"-stack", stack},
		environment: append(servers.Environ(), "AWS_REGION="+cloudtest.Region,
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
