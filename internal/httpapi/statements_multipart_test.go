package httpapi_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
)

// readPart is a part of an answer.
type readPart struct {
	contentType, encoding, hash string
	body                        []byte
}

// readMultipart takes an answer apart and fails the test when it is no multipart/mixed with JSON first.
func readMultipart(t *testing.T, a answer) []readPart {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/mixed" {
		t.Fatalf("Content-Type %q: %v", a.Header.Get("Content-Type"), err)
	}
	var parts []readPart
	reader := multipart.NewReader(strings.NewReader(a.body), params["boundary"])
	for {
		p, err := reader.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, readPart{p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("X-Experience-API-Hash"), body})
	}
	if len(parts) == 0 || parts[0].contentType != "application/json" {
		t.Fatalf("the first part is not application/json: %s", a.body)
	}
	return parts
}

func sha2(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// attachment describes content of a type.
func attachment(content, contentType, hash string) string {
	return fmt.Sprintf(`{"usageType":"http://example.com/usage","display":{"en":"file"},"contentType":%q,"length":%d,"sha2":%q}`, contentType, len(content), hash)
}

// attached is a statement member with attachments.
func attached(descriptions ...string) string {
	return `"attachments":[` + strings.Join(descriptions, ",") + `]`
}

// mixed makes a multipart/mixed body with the boundary "b"; each part is its headers, an empty line and its content.
func mixed(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--b\r\n" + p + "\r\n")
	}
	return b.String() + "--b--\r\n"
}

func jsonPart(statements string) string {
	return "Content-Type: application/json\r\n\r\n" + statements
}

func filePart(content, contentType, hash string) string {
	return "Content-Type: " + contentType + "\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: " + hash + "\r\n\r\n" + content
}

const mixedType = "Content-Type: multipart/mixed; boundary=b"

func TestAttachmentsRoundTrip(t *testing.T) {
	c := newServer(t).newClient()
	// Bytes that a decoder of quoted-printable, of lines or of text would change, and a size over 16 kB.
	binary := "=3D\r\n--c\n\x00\xff\r" + strings.Repeat("0123456789", 4000)
	text := "hello, attachment"
	sum := sha512.Sum512([]byte(text))
	textHash := hex.EncodeToString(sum[:])
	one := statement(withID(uuid()), attached(attachment(binary, "image/png", sha2(binary))))
	two := statement(withID(uuid()), attached(attachment(binary, "image/png", sha2(binary)), attachment(text, "text/plain; charset=utf-8", textHash)))
	a := c.do("POST", "", mixed(jsonPart(batch(one, two)), filePart(binary, "image/png", sha2(binary)), filePart(text, "text/plain", strings.ToUpper(textHash))), mixedType)
	a.want(t, 200)

	list := readMultipart(t, c.do("GET", "?attachments=true", ""))
	if len(list) != 3 {
		t.Fatalf("got %d parts, want the statements and 2 attachments, each once", len(list))
	}
	if got := parseResult(t, string(list[0].body)); len(got.Statements) != 2 {
		t.Errorf("got %d statements, want 2", len(got.Statements))
	}
	want := map[string]readPart{
		sha2(binary): {"image/png", "binary", sha2(binary), []byte(binary)},
		textHash:     {"text/plain; charset=utf-8", "binary", textHash, []byte(text)},
	}
	for _, p := range list[1:] {
		w, ok := want[p.hash]
		if !ok || p.contentType != w.contentType || p.encoding != w.encoding || !bytes.Equal(p.body, w.body) {
			t.Errorf("part %s: got %s, %s, %d bytes", p.hash, p.contentType, p.encoding, len(p.body))
		}
	}
	single := readMultipart(t, c.do("GET", query("statementId", member(t, one, "id"), "attachments", "true"), ""))
	if len(single) != 2 || member(t, string(single[0].body), "id") != member(t, one, "id") {
		t.Errorf("a single statement: got %d parts, first %s", len(single), single[0].body)
	}
	if head := c.do("HEAD", "?attachments=true", ""); head.body != "" || !strings.HasPrefix(head.Header.Get("Content-Type"), "multipart/mixed") {
		t.Errorf("HEAD: Content-Type %q, body %q", head.Header.Get("Content-Type"), head.body)
	}
	if got := c.do("GET", "?attachments=false", "").Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("attachments=false: got %s", got)
	}
}

func TestNoAttachmentsIsMultipartToo(t *testing.T) {
	c := newServer(t).newClient()
	if got := readMultipart(t, c.do("GET", "?attachments=true", "")); len(got) != 1 || string(got[0].body) != `{"statements":[],"more":""}` {
		t.Errorf("got %d parts, first %s", len(got), got[0].body)
	}
	first, second := c.do("GET", "?attachments=true", "").Header.Get("Content-Type"), c.do("GET", "?attachments=true", "").Header.Get("Content-Type")
	if first == second {
		t.Errorf("the boundary can be foreseen: %s", first)
	}
}

