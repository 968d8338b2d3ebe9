package database

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Unfinished begins the name of whatever a copy is made in.
const Unfinished = ".sollecito-copy-"

// attended comes after it in the name of a folder that its program has locked: as soon as the lock is free, that is gone.
const attended = "held-"

// unfinishedFor is far longer than a copy takes to write some more of its file: where nothing is locked, what is older is
// nobody's.
const unfinishedFor = 24 * time.Hour

// Workplace makes a folder, beside others in one, for a copy that is not whole yet, which only its owner may read. leave removes
// it with all that is in it. When the program ends without, however it ends, the next Workplace there does.
func Workplace(in string) (folder string, leave func() error, err error) {
	forgetUnfinished(in)
	fresh, err := os.MkdirTemp(in, Unfinished)
	if err != nil {
		return "", nil, err
	}
	lock, err := lockFolder(fresh)
	if err != nil { // some file systems cannot: then it is removed a day later
		return fresh, func() error { return os.RemoveAll(fresh) }, nil
	}
	// It has the name by which it may be taken for left behind only once it is locked.
	folder = filepath.Join(in, Unfinished+attended+strings.TrimPrefix(filepath.Base(fresh), Unfinished))
	err = os.Rename(fresh, folder)
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("make a folder for a copy: %w", err), os.RemoveAll(fresh), lock.Close())
	}
	return folder, func() error { return errors.Join(os.RemoveAll(folder), lock.Close()) }, nil
}

// forgetUnfinished removes from a folder what copies left there whose program was killed or lost its machine: as large as a
// database, and as readable. What another one is or may be writing stays. That something cannot be removed keeps no copy from
// being made.
func forgetUnfinished(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // the copy itself says what is wrong with it
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), Unfinished) {
			continue
		}
		name := filepath.Join(folder, e.Name())
		if e.IsDir() && strings.HasPrefix(e.Name(), Unfinished+attended) {
			lock, err := lockFolder(name)
			if err == nil {
				_ = os.RemoveAll(name)
				_ = lock.Close()
				continue
			}
		}
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) > unfinishedFor && !attendedNow(name) {
			_ = os.RemoveAll(name)
		}
	}
}

// attendedNow reports whether a folder's program is known to be at work in it.
func attendedNow(name string) bool {
	lock, err := lockFolder(name)
	if err == nil {
		_ = lock.Close()
	}
	return errors.Is(err, errAttended)
}

// errAttended is why a folder cannot be locked that another program has locked.
var errAttended = errors.New("another program works in it")
