package xapi

import (
	"encoding/json/jsontext"
	"mime"
	"strconv"
	"strings"
)

// SignatureUsage is the usageType of an attachment that signs its statement.
// Source: Data 2.6.
const SignatureUsage = "http://adlnet.gov/expapi/attachments/signature"

// signatureType is the contentType that such an attachment must have.
const signatureType = "application/octet-stream"

// Attachment is the description of an attachment. Source: Data 2.4.11.
type Attachment struct {
	UsageType   string
	ContentType string
	Length      int64  // bytes
	SHA2        string // lower-case hex: 64 digits of SHA-256, 96 of SHA-384 or 128 of SHA-512
	FileURL     string // "" when the bytes must come with the statement
}

func (d *decoder) attachments() (list []Attachment, err error) {
	err = d.array(onAttachments, func() error {
		a, err := d.attachment()
		list = append(list, a)
		return err
	})
	return list, err
}

func (d *decoder) attachment() (Attachment, error) {
	a := Attachment{Length: -1}
	hasDisplay := false
	err := d.object(onAttachments, func(name string) error {
		var err error
		switch name {
		case "usageType":
			a.UsageType, err = d.iri(onAttachments)
		case "display":
			hasDisplay = true
			err = d.languageMap()
		case "description":
			err = d.languageMap()
		case "contentType":
			a.ContentType, err = d.format(onAttachments, validMediaType, `must be an Internet media type such as "image/png"`)
		case "length":
			a.Length, err = d.length()
		case "sha2":
			a.SHA2, err = d.format(onAttachments, validSHA2, "must be a SHA-256, SHA-384 or SHA-512 hash in hexadecimal digits")
			a.SHA2 = strings.ToLower(a.SHA2)
		case "fileUrl":
			a.FileURL, err = d.iri(onAttachments)
		default:
			err = d.unknown(onAttachments)
		}
		return err
	})
	switch {
	case err != nil:
		return a, err
	case a.UsageType == "", !hasDisplay, a.ContentType == "", a.Length < 0, a.SHA2 == "":
		return a, d.fault(onAttachments, "usageType, display, contentType, length and sha2 are required")
	case a.UsageType == SignatureUsage && a.ContentType != signatureType:
		return a, d.faultAt("/contentType", onSignature, "the contentType of a signature must be "+signatureType)
	}
	return a, nil
}

// length reads a whole number of bytes, written without fraction and exponent.
func (d *decoder) length() (int64, error) {
	const must = "must be the length in bytes, a whole number"
	if err := d.want(jsontext.KindNumber, onAttachments); err != nil {
		return 0, err
	}
	raw, err := d.tokens.ReadValue()
	if err != nil {
		return 0, d.malformed(err)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		return 0, d.fault(onAttachments, must)
	}
	return n, nil
}

func validSHA2(s string) bool {
	return (len(s) == 64 || len(s) == 96 || len(s) == 128) && all(s, isHex)
}

// validMediaType says whether s is type/subtype with well-formed parameters. It is
// written into the header of a part when the attachment is read back, so control
// characters must not pass.
func validMediaType(s string) bool {
	if !all(s, func(c byte) bool { return c >= ' ' && c != 0x7F }) {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(s)
	_, subtype, found := strings.Cut(mediaType, "/")
	return err == nil && found && subtype != ""
}
