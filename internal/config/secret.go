package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a value that must never be printed: every way to write it out gives "(set)" or "(not set)".
type Secret string

// Reveal answers the value itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return "(not set)"
	}
	return "(set)"
}

// GoString keeps %#v from printing the value.
func (s Secret) GoString() string { return s.String() }

// Format keeps every verb from printing the value, those too that make no sense for a text: fmt shows what it was given
// beside its complaint.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String())
}

// MarshalText keeps JSON and slog from printing the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps slog from printing the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
