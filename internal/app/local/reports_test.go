package local_test

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
	"github.com/cairn-lrs/cairn/internal/report"
)

// reportAPI is a data folder with a few statements, asked over HTTP.
type reportAPI struct {
	t       *testing.T
	cairn   *local.Cairn
	handler http.Handler
	key     string
	secret  string
}

func openReports(t *testing.T) *reportAPI {
	t.Helper()
	cairn, err := local.Open(t.Context(), t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cairn.Close(); err != nil {
			t.Error(err)
		}
	})
	a := &reportAPI{t: t, cairn: cairn, handler: cairn.ReportsHandler()}
	if a.key, a.secret, err = cairn.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}}); err != nil {
		t.Fatal(err)
	}
	return a
}

// store stores statements and waits until reports have them.
func (a *reportAPI) store(statements ...string) {
	a.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/xapi/statements", strings.NewReader("["+strings.Join(statements, ",")+"]"))
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(a.key, a.secret)
	w := httptest.NewRecorder()
	a.cairn.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		a.t.Fatalf("store: %d %s", w.Code, w.Body)
	}
	want := fmt.Sprintf(`"value":%d`, len(statements))
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if w := a.ask(http.MethodGet, "/overview?range=all", "", ""); strings.Contains(w.Body.String(), `"statements":{`+want) {
			return
		}
		if time.Since(begun) > patience {
			a.t.Fatalf("after %v reports do not have the statements", patience)
		}
	}
}

func (a *reportAPI) ask(method, path, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, reportapi.Base+path, strings.NewReader(body))
	r.SetBasicAuth(a.key, a.secret)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

// sample are statements of eight learners: a course with a video and a question.
func sample() []string {
	var all []string
	for i := range 8 {
		say := func(verb, id, definition, rest string) {
			all = append(all, fmt.Sprintf(`{"actor":{"mbox":"mailto:p%d@example.com"},"verb":{"id":%q},"object":{"id":"http://example.com/%s","definition":{%s}},
				"context":{"contextActivities":{"parent":[{"id":"http://example.com/course"}]},"team":{"objectType":"Group","mbox":"mailto:team@example.com"}%s}`, i, verb, id, definition, rest))
		}
		adl := "http://adlnet.gov/expapi/verbs/"
		say(adl+"initialized", "course", `"type":"http://adlnet.gov/expapi/activities/course"`, "}")
		say("https://w3id.org/xapi/video/verbs/paused", "video", `"type":"https://w3id.org/xapi/video/activity-type/video"`,
			`,"extensions":{"https://w3id.org/xapi/video/extensions/length":40}},"result":{"extensions":{"https://w3id.org/xapi/video/extensions/played-segments":"0[.]10[,]10[.]20"}}`)
		say(adl+"answered", "question", `"type":"http://adlnet.gov/expapi/activities/cmi.interaction","interactionType":"choice","correctResponsesPattern":["a"],"choices":[{"id":"a"},{"id":"b"}]`,
			fmt.Sprintf(`},"result":{"success":%v,"response":%q}`, i%2 == 0, []string{"a", "b"}[i%2]))
		say(adl+"completed", "course", `"type":"http://adlnet.gov/expapi/activities/course"`, `},"result":{"completion":true,"score":{"scaled":0.9}}`)
	}
	return all
}

// examples are a value for each parameter.
var examples = map[string]string{
	"range": "all", "from": "2020-01-01", "to": "2030-01-01", "content": "http://example.com/course", "kind": "course", "learner": `{"mbox":"mailto:p1@example.com"}`,
	"group": `{"objectType":"Group","mbox":"mailto:team@example.com"}`, "registration": "11111111-1111-4111-8111-111111111111", "platform": "web", "language": "en",
	"by": "week", "kpi": "sales", "measure": "statements", "sort": "", "top": "3", "lag": "0", "width": "5", "limit": "2", "cursor": "", "format": "json",
}

