package lambdaio

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestUnreadableRequestsGetA400(t *testing.T) {
	tests := []struct {
		name   string
		change func(*events.APIGatewayV2HTTPRequest)
	}{
		{"method is no token", method("GE T")},
		{"body is not base64", func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "*", true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := invoke(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }, event(t, tt.change))
			if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.Body, `"requestId":"request-1"`) {
				t.Errorf("got %d %s", a.StatusCode, a.Body)
			}
		})
	}
}

// TestEventOfAlmostNothingIsARequest: what the gateway leaves out where a request does not have it, and what it may leave out.
func TestEventOfAlmostNothingIsARequest(t *testing.T) {
	for name, payload := range map[string]string{
		"method alone": `{"version":"2.0","requestContext":{"http":{"method":"GET"}}}`,
		"null for all else": `{"version":"2.0","rawPath":null,"rawQueryString":null,"cookies":null,"headers":null,"queryStringParameters":null,
			"requestContext":{"requestId":null,"domainName":null,"http":{"method":"GET","sourceIp":null}},"body":null,"isBase64Encoded":false}`,
		"members that nobody knows": `{"version":"2.0","requestContext":{"http":{"method":"GET"},"more":{"a":[1]}},"more":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			a := invoke(t, func(_ http.ResponseWriter, r *http.Request) { got, _ = dump(r) }, []byte(payload))
			if want := "GET /\npath   /\nquery  \nhost   \nremote :0\nlength 0\n\n\n\"\"\n"; got != want || a.StatusCode != 200 {
				t.Errorf("got %d for %q, want 200 for %q", a.StatusCode, got, want)
			}
		})
	}
}

// TestTextThatIsNotUTF8GetsA400: a client must not be able to make a function fail, which is an alarm.
func TestTextThatIsNotUTF8GetsA400(t *testing.T) {
	for name, text := range map[string]string{"bytes": "\xff", "half a surrogate pair": `\ud800`} {
		for _, member := range []string{"rawPath", "rawQueryString", "body"} {
			t.Run(name+" in "+member, func(t *testing.T) {
				payload := fmt.Sprintf(`{"version":"2.0","%s":"/%s","requestContext":{"requestId":"request-1","http":{"method":"POST"}}}`, member, text)
				a := invoke(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }, []byte(payload))
				if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.Body, "UTF-8") || !strings.Contains(a.Body, `"requestId":"request-1"`) {
					t.Errorf("got %d %s", a.StatusCode, a.Body)
				}
			})
		}
	}
}

func TestOtherPayloadsAreErrors(t *testing.T) {
	for name, payload := range map[string]string{
		"not JSON":         `{`,
		"empty test event": `{}`,
		"format 1.0":       `{"version":"1.0","httpMethod":"GET","path":"/xapi/about"}`,
		"stream records":   `{"Records":[]}`,
		"not UTF-8":        "{\"version\":\"1.0\",\"path\":\"\xff\"}",
	} {
		t.Run(name, func(t *testing.T) {
			out, err := NewGateway(http.NotFoundHandler(), slog.New(slog.DiscardHandler)).Invoke(t.Context(), []byte(payload))
			if err == nil {
				t.Errorf("got %s, want an error", out)
			}
		})
	}
}
