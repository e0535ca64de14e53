package front

import (
	"bufio"
	"encoding/json/v2"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/lambdaio"
)

// read reads a request as a server does.
func read(t *testing.T, wire string) arrival {
	t.Helper()
	head, body, _ := strings.Cut(wire, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.44:51234"
	return arrival{
		request: r, body: []byte(body), id: "JKJaXmPLvHcESHA=", trace: "Root=1-6920a1c4-0f2d5e6b7c8d9e0f1a2b3c4d", route: "ANY /a",
		at: time.Date(2026, 11, 21, 10, 15, 0, 123e6, time.UTC),
	}
}

func members(t *testing.T, a arrival) map[string]any {
	t.Helper()
	payload, err := newEvent(a)
	if err != nil {
		t.Fatal(err)
	}
	var e map[string]any
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWholeEvent(t *testing.T) {
	got := members(t, read(t, "POST /a HTTP/1.1\nHost: lrs.example.com:8080\nUser-Agent: sample/1.0\nContent-Type: application/json\nContent-Length: 2\n\n{}"))
	want := map[string]any{
		"version": "2.0", "routeKey": "ANY /a", "rawPath": "/a", "rawQueryString": "",
		"headers": map[string]any{
			"host": "lrs.example.com:8080", "user-agent": "sample/1.0", "content-type": "application/json", "content-length": "2",
			"x-amzn-trace-id": "Root=1-6920a1c4-0f2d5e6b7c8d9e0f1a2b3c4d",
			"x-forwarded-for": "192.0.2.44", "x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "abcde12345", "domainName": "lrs.example.com", "domainPrefix": "lrs",
			"http":      map[string]any{"method": "POST", "path": "/a", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.44", "userAgent": "sample/1.0"},
			"requestId": "JKJaXmPLvHcESHA=", "routeKey": "ANY /a", "stage": "$default",
			"time": "21/Nov/2026:10:15:00 +0000", "timeEpoch": 1795256100123.0,
		},
		"body": "{}", "isBase64Encoded": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestPartsOfEvents(t *testing.T) {
	headersOf := func(name string) func(map[string]any) any {
		return func(e map[string]any) any { return e["headers"].(map[string]any)[name] }
	}
	member := func(name string) func(map[string]any) any {
		return func(e map[string]any) any { return e[name] }
	}
	const get = "GET / HTTP/1.1\nHost: a\n"
	post := func(contentType, body string) string {
		return "POST / HTTP/1.1\nHost: a\n" + contentType + "\n\n" + body
	}
	tests := []struct {
		name, wire string
		of         func(map[string]any) any
		want       any
	}{
		{"path is decoded", "GET /a%20b%C3%BC HTTP/1.1\nHost: a", member("rawPath"), "/a bü"},
		{"path is cut at an encoded question mark", "GET /a%3Fb HTTP/1.1\nHost: a", member("rawPath"), "/a"},
		{"slashes stay", "GET //a/ HTTP/1.1\nHost: a", member("rawPath"), "//a/"},
		{"query stays encoded", "GET /?a=%20+b&a=%zz HTTP/1.1\nHost: a", member("rawQueryString"), "a=%20+b&a=%zz"},
		{"parameters are decoded and joined", "GET /?a=%201&a=2&b=%zz&c HTTP/1.1\nHost: a", member("queryStringParameters"), map[string]any{"a": " 1,2", "b": "%zz", "c": ""}},
		{"no parameters", get, member("queryStringParameters"), nil},
		{"repeated header", get + "X-A: 1\nX-A: 2", headersOf("x-a"), "1,2"},
		{"hop by hop", get + "Connection: close", headersOf("connection"), nil},
		{"cookies", get + "Cookie: a=1; b=2\nCookie: c=3", member("cookies"), []any{"a=1", "b=2", "c=3"}},
		{"cookies are no header", get + "Cookie: a=1", headersOf("cookie"), nil},
		{"no cookies", get, member("cookies"), nil},
		{"another proxy", get + "X-Forwarded-For: 198.51.100.7", headersOf("x-forwarded-for"), "198.51.100.7, 192.0.2.44"},
		{"no body", get, member("body"), nil},
		{"no body is not base64", get, member("isBase64Encoded"), false},
		{"length of a chunked body", post("Content-Type: text/plain", "abc"), headersOf("content-length"), "3"},
		{"JSON with a charset", post("Content-Type: application/json; charset=UTF-8", "{}"), member("body"), "{}"},
		{"plain text", post("Content-Type: text/plain", "é"), member("body"), "é"},
		{"XML", post("Content-Type: application/xml", "<a/>"), member("body"), "<a/>"},
		{"another JSON", post("Content-Type: application/ld+json", "{}"), member("body"), "e30="},
		{"form", post("Content-Type: application/x-www-form-urlencoded", "a=1"), member("body"), "YT0x"},
		{"multipart", post("Content-Type: multipart/mixed; boundary=x", "--x--"), member("isBase64Encoded"), true},
		{"no type", post("X-A: 1", "abc"), member("body"), "YWJj"},
		{"type that cannot be read", post("Content-Type: text/plain; =", "abc"), member("body"), "abc"},
		{"text that is not UTF-8", post("Content-Type: text/plain", "a\xffb"), member("body"), "a�b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.of(members(t, read(t, test.wire)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEventsComeBackAsRequests: what package lambdaio makes of an event is the request that the event was made of.
func TestEventsComeBackAsRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := "/" + rapid.StringMatching(`[a-zA-Z0-9/ ._~üß%-]{0,20}`).Draw(t, "path")
		query := rapid.StringMatching(`([a-z]{1,3}=[a-zA-Z0-9%+ü]{0,5}&?){0,4}`).Draw(t, "query")
		body := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body")
		contentType := rapid.SampledFrom([]string{"", "application/octet-stream", "multipart/mixed; boundary=x"}).Draw(t, "type")
		values := rapid.SliceOfN(rapid.StringMatching(`[!-~]{1,10}`), 1, 3).Draw(t, "values")
		method := rapid.SampledFrom([]string{"GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS"}).Draw(t, "method")

		r := &http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Proto: "HTTP/1.1", Host: "lrs.example.com",
			Header: http.Header{"X-A": values}, RemoteAddr: "192.0.2.44:51234",
		}
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		payload, err := newEvent(arrival{request: r, body: body, id: "id", route: "$default", at: time.Unix(1795256100, 0)})
		if err != nil {
			t.Fatal(err)
		}
		type request struct {
			Method, Path, Query, Host, Type, Values, Body string
		}
		var got request
		_, err = lambdaio.NewGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got = request{r.Method, r.URL.Path, r.URL.RawQuery, r.Host, r.Header.Get("Content-Type"), r.Header.Get("X-A"), string(body)}
		}), slog.New(slog.DiscardHandler)).Invoke(t.Context(), payload)
		want := request{method, path, query, "lrs.example.com", contentType, strings.Join(values, ","), string(body)}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("request (-want +got):\n%s\n%v", diff, err)
		}
	})
}
