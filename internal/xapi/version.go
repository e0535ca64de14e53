package xapi

import (
	"errors"
	"strings"
)

// Version is a version of the xAPI data model and protocol, as answered in the
// X-Experience-API-Version header.
type Version string

// The versions this package knows.
const (
	V1 Version = "1.0.3" // adlnet/xAPI-Spec 1.0.3
	V2 Version = "2.0.0" // IEEE 9274.1.1
)

// ErrVersion is the error of ParseVersion.
var ErrVersion = errors.New("X-Experience-API-Version must be 1.0, 1.0.x, 2.0 or 2.0.x: send 1.0.3 or 2.0.0")

// maxVersionLength bounds a version text; a longer one is no version.
const maxVersionLength = 64

// ParseVersion gives the version that a request header asks for: V1 for 1.0 and
// 1.0.x, V2 for 2.0 and 2.0.x, ErrVersion for everything else, the missing one included.
// Source: xAPI 1.0.3 Communication 3.3; IEEE 9274.1.1 4.1.7.
func ParseVersion(header string) (Version, error) {
	switch {
	case isPatchOf(header, "1.0"):
		return V1, nil
	case isPatchOf(header, "2.0"):
		return V2, nil
	}
	return "", ErrVersion
}

// acceptsStatement says whether a request of version v may carry a statement whose
// version property is s. Source: Data 2.4.10; 2.0 requests carry both kinds.
func (v Version) acceptsStatement(s string) bool {
	return isPatchOf(s, "1.0") || v == V2 && isPatchOf(s, "2.0")
}

// statementDefault is the version property that a statement without one gets.
// Source: Data 2.4.10 (1.0.0, whatever the patch version); IEEE 9274.1.1 4.2.4.3.
func (v Version) statementDefault() string {
	if v == V2 {
		return "2.0.0"
	}
	return "1.0.0"
}

// isPatchOf says whether s is minor itself or minor with a patch version. The
// patch may have a pre-release suffix: the specification asks only for the prefix.
func isPatchOf(s, minor string) bool {
	patch, ok := strings.CutPrefix(s, minor)
	if !ok || len(s) > maxVersionLength {
		return false
	}
	if patch == "" {
		return true
	}
	if patch[0] != '.' || len(patch) == 1 {
		return false
	}
	for i := 1; i < len(patch); i++ {
		if c := patch[i]; !isAlphanumeric(c) && c != '.' && c != '-' && c != '+' {
			return false
		}
	}
	return true
}
