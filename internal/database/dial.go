package database

import (
	"context"
	"net"
	"strings"
	"syscall"
	"time"
)

// A server whose machine is gone, or was replaced by another at its address, says nothing more on the connections there were,
// and who waits for it would wait for a quarter of an hour or longer: its own limits of time are gone with it. After so long
// without a sign of life from that machine they end.
const (
	signsAfter = 15 * time.Second // of silence signs are asked for
	signsEvery = 5 * time.Second
	signsMost  = 6
	lifeless   = signsAfter + signsMost*signsEvery
)

// dialWatched connects to a server as pgx does, and has the system watch the connection.
func dialWatched(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: signsAfter, Interval: signsEvery, Count: signsMost},
		Control: func(network, _ string, raw syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			var failed error
			err := raw.Control(func(socket uintptr) { failed = limitSilence(socket, lifeless) })
			if err != nil {
				return err
			}
			return failed
		},
	}
	return dialer.DialContext(ctx, network, address)
}
