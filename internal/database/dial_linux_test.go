package database

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// The system watches connections to a server, so that one whose machine is gone ends before anybody has to restart the
// program. (That it then ends was tried with a server behind a wire that was cut; no test can cut one.)
func TestConnectionsToAServerAreWatched(t *testing.T) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	wire, err := dialWatched(t.Context(), "tcp", door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	raw, err := wire.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	set := map[int]int{}
	err = raw.Control(func(socket uintptr) {
		for _, option := range []int{tcpUserTimeout, syscall.TCP_KEEPIDLE, syscall.TCP_KEEPINTVL, syscall.TCP_KEEPCNT} {
			set[option], _ = syscall.GetsockoptInt(int(socket), syscall.IPPROTO_TCP, option) // 0 is told below
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[int]int{tcpUserTimeout: 45_000, syscall.TCP_KEEPIDLE: 15, syscall.TCP_KEEPINTVL: 5, syscall.TCP_KEEPCNT: 6} {
		if set[option] != want {
			t.Errorf("option %d is %d, want %d", option, set[option], want)
		}
	}
	local, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	wire, err = dialWatched(t.Context(), "unix", local.Addr().String())
	if err != nil {
		t.Fatalf("by a socket of this machine: %v", err)
	}
	wire.Close()
}
