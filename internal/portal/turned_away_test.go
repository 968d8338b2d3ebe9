package portal_test

import (
	"strings"
	"testing"
	"time"

	"sollecito/internal/sandbox"
)

// A mail server that takes nothing from us, for want of a sign-in or because it does not relay, is a mistake of the
// installation: no mail is lost to it, and each goes once it is mended.
func TestAMailServerThatTurnsUsAway(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"sign-in": {Place: sandbox.FaultMail, Code: 530, Message: "Authentication required"},
		"sender":  {Place: sandbox.FaultMail, Code: 553, Message: "sender address rejected"},
		"late":    {Place: sandbox.FaultRcpt, Code: 553, Message: "<billing@lumen.example>: Sender address rejected: not owned by user lumen"},
		"relay":   {Place: sandbox.FaultRcpt, Code: 554, Message: "Relay access denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.catcher.SetFault(fault)
			customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
			h.fail(customer, "expired_card")
			h.settle()
			waits := `SELECT count(*) FROM notices WHERE channel = 'email' AND status = 'queued' AND attempts > 0 AND reason LIKE 'The mail server does not take our mails:%'`
			if got := h.count(waits); got != 1 {
				t.Errorf("%d mails wait", got)
			}
			if got := h.count(`SELECT count(*) FROM suppressions`); got != 0 {
				t.Errorf("%d addresses were given up", got)
			}
			h.catcher.SetFault()
			h.walk(2 * time.Hour)
			if got := len(h.mailsTo("duarte@foz.example")); got != 1 {
				t.Errorf("%d mails arrived once it was mended", got)
			}
			h.catcher.SetFault(fault)
			h.fail(h.customer("Marta Nogueira", "marta@foz.example", "IT", "pm_card_visa"), "expired_card")
			h.settle()
			err := h.portal.Start(h.context)
			if err != nil {
				t.Fatal(err)
			}
			_, checks := h.ready()
			if !strings.HasPrefix(checks["mail"], "degraded ") {
				t.Errorf("the mail server is told as %q", checks["mail"])
			}
		})
	}
}
