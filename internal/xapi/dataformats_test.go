package xapi

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/cairn-lrs/cairn/internal/requirements"
)

func TestTimestamps(t *testing.T) {
	tests := []struct{ in, utc string }{ // utc "" means refused
		{"2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z"},
		{"2026-05-01T12:00:00.123456789012Z", "2026-05-01T12:00:00.123456789012Z"},
		{"2026-05-01T12:00:00.100+02:00", "2026-05-01T10:00:00.100Z"},
		{"2026-05-01T12:00:00+0200", "2026-05-01T10:00:00Z"},
		{"2026-05-01T12:00:00+02", "2026-05-01T10:00:00Z"},
		{"2026-05-01T12:00:00+00:00", "2026-05-01T12:00:00Z"},
		{"2026-05-01T12:00:00", "2026-05-01T12:00:00Z"},
		{"2026-05-01T12:00:00,5Z", "2026-05-01T12:00:00.5Z"},
		{"2026-05-01T12:00Z", "2026-05-01T12:00:00Z"},
		{"2026-05-01T12:00-03:30", "2026-05-01T15:30:00Z"},
		{"2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"},
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"},
		{"2017-01-01T00:59:60+01:00", "2016-12-31T23:59:60Z"},
		{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
		{"", ""},
		{"2026-05-01", ""},
		{"12:00:00Z", ""},
		{"2026-05-01 12:00:00Z", ""},
		{"2026-05-01t12:00:00z", ""},
		{"20260501T120000Z", ""},
		{"2026-5-1T12:00:00Z", ""},
		{"2026-05-01T1:00:00Z", ""},
		{"2026-05-01T12:0:00Z", ""},
		{"2026-05-01T12:00:0Z", ""},
		{"2026-05-01T12Z", ""},
		{"2026-05-01T12:00:00.Z", ""},
		{"2026-05-01T12:00:00-00:00", ""},
		{"2026-05-01T12:00:00-0000", ""},
		{"2026-05-01T12:00:00-00", ""},
		{"2026-05-01T12:00:00+24:00", ""},
		{"2026-05-01T12:00:00+02:60", ""},
		{"2026-05-01T12:00:00+2:00", ""},
		{"2026-05-01T12:00:00ZZ", ""},
		{"2026-05-01T12:00:00 Z", ""},
		{"2026-05-01T24:00:00Z", ""},
		{"2026-05-01T12:60:00Z", ""},
		{"2026-05-01T12:00:60Z", ""},
		{"2026-05-01T12:00:61Z", ""},
		{"2026-02-29T12:00:00Z", ""},
		{"2026-13-01T12:00:00Z", ""},
		{"2026-00-01T12:00:00Z", ""},
		{"2026-01-00T12:00:00Z", ""},
		{"+2026-01-01T12:00:00Z", ""},
		{"9999-12-31T23:59:59-01:00", ""},
		{"0000-01-01T00:00:00+01:00", ""},
		{"2026-05-01T12:00:00." + strings.Repeat("1", 100) + "Z", ""},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			utc, ok := utcTimestamp(test.in)
			if utc != test.utc || ok != (test.utc != "") {
				t.Errorf("got %q, %v; want %q", utc, ok, test.utc)
			}
			if _, err := ParseTimestamp(test.in); (err == nil) != ok {
				t.Errorf("ParseTimestamp: %v", err)
			}
		})
	}
	requirements.Met(t, "D4.5-1", "D4.5-2", "L4.2.7-7")
}

