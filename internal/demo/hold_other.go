//go:build !linux && !darwin

package demo

import "io"

// hold keeps nobody out where the system has no such lock; the database's own still stands.
func hold(string) (io.Closer, error) { return io.NopCloser(nil), nil }
