package s3

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/cloudtest"
)

// counted is a body that counts the bytes which are read of it.
type counted struct {
	io.ReadSeeker
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	c.read += n
	return n, err
}

// TestPutFromOverTLS reads a body once, as it is sent: over AWS's TLS nothing has to be known of it before.
func TestPutFromOverTLS(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	plain := open(t, servers)
	target, err := url.Parse(servers.S3)
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // which is signed
	}})
	defer secure.Close()
	s := New(newClient(secure.URL, secure.Client().Transport), plain.bucket, plain.prefix)
	content := []byte(strings.Repeat(rand.Text(), 200_000))
	body := &counted{ReadSeeker: bytes.NewReader(content)}
	if err := s.PutFrom(t.Context(), "large", body); err != nil {
		t.Fatal(err)
	}
	if body.read != len(content) {
		t.Errorf("%d bytes were read of %d", body.read, len(content))
	}
	stored, size, err := plain.Get(t.Context(), "large", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	if got, err := io.ReadAll(stored); err != nil || size != int64(len(content)) || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back as %d others, %v", len(content), len(got), err)
	}
}

// TestPutFromSurvivesFaults: what has to be sent again is read again from its beginning.
func TestPutFromSurvivesFaults(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	for name, fault := range map[string]cloudtest.Fault{
		"slow down":  cloudtest.S3Error(http.StatusServiceUnavailable, "SlowDown"),
		"race":       cloudtest.S3Error(http.StatusConflict, "ConditionalRequestConflict"),
		"reply lost": cloudtest.ReplyLost,
	} {
		s, _ := openFaulty(t, servers, firstOnly("PUT", 2, fault), quickRetries)
		if err := s.PutFrom(t.Context(), "k", strings.NewReader("a body")); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stored, _, err := s.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(stored); err != nil || string(got) != "a body" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if err := stored.Close(); err != nil {
			t.Error(err)
		}
	}
}
