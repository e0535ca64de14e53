package front

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event is the payload of format 2.0, declared apart from the code that reads it. Absent parts are left out, not null.
// Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitzero"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitzero"`
	RequestContext        requestContext    `json:"requestContext"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"` // milliseconds
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// arrival is one request at the gateway.
type arrival struct {
	request *http.Request
	body    []byte
	id      string
	trace   string
	route   string // key
	at      time.Time
}

// The account and the API of every request.
const (
	accountID = "123456789012"
	apiID     = "abcde12345"
)

// path is the path that routes are looked up with and functions see: decoded, and cut at a question mark that was
// encoded. Measured on AWS: github.com/middleapi/standard-server, pull request 93.
func path(r *http.Request) string {
	before, _, _ := strings.Cut(r.URL.Path, "?")
	return before
}

// newEvent makes the payload of a request. A body of text that is not UTF-8 cannot be written as JSON: wrong bytes become
// U+FFFD. What AWS does with them is not known.
func newEvent(a arrival) ([]byte, error) {
	r := a.request
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	host, _, _ := strings.Cut(r.Host, ":")
	prefix, _, _ := strings.Cut(host, ".")
	e := event{
		Version:               "2.0",
		RouteKey:              a.route,
		RawPath:               path(r),
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r.Header),
		Headers:               headers(a, source),
		QueryStringParameters: parameters(r.URL.RawQuery),
		RequestContext: requestContext{
			AccountID: accountID, APIID: apiID, DomainName: host, DomainPrefix: prefix,
			HTTP: httpContext{
				Method: r.Method, Path: path(r), Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
			RequestID: a.id, RouteKey: a.route, Stage: "$default",
			Time: a.at.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: a.at.UnixMilli(),
		},
	}
	if e.IsBase64Encoded = len(a.body) > 0 && !isText(r.Header.Get("Content-Type")); e.IsBase64Encoded {
		e.Body = base64.StdEncoding.EncodeToString(a.body)
	} else {
		e.Body = string(a.body)
	}
	payload, err := json.Marshal(e, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return payload, nil
}

// isText reports whether a body of this type is handed over as text. Everything else is base64: forms too, and bodies
// without a type. Measured on AWS: github.com/ministackorg/ministack, pull request 766.
func isText(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType, _, _ = strings.Cut(contentType, ";")
		mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	}
	switch mediaType {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(mediaType, "text/")
}

// hopByHop are headers of one connection; a gateway ends them.
var hopByHop = []string{"Connection", "Expect", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Cookie"}

// headers have names in lower case; values of one name are joined by commas.
func headers(a arrival, source string) map[string]string {
	joined := make(map[string]string, len(a.request.Header)+6)
	for name, values := range a.request.Header {
		if !slices.Contains(hopByHop, name) {
			joined[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	joined["host"] = a.request.Host
	joined["x-amzn-trace-id"] = a.trace
	joined["x-forwarded-port"], joined["x-forwarded-proto"] = "443", "https"
	if through := joined["x-forwarded-for"]; through != "" {
		source = through + ", " + source
	}
	joined["x-forwarded-for"] = source
	if len(a.body) > 0 {
		joined["content-length"] = strconv.Itoa(len(a.body))
	}
	return joined
}

func cookies(h http.Header) []string {
	var all []string
	for _, line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if pair = strings.TrimSpace(pair); pair != "" {
				all = append(all, pair)
			}
		}
	}
	return all
}

// parameters are decoded, and values of one name joined by commas: a loss, which is why nobody should read them.
func parameters(rawQuery string) map[string]string {
	var joined map[string]string
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if joined == nil {
			joined = make(map[string]string)
		}
		if before, ok := joined[name]; ok {
			value = before + "," + value
		}
		joined[name] = value
	}
	return joined
}

// unescape leaves what cannot be decoded as it is.
func unescape(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return decoded
}
