//go:build !linux

package database

import "time"

// limitSilence does nothing where the system has no such limit of its own for a connection.
func limitSilence(uintptr, time.Duration) error { return nil }
