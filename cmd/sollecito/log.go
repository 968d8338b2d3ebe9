package main

import (
	"io"
	"log/slog"
	"strings"
)

// newLogger writes text or JSON, one line per record. Whatever a record's author meant, the value of a key that
// sounds like a secret is not written.
func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// hushed are the parts of keys whose values are never logged.
var hushed = []string{"token", "secret", "password", "authorization", "cookie", "session_key", "api_key", "client_secret", "smtp_url"}

func redact(_ []string, a slog.Attr) slog.Attr {
	key := strings.ToLower(strings.ReplaceAll(a.Key, "-", "_"))
	for _, part := range hushed {
		if strings.Contains(key, part) && a.Value.Kind() != slog.KindGroup {
			return slog.String(a.Key, "(hidden)")
		}
	}
	return a
}
