//go:build linux || darwin

package demo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// hold keeps every other demo out of a folder until it is closed, or the program ends, however it ends: each of two would
// write over what the other has kept, or clear its beginning away.
func hold(folder string) (io.Closer, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("open the demo's folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("another demo goes on in %s: end it, or name another folder with --data", folder), f.Close())
	}
	return f, nil // some file systems cannot: then it is left to whoever starts two
}
