package lrsapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

// What is written as an answer can be read as a request: the same statements, the same parts.
func TestWrittenPartsCanBeReadAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		statements := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(rt, "statements")
		var parts []lrs.Attachment
		for _, content := range rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 0, 5).Draw(rt, "contents") {
			kind := rapid.SampledFrom([]int{64, 96, 128}).Draw(rt, "digits")
			digest, ok := digestLike(strings.Repeat("0", kind), content)
			if !ok {
				rt.Fatalf("no digest of %d digits", kind)
			}
			parts = append(parts, lrs.Attachment{SHA2: digest, ContentType: "image/png", Content: blob.Piece{Bytes: content}})
		}
		gotStatements, gotParts, err := splitParts(written(rt, "cairn-boundary", statements, parts), "cairn-boundary")
		if err != nil {
			rt.Fatalf("read again: %v", err)
		}
		if diff := cmp.Diff(statements, gotStatements); diff != "" {
			rt.Errorf("statements:\n%s", diff)
		}
		if len(parts) != len(gotParts) {
			rt.Fatalf("got %d parts, want %d", len(gotParts), len(parts))
		}
		for i := range parts {
			if parts[i].SHA2 != gotParts[i].SHA2 || !bytes.Equal(parts[i].Content.Bytes, gotParts[i].Body) || gotParts[i].ContentType != "image/png" {
				rt.Errorf("part %d: got %+v, want %+v", i, gotParts[i], parts[i])
			}
		}
	})
}

// written is a multipart answer.
func written(t interface{ Fatal(...any) }, boundary string, body []byte, attachments []lrs.Attachment) []byte {
	pieces, err := multipartOf(boundary, body, attachments)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(blob.NewReader(context.Background(), pieces...))
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

func FuzzSplitParts(f *testing.F) {
	digest, _ := digestLike(strings.Repeat("0", 64), []byte("x"))
	whole := written(f, "b", []byte("{}"), []lrs.Attachment{{SHA2: digest, ContentType: "text/plain", Content: blob.Piece{Bytes: []byte("x")}}})
	f.Add(whole, "b")
	f.Add(whole[:60], "b")
	f.Add([]byte("--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b--"), "b")
	f.Add([]byte("--b--"), "b")
	f.Add([]byte("--b\n\n\n--b\n\n--b--\n"), "b")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, body []byte, boundary string) {
		statements, parts, err := splitParts(body, boundary)
		if err != nil {
			refusal, ok := errors.AsType[*edge.Error](err)
			if !ok || refusal.Status != 400 && refusal.Status != 413 || refusal.Message == "" {
				t.Errorf("refused by %#v, want a 400 or 413 with a message", err)
			}
			return
		}
		total := len(statements)
		for _, p := range parts {
			if got, ok := digestLike(p.SHA2, p.Body); !ok || got != p.SHA2 {
				t.Errorf("part %s does not have its digest", p.SHA2)
			}
			total += len(p.Body)
		}
		if total > len(body) || len(parts) > maxParts {
			t.Errorf("%d bytes in %d parts out of %d bytes", total, len(parts), len(body))
		}
	})
}

func TestSafeContentType(t *testing.T) {
	for given, want := range map[string]string{
		"text/plain":                       "text/plain",
		"text/plain; charset=utf-8":        "text/plain; charset=utf-8",
		`image/png; name="a, b"`:           `image/png; name="a, b"`,
		"":                                 "application/octet-stream",
		"text":                             "application/octet-stream",
		"text/plain\r\nSet-Cookie: a=b":    "application/octet-stream",
		"text/plain\n":                     "application/octet-stream",
		"text/plain; name=ä":               "application/octet-stream",
		"text/plain\x00":                   "application/octet-stream",
		"text/plain; charset=\"unfinished": "application/octet-stream",
		"text/html\r\n\r\n<script>":        "application/octet-stream",
	} {
		if got := safeContentType(given); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

func TestValidBoundary(t *testing.T) {
	for boundary, want := range map[string]bool{
		"b": true, "abcABC0123'()+_,-./:=?": true, "a b": true, strings.Repeat("b", 70): true,
		"": false, "b ": false, "b{": false, "b\"": false, "b\r\n": false, "ä": false, strings.Repeat("b", 71): false,
	} {
		if got := validBoundary(boundary); got != want {
			t.Errorf("%q: got %t, want %t", boundary, got, want)
		}
	}
}
