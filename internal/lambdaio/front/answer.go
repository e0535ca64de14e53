package front

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"net/http"
)

// answer is what a function returns.
type answer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`

	body []byte // decoded
}

// readAnswer reads what a function returned. JSON without a status is the body of a 200.
// Source: API Gateway developer guide, "Lambda function response for format 2.0".
func readAnswer(payload []byte) (answer, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(payload, &members); err != nil || members["statusCode"] == nil {
		if !jsontext.Value(payload).IsValid() {
			return answer{}, fmt.Errorf("read answer: it is not JSON")
		}
		return answer{StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": "application/json"}, body: payload}, nil
	}
	var a answer
	if err := json.Unmarshal(payload, &a); err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	if a.StatusCode < 200 || a.StatusCode > 599 {
		return answer{}, fmt.Errorf("read answer: %d is no status", a.StatusCode)
	}
	a.body = []byte(a.Body)
	if a.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(a.Body)
		if err != nil {
			return answer{}, fmt.Errorf("read answer: %w", err)
		}
		a.body = body
	}
	return a, nil
}

// write sends the answer.
func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	for name, value := range a.Headers {
		header.Set(name, value)
	}
	for _, cookie := range a.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	if len(a.body) > 0 && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(a.body) // a client that went away has no answer to get; net/http drops the body of an answer to HEAD
}
