package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"uuid"
)

const (
	badActor = `"actor":{"mbox":"mailto:bad@example.org"}`
	badRest  = badActor + `,"verb":{"id":"http://example.org/v"}`
	badWhole = badRest + `,"object":{"id":"http://example.org/o"}`
)

// badInput is a request that no server should take.
type badInput struct {
	name        string
	body        func() io.Reader
	contentType string // application/json when empty
	status      []int
	says        string // part of the error message
}

func text(s string) func() io.Reader {
	return func() io.Reader { return strings.NewReader(s) }
}

func times(n int, s string) string { return strings.Repeat(s, n) }

func badInputs() []badInput {
	const big = 50 << 20
	statements := func(n int) string {
		return "[" + strings.TrimSuffix(times(n, "{"+badWhole+"},"), ",") + "]"
	}
	var members []string
	for i := range 60_000 {
		members = append(members, fmt.Sprintf(`{"mbox":"mailto:m%d@example.org"}`, i))
	}
	return []badInput{
		{"half a statement", text("{" + badRest), "", []int{400}, ""},
		{"half a batch", text("[{" + badWhole + "},{"), "", []int{400}, ""},
		{"50 MB of JSON", func() io.Reader {
			return io.MultiReader(strings.NewReader("{"+badWhole+`,"result":{"response":"`), io.LimitReader(letters{}, big), strings.NewReader(`"}}`))
		}, "", []int{413}, "000 bytes"},
		{"50 MB of multipart", func() io.Reader {
			return io.MultiReader(strings.NewReader("--cut\r\nContent-Type: application/json\r\n\r\n{"), io.LimitReader(letters{}, big))
		}, "multipart/mixed; boundary=cut", []int{413}, "000 bytes"},
		{"50 MB of white space", func() io.Reader { return io.LimitReader(spaces{}, big) }, "", []int{413}, "000 bytes"},
		{"10,000 arrays deep", text("{" + badRest + `,"object":` + times(10_000, "[") + times(10_000, "]") + "}"), "", []int{400, 413}, ""},
		{"10,000 objects deep in an extension", text("{" + badWhole + `,"context":{"extensions":{"http://example.org/e":` + times(10_000, `{"a":`) + "1" + times(10_000, "}") + "}}}"), "", []int{400, 413}, "deep"},
		{"10,000 SubStatements deep", text(times(10_000, "{"+badRest+`,"object":`) + "1" + times(10_000, "}")), "", []int{400, 413}, ""},
		{"101 statements", text(statements(101)), "", []int{413}, "100"},
		{"a million statements", text("[" + strings.TrimSuffix(times(1_000_000, "{},"), ",") + "]"), "", []int{400, 413}, ""},
		{"a group of 60,000", text(`{"actor":{"objectType":"Group","member":[` + strings.Join(members, ",") + `]},"verb":{"id":"http://example.org/v"},"object":{"id":"http://example.org/o"}}`), "", []int{413}, "1000"},
		{"a name twice", text("{" + badWhole + "," + badActor + "}"), "", []int{400}, "actor"},
		{"a name twice in an extension", text("{" + badWhole + `,"context":{"extensions":{"http://example.org/e":{"a":1,"a":2}}}}`), "", []int{400}, ""},
		{"bytes that are no UTF-8", text("{" + badWhole + `,"result":{"response":"` + "\xff\xfe" + `"}}`), "", []int{400}, ""},
		{"half a surrogate pair", text("{" + badWhole + `,"result":{"response":"\ud800"}}`), "", []int{400}, ""},
		{"a zero byte", text("{" + badWhole + `,"result":{"response":"` + "\x00" + `"}}`), "", []int{400}, ""},
		{"a byte order mark", text("\ufeff{" + badWhole + "}"), "", []int{400}, ""},
		{"UTF-16", text("{\x00}\x00"), "", []int{400}, ""},
		{"a scaled score beyond every float", text("{" + badWhole + `,"result":{"score":{"scaled":1e999999999}}}`), "", []int{400}, ""},
		{"text", text("{" + badWhole + "}"), "text/plain", []int{400}, "application/json"},
		{"a form", text("a=b"), "application/x-www-form-urlencoded", []int{400}, ""},
		{"no content type that parses", text("{" + badWhole + "}"), "application/json; charset", []int{400}, ""},
		{"multipart without an end", text("--cut\r\nContent-Type: application/json\r\n\r\n{" + badWhole + "}"), "multipart/mixed; boundary=cut", []int{400}, ""},
		{"10,000 parts", text(times(10_000, "--cut\r\nContent-Type: application/json\r\n\r\n{}\r\n") + "--cut--\r\n"), "multipart/mixed; boundary=cut", []int{400, 413}, ""},
		{"a part with endless headers", text("--cut\r\nX: " + times(1_000_000, "x") + "\r\n\r\n{}\r\n--cut--\r\n"), "multipart/mixed; boundary=cut", []int{400, 413}, ""},
		{"a boundary that is no boundary", text("x"), "multipart/mixed; boundary=" + times(200, "b"), []int{400}, ""},
	}
}

