//go:build unix

package main

import (
	"syscall"
	"time"
)

// processorTime is what this process has used of a processor: on a machine that others use too, it tells more than the
// clock on the wall.
func processorTime() time.Duration {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	if err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
