//go:build linux || darwin

package doctor

import (
	"path/filepath"
	"syscall"
)

// room answers how many bytes are left where the file lies, and false when the system does not say.
func room(file string) (uint64, bool) {
	var disk syscall.Statfs_t
	err := syscall.Statfs(filepath.Dir(file), &disk)
	if err != nil {
		return 0, false
	}
	return disk.Bavail * uint64(disk.Bsize), true
}
