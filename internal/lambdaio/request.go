package lambdaio

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// RequestIDHeader carries the gateway's id of the request to the handler. What a client sent under this name
// is replaced.
const RequestIDHeader = "X-Request-Id"

// newRequest makes the request that net/http would have made of the same bytes on the wire. Its errors are
// for the client.
func newRequest(ctx context.Context, event *events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body, length, err := requestBody(event)
	if err != nil {
		return nil, err
	}

	// The library gets what it handles faithfully: method, path and context. It would print what it cannot
	// parse, and a query names learners, so the query never reaches it.
	bare := events.APIGatewayV2HTTPRequest{RequestContext: event.RequestContext}
	bare.RawPath = (&url.URL{Path: event.RawPath}).EscapedPath()
	bare.RequestContext.HTTP.Path = ""
	bare.RequestContext.DomainName = "gateway"
	var library core.RequestAccessorV2
	r, err := library.EventToRequestWithContext(ctx, bare)
	if err != nil {
		return nil, errors.New("the method or path of the request cannot be read")
	}

	r.Header = requestHeader(event)
	r.Host = r.Header.Get("Host")
	if r.Host == "" {
		r.Host = event.RequestContext.DomainName
	}
	r.Header.Del("Host")
	r.URL.Scheme, r.URL.Host = "", ""
	r.URL.RawQuery = event.RawQueryString
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = net.JoinHostPort(event.RequestContext.HTTP.SourceIP, "0")
	r.Body, r.ContentLength, r.GetBody = body, length, nil
	return r, nil
}

// requestHeader keeps each value whole: which of them are lists is known to whoever reads the header.
func requestHeader(event *events.APIGatewayV2HTTPRequest) http.Header {
	header := make(http.Header, len(event.Headers)+2)
	for name, value := range event.Headers {
		header.Add(name, value)
	}
	if len(event.Cookies) > 0 {
		header.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	header.Del(RequestIDHeader)
	if id := event.RequestContext.RequestID; id != "" {
		header.Set(RequestIDHeader, id)
	}
	return header
}

// requestBody returns the body's bytes and their number, which Content-Length need not be: the gateway may
// leave that header out.
func requestBody(event *events.APIGatewayV2HTTPRequest) (io.ReadCloser, int64, error) {
	if event.Body == "" {
		return http.NoBody, 0, nil
	}
	if !event.IsBase64Encoded {
		return io.NopCloser(strings.NewReader(event.Body)), int64(len(event.Body)), nil
	}
	body, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		return nil, 0, errors.New("the body of the request is not the base64 that it is said to be")
	}
	return io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
}
