// Package lambdaio carries requests between AWS Lambda and ordinary http.Handlers, and changes
// from DynamoDB streams to a Consumer. It is the only importer of aws-lambda-go and
// aws-lambda-go-api-proxy, so that nothing else knows where it runs.
//
// # What an HTTP API event does to a request
//
// API Gateway (HTTP API, payload format 2.0) hands over JSON, not HTTP. The differences that
// would break an xAPI client are undone here; each has a golden test over a payload in events/.
//
//   - rawPath arrives percent-decoded. It becomes URL.Path as it is, never decoded twice.
//   - rawQueryString is the only faithful query: the map beside it joins repeated keys by commas.
//   - A header has one value, repeated ones joined by commas. It stays one value: the proxy library
//     splits at each comma and so breaks Date, If-Match and every media type with a quoted comma.
//   - Cookies come apart in a list and become one Cookie header again.
//   - Bodies other than text, plain JSON and plain XML come as base64, forms among them.
//   - Text that is not UTF-8, should the gateway hand it over, is a 400: JSON has no place for it.
//   - The source address has no port; RemoteAddr gets port 0, so that net.SplitHostPort works.
//
// # What an answer needs
//
//   - A handler that writes nothing answered 200, as in net/http; the library makes that a 504.
//   - HEAD, 204 and 304 have no body, but HEAD keeps the Content-Length that GET would have.
//   - Whether a body is text is decided by its Content-Type and Content-Encoding. The library asks
//     whether the bytes happen to be valid UTF-8, so that an attachment would change its form with its content.
//     Text that needs so many escapes that it would not fit is sent as base64, which the gateway decodes as well.
//   - A panic is a 500 and the process lives: aws-lambda-go would end it, and the next caller pays a cold start.
//   - Lambda takes 6 MB each way, base64 and JSON escapes included. What is larger gets a 413 that says so.
//
// The library builds the http.Request and its context; headers, body and the whole answer are made here.
package lambdaio

import (
	"log"
	"math"
	"net/http"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Start serves HTTP API events with the handler until the execution environment ends; it does not return.
//
// Functions given as atShutdown run when Lambda sends SIGTERM, with 500 ms before the kill. Without any,
// Lambda kills at once, which is cheaper at start: SIGTERM costs the registration of an extension. Nothing
// may depend on them, since a crash and a time-out kill without a signal.
// Source: aws-lambda-go, lambda.WithEnableSIGTERM.
func Start(handler http.Handler, atShutdown ...func()) {
	start(NewGateway(handler, Logger()), atShutdown)
}

// StartStream hands the changes of DynamoDB streams to the consumer until the execution environment ends; it does not
// return. See NewStream and Start.
func StartStream(prefix string, consume Consumer, atShutdown ...func()) {
	start(NewStream(prefix, consume, Logger()), atShutdown)
}

func start(handler lambda.Handler, atShutdown []func()) {
	limitMemory()
	log.SetFlags(0) // what aws-lambda-go prints of an invocation that failed is JSON, as every line should be
	var options []lambda.Option
	if len(atShutdown) > 0 {
		options = append(options, lambda.WithEnableSIGTERM(atShutdown...))
	}
	lambda.StartWithOptions(handler, options...)
}

// limitMemory lets the garbage collector know what memory the function has: a busy learner's facts may need more than half of it.
// The rest is the runtime's. GOMEMLIMIT says otherwise.
func limitMemory() {
	unset := debug.SetMemoryLimit(-1) == math.MaxInt64 // a negative limit only asks
	if mb := int64(lambdacontext.MemoryLimitInMB); mb > 0 && unset {
		debug.SetMemoryLimit(mb << 20 * 3 / 4)
	}
}
