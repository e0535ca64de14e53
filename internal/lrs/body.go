package lrs

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The first byte of a packed body says how it is packed. Bodies are never repacked, so a dictionary that was ever
// used stays: a better one gets the next number.
const (
	packedPlain byte = 0
	packedZstd1 byte = 1 // zstd with dictionary-1.txt as raw content
)

// dictionary1 is xAPI vocabulary: property names and well-known identifiers as they stand in statements, the most
// frequent at the end, where zstd reaches them by the shortest offsets. It holds no learner's data.
//
//go:embed dictionary-1.txt
var dictionary1 []byte

var zstd1 = sync.OnceValues(func() (codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(uint32(packedZstd1), dictionary1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(true), zstd.WithWindowSize(1<<20))
	if err != nil {
		return codec{}, fmt.Errorf("make zstd encoder: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(uint32(packedZstd1), dictionary1), zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		return codec{}, fmt.Errorf("make zstd decoder: %w", err)
	}
	return codec{enc, dec}, nil
})

type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// maxBody bounds what a packed body may unpack to, in bytes: above the edge's limit of a request.
const maxBody = 64 << 20

// pack compresses a statement. Frames carry a checksum, so that a flipped byte is found out.
func pack(body []byte) ([]byte, error) {
	c, err := zstd1()
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1, 1+len(body)/2)
	out[0] = packedZstd1
	return c.enc.EncodeAll(body, out), nil
}

// unpack is the inverse of pack.
func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, fmt.Errorf("unpack statement: empty")
	}
	switch packed[0] {
	case packedPlain:
		return packed[1:], nil
	case packedZstd1:
		c, err := zstd1()
		if err != nil {
			return nil, err
		}
		body, err := c.dec.DecodeAll(packed[1:], nil)
		if err != nil {
			return nil, fmt.Errorf("unpack statement: %w", err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("unpack statement: packing %d is not known to this version", packed[0])
}
