package fault

import (
	"errors"
	"fmt"
)

// Kind says what went wrong in words that decide how a person is answered.
type Kind string

const (
	NotFound    Kind = "not_found"    // the thing does not exist, or is not the asker's to see
	Invalid     Kind = "invalid"      // the asker sent something that cannot be used; Message says what to do
	Forbidden   Kind = "forbidden"    // known who asks, and it is not theirs to do
	SignedOut   Kind = "signed_out"   // nobody is signed in, or the session has ended
	Conflict    Kind = "conflict"     // the world moved between asking and doing
	TooMany     Kind = "too_many"     // asked too often; wait
	Unavailable Kind = "unavailable"  // something outside (Stripe, mail, the disk) does not answer now
	TooLarge    Kind = "too_large"    // the body is larger than we read
	Internal    Kind = "internal"     // ours; never made by New, only answered by KindOf
	WrongMethod Kind = "wrong_method" // the address exists, the method does not
)

// Error is a failure with a kind. Message is written for the person who asked; Err, when set, is the cause and
// is for the log alone.
type Error struct {
	Kind    Kind
	Message string
	Err     error
}

// New makes a failure that a person may be told of.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes a failure of the given kind around its cause. The cause reaches the log, never the person.
func Wrap(kind Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Err: err}
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf answers the kind of the outermost Error in the chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err carries the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// MessageOf answers the sentence for the person, or "" when the failure is internal.
func MessageOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}
