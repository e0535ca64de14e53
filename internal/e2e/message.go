package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// identity is who asks.
type identity struct {
	store         string // A or B; "" for nobody
	authorization string // header; "" for nobody
}

func basic(c Credential) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Key+":"+c.Secret))
}

// outgoing is a request with every value in it.
type outgoing struct {
	method string
	url    string
	header http.Header
	body   string
}

// prepare puts the values into a request. version "" sends no version header. A path that begins with reports/ is one of the
// report API, which is another origin.
func (r *Request) prepare(endpoint, reports string, v *values, who identity, version string) (outgoing, error) {
	out := outgoing{method: r.Method, header: http.Header{}}
	expand := func(text string) string {
		expanded, err := v.expand(text)
		if err != nil && out.method != "" {
			out.method = ""
			out.body = err.Error()
		}
		return expanded
	}
	base := endpoint
	path, fromRoot := strings.CutPrefix(expand(r.Path), "@")
	if fromRoot {
		u, err := url.Parse(endpoint)
		if err != nil {
			return out, fmt.Errorf("read endpoint: %w", err)
		}
		base = u.Scheme + "://" + u.Host
	}
	if report, ok := strings.CutPrefix(path, "reports/"); ok {
		if base, path = reports, "/"+report; reports == "" {
			return out, errors.New("the road serves no reports")
		}
	}
	target := base + path
	if elsewhere(path) { // whoever has the URL may use it, so nobody's credentials go there
		target, who, version = path, identity{}, ""
	}
	if query := encodePairs(r.Query, expand); query != "" {
		target += "?" + query
	}
	if who.authorization != "" {
		out.header.Set("Authorization", who.authorization)
	}
	if version != "" {
		out.header.Set("X-Experience-API-Version", version)
	}
	body := expand(r.Body)
	if len(r.Form) > 0 {
		body = encodePairs(r.Form, expand)
		out.header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else if r.HasBody {
		out.header.Set("Content-Type", "application/json")
	}
	for i, p := range r.Header {
		if slices.IndexFunc(r.Header, func(q Pair) bool { return strings.EqualFold(p.Name, q.Name) }) == i {
			out.header.Del(p.Name)
		}
		out.header.Add(p.Name, expand(p.Value))
	}
	if r.Headers != "" {
		var more map[string]string
		if err := json.Unmarshal([]byte(expand(r.Headers)), &more); err != nil {
			return out, fmt.Errorf("read headers: %w", err)
		}
		for name, value := range more {
			if name != "Content-Length" { // it follows from the body
				out.header.Set(name, value)
			}
		}
	}
	for _, name := range r.Without {
		out.header.Del(name)
	}
	if strings.HasPrefix(out.header.Get("Content-Type"), "multipart/") {
		body = strings.ReplaceAll(body, "\n", "\r\n")
	}
	if out.method == "" {
		return out, errors.New(out.body)
	}
	out.url, out.body = target, body
	return out, nil
}

// elsewhere says that a path is a whole URL.
func elsewhere(path string) bool {
	return strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://")
}

func encodePairs(pairs []Pair, expand func(string) string) string {
	encoded := make([]string, len(pairs))
	for i, p := range pairs {
		encoded[i] = url.QueryEscape(p.Name) + "=" + url.QueryEscape(expand(p.Value))
	}
	return strings.Join(encoded, "&")
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte        // with Content-Encoding undone
	tries  int           // that it took, see client
	took   time.Duration // of the last of them, by client
}

// send sends a request once, and reads the whole answer.
func send(ctx context.Context, client *http.Client, o outgoing) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, o.method, o.url, strings.NewReader(o.body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	request.Header = o.header.Clone()
	response, err := client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("send request: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: body}
	if response.Header.Get("Content-Encoding") == "gzip" && len(body) > 0 {
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return a, fmt.Errorf("read gzip answer: %w", err)
		}
		if a.body, err = io.ReadAll(reader); err != nil {
			return a, fmt.Errorf("read gzip answer: %w", err)
		}
	}
	return a, nil
}

// part is one part of a multipart answer.
type part struct {
	header http.Header
	body   []byte
}

// parts takes a multipart/mixed answer apart. Parts are read raw: a reader that undoes a transfer encoding would hide a
// wrong one.
func (a answer) parts() ([]part, error) {
	mediaType, parameters, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("read Content-Type: %w", err)
	}
	if mediaType != "multipart/mixed" {
		return nil, fmt.Errorf("the answer is %s, not multipart/mixed", mediaType)
	}
	reader := multipart.NewReader(bytes.NewReader(a.body), parameters["boundary"])
	var parts []part
	for {
		p, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read part %d: %w", len(parts), err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			return nil, fmt.Errorf("read part %d: %w", len(parts), err)
		}
		parts = append(parts, part{header: http.Header(p.Header), body: body})
	}
}
