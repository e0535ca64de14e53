package cloud

import (
	"encoding/base64"
	"encoding/json/v2"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/e2e"
)

// askReports lets the functions count statements and asks for every report, so that they need what they may do: one statement
// is too large to lie beside its index, and one is damaged, which becomes a dead letter.
func askReports(t *testing.T, road *e2e.Cloud) {
	store, credential := e2e.FreshStore(t, road)
	v := reporter{t: t, base: road.Reports(), credential: credential}
	for n := range 3 {
		v.ask(http.MethodPost, road.Endpoint()+"/statements", "application/json", statement(n, n == 2))
	}
	repair, err := road.Damage(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	v.awaitDeadLetter(road)
	if err := repair(); err != nil {
		t.Error(err)
	}

	v.ask(http.MethodGet, v.base+"/live", "", "")
	v.ask(http.MethodPut, v.base+"/saved/mine", "application/json", `{"measures":["statements"],"by":["content"]}`)
	v.ask(http.MethodGet, v.base+"/answers/mine", "", "")
	v.ask(http.MethodDelete, v.base+"/saved/mine", "", "")
	v.ask(http.MethodPost, v.base+"/kpis/sales", "text/csv", "learner,date,value\nmailto:learner@example.org,2026-01-01,1\n")
	v.ask(http.MethodGet, v.base+"/kpis/sales", "", "")
	var index struct{ Reports []struct{ ID string } }
	if err := json.Unmarshal(v.ask(http.MethodGet, v.base, "", ""), &index, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	for _, report := range index.Reports {
		v.ask(http.MethodGet, v.base+"/"+report.ID+about[report.ID], "", "")
	}
	v.ask(http.MethodDelete, v.base+"/kpis/sales", "", "")
	t.Logf("reports that were asked for: %d", len(index.Reports))
}

// about has the parameters of the reports that are about one thing.
var about = map[string]string{
	"content": oneContent, "funnel": oneContent, "video-heatmap": oneContent, "video-coverage": oneContent, "question-answers": oneContent,
	"kpi-link": oneKPI, "kpi-points": oneKPI,
	"learner": "?learner=" + url.QueryEscape(`{"mbox":"mailto:learner@example.org"}`),
}

const (
	oneContent = "?content=http://example.org/reports/0"
	oneKPI     = "?kpi=sales&measure=completions"
)

// statement is one whose body, when it is large, does not compress.
func statement(n int, large bool) string {
	noise := make([]byte, 1)
	if large {
		noise = make([]byte, 500_000)
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
	}
	return fmt.Sprintf(`{"actor":{"mbox":"mailto:learner@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},`+
		`"object":{"id":"http://example.org/reports/%d","definition":{"name":{"en":"Content %d"}}},"result":{"response":"%s"}}`,
		n, n, base64.StdEncoding.EncodeToString(noise))
}

// reporter asks the report API.
type reporter struct {
	t          *testing.T
	base       string
	credential e2e.Credential
}

// ask sends a request, which must be served.
func (v reporter) ask(method, url, contentType, body string) []byte {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	request.SetBasicAuth(v.credential.Key, v.credential.Secret)
	request.Header.Set("X-Experience-API-Version", "1.0.3")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close() // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		v.t.Errorf("%s %s: status %d, %v: %.300s", method, url, response.StatusCode, err, text)
	}
	return text
}

// streamDelay is how long a change may take to be counted on a busy machine: the window of the mapping, and all that came
// before it.
const streamDelay = 3 * time.Minute

func (v reporter) awaitDeadLetter(road *e2e.Cloud) {
	for begun := time.Now(); time.Since(begun) < streamDelay; time.Sleep(200 * time.Millisecond) {
		rights, err := road.Rights()
		if err != nil {
			v.t.Fatal(err)
		}
		for _, used := range rights.Used {
			if strings.HasPrefix(used, "AggregateFunction ") && strings.HasSuffix(used, "-DeadLetters") {
				return
			}
		}
	}
	v.t.Errorf("a damaged statement was no dead letter after %v", streamDelay)
}