func TestPutWithAttachment(t *testing.T) {
	c := newServer(t).newClient()
	id, content := uuid(), "certificate"
	body := mixed(jsonPart(statement(attached(attachment(content, "text/plain", sha2(content))))), filePart(content, "text/plain", sha2(content)))
	c.do("PUT", query("statementId", id), body, mixedType).want(t, 204)
	if got := readMultipart(t, c.do("GET", query("statementId", id, "attachments", "true"), "")); len(got) != 2 || string(got[1].body) != content {
		t.Errorf("got %d parts", len(got))
	}
}

// signatureOf makes a JWS of a statement.
func signatureOf(payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("without a certificate nobody can check this"))
}

// A signature covers the statement before it was signed, in the notation that was sent; the LRS keeps another one.
func TestSignedStatement(t *testing.T) {
	c := newServer(t).newClient()
	c.version = "2.0.0"
	post := func(statementMembers []string, signature string) answer {
		description := strings.Replace(attachment(signature, "application/octet-stream", sha2(signature)), "http://example.com/usage", "http://adlnet.gov/expapi/attachments/signature", 1)
		body := statement(append(statementMembers, attached(description))...)
		return c.do("POST", "", mixed(jsonPart(body), filePart(signature, "application/octet-stream", sha2(signature))), mixedType)
	}
	members := []string{withID(uuid()), `"timestamp":"2026-05-01T10:00:00.123+02:00"`}
	signed := post(members, signatureOf(statement(members...)))
	signed.want(t, 200)
	if got := c.do("GET", query("statementId", member(t, statement(members...), "id")), ""); !strings.Contains(got.body, `"timestamp":"2026-05-01T08:00:00.123Z"`) {
		t.Errorf("timestamp is not UTC: %s", got.body)
	}
	post([]string{withID(uuid())}, signatureOf(statement(`"verb":{"id":"http://example.com/verbs/other"}`))).want(t, 400)
	post([]string{withID(uuid())}, "no signature").want(t, 400)
}

// Naming the digest of somebody else's attachment does not give its bytes away.
func TestDigestIsNoKey(t *testing.T) {
	c := newServer(t).newClient()
	secret := "exam answers"
	c.do("POST", "", mixed(jsonPart(statement(attached(attachment(secret, "text/plain", sha2(secret))))), filePart(secret, "text/plain", sha2(secret))), mixedType).want(t, 200)
	claim := strings.Replace(attachment(secret, "text/plain", sha2(secret)), "{", `{"fileUrl":"http://example.com/f",`, 1)
	id := c.mustPost(statement(attached(claim)))[0]
	if got := readMultipart(t, c.do("GET", query("statementId", id, "attachments", "true"), "")); len(got) != 1 {
		t.Errorf("the claim got %d attachments, want none", len(got)-1)
	}
}

