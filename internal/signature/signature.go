// Package signature checks signed statements: a JSON web signature (JWS) that came
// as an attachment with the statement it signs. It is the only importer of the JOSE
// library.
//
// The check finds mistakes. It proves nothing about who signed: anybody can put a
// certificate of their own making into a signature.
// Source: xAPI 1.0.3 Data 2.6; IEEE 9274.1.1 4.2.6.
package signature

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/cairn-lrs/cairn/internal/xapi"
)

// algorithms are the ones that the specification allows. With "none", or an HMAC
// keyed by the public key in the header, everybody could sign.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}

// maxModulusBits bounds the work that a certificate can ask for.
const maxModulusBits = 8192

// The ways in which a signature can be wrong, for callers and for messages: none
// repeats what was sent.
var (
	ErrForm        = errors.New("the signature must be a JWS in compact serialization, by RS256, RS384 or RS512")
	ErrCertificate = errors.New("the first certificate of the signature's x5c header must be an X.509 certificate of an RSA key of at most 8192 bits")
	ErrSignature   = errors.New("the signature was not made with the key of its certificate, or what it signs was changed")
	ErrPayload     = errors.New("the payload of the signature must be the statement")
)

// IsSignature says whether an attachment is a signature of its statement. Its
// content type was checked when the statement was decoded.
func IsSignature(a xapi.Attachment) bool { return a.UsageType == xapi.SignatureUsage }

// Verify checks the bytes of a signature attachment against the statement they came
// with, as received or as stored: the algorithm is allowed, the payload is the same
// statement by xapi.EqualJSON, and when the header names a certificate (x5c), the
// signature was made with its key. A signature without one is accepted as it is. The
// error is one of the four above.
func Verify(statement, jws []byte) error {
	compact := string(bytes.TrimSpace(jws))
	signed, err := jose.ParseSignedCompact(compact, algorithms)
	if err != nil {
		return ErrForm
	}
	key, err := keyOf(compact)
	if err != nil {
		return err
	}
	if key != nil {
		if _, err := signed.Verify(key); err != nil {
			return ErrSignature
		}
	}
	equal, err := xapi.EqualJSON(signed.UnsafePayloadWithoutVerification(), statement)
	if err != nil {
		return fmt.Errorf("%w: it is not valid JSON", ErrPayload)
	}
	if !equal {
		return ErrPayload
	}
	return nil
}

// keyOf gives the key in the first certificate in the header of a JWS, nil
// when there is none. The library would give certificates only by a verified chain,
// which is not asked for: an expired certificate signed no worse.
func keyOf(compact string) (*rsa.PublicKey, error) {
	encoded, _, _ := strings.Cut(compact, ".")
	header, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, ErrForm
	}
	var fields struct {
		Chain []string `json:"x5c"`
	}
	if err := json.Unmarshal(header, &fields); err != nil {
		return nil, ErrForm
	}
	if fields.Chain == nil {
		return nil, nil
	}
	if len(fields.Chain) == 0 {
		return nil, ErrCertificate
	}
	der, err := base64.StdEncoding.DecodeString(fields.Chain[0])
	if err != nil {
		return nil, ErrCertificate
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, ErrCertificate
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() > maxModulusBits {
		return nil, ErrCertificate
	}
	return key, nil
}
