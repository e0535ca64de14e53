package report

import (
	"errors"
	"fmt"
)

// The ways in which a question is refused. Messages are meant for who asks.
var (
	ErrInvalid  = errors.New("invalid question")
	ErrNotFound = errors.New("not found")
	ErrBound    = errors.New("over the bound") // answering would read more than is allowed
)

// Refusal is a refused question.
type Refusal struct {
	Kind    error
	Param   string // the parameter, or the JSON pointer into a query, that is at fault; ""
	Message string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%v: %s", r.Kind, r.Message) }

// Unwrap makes errors.Is hold for the kind.
func (r *Refusal) Unwrap() error { return r.Kind }

func invalid(param, format string, args ...any) error {
	return &Refusal{ErrInvalid, param, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &Refusal{ErrNotFound, "", fmt.Sprintf(format, args...)}
}