func TestParseTimestamp(t *testing.T) {
	got, err := ParseTimestamp("2026-05-01T12:00:01.0234567891+02:00")
	want := time.Date(2026, 5, 1, 10, 0, 1, 23_456_789, time.UTC)
	if err != nil || !got.Equal(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func FuzzTimestamp(f *testing.F) {
	for _, seed := range []string{"2026-05-01T12:00:00.100+02:00", "2016-12-31T23:59:60Z", "2026-05-01T12:00", "9999-12-31T23:59:59,9-0100"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		utc, ok := utcTimestamp(s)
		parsed, err := ParseTimestamp(s)
		if ok != (err == nil) {
			t.Fatalf("%q: valid %v, error %v", s, ok, err)
		}
		if standard, err := time.Parse(time.RFC3339Nano, s); err == nil && ok && !standard.Equal(parsed) {
			t.Fatalf("%q is %v, want %v", s, parsed, standard)
		}
		if !ok {
			return
		}
		again, ok := utcTimestamp(utc)
		if !ok || again != utc {
			t.Fatalf("%q in UTC is %q, and that is %q", s, utc, again)
		}
		if same, err := ParseTimestamp(utc); err != nil || !same.Equal(parsed) {
			t.Fatalf("%q moved from %v to %v", s, parsed, same)
		}
	})
}

func TestDurations(t *testing.T) {
	valid := []string{"PT4H35M59.14S", "PT16559.14S", "P3Y1M29DT4H35M59.14S", "P3Y", "P4W", "PT0S", "P1DT1S", "P0.5Y", "PT1,5H", "P1.5W", "PT0.123456789S", "P1M", "PT1M"}
	invalid := []string{"", "P", "PT", "P1YT", "P4W1D", "P1D4W", "PW", "4H", "pt1s", "PT1s", "PT1.S", "PT.5S", "PT1.5H1M", "P1.5DT1H", "P1S", "PT1D", "PT1M1H",
		"PT1H1H", "P-1D", "-P1D", "+P1D", "PT 1S", "PT1S ", "P1Y2", "P0003-01-29T04:35:59", "PT1.1.1S", "PTS", "T1S", "PT1HT1M"}
	for _, s := range valid {
		if !ValidDuration(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range invalid {
		if ValidDuration(s) {
			t.Errorf("%q is accepted", s)
		}
	}
	requirements.Met(t, "D4.6-1", "D4.6-2", "L4.2.7-8", "L4.2.7-9", "L4.2.7-10")
}

func FuzzDuration(f *testing.F) {
	f.Add("P3Y1M29DT4H35M59.14S")
	f.Add("P4W")
	f.Fuzz(func(t *testing.T, s string) {
		if !ValidDuration(s) {
			return
		}
		compared := comparableDuration(s)
		if !ValidDuration(compared) || comparableDuration(compared) != compared || len(compared) > len(s) {
			t.Fatalf("%q compares as %q", s, compared)
		}
	})
}

func TestLanguageTags(t *testing.T) {
	valid := []string{"en", "en-US", "EN-us", "cmn", "zh-Hant-TW", "zh-cmn-Hans-CN", "es-419", "de-CH-1996", "sl-rozaj-biske-1994", "en-a-bbb-x-a", "x-whatever", "x-a-1",
		"i-klingon", "sgn-BE-FR", "art-lojban", "und", "de-x-y", "qaa-Qaaa-QM-x-southern", "sr-Latn-RS", "en-u-ca-gregory", "zh-yue-abc-def"}
	invalid := []string{"", "e", "en_US", "en-", "-en", "en--US", "english1", "123", "en-US-", "x", "x-", "en-x", "en-a", "en-toolongsubtag", "en US", "e-n", "en-u", "абв",
		"en-US-US-US", "verylonglanguage", "en-é"}
	for _, s := range valid {
		if !ValidLanguageTag(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range invalid {
		if ValidLanguageTag(s) {
			t.Errorf("%q is accepted", s)
		}
	}
	requirements.Met(t, "D2.2-13", "D4.2-1", "L4.2.7-4", "L4.2.7-5")
}

func FuzzLanguageTag(f *testing.F) {
	for _, seed := range []string{"en-US", "zh-cmn-Hans-CN", "x-a", "en-a-bbb-x-a", "i-klingon"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// What x/text takes for well-formed, with known or unknown subtags, is well-formed
		// for us too; it takes more than RFC 5646 does only with underscores and by
		// lengths, and the other way round.
		if ValidLanguageTag(s) && (strings.ContainsAny(s, "_ ") || strings.Contains(s, "--")) {
			t.Fatalf("%q is accepted", s)
		}
		tag, err := language.Raw.Parse(s)
		if err == nil && tag.String() == s && !ValidLanguageTag(s) && !strings.Contains(s, "_") {
			t.Fatalf("%q is refused", s)
		}
	})
}

func TestIRIs(t *testing.T) {
	valid := []string{"http://example.com", "http://Course_ID2", "http://68pf.._course_id", "urn:uuid:16fd2706-8baf-433b-82eb-8c7fada847da", "uuid://x", "course-v1:FUN-MOOC+1+2",
		"mailto:a@example.com", "tag:a,2026:b", "http://example.com/فعل/خواندن", "http://[::1]:8080/", "x:", "http://a/b?c=d&e[]=f#g", "http://a/%E2%82%AC", "z39.50r://h", "http://a/?\ue000", "http://a/\U00010000"}
	invalid := []string{"", "a", "example.com", "/a/b", "//a/b", "?q", "#f", ":a", "1a:b", "ht tp://a", "http://a b", "http://<a>", "http://a/{b}", "http://a|b", "c:\\dir", "http://a/^", "http://a/`",
		"http://a/\"", "http://a/%", "http://a/%2", "http://a/%zz", "http://a/\n", "http://a/\x7f", "http://a/\ue000", "http://a/\ufffd", "http://a/\u0080", "http://a/\U0001ffff", "é:a"}
	for _, s := range valid {
		if !ValidIRI(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range invalid {
		if ValidIRI(s) {
			t.Errorf("%q is accepted", s)
		}
	}
	requirements.Met(t, "D2.2-12", "L4.2.1-3", "L4.2.1-12")
}

func FuzzIRI(f *testing.F) {
	f.Add("http://example.com/%20?q#f")
	f.Fuzz(func(t *testing.T, s string) {
		if ValidIRI(s) && (!strings.Contains(s, ":") || strings.ContainsAny(s, " <>\"{}|\\^`\x00\n\r\t")) {
			t.Fatalf("%q is accepted", s)
		}
	})
}

func TestVersions(t *testing.T) {
	for header, want := range map[string]Version{
		"1.0": V1, "1.0.0": V1, "1.0.3": V1, "1.0.9": V1, "1.0.10": V1, "1.0.3-rc.1": V1, "2.0": V2, "2.0.0": V2, "2.0.1": V2,
		"": "", "1": "", "1.": "", "1.0.": "", "0.95": "", "0.9.9": "", "1.1": "", "1.1.0": "", "1.00": "", "1.0x": "", "2": "", "2.1": "", "2.1.0": "", "3.0": "",
		" 1.0.3": "", "1.0.3 ": "", "v1.0.3": "", "1.0.3,2.0.0": "", "1.0.\r\n": "", "1.0." + strings.Repeat("9", 100): "",
	} {
		got, err := ParseVersion(header)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", header, got, err, want)
		}
	}
}

func TestUUIDs(t *testing.T) {
	const id = "16FD2706-8baf-433b-82eb-8c7fada847da"
	if !ValidUUID(id) || NormalizeUUID(id) != strings.ToLower(id) {
		t.Errorf("%s is refused, or not put in lower case", id)
	}
	for _, s := range []string{"", id[:35], id + "0", "{" + id[:34] + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", "0"), "g" + id[1:], strings.Replace(id, "-", "_", 1)} {
		if ValidUUID(s) {
			t.Errorf("%q is accepted", s)
		}
	}
	requirements.Met(t, "D4.4-1", "L4.2.7-6")
}
