package web

import (
	"errors"
	"io"
	"net/http"
	"time"

	"sollecito/internal/fault"
)

const (
	mostEvent   = 1 << 20          // bytes of a webhook's body
	eventWithin = 10 * time.Second // for the whole body to arrive
)

// receiveEvent keeps what Stripe sends before it answers 200. It asks nobody else.
func (s *Server) receiveEvent(w http.ResponseWriter, r *http.Request) error {
	controller := http.NewResponseController(w)
	err := controller.SetReadDeadline(s.Real().Add(eventWithin))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostEvent))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.New(fault.TooLarge, "An event has at most %d bytes.", mostEvent)
	}
	if err != nil {
		return badRequest{fault.Wrap(fault.Invalid, err, "The body did not arrive.")}
	}
	err = s.Intake.Receive(r.Context(), body, r.Header.Get("Stripe-Signature"))
	if fault.Is(err, fault.Invalid) {
		return badRequest{err}
	}
	if err != nil {
		return err
	}
	s.Wake()
	return sendJSON(w, http.StatusOK, map[string]bool{"received": true})
}

// badRequest is an invalid body that is not a form's: its status is 400.
type badRequest struct{ error }

func (b badRequest) Unwrap() error { return b.error }
