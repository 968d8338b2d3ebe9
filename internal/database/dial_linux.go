package database

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT (RFC 5482), which package syscall does not name.
const tcpUserTimeout = 0x12

// limitSilence ends a connection on which what was sent is not acknowledged for so long.
func limitSilence(socket uintptr, most time.Duration) error {
	return syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, tcpUserTimeout, int(most.Milliseconds()))
}
