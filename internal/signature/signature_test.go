package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cairn-lrs/cairn/internal/requirements"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

const (
	sent = `{"id":"16fd2706-8baf-433b-82eb-8c7fada847da","timestamp":"2026-05-01T12:00:00.123+02:00","actor":{"mbox":"mailto:a@example.com"},` +
		`"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/o"},"context":{"contextActivities":{"parent":{"id":"http://example.com/p"}}}}`
	stored = `{"id":"16fd2706-8baf-433b-82eb-8c7fada847da","timestamp":"2026-05-01T10:00:00.123Z","actor":{"mbox":"mailto:a@example.com"},` +
		`"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/o"},"context":{"contextActivities":{"parent":[{"id":"http://example.com/p"}]}},` +
		`"stored":"2026-05-01T10:00:01.000Z","authority":{"mbox":"mailto:lrs@example.com"},"version":"1.0.0",` +
		`"attachments":[{"usageType":"http://adlnet.gov/expapi/attachments/signature","display":{"en":"s"},"contentType":"application/octet-stream","length":1,"sha2":"495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"}]}`
)

// identity is a key and a certificate for it.
type identity struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

func newIdentity(t *testing.T, key crypto.Signer) identity {
	t.Helper()
	// Expired: that is no matter of a check against mistakes.
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return identity{key, certificate}
}

// sign makes a JWS in compact serialization, with an x5c header of chain unless nil.
func sign(t *testing.T, payload string, algorithm jose.SignatureAlgorithm, key any, chain any) string {
	t.Helper()
	options := new(jose.SignerOptions)
	if chain != nil {
		options = options.WithHeader("x5c", chain)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func chainOf(ids ...identity) []string {
	chain := make([]string, len(ids))
	for i, id := range ids {
		chain[i] = base64.StdEncoding.EncodeToString(id.certificate.Raw)
	}
	return chain
}

func TestVerify(t *testing.T) {
	newRSA := func() identity {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		return newIdentity(t, key)
	}
	ann, ben := newRSA(), newRSA()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, sent, jose.RS256, ann.key, chainOf(ann))
	header, payload, _ := strings.Cut(good, ".")
	payload, _, _ = strings.Cut(payload, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	tests := []struct {
		name string
		jws  string
		want error
	}{
		{"RS256", good, nil},
		{"RS384", sign(t, sent, jose.RS384, ann.key, chainOf(ann)), nil},
		{"RS512", sign(t, sent, jose.RS512, ann.key, chainOf(ann)), nil},
		{"a line break at the end", good + "\r\n", nil},
		{"a longer chain", sign(t, sent, jose.RS256, ann.key, chainOf(ann, ben)), nil},
		{"no certificate", sign(t, sent, jose.RS256, ann.key, nil), nil},
		{"payload as stored", sign(t, stored, jose.RS256, ann.key, chainOf(ann)), nil},
		{"certificate of another key", sign(t, sent, jose.RS256, ann.key, chainOf(ben)), ErrSignature},
		{"certificate second in the chain", sign(t, sent, jose.RS256, ann.key, chainOf(ben, ann)), ErrSignature},
		{"signature cut off", header + "." + payload + ".AAAA", ErrSignature},
		{"payload of another signature", header + "." + base64.RawURLEncoding.EncodeToString([]byte(stored)) + good[strings.LastIndexByte(good, '.'):], ErrSignature},
		{"another statement", sign(t, strings.Replace(sent, "com/o", "com/x", 1), jose.RS256, ann.key, chainOf(ann)), ErrPayload},
		{"another statement without certificate", sign(t, strings.Replace(sent, "com/o", "com/x", 1), jose.RS256, ann.key, nil), ErrPayload},
		{"another time", sign(t, strings.Replace(sent, "+02:00", "+03:00", 1), jose.RS256, ann.key, chainOf(ann)), ErrPayload},
		{"payload no JSON", sign(t, "hello", jose.RS256, ann.key, chainOf(ann)), ErrPayload},
		{"payload with a name twice", sign(t, `{"verb":{},"verb":{}}`, jose.RS256, ann.key, chainOf(ann)), ErrPayload},
		{"PS256", sign(t, sent, jose.PS256, ann.key, chainOf(ann)), ErrForm},
		{"ES256", sign(t, sent, jose.ES256, curve, nil), ErrForm},
		{"HS256 keyed by the certificate", sign(t, sent, jose.HS256, ann.certificate.Raw, chainOf(ann)), ErrForm},
		{"none", none + "." + payload + ".", ErrForm},
		{"empty chain", sign(t, sent, jose.RS256, ann.key, []string{}), ErrCertificate},
		{"certificate of a curve", sign(t, sent, jose.RS256, ann.key, chainOf(newIdentity(t, curve))), ErrCertificate},
		{"certificate no base64", forged(payload, `{"alg":"RS256","x5c":["*"]}`), ErrForm},
		{"certificate no certificate", forged(payload, `{"alg":"RS256","x5c":["AAAA"]}`), ErrForm},
		{"chain no array", forged(payload, `{"alg":"RS256","x5c":"AAAA"}`), ErrForm},
		{"algorithm twice", forged(payload, `{"alg":"none","alg":"RS256"}`), ErrForm},
		{"JSON serialization", `{"payload":"` + payload + `","protected":"` + header + `","signature":"AAAA"}`, ErrForm},
		{"nothing", "", ErrForm},
		{"a text", "this is no signature", ErrForm},
		{"two parts", header + "." + payload, ErrForm},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for name, statement := range map[string]string{"as sent": sent, "as stored": stored} {
				if err := Verify([]byte(statement), []byte(test.jws)); !errors.Is(err, test.want) {
					t.Errorf("%s: got %v, want %v", name, err, test.want)
				}
			}
		})
	}
	requirements.Met(t, "D2.6-2", "D2.6-3", "D2.6-5", "D2.6-6", "D2.6-7", "D2.6-8",
		"L4.2.6-2", "L4.2.6-3", "L4.2.6-4", "L4.2.6-6", "L4.2.6-7", "L4.2.6-8", "L4.2.6-9")
}

// forged is a JWS with any header and no real signature.
func forged(payload, header string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + payload + ".AAAA"
}

func TestIsSignature(t *testing.T) {
	if !IsSignature(xapi.Attachment{UsageType: "http://adlnet.gov/expapi/attachments/signature"}) {
		t.Error("a signature is not seen")
	}
	if IsSignature(xapi.Attachment{UsageType: "http://example.com/usage"}) {
		t.Error("another attachment is taken for a signature")
	}
}

func FuzzVerify(f *testing.F) {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`))
	f.Add([]byte(header + "." + base64.RawURLEncoding.EncodeToString([]byte(sent)) + ".AAAA"))
	f.Add([]byte(header + ".."))
	f.Fuzz(func(t *testing.T, jws []byte) {
		err := Verify([]byte(sent), jws)
		if err != nil && !errors.Is(err, ErrForm) && !errors.Is(err, ErrCertificate) && !errors.Is(err, ErrSignature) && !errors.Is(err, ErrPayload) {
			t.Fatalf("an error of no kind: %v", err)
		}
	})
}
