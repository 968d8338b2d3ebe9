package jobs

import (
	"errors"

	"sollecito/internal/mail"
)

// observe tells whoever counts mails.
func (s *Sender) observe(outcome string) {
	if s.Observe != nil {
		s.Observe(outcome)
	}
}

// wordFor is what monitoring calls the end of a dialogue with the mail server.
func wordFor(outcome error) string {
	var refusal *mail.Refusal
	switch {
	case outcome == nil:
		return "sent"
	case errors.Is(outcome, mail.ErrUncertain):
		return "uncertain"
	case errors.Is(outcome, mail.ErrUnsendable):
		return "unsendable"
	case errors.As(outcome, &refusal) && refusal.Temporary:
		return "deferred"
	case errors.As(outcome, &refusal) && refusal.OfUs():
		return "turned_away"
	case errors.As(outcome, &refusal):
		return "refused"
	}
	return "broken"
}
