package cloudtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// Where the versions of the servers are pinned, below the module's root.
const (
	toolsModule = "infra/tools"
	pom         = toolsModule + "/dynamodb-local/pom.xml"
	launcher    = toolsModule + "/dynamodb-local/Loopback.java"
	versitygw   = "github.com/versity/versitygw/cmd/versitygw"
)

// installation holds the two servers.
type installation struct{ dynamoDB, s3 server }

// server says how to run one server on an address, with an empty folder to write to.
type server struct {
	name    string
	command func(address string, port int, dir string) []string
}

// install makes sure that both servers are in the cache folder. Test binaries that run at the same time wait for
// the one that fetches.
func install(ctx context.Context) (installation, error) {
	for _, program := range []string{"java", "javac", "mvn", "go", "sh"} {
		if _, err := exec.LookPath(program); err != nil {
			return installation{}, fmt.Errorf("%s is not installed", program)
		}
	}
	root, err := moduleRoot()
	if err != nil {
		return installation{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return installation{}, fmt.Errorf("find cache folder: %w", err)
	}
	cache = filepath.Join(cache, "cairn")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return installation{}, fmt.Errorf("make cache folder: %w", err)
	}
	unlock, err := lock(filepath.Join(cache, "lock"))
	if err != nil {
		return installation{}, err
	}
	defer unlock()

	jars, err := obtain(cache, "dynamodb-local", []string{filepath.Join(root, pom)}, func(target string) error {
		return run(ctx, root, "mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
			"-DincludeScope=runtime", "-DoutputDirectory="+target)
	})
	if err != nil {
		return installation{}, fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	tools := filepath.Join(root, toolsModule)
	gateway, err := obtain(cache, "versitygw", []string{filepath.Join(tools, "go.mod"), filepath.Join(tools, "go.sum")},
		func(target string) error {
			return run(ctx, tools, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", target, versitygw)
		})
	if err != nil {
		return installation{}, fmt.Errorf("build versitygw: %w", err)
	}
	return installation{
		dynamoDB: server{"DynamoDB Local", func(_ string, port int, dir string) []string {
			return []string{"java", "-Xmx512m", "-Djava.io.tmpdir=" + dir, "-cp", filepath.Join(jars, "*"), filepath.Join(root, launcher),
				"-inMemory", "-disableTelemetry", "-port", strconv.Itoa(port)}
		}},
		s3: server{"versitygw", func(address string, _ int, dir string) []string {
			objects, attributes := filepath.Join(dir, "objects"), filepath.Join(dir, "attributes")
			// sh makes the folders, so that this function stays a description.
			return []string{"sh", "-c", `mkdir "$1" "$2" && exec "$3" --quiet --keep-alive --port "$4" --region "$5" --access "$6" --secret "$7" posix --sidecar "$2" "$1"`,
				"versitygw", objects, attributes, gateway, address, Region, AccessKey, SecretKey}
		}},
	}, nil
}

// moduleRoot looks from the current folder upwards.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, pom)); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find module root: not inside Cairn's source tree")
		}
		dir = parent
	}
}

// obtain returns the path of a file or folder in the cache that was made from the given inputs, and makes it when it
// is missing. It has its name only once it is whole.
func obtain(cache, name string, inputs []string, make func(target string) error) (string, error) {
	digest := sha256.New()
	for _, input := range inputs {
		b, err := os.ReadFile(input)
		if err != nil {
			return "", err
		}
		digest.Write(b)
	}
	path := filepath.Join(cache, fmt.Sprintf("%s-%x", name, digest.Sum(nil)[:6]))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	unfinished := path + ".part"
	if err := os.RemoveAll(unfinished); err != nil {
		return "", err
	}
	if err := make(unfinished); err != nil {
		return "", err
	}
	return path, os.Rename(unfinished, path)
}

func run(ctx context.Context, dir, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w\n%s", name, err, output[max(0, len(output)-logTail):])
	}
	return nil
}

// lock waits until this process alone holds the lock file.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("take lock: %w", err), file.Close())
	}
	return func() { file.Close() }, nil // closing lets go of it
}
