package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"uuid"
)

// millis is how scripts write a time: the precision of X-Experience-API-Consistent-Through.
const millis = "2006-01-02T15:04:05.000Z"

// values are a script's variables.
type values struct {
	now     func() time.Time
	text    map[string]string
	secrets map[string]bool // what no other store may be shown; false once that store knows it
}

var placeholder = regexp.MustCompile(`\{\{([A-Za-z0-9 ]+)\}\}`)

// expand puts the values of variables in. A name that has none is an error.
func (v *values) expand(text string) (string, error) {
	var missing error
	out := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-2]
		if name == "new uuid" {
			return v.uuid()
		}
		value, ok := v.text[name]
		if !ok {
			missing = fmt.Errorf("expand %s: there is no such value", match)
		}
		return value
	})
	return out, missing
}

// uuid makes a UUID that the script's store keeps to itself.
func (v *values) uuid() string {
	id := uuid.NewV4().String()
	v.secrets[id] = true
	return id
}

// makeValue computes what a make line asks for. The text is not expanded yet: list and repeat expand each copy.
func (v *values) makeValue(text string) (string, error) {
	function, rest, _ := strings.Cut(text, " ")
	switch function {
	case "list":
		return v.copies(rest, ",")
	case "repeat":
		return v.copies(rest, "")
	}
	argument, err := v.expand(rest)
	if err != nil {
		return "", err
	}
	switch function {
	case "uuid":
		return v.uuid(), nil
	case "now":
		var shift time.Duration
		if argument != "" {
			if shift, err = time.ParseDuration(argument); err != nil {
				return "", fmt.Errorf("make time: %w", err)
			}
		}
		return v.now().Add(shift).UTC().Format(millis), nil
	case "sha1":
		sum := sha1.Sum([]byte(argument))
		return hex.EncodeToString(sum[:]), nil
	case "sha256":
		sum := sha256.Sum256([]byte(argument))
		return hex.EncodeToString(sum[:]), nil
	case "sha384":
		sum := sha512.Sum384([]byte(argument))
		return hex.EncodeToString(sum[:]), nil
	case "sha512":
		sum := sha512.Sum512([]byte(argument))
		return hex.EncodeToString(sum[:]), nil
	case "length":
		return strconv.Itoa(len(argument)), nil
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(argument)), nil
	case "sign":
		algorithm, payload, _ := strings.Cut(argument, " ")
		return sign(algorithm, payload)
	}
	return "", fmt.Errorf("make %q: there is no such function", function)
}

func (v *values) copies(text, separator string) (string, error) {
	number, template, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", fmt.Errorf("make copies: %w", err)
	}
	out := make([]string, n)
	for i := range out {
		v.text["n"] = strconv.Itoa(i)
		if out[i], err = v.expand(template); err != nil {
			return "", err
		}
	}
	return strings.Join(out, separator), nil
}

// signingKey signs every signed statement of a run. Its size is the smallest that libraries still accept.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// sign makes a JWS in compact form. Source: RFC 7515, 3.1; xAPI 1.0.3 Data 2.6 allows these three algorithms.
func sign(algorithm, payload string) (string, error) {
	key, err := signingKey()
	if err != nil {
		return "", fmt.Errorf("make signing key: %w", err)
	}
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + algorithm + `"}`))
	signed := head + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	hash, ok := map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}[algorithm]
	if !ok {
		return "", fmt.Errorf("sign by %q: there is no such algorithm", algorithm)
	}
	digest := hash.New()
	digest.Write([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, hash, digest.Sum(nil))
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// holds decides a check line: two values with an operator between them.
func holds(text string) (bool, error) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return false, fmt.Errorf("check %q: want VALUE OPERATOR VALUE", text)
	}
	order := compareValues(fields[0], fields[2])
	switch fields[1] {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case "=":
		return order == 0, nil
	case "!=":
		return order != 0, nil
	}
	return false, fmt.Errorf("check %q: there is no operator %s", text, fields[1])
}

// compareValues compares times as times, numbers as numbers and the rest as text.
func compareValues(a, b string) int {
	at, errA := time.Parse(time.RFC3339Nano, a)
	bt, errB := time.Parse(time.RFC3339Nano, b)
	if errA == nil && errB == nil {
		return at.Compare(bt)
	}
	an, errA := strconv.ParseFloat(a, 64)
	bn, errB := strconv.ParseFloat(b, 64)
	switch {
	case errA != nil || errB != nil:
		return strings.Compare(a, b)
	case an < bn:
		return -1
	case an > bn:
		return 1
	}
	return 0
}
