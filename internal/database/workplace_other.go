//go:build !linux && !darwin

package database

import (
	"errors"
	"io"
)

// lockFolder locks nothing where the system has no such lock.
func lockFolder(string) (io.Closer, error) { return nil, errors.ErrUnsupported }