// letters and spaces are endless bodies.
type letters struct{}

func (letters) Read(p []byte) (int, error) { return fill(p, 'a'), nil }

type spaces struct{}

func (spaces) Read(p []byte) (int, error) { return fill(p, ' '), nil }

func fill(p []byte, b byte) int {
	for i := range p {
		p[i] = b
	}
	return len(p)
}

// TestBadInput sends what nobody should: each gets a clear refusal, the server lives on, and what was stored is there. What takes
// time without end gets no answer.
func TestBadInput(t *testing.T) {
	server := serve(t)
	c := newClient(server.Endpoint(), 8)
	defer c.close()
	a, err := c.post(t.Context(), "{"+badWhole+"}")
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("POST: %d %s %v", a.status, a.body, err)
	}
	for _, tt := range badInputs() {
		t.Run(tt.name, func(t *testing.T) {
			contentType := tt.contentType
			if contentType == "" {
				contentType = "application/json"
			}
			a, err := c.do(t.Context(), http.MethodPost, c.endpoint+"/statements", tt.body(), "Content-Type", contentType)
			if err != nil {
				t.Fatalf("no answer: %v", err)
			}
			if !slices.Contains(tt.status, a.status) {
				t.Errorf("status %d, want %v: %.300s", a.status, tt.status, a.body)
			}
			message, found, err := lookUp(a.body, "$.error.message")
			if err != nil || !found || !strings.Contains(plain(message), tt.says) {
				t.Errorf("the error says %.300s, want a message with %q", a.body, tt.says)
			}
			if len(a.body) > 4000 {
				t.Errorf("the error has %d bytes", len(a.body))
			}
		})
	}
	onlyTheFirst(t, c, plainID(t, a))
	if !server.Running() {
		t.Error("the server is gone")
	}
}

func plainID(t *testing.T, a answer) string {
	t.Helper()
	id, found, err := lookUp(a.body, "$[0]")
	if err != nil || !found {
		t.Fatalf("no id in %s: %v", a.body, err)
	}
	return plain(id)
}

// onlyTheFirst checks that the store has one statement.
func onlyTheFirst(t *testing.T, c *client, id string) {
	t.Helper()
	ids, err := c.list(t.Context(), url.Values{})
	if err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("the store has %v, %v, want %s alone", ids, err, id)
	}
}

// TestHugeNumbers stores numbers that no machine word holds. They are valid, so they come back as they were sent, and
// comparing them ends: who writes out their digits does not.
func TestHugeNumbers(t *testing.T) {
	server := serve(t)
	c := newClient(server.Endpoint(), 1)
	defer c.close()
	for _, tt := range []struct {
		name, score string
		status      int
	}{
		{"exponents", `{"min":-1e999999999,"raw":1e-999999999,"max":1e999999999}`, http.StatusOK},
		{"exponents in the wrong order", `{"min":1e300,"raw":1e299}`, http.StatusBadRequest},
		{"digits", `{"min":0,"raw":` + times(100_000, "9") + `}`, http.StatusOK},
		{"a scaled score of many digits", `{"scaled":0.` + times(100_000, "9") + `}`, http.StatusOK},
		{"a scaled score that is too large", `{"scaled":1.1` + times(100_000, "0") + `}`, http.StatusBadRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := c.post(t.Context(), "{"+badWhole+`,"result":{"score":`+tt.score+"}}")
			if err != nil || a.status != tt.status {
				t.Fatalf("status %d, %v, want %d: %.300s", a.status, err, tt.status, a.body)
			}
			if a.status != http.StatusOK {
				return
			}
			a, err = c.get(t.Context(), "statementId", plainID(t, a))
			if err != nil {
				t.Fatal(err)
			}
			score, _, err := lookUp(a.body, "$.result.score")
			if err != nil || string(score) != tt.score {
				t.Errorf("the score came back as %.100s, %v, sent as %.100s", score, err, tt.score)
			}
		})
	}
}

