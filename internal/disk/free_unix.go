//go:build linux || darwin

package disk

import (
	"path/filepath"
	"syscall"
)

// Free answers how many bytes are left where the file lies, behind links as well, and false when the system does not say.
func Free(file string) (uint64, bool) {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		real = file // it may be there later
	}
	var stat syscall.Statfs_t
	err = syscall.Statfs(filepath.Dir(real), &stat)
	if err != nil {
		return 0, false
	}
	return stat.Bavail * uint64(stat.Bsize), true
}
