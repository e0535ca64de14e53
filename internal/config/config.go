// Package config is the one place that reads the environment: every setting of Cairn that does not come as a flag, in
// one struct, checked before anything starts.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Config is what the environment says. Each field names its variable; an absent variable leaves the default.
type Config struct {
	// CAIRN_CREDENTIAL: key:secret. On the local road `cairn serve` gives the default store exactly this credential at
	// start, and `cairn import` sends it. Refused in the cloud, where secrets do not belong into a function's settings.
	Credential Credential

	// CAIRN_TABLE_PREFIX: stands before the name of every DynamoDB table, so that several stacks fit one account and region.
	TablePrefix string

	// CAIRN_BUCKET: the S3 bucket of attachments, documents and large statements. Needed in the cloud.
	Bucket string

	// CAIRN_DYNAMODB_ENDPOINT and CAIRN_S3_ENDPOINT: URLs of other servers that speak these protocols, for the cloud-like
	// road. Empty: AWS, in the region that the Lambda runtime names.
	DynamoDBEndpoint, S3Endpoint string

	// AWS_REGION, and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: the Lambda runtime sets them for the
	// function's role. Needed in the cloud.
	AWS AWS

	// CAIRN_INDEX_LAG and CAIRN_CLOCK_SKEW: how late an index entry may be and how far the clocks of two functions may be
	// apart when lists are announced as complete, each from 1ms to 1m. Zero: a second each, as package lrs says. For the
	// cloud; smaller ones are for tests, whose tables and clocks are on one machine.
	IndexLag, ClockSkew time.Duration

	// CAIRN_REPORT_BOUND: the most ledgers, one for each learner, that one report may read, 1 to 1000000. Zero: 10,000, as
	// package report says.
	ReportBound int

	// CAIRN_LOG_LEVEL: debug, info (default), warn or error. One line per request is written at info.
	LogLevel slog.Level

	// CAIRN_METRICS: on or off (default). Whether a function's lines are metrics of CloudWatch too. For the cloud.
	Metrics bool
}

// Credential is an access key with its secret. It prints as the key alone.
type Credential struct {
	Key, Secret string
}

// String leaves the secret out.
func (c Credential) String() string {
	if c.Key == "" {
		return ""
	}
	return c.Key + ":(secret)"
}

// GoString leaves the secret out of %#v too.
func (c Credential) GoString() string { return c.String() }

// AWS says where AWS is and as whom it is asked. It prints as the region and the id of the access key.
type AWS struct {
	Region                            string
	AccessKeyID, Secret, SessionToken string
}

// String leaves the secrets out.
func (a AWS) String() string { return a.Region + " " + a.AccessKeyID }

// GoString leaves the secrets out of %#v too.
func (a AWS) GoString() string { return a.String() }

// ParseCredential reads key:secret. The key has no colon; everything after the first one is the secret.
func ParseCredential(text string) (Credential, error) {
	key, secret, ok := strings.Cut(text, ":")
	if !ok || key == "" || secret == "" {
		return Credential{}, errors.New("want key:secret, both not empty")
	}
	return Credential{Key: key, Secret: secret}, nil
}

// Environment reads the settings of this process.
func Environment() (Config, error) { return Read(os.LookupEnv) }

// Read reads the settings through lookup, which is os.LookupEnv or a test's. The error names every variable that is not
// valid, and no value, since a value may be a secret.
func Read(lookup func(name string) (value string, ok bool)) (Config, error) {
	var c Config
	var problems []error
	for _, s := range settings(&c) {
		value, ok := lookup(s.name)
		if !ok || value == "" {
			continue
		}
		if err := s.set(value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	if len(problems) > 0 {
		return Config{}, fmt.Errorf("read environment: %w", errors.Join(problems...))
	}
	return c, nil
}

// LogValue is the configuration as a log line may show it: no secret.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, s := range settings(&c) {
		if shown := s.show(); shown != "" {
			attrs = append(attrs, slog.String(s.name, shown))
		}
	}
	return slog.GroupValue(attrs...)
}

// setting ties one variable to its field.
type setting struct {
	name string
	set  func(value string) error
	show func() string // without secrets; "" when there is nothing to show
}

func settings(c *Config) []setting {
	text := func(name string, field *string, check func(string) error) setting {
		return setting{
			name: name,
			set: func(value string) error {
				if check != nil {
					if err := check(value); err != nil {
						return err
					}
				}
				*field = value
				return nil
			},
			show: func() string { return *field },
		}
	}
	secret := func(name string, field *string) setting {
		s := text(name, field, nil)
		s.show = func() string { return "" }
		return s
	}
	return []setting{
		{
			name: "CAIRN_CREDENTIAL",
			set: func(value string) (err error) {
				c.Credential, err = ParseCredential(value)
				return err
			},
			show: func() string { return c.Credential.String() },
		},
		text("CAIRN_TABLE_PREFIX", &c.TablePrefix, checkPrefix),
		text("CAIRN_BUCKET", &c.Bucket, nil),
		text("CAIRN_DYNAMODB_ENDPOINT", &c.DynamoDBEndpoint, checkURL),
		text("CAIRN_S3_ENDPOINT", &c.S3Endpoint, checkURL),
		text("AWS_REGION", &c.AWS.Region, nil),
		text("AWS_ACCESS_KEY_ID", &c.AWS.AccessKeyID, nil),
		secret("AWS_SECRET_ACCESS_KEY", &c.AWS.Secret),
		secret("AWS_SESSION_TOKEN", &c.AWS.SessionToken),
		allowance("CAIRN_INDEX_LAG", &c.IndexLag),
		allowance("CAIRN_CLOCK_SKEW", &c.ClockSkew),
		{
			name: "CAIRN_REPORT_BOUND",
			set: func(value string) (err error) {
				if c.ReportBound, err = strconv.Atoi(value); err != nil || c.ReportBound < 1 || c.ReportBound > 1_000_000 {
					return errors.New("want a number from 1 to 1000000")
				}
				return nil
			},
			show: func() string {
				if c.ReportBound == 0 {
					return ""
				}
				return strconv.Itoa(c.ReportBound)
			},
		},
		{
			name: "CAIRN_LOG_LEVEL",
			set:  func(value string) error { return c.LogLevel.UnmarshalText([]byte(value)) },
			show: func() string { return c.LogLevel.String() },
		},
		{
			name: "CAIRN_METRICS",
			set: func(value string) error {
				if c.Metrics = value == "on"; !c.Metrics && value != "off" {
					return errors.New("want on or off")
				}
				return nil
			},
			show: func() string {
				if c.Metrics {
					return "on"
				}
				return ""
			},
		},
	}
}

// allowance is a duration from a millisecond to a minute: zero stands for the default.
func allowance(name string, field *time.Duration) setting {
	return setting{
		name: name,
		set: func(value string) (err error) {
			if *field, err = time.ParseDuration(value); err != nil || *field < time.Millisecond || *field > time.Minute {
				return errors.New("want a duration from 1ms to 1m")
			}
			return nil
		},
		show: func() string {
			if *field == 0 {
				return ""
			}
			return field.String()
		},
	}
}

// checkPrefix holds table names within DynamoDB's: letters, digits, "_", "-" and ".", 255 at most with the table's own.
func checkPrefix(prefix string) error {
	for _, r := range prefix {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-.", r)) {
			return errors.New(`only letters, digits, "_", "-" and "." may stand in a table name`)
		}
	}
	if len(prefix) > 200 {
		return errors.New("200 characters at most")
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("want an http or https URL")
	}
	return nil
}
