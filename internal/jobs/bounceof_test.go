package jobs

import (
	"testing"
	"time"

	"sollecito/internal/mail"
	"sollecito/internal/outbox"
)

// An address with letters that the mail server cannot spell will never be reached by it; one that is refused because the
// server does not work for us is as good as before.
func TestWhatARefusalSaysOfTheAddress(t *testing.T) {
	t.Parallel()
	n := outbox.Notice{Kind: outbox.Reminder, Recipient: "jürgen@x.example", Dated: time.Now().Unix()}
	for _, c := range []struct {
		refusal *mail.Refusal
		kind    outbox.BounceKind // "" when it says nothing
	}{
		{&mail.Refusal{Code: 553, Enhanced: "5.6.7", Place: "MAIL"}, outbox.Hard},
		{&mail.Refusal{Code: 550, Enhanced: "5.1.1", Place: "RCPT"}, outbox.Hard},
		{&mail.Refusal{Code: 554, Place: "RCPT", Text: "Relay access denied"}, ""},
		{&mail.Refusal{Code: 530, Place: "RCPT", Text: "Authentication required"}, ""},
		{&mail.Refusal{Code: 553, Enhanced: "5.1.7", Place: "MAIL", Text: "bad sender"}, ""},
	} {
		bounce, back := bounceOf(c.refusal, n, time.Now())
		if back != (c.kind != "") || bounce.Kind != c.kind {
			t.Errorf("%v: %v, kind %q", c.refusal, back, bounce.Kind)
		}
	}
}
