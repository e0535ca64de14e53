package lrs

import (
	"bytes"
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// eachPacking runs a test with every packing that is written.
func eachPacking(t *testing.T, test func(t *testing.T, how packing)) {
	t.Run("zstd", func(t *testing.T) { test(t, packedZstd1) })
	t.Run("S2", func(t *testing.T) { test(t, packedS2) })
}

// The dictionary lies in every data folder and every deployment: it is public, and nobody may be found in it.
func TestDictionaryIsVocabularyOnly(t *testing.T) {
	for what, pattern := range map[string]string{
		"an address":                             `@`,
		"a UUID":                                 `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`,
		"a digest":                               `[0-9a-f]{40}`,
		"an account's name":                      `"homePage":"[^"]*","name":"[^" ]+"`,
		"an agent's name":                        `"objectType":"(Agent|Group)","name":"[^"]+"`,
		"a page of a host that is no vocabulary": `https?://(www\.)?[a-z0-9.-]*(example|moodle|school|university|\.edu)`,
	} {
		if found := regexp.MustCompile(pattern).Find(dictionary1); found != nil {
			t.Errorf("the dictionary holds %s: %q", what, found)
		}
	}
	if len(dictionary1) < 1000 {
		t.Errorf("the dictionary has %d bytes", len(dictionary1))
	}
}

func TestPackKeepsEveryByte(t *testing.T) {
	eachPacking(t, func(t *testing.T, how packing) {
		words := rapid.SampledFrom([]string{`{"actor":`, `"objectType":"Activity"`, `http://adlnet.gov/expapi/verbs/`, "ü", "\x00", "a"})
		rapid.Check(t, func(t *rapid.T) {
			body := rapid.SliceOfN(rapid.Byte(), 1, -1).Draw(t, "bytes")
			for _, word := range rapid.SliceOf(words).Draw(t, "words") {
				body = append(body, word...)
			}
			packed, err := pack(how, body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := unpack(packed)
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%q came back as %q, error %v", body, got, err)
			}
		})
	})
}

func TestDamagedBodiesAreFoundOut(t *testing.T) {
	eachPacking(t, func(t *testing.T, how packing) {
		body := []byte(benchStatement(7))
		packed, err := pack(how, body)
		if err != nil {
			t.Fatal(err)
		}
		for i := range packed {
			for bit := range 8 {
				damaged := bytes.Clone(packed)
				damaged[i] ^= 1 << bit
				if got, err := unpack(damaged); err == nil && !bytes.Equal(got, body) {
					t.Fatalf("byte %d of %d, bit %d: another body without an error", i, len(packed), bit)
				}
			}
			if got, err := unpack(packed[:i]); err == nil {
				t.Fatalf("the first %d of %d bytes are a body of %d", i, len(packed), len(got))
			}
		}
	})
}

func FuzzUnpack(f *testing.F) {
	for _, how := range []packing{packedZstd1, packedS2} {
		packed, err := pack(how, []byte(benchStatement(1)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Add([]byte{0})
	f.Add([]byte{2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}) // S2 that says it has 4 GB
	f.Fuzz(func(t *testing.T, packed []byte) {
		if body, err := unpack(packed); err == nil && len(body) > maxBody {
			t.Errorf("a body of %d bytes", len(body))
		}
	})
}
