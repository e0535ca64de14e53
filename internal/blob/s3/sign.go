package s3

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cairn-lrs/cairn/internal/blob"
)

// A signed URL dies with the credentials that signed it: in a function these are its role's session, which may end
// before the expiry does. Source: S3 user guide, "Download and upload objects with presigned URLs".

// signer leaves out the checksum that the SDK would compute of the body that it does not have, and keeps the one that is
// given a header: in the query it would not be known to bind the client.
func (s *Store) signer() *s3.PresignClient {
	return s3.NewPresignClient(s.client, func(o *s3.PresignOptions) {
		o.Presigner = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping, o.DisableHeaderHoisting = true, true })
		o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) {
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		})
	})
}

// SignPut implements blob.Transfer. What is signed has the size, as Content-Length, the checksum, which S3 compares, and the
// condition that the key is free: a second upload is refused (412).
func (s *Store) SignPut(ctx context.Context, key string, content blob.Content, expiry time.Duration) (string, map[string]string, error) {
	if err := checkSign(key, expiry); err != nil {
		return "", nil, err
	}
	if content.Size < 1 {
		// A signature without a length would be good for any.
		return "", nil, fmt.Errorf("sign an upload of %d bytes: %w", content.Size, blob.ErrInvalid)
	}
	request, err := s.signer().PresignPutObject(ctx, &s3.PutObjectInput{
		Bucket:         &s.bucket,
		Key:            s.name(key),
		ContentLength:  &content.Size,
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(content.SHA256[:])),
		IfNoneMatch:    aws.String("*"),
	}, s3.WithPresignExpires(expiry))
	if err != nil {
		return "", nil, fmt.Errorf("sign upload: %w", err)
	}
	return request.URL, headers(request), nil
}

// SignGet implements blob.Transfer.
func (s *Store) SignGet(ctx context.Context, key, contentType string, expiry time.Duration) (string, error) {
	if err := checkSign(key, expiry); err != nil {
		return "", err
	}
	request, err := s.signer().PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.bucket, Key: s.name(key),
		ResponseContentType: &contentType, ResponseContentDisposition: aws.String("attachment"),
	}, s3.WithPresignExpires(expiry))
	if err != nil {
		return "", fmt.Errorf("sign download: %w", err)
	}
	return request.URL, nil
}

// maxExpiry is the longest life of a signed URL. Source: S3 user guide, as above.
const maxExpiry = 7 * 24 * time.Hour

func checkSign(key string, expiry time.Duration) error {
	if expiry < time.Second || expiry > maxExpiry {
		return fmt.Errorf("sign URL for %v: %w", expiry, blob.ErrInvalid)
	}
	return blob.CheckKey(key)
}

// headers has what the client must send besides the host, which every client sends.
func headers(request *v4.PresignedHTTPRequest) map[string]string {
	m := make(map[string]string)
	for name := range request.SignedHeader {
		if http.CanonicalHeaderKey(name) != "Host" {
			m[http.CanonicalHeaderKey(name)] = request.SignedHeader.Get(name)
		}
	}
	return m
}

// Copy implements blob.Transfer by CopyObject, which takes objects of up to 5 GB. A taken key is written over: its object is
// the same one, since a key stands for one content.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	if err := begin(ctx, from); err != nil {
		return err
	}
	if err := begin(ctx, to); err != nil {
		return err
	}
	_, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &s.bucket, Key: s.name(to), CopySource: aws.String(s.bucket + "/" + *s.name(from)),
	})
	return failure("copy object", err)
}
