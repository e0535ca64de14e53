// Package cloudtest starts the servers of the cloud-like road for tests: DynamoDB Local, which is AWS's own, and
// versitygw, an S3 server. It fetches both through Maven Central and the Go module proxy into the user's cache folder, once per
// machine and version, and starts them on loopback ports, once per process.
//
// A test asks with Start. The servers end with the test binary, however it ends. Several binaries share one pair when
// the environment names it (see EndpointDynamoDB); internal/cmd/withcloud starts a pair around a command.
//
// Where Java, Maven or the network is missing the road cannot run. Start then says so and the test returns, unless
// CAIRN_REQUIRE contains "cloudlike": then it fails.
package cloudtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Environment variables that this package reads.
const (
	EndpointDynamoDB = "CAIRN_DYNAMODB_ENDPOINT" // URL of a DynamoDB Local that runs already
	EndpointS3       = "CAIRN_S3_ENDPOINT"       // URL of an S3 server that runs already, with AccessKey and SecretKey
	Require          = "CAIRN_REQUIRE"           // comma-separated roads that must run; this one is "cloudlike"
)

// What the servers expect of a client. They are no secrets: the servers are reachable from this machine only.
// DynamoDB Local keeps one database per access key and region.
const (
	Region    = "us-east-1"
	AccessKey = "cairntest"
	SecretKey = "cairntestsecret"
)

const startTimeout = 3 * time.Minute // of both servers; a cold JVM on a busy machine takes its time

// Servers is a running pair.
type Servers struct {
	DynamoDB string // endpoint URL
	S3       string // endpoint URL; buckets are addressed by path

	processes []*process
	dir       string // of logs and objects; "" when the pair is not ours
}

var (
	shared    sync.Mutex
	sharedNow *Servers
	sharedErr error
)

// Start returns this process's pair, starting it when it is the first to ask. ok is false where the road cannot run and need not;
// the test returns then. When the test fails, the ends of the servers' logs are printed.
func Start(t testing.TB) (s *Servers, ok bool) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if sharedNow == nil && sharedErr == nil {
		sharedNow, sharedErr = Open(context.Background())
	}
	if sharedErr != nil {
		if required() {
			t.Fatalf("cloud-like road did not run, and %s asks for it: %v", Require, sharedErr)
		}
		t.Logf("cloud-like road did not run: %v", sharedErr)
		return nil, false
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(sharedNow.logs())
		}
	})
	return sharedNow, true
}

func required() bool {
	for road := range strings.SplitSeq(os.Getenv(Require), ",") {
		if strings.TrimSpace(road) == "cloudlike" {
			return true
		}
	}
	return false
}

// Open returns the pair that the environment names, or fetches, builds and starts one, which the caller closes. The
// first time on a machine takes minutes.
func Open(ctx context.Context) (*Servers, error) {
	dynamo, s3 := os.Getenv(EndpointDynamoDB), os.Getenv(EndpointS3)
	if (dynamo == "") != (s3 == "") {
		return nil, fmt.Errorf("read environment: set both %s and %s, or none", EndpointDynamoDB, EndpointS3)
	}
	if dynamo != "" {
		return &Servers{DynamoDB: dynamo, S3: s3}, nil
	}
	installed, err := install(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cairn-cloudtest-")
	if err != nil {
		return nil, fmt.Errorf("make folder of servers: %w", err)
	}
	s := &Servers{dir: dir}
	if err := s.start(ctx, installed); err != nil {
		return nil, errors.Join(fmt.Errorf("start servers: %w\n%s", err, s.logs()), s.Close())
	}
	return s, nil
}

func (s *Servers) start(ctx context.Context, installed installation) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	dynamo, err := s.startOne(installed.dynamoDB)
	if err != nil {
		return err
	}
	s3, err := s.startOne(installed.s3)
	if err != nil {
		return err
	}
	s.DynamoDB, s.S3 = "http://"+dynamo.address, "http://"+s3.address
	return errors.Join(dynamo.await(ctx), s3.await(ctx))
}

func (s *Servers) startOne(server server) (*process, error) {
	address, port, err := FreePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(s.dir, "server")
	if err != nil {
		return nil, err
	}
	p, err := launch(server.name, server.command(address, port, dir), address, filepath.Join(dir, "log"), s.dir)
	if err != nil {
		return nil, err
	}
	s.processes = append(s.processes, p)
	return p, nil
}

// The ports that FreePort draws from: Linux and macOS give none of them to who asks for any. Source: Linux kernel,
// Documentation/networking/ip-sysctl, ip_local_port_range.
const firstPort, ports = 20_000, 10_000

// FreePort finds a loopback port that is free, for a server that must be told one. It stays free until then, unless another
// caller draws the same.
func FreePort() (address string, port int, err error) {
	for range 100 {
		port = firstPort + rand.IntN(ports)
		address = "127.0.0.1:" + strconv.Itoa(port)
		var listener net.Listener
		if listener, err = net.Listen("tcp", address); err == nil {
			return address, port, listener.Close()
		}
	}
	return "", 0, fmt.Errorf("find free port: %w", err)
}

// Environ returns the settings by which another process shares this pair.
func (s *Servers) Environ() []string {
	return []string{EndpointDynamoDB + "=" + s.DynamoDB, EndpointS3 + "=" + s.S3}
}

// Close ends the servers that Open started and removes what they kept.
func (s *Servers) Close() error {
	var errs []error
	for _, p := range s.processes {
		errs = append(errs, p.stop())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

func (s *Servers) logs() string {
	var b strings.Builder
	for _, p := range s.processes {
		fmt.Fprintf(&b, "log of %s:\n%s\n", p.name, p.logTail())
	}
	return b.String()
}
