// Package stack reaches a deployed stack from its operator's machine, with the profiles and sign-ins of the AWS CLI. A
// function has its role's keys in its environment and must not link all that: hence a package of its own.
package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/app/cloud"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/config"
)

// validName is what CloudFormation takes. Source: CloudFormation API reference, CreateStack, StackName.
var validName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)

// Open opens the stores and credentials of a stack, after one read that shows that it is there, and what reports read, when c
// names the stack's bucket; else that is nil. Its tables are named after it, as template.yaml does. Credentials and region are
// those that the AWS CLI would use; the endpoint is c's. Errors are meant for the operator.
func Open(ctx context.Context, c config.Config, name string) (*auth.Directory, *app.Rollups, error) {
	c, err := signIn(ctx, c, name)
	if err != nil {
		return nil, nil, err
	}
	directory, err := open(ctx, c, name)
	if err != nil || c.Bucket == "" {
		return directory, nil, err
	}
	cairn, err := cloud.New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	return directory, cairn.Rollups, nil
}

// Whole opens all of a stack; c names its bucket.
func Whole(ctx context.Context, c config.Config, name string) (*cloud.Cairn, error) {
	c, err := signIn(ctx, c, name)
	if err != nil {
		return nil, err
	}
	if _, err := open(ctx, c, name); err != nil {
		return nil, err
	}
	return cloud.New(c, slog.New(slog.DiscardHandler))
}

// signIn completes the settings with what the AWS CLI would use.
func signIn(ctx context.Context, c config.Config, name string) (config.Config, error) {
	if !validName.MatchString(name) {
		return c, fmt.Errorf("%q is no name of a stack: it has letters, digits and hyphens, and begins with a letter", name)
	}
	account, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return c, fmt.Errorf("read AWS configuration: %w", err)
	}
	if account.Region == "" {
		return c, errors.New("no region is set: set AWS_REGION, or a region in your AWS profile")
	}
	keys, err := account.Credentials.Retrieve(ctx)
	if err != nil {
		return c, fmt.Errorf("sign in to AWS, for example with `aws sso login` or AWS_PROFILE: %w", err)
	}
	c.AWS = config.AWS{
		Region: account.Region, AccessKeyID: keys.AccessKeyID, Secret: keys.SecretAccessKey, SessionToken: keys.SessionToken,
	}
	c.TablePrefix = name + "-"
	c.Credential = config.Credential{} // of an import from this terminal, maybe; a stack has none in its settings
	return c, nil
}

func open(ctx context.Context, c config.Config, name string) (*auth.Directory, error) {
	directory, err := cloud.Directory(c)
	if err != nil {
		return nil, err
	}
	_, err = directory.Store(ctx, auth.DefaultStore)
	if _, absent := errors.AsType[*types.ResourceNotFoundException](err); absent {
		return nil, fmt.Errorf("there is no stack of Cairn with the name %s in %s", name, c.AWS.Region)
	}
	if err != nil && !errors.Is(err, auth.ErrNotFound) { // the store itself is one of a data folder
		return nil, fmt.Errorf("reach the stack %s: %w", name, err)
	}
	return directory, nil
}
