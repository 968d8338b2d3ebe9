package main

import (
	"fmt"
	"net"
	"net/http"

	"sollecito/internal/portal"
)

// openFigures opens the door that only the operator's monitoring knows; nil when there is to be none.
func openFigures(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	door, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address with SOLLECITO_METRICS_LISTEN or --metrics-listen", err)
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