// TestOpenAPIIsTrue: the document has the routes that are served and no others; each takes the parameters that the document gives
// it and no others; and what it answers is what the document says.
func TestOpenAPIIsTrue(t *testing.T) {
	a := openReports(t)
	a.store(sample()...)
	if w := a.ask(http.MethodPost, "/kpis/sales", "text/csv", "learner,date,value\np1@example.com,2026-06-01,99\nnobody@example.com,2026-06-01,1\n"); w.Code != http.StatusOK {
		t.Fatalf("import: %d %s", w.Code, w.Body)
	}
	if w := a.ask(http.MethodPut, "/saved/mine", "application/json", `{"measures":["learners"],"by":["kind"],"range":"all"}`); w.Code != http.StatusNoContent {
		t.Fatalf("save: %d %s", w.Code, w.Body)
	}
	var document struct {
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(a.ask(http.MethodGet, "/openapi.json", "", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	check := checker{document.Components.Schemas}

	served, documented := []string{}, []string{}
	for _, r := range reportapi.Resources(nil) {
		for method := range r.Methods {
			served = append(served, method+" "+r.Path)
		}
	}
	for path, operations := range document.Paths {
		for method := range operations {
			if method != "parameters" {
				documented = append(documented, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(served)
	slices.Sort(documented)
	if diff := cmp.Diff(documented, served); diff != "" {
		t.Fatalf("routes (-documented +served):\n%s", diff)
	}

	names := map[string]string{"saved": "mine", "answers": "mine", "kpis": "sales"}
	answers, refused := 0, 0
	for path, operations := range document.Paths {
		operation, ok := operations["get"].(map[string]any)
		if !ok {
			continue
		}
		target := strings.TrimPrefix(path, reportapi.Base)
		if folder, ok := strings.CutSuffix(target, "/{name}"); ok {
			target = folder + "/" + names[strings.TrimPrefix(folder, "/")]
		}
		given := documentedParams(operation)
		query := url.Values{}
		for _, name := range []string{"content", "learner", "kpi", "measure"} {
			if slices.Contains(given, name) {
				query.Set(name, examples[name])
			}
		}
		if slices.Contains(given, "range") && !strings.Contains(path, "retention") && !strings.Contains(path, "activity") {
			query.Set("range", "all")
		}
		if strings.Contains(path, "retention") {
			query.Del("content")
		}
		if strings.Contains(path, "video") {
			query.Set("content", "http://example.com/video")
		}
		if strings.Contains(path, "question") {
			query.Set("content", "http://example.com/question")
		}
		w := a.ask(http.MethodGet, target+"?"+query.Encode(), "", "")
		if w.Code != http.StatusOK {
			t.Errorf("GET %s?%s: %d %s", target, query.Encode(), w.Code, w.Body)
			continue
		}
		answers++
		for _, fault := range check.answer(w, operation) {
			t.Errorf("GET %s?%s: %s", target, query.Encode(), fault)
		}
		for name, example := range examples {
			w := a.ask(http.MethodGet, target+"?"+url.Values{name: {example}}.Encode(), "", "")
			unknown := strings.Contains(w.Body.String(), "takes no parameter") || strings.Contains(w.Body.String(), "is not known here")
			if is := slices.Contains(given, name); is == unknown {
				t.Errorf("GET %s with %s: documented %v, and the answer is %d %s", target, name, is, w.Code, w.Body)
			}
			if w.Code >= http.StatusBadRequest {
				refused++
				for _, fault := range check.answer(w, operation) {
					t.Errorf("GET %s with %s: %s", target, name, fault)
				}
			}
		}
	}
	for path, body := range map[string]string{"/query": `{"measures":["learners","difficulty"],"by":["platform"],"range":"all"}`} {
		w := a.ask(http.MethodPost, path, "application/json", body)
		operation := document.Paths[reportapi.Base+path]["post"].(map[string]any)
		for _, fault := range check.answer(w, operation) {
			t.Errorf("POST %s: %s", path, fault)
		}
	}
	if answers < len(report.Catalogue()) || refused == 0 {
		t.Errorf("only %d answers and %d refusals were looked at", answers, refused)
	}
	t.Logf("routes %d, answers %d, refusals %d", len(served), answers, refused)
}

func documentedParams(operation map[string]any) []string {
	var names []string
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		names = append(names, p.(map[string]any)["name"].(string))
	}
	return names
}

// checker holds values to the part of JSON Schema that the document uses.
type checker struct{ schemas map[string]any }

// answer checks an answer against what an operation says of its status.
func (c checker) answer(w *httptest.ResponseRecorder, operation map[string]any) []string {
	responses := operation["responses"].(map[string]any)
	response, ok := responses[fmt.Sprint(w.Code)].(map[string]any)
	if !ok {
		response = responses["default"].(map[string]any)
	}
	var value any
	if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
		return []string{fmt.Sprintf("status %d: no JSON: %v", w.Code, err)}
	}
	schema := response["content"].(map[string]any)["application/json"].(map[string]any)["schema"].(map[string]any)
	return c.check(schema, value, "$")
}

func (c checker) check(schema map[string]any, value any, at string) (faults []string) {
	if ref, ok := schema["$ref"].(string); ok {
		return c.check(c.schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any), value, at)
	}
	if options, ok := schema["anyOf"].([]any); ok {
		for _, o := range options {
			if len(c.check(o.(map[string]any), value, at)) == 0 {
				return nil
			}
		}
		return []string{at + " is none of what it may be"}
	}
	if !hasType(schema["type"], value) {
		return []string{fmt.Sprintf("%s is %T, want %v", at, value, schema["type"])}
	}
	if allowed, ok := schema["enum"].([]any); ok && !slices.Contains(allowed, value) {
		faults = append(faults, fmt.Sprintf("%s is %v, want one of %v", at, value, allowed))
	}
	switch value := value.(type) {
	case []any:
		for i, element := range value {
			faults = append(faults, c.check(schema["items"].(map[string]any), element, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := value[name.(string)]; !ok {
				faults = append(faults, fmt.Sprintf("%s lacks %s", at, name))
			}
		}
		for name, member := range value {
			switch more := schema["additionalProperties"].(type) {
			case nil:
			case bool:
				if _, ok := properties[name]; !ok && !more {
					faults = append(faults, fmt.Sprintf("%s has %s, which is not documented", at, name))
				}
			case map[string]any:
				faults = append(faults, c.check(more, member, at+"."+name)...)
			}
			if of, ok := properties[name].(map[string]any); ok {
				faults = append(faults, c.check(of, member, at+"."+name)...)
			}
		}
	}
	return faults
}

func hasType(want, value any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return hasType(w, value) })
	}
	switch want {
	case "object":
		_, ok := value.(map[string]any)
		return ok
	case "array":
		_, ok := value.([]any)
		return ok
	case "string":
		_, ok := value.(string)
		return ok
	case "boolean":
		_, ok := value.(bool)
		return ok
	case "null":
		return value == nil
	case "integer":
		n, ok := value.(float64)
		return ok && n == float64(int64(n))
	case "number":
		_, ok := value.(float64)
		return ok
	}
	return false
}

// TestReportsHaveAnOriginOfTheirOwn: the report API answers nothing on xAPI's origin and the other way round; it lets no page
// of another origin read, is kept by no cache, and needs a credential that may read everything.
func TestReportsHaveAnOriginOfTheirOwn(t *testing.T) {
	a := openReports(t)
	for _, path := range []string{"", "/overview", "/openapi.json"} {
		r := httptest.NewRequest(http.MethodGet, reportapi.Base+path, nil)
		r.SetBasicAuth(a.key, a.secret)
		r.Header.Set("X-Experience-API-Version", "1.0.3")
		w := httptest.NewRecorder()
		a.cairn.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("xAPI's origin answers %s: %d", path, w.Code)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/xapi/statements", nil)
	r.SetBasicAuth(a.key, a.secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Errorf("the origin of reports answers statements: %d", w.Code)
	}
	w = a.ask(http.MethodGet, "/overview", "", "")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "", "Access-Control-Expose-Headers": "", "X-Experience-Api-Version": "", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if w := a.ask(http.MethodOptions, "/overview", "", ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
	for _, scopes := range []auth.Scopes{{auth.StatementsWrite}, {auth.StatementsReadMine}, {auth.Profile, auth.State, auth.Define}} {
		var err error
		if a.key, a.secret, err = a.cairn.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: scopes}); err != nil {
			t.Fatal(err)
		}
		if w := a.ask(http.MethodGet, "/overview", "", ""); w.Code != http.StatusForbidden {
			t.Errorf("with %v: %d", scopes, w.Code)
		}
	}
	var err error
	if a.key, a.secret, err = a.cairn.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.StatementsRead}}); err != nil {
		t.Fatal(err)
	}
	if w := a.ask(http.MethodGet, "/overview", "", ""); w.Code != http.StatusOK {
		t.Errorf("a credential that reads: %d", w.Code)
	}
	for _, path := range []string{"/saved/x", "/kpis/x"} {
		for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete} {
			want := http.StatusForbidden
			if method == http.MethodPut && path == "/kpis/x" || method == http.MethodPost && path == "/saved/x" {
				want = http.StatusMethodNotAllowed
			}
			if w := a.ask(method, path, "application/json", "{}"); w.Code != want {
				t.Errorf("%s %s by a credential that reads: %d", method, path, w.Code)
			}
		}
	}
	if w := a.ask(http.MethodPost, "/query", "text/plain", `{"measures":["learners"]}`); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a query that any page could send: %d", w.Code)
	}
	a.secret = "wrong"
	if w := a.ask(http.MethodGet, "/overview", "", ""); w.Code != http.StatusUnauthorized || !strings.Contains(w.Header().Get("Www-Authenticate"), "Cairn reports") {
		t.Errorf("a wrong secret: %d %v", w.Code, w.Header())
	}
}