// TestTruncatedRequests ends requests in the middle: in the header, in a body of known length, in a chunk.
func TestTruncatedRequests(t *testing.T) {
	server := serve(t)
	c := newClient(server.Endpoint(), 1)
	defer c.close()
	endpoint, err := url.Parse(server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	head := "POST /xapi/statements HTTP/1.1\r\nHost: a\r\nX-Experience-API-Version: 1.0.3\r\nContent-Type: application/json\r\nAuthorization: Basic " +
		base64.StdEncoding.EncodeToString([]byte(FixedCredential.Key+":"+FixedCredential.Secret)) + "\r\n"
	whole := "{" + badWhole + "}"
	for _, tt := range []struct{ name, request string }{
		{"less than Content-Length says", fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(whole)+10, whole)},
		{"half a body", fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(whole), whole[:len(whole)/2])},
		{"a chunk cut off", fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", head, len(whole), whole[:20])},
		{"no last chunk", fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(whole), whole)},
		{"no number of a chunk", fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\nzz\r\n%s\r\n0\r\n\r\n", head, whole)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, err := cutOff(endpoint.Host, tt.request)
			if err != nil || status != http.StatusBadRequest {
				t.Errorf("status %d, %v, want 400", status, err)
			}
		})
	}
	if ids, err := c.list(t.Context(), url.Values{}); err != nil || len(ids) > 0 {
		t.Errorf("the store has %v, %v, want nothing", ids, err)
	}
}

// cutOff sends bytes, ends its side of the connection, and reads the status that comes back.
func cutOff(address, request string) (int, error) {
	connection, err := net.DialTimeout("tcp", address, maxWait)
	if err != nil {
		return 0, fmt.Errorf("dial: %w", err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(maxWait)); err != nil {
		return 0, fmt.Errorf("set deadline: %w", err)
	}
	if _, err := io.WriteString(connection, request); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		return 0, fmt.Errorf("end: %w", err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return response.StatusCode, response.Body.Close()
}

// TestTenThousandReferrers stores a statement that 10,000 others wait for: the writer does not pay for them all, and in
// the end each is found by what the target is about.
func TestTenThousandReferrers(t *testing.T) {
	const batches, size = 100, 100
	server := serve(t, logged...)
	c := newClient(server.Endpoint(), 8)
	defer c.close()
	target := uuid.NewV4().String()
	first := time.Now()
	for range batches {
		referrer := fmt.Sprintf(`{%s,"object":{"objectType":"StatementRef","id":"%s"}},`, badRest, target)
		a, err := c.post(t.Context(), "["+strings.TrimSuffix(times(size, referrer), ",")+"]")
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("POST: %d %.300s %v", a.status, a.body, err)
		}
	}
	begun := time.Now()
	t.Logf("%v for the referrers", begun.Sub(first))
	a, err := c.post(t.Context(), fmt.Sprintf(`{"id":"%s","actor":{"mbox":"mailto:target@example.org"},"verb":{"id":"http://example.org/w"},"object":{"id":"http://example.org/o"}}`, target))
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("POST of the target: %d %.300s %v", a.status, a.body, err)
	}
	got := consumedBy(t, server, a)
	t.Logf("the target consumed %+v", got)
	if got.Calls > 100 || got.WriteUnits > 1000 { // each of them costs two calls and seven units
		t.Errorf("the target consumed %+v", got)
	}
	if err := eventually(t.Context(), 5*maxWait, func(ctx context.Context) error {
		ids, err := c.list(ctx, url.Values{"agent": {`{"mbox":"mailto:target@example.org"}`}, "limit": {"500"}})
		if err == nil && len(ids) != batches*size+1 {
			err = fmt.Errorf("the target's agent finds %d statements, want %d", len(ids), batches*size+1)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	t.Logf("%v until all were found", time.Since(begun))
}
