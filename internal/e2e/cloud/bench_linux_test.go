package cloud

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"uuid"

	"github.com/cairn-lrs/cairn/internal/e2e"
)

// warmRequests is how many requests one execution environment serves before its memory is read.
const warmRequests = 10_000

// BenchmarkMemory is what one process of the statements function holds after so many requests: of ten, six store one statement
// of 1 to 8 KB, one stores ten, two read one, and one lists a hundred. The target is 64 MB.
func BenchmarkMemory(b *testing.B) {
	road := deploy(b, "-concurrency", "1")
	if road == nil {
		return
	}
	_, credential := e2e.FreshStore(b, road)
	v := &visitor{endpoint: road.Endpoint(), credential: credential, random: rand.New(rand.NewPCG(1, 2))}
	for n := range warmRequests {
		if err := v.visit(b, n); err != nil {
			b.Fatal(err)
		}
	}
	process := onlyProcess(b, road)
	b.ReportMetric(0, "ns/op") // of no meaning: it is not repeated
	b.ReportMetric(memory(b, process, "VmRSS"), "MB")
	b.ReportMetric(memory(b, process, "VmHWM"), "peak-MB")
}

// visitor makes requests.
type visitor struct {
	endpoint   string
	credential e2e.Credential
	random     *rand.Rand
	last       string // id of a statement that is stored
}

func (v *visitor) visit(b *testing.B, n int) error {
	switch n % 10 {
	case 6:
		statements := make([]string, 10)
		for i := range statements {
			statements[i] = v.statement()
		}
		return v.ask(b, http.MethodPost, "", "["+strings.Join(statements, ",")+"]")
	case 7, 8:
		return v.ask(b, http.MethodGet, "?statementId="+v.last, "")
	case 9:
		return v.ask(b, http.MethodGet, "?limit=100&agent="+url.QueryEscape(fmt.Sprintf(`{"mbox":"mailto:learner%d@example.org"}`, v.random.IntN(50))), "")
	}
	return v.ask(b, http.MethodPost, "", v.statement())
}

func (v *visitor) statement() string {
	v.last = uuid.NewV4().String()
	return fmt.Sprintf(`{"id":"%s","actor":{"mbox":"mailto:learner%d@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},`+
		`"object":{"id":"http://example.org/question/%d"},"result":{"response":"%s"}}`,
		v.last, v.random.IntN(50), v.random.IntN(200), strings.Repeat(strconv.Itoa(v.random.IntN(1000)), 300+v.random.IntN(2000)))
}

func (v *visitor) ask(b *testing.B, method, query, body string) error {
	request, err := http.NewRequestWithContext(b.Context(), method, v.endpoint+"/statements"+query, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.SetBasicAuth(v.credential.Key, v.credential.Secret)
	request.Header.Set("X-Experience-API-Version", "1.0.3")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() // it was read
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: status %d: %.300s", method, query, response.StatusCode, text)
	}
	return err
}

// onlyProcess returns the process that served all requests.
func onlyProcess(b *testing.B, road *e2e.Cloud) int {
	requests, err := road.Requests()
	if err != nil {
		b.Fatal(err)
	}
	served := make(map[int]int)
	for _, r := range requests {
		for _, process := range r.Functions {
			served[process]++
		}
	}
	for process, n := range served {
		if n >= warmRequests-1 { // the last line may be on its way
			return process
		}
	}
	b.Fatalf("the requests were served by the processes %v, want one with %d", served, warmRequests)
	return 0
}

// memory reads a line of a process's status, in MB.
func memory(b *testing.B, process int, name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		b.Fatalf("no %s in %s", name, status)
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kilobytes) / 1024
}
