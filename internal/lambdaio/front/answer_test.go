package front

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnswers(t *testing.T) {
	type sent struct {
		Status int
		Header http.Header
		Body   string
	}
	tests := []struct {
		name, payload string
		want          *sent // nil for an error
	}{
		{"text", `{"statusCode":404,"headers":{"content-type":"text/html","ETag":"\"x\""},"body":"é"}`,
			&sent{404, http.Header{"Content-Type": {"text/html"}, "Etag": {`"x"`}}, "é"}},
		{"base64", `{"statusCode":200,"headers":{"Content-Type":"image/png"},"body":"AAH/","isBase64Encoded":true}`,
			&sent{200, http.Header{"Content-Type": {"image/png"}}, "\x00\x01\xff"}},
		{"cookies", `{"statusCode":204,"cookies":["a=1","b=2"]}`, &sent{204, http.Header{"Set-Cookie": {"a=1", "b=2"}}, ""}},
		{"body without a type", `{"statusCode":200,"body":"<html>"}`, &sent{200, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, "<html>"}},
		{"no status: the payload is the body", `{"a":1}`, &sent{200, http.Header{"Content-Type": {"application/json"}}, `{"a":1}`}},
		{"no object: likewise", `"a"`, &sent{200, http.Header{"Content-Type": {"application/json"}}, `"a"`}},
		{"not JSON", `a`, nil},
		{"empty", ``, nil},
		{"status that is none", `{"statusCode":99}`, nil},
		{"status that is text", `{"statusCode":"200"}`, nil},
		{"wrong base64", `{"statusCode":200,"body":"*","isBase64Encoded":true}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, err := readAnswer([]byte(test.payload))
			if (err != nil) != (test.want == nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			w := httptest.NewRecorder()
			a.write(w)
			if diff := cmp.Diff(*test.want, sent{w.Code, w.Header(), w.Body.String()}); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzReadAnswer looks for answers of a function that break the gateway.
func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"a":"b"},"body":"e30=","isBase64Encoded":true,"cookies":["a=1"]}`))
	f.Add([]byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a, err := readAnswer(payload)
		if err == nil && (a.StatusCode < 200 || a.StatusCode > 599) {
			t.Errorf("status %d", a.StatusCode)
		}
	})
}