func TestMultipartRefusals(t *testing.T) {
	c := newServer(t).newClient()
	content := "some content"
	hash := sha2(content)
	with := statement(attached(attachment(content, "text/plain", hash)))
	good := filePart(content, "text/plain", hash)
	replaced := func(part, old, new string) string {
		if !strings.Contains(part, old) {
			t.Fatalf("%q is not in the part", old)
		}
		return strings.Replace(part, old, new, 1)
	}
	signed := strings.Replace(attachment(content, "application/octet-stream", hash), "http://example.com/usage", "http://adlnet.gov/expapi/attachments/signature", 1)
	var many []string
	for i := range 101 {
		many = append(many, filePart(fmt.Sprint(i), "text/plain", sha2(fmt.Sprint(i))))
	}
	tests := []struct {
		name, contentType, body string
		status                  int
	}{
		{"all is well", mixedType, mixed(jsonPart(with), good), 200},
		{"boundary in quotes", `Content-Type: multipart/mixed; boundary="b"`, mixed(jsonPart(with), good), 200},
		{"part without a Content-Type", mixedType, mixed(jsonPart(with), replaced(good, "Content-Type: text/plain\r\n", "")), 200},
		{"part with its Content-Length", mixedType, mixed(jsonPart(with), replaced(good, "Content-Type", "Content-Length: 12\r\nContent-Type")), 200},
		{"first part with a Content-Disposition", mixedType, mixed("Content-Disposition: form-data; name=x\r\n"+jsonPart(with), good), 200},
		{"no attachments at all", mixedType, mixed(jsonPart(statement())), 200},
		{"preamble and epilogue", mixedType, "ignore me\r\n" + mixed(jsonPart(with), good) + "and me", 200},
		{"the same part twice", mixedType, mixed(jsonPart(with), good, good), 200},
		{"the specification's example: charset on one side", mixedType, mixed(jsonPart(statement(attached(attachment(content, "text/plain; charset=ascii", hash)))), good), 200},
		{"fileUrl instead of a part", mixedType, mixed(jsonPart(statement(attached(strings.Replace(attachment(content, "text/plain", hash), "{", `{"fileUrl":"http://example.com/f",`, 1))))), 200},

		{"hexadecimal digits with the length of what they encode", mixedType,
			mixed(jsonPart(statement(attached(strings.Replace(attachment("ffd8ff", "image/jpeg", sha2("ffd8ff")), `"length":6`, `"length":3`, 1)))), filePart("ffd8ff", "image/jpeg", sha2("ffd8ff"))), 200},

		{"boundary without its quotes", `Content-Type: multipart/mixed; boundary====b===`, strings.ReplaceAll(mixed(jsonPart(with), good), "--b", "--===b==="), 200},
		{"boundary without its quotes and more", `Content-Type: multipart/mixed; boundary====b===; charset=utf-8`, mixed(jsonPart(with), good), 400},
		{"no boundary", "Content-Type: multipart/mixed", mixed(jsonPart(with), good), 400},
		{"boundary of forbidden characters", `Content-Type: multipart/mixed; boundary="b{"`, mixed(jsonPart(with), good), 400},
		{"another boundary", "Content-Type: multipart/mixed; boundary=c", mixed(jsonPart(with), good), 400},
		{"no part", mixedType, "--b--\r\n", 400},
		{"nothing", mixedType, "", 400},
		{"cut off before the closing boundary", mixedType, strings.TrimSuffix(mixed(jsonPart(with), good), "--b--\r\n"), 400},
		{"cut off in the attachment", mixedType, mixed(jsonPart(with), good)[:len(mixed(jsonPart(with), good))-15], 400},
		{"first part not JSON by its type", mixedType, mixed(replaced(jsonPart(with), "application/json", "text/plain"), good), 400},
		{"first part without a type", mixedType, mixed("\r\n"+with, good), 400},
		{"first part not JSON", mixedType, mixed(jsonPart("x"), good), 400},
		{"attachment first", mixedType, mixed(good, jsonPart(with)), 400},
		{"statements over two parts", mixedType, mixed(jsonPart(with), jsonPart(statement()), good), 400},
		{"no hash", mixedType, mixed(jsonPart(with), replaced(good, "X-Experience-API-Hash: "+hash+"\r\n", "")), 400},
		{"hash twice", mixedType, mixed(jsonPart(with), replaced(good, "X-Experience-API-Hash", "X-Experience-API-Hash: "+hash+"\r\nX-Experience-API-Hash")), 400},
		{"hash of something else", mixedType, mixed(jsonPart(with), replaced(good, hash, sha2("x"))), 400},
		{"hash too short", mixedType, mixed(jsonPart(with), replaced(good, hash, hash[:40])), 400},
		{"no Content-Transfer-Encoding", mixedType, mixed(jsonPart(with), replaced(good, "Content-Transfer-Encoding: binary\r\n", "")), 400},
		{"Content-Transfer-Encoding base64", mixedType, mixed(jsonPart(with), replaced(good, "binary", "base64")), 400},
		{"Content-Transfer-Encoding quoted-printable", mixedType, mixed(jsonPart(with), replaced(good, "binary", "quoted-printable")), 400},
		{"a part that nobody describes", mixedType, mixed(jsonPart(with), good, filePart("x", "text/plain", sha2("x"))), 400},
		{"a part that is missing", mixedType, mixed(jsonPart(with)), 400},
		{"another Content-Type", mixedType, mixed(jsonPart(with), replaced(good, "text/plain", "text/html")), 400},
		{"another Content-Length", mixedType, mixed(jsonPart(with), replaced(good, "Content-Type", "Content-Length: 13\r\nContent-Type")), 400},
		{"wrong length", mixedType, mixed(jsonPart(strings.Replace(with, `"length":12`, `"length":13`, 1)), good), 400},
		{"half the length", mixedType, mixed(jsonPart(strings.Replace(with, `"length":12`, `"length":6`, 1)), good), 400},
		{"attachment without fileUrl as JSON", "Content-Type: application/json", with, 400},
		{"signature that is none", mixedType, mixed(jsonPart(statement(attached(signed))), filePart(content, "application/octet-stream", hash)), 400},
		{"signature by fileUrl only", "Content-Type: application/json", statement(attached(strings.Replace(signed, "{", `{"fileUrl":"http://example.com/f",`, 1))), 400},
		{"contentType with a line break", mixedType, mixed(jsonPart(statement(attached(strings.Replace(attachment(content, "text/plain", hash), "text/plain", `text/plain\r\nX: y`, 1)))), good), 400},
		{"headers without end", mixedType, mixed(jsonPart(with), "X-Long: "+strings.Repeat("x", 9000)+"\r\n"+good), 400},
		{"too many parts", mixedType, mixed(append([]string{jsonPart(with)}, many...)...), 413},
	}
	stored := 0
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c.do("POST", "", test.body, test.contentType).want(t, test.status)
		})
		if test.status == 200 {
			stored++
		}
	}
	if got := len(c.do("GET", "?limit=0", "").result(t).Statements); got != stored {
		t.Errorf("got %d statements in the store, want the %d that were taken", got, stored)
	}
}
