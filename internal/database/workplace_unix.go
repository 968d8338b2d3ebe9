//go:build linux || darwin

package database

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lockFolder has a folder alone until it is closed, or the program ends, however it ends. The error is errAttended when another
// has it.
func lockFolder(name string) (io.Closer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errAttended
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
