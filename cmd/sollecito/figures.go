package main

import (
	"fmt"
	"net"
	"net/http"

	"sollecito/internal/portal"
)

// openDoor opens a listener beside the main one; nil where the setting names no address.
func openDoor(address, setting string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	door, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address with SOLLECITO_%s", err, setting)
	}
	return door, nil
}

func closeDoor(door net.Listener) error {
	if door == nil {
		return nil
	}
	return door.Close()
}

// figuresHandler serves /metrics and nothing else.
func figuresHandler(house *portal.Portal) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", house.Metrics.Handler())
	return mux
}
