//go:build linux || darwin

package disk_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"sollecito/internal/disk"
)

// Of a link the room is told of the disk on which the file lies, not of the link's.
func TestFreeLooksBehindALink(t *testing.T) {
	t.Parallel()
	here := t.TempDir()
	there, err := os.MkdirTemp("/dev/shm", "sollecito-")
	if err != nil {
		t.Skip("this system has no disk in memory")
	}
	t.Cleanup(func() { os.RemoveAll(there) })
	if device(t, here) == device(t, there) {
		t.Skip("there is one disk only")
	}
	file, link := filepath.Join(there, "file"), filepath.Join(here, "link")
	err = os.WriteFile(file, nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	err = os.Symlink(file, link)
	if err != nil {
		t.Fatal(err)
	}
	told, known := disk.Free(link)
	behind, beside := free(t, file), free(t, filepath.Join(here, "file"))
	if !known || distance(told, behind) > distance(told, beside) { // others write meanwhile
		t.Errorf("%d bytes, %t; behind the link %d are left, beside it %d", told, known, behind, beside)
	}
}

func free(t *testing.T, file string) uint64 {
	t.Helper()
	left, known := disk.Free(file)
	if !known || left == 0 {
		t.Fatalf("of %s nothing is known", file)
	}
	return left
}

func distance(a, b uint64) uint64 { return max(a, b) - min(a, b) }

func device(t *testing.T, path string) uint64 {
	t.Helper()
	var stat syscall.Stat_t
	err := syscall.Stat(path, &stat)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(stat.Dev)
}
