package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// Of two invoices of an exhausted case one is paid, then a further one fails: the open one goes over to the new case, and
// the old one stays exhausted, so that nobody is told that all is settled.
func TestAnExhaustedCaseThatKeepsOnlyWhatWasPaidStaysExhausted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	kept, open := w.failed("in_1", "do_not_honor"), w.failed("in_2", "do_not_honor")
	w.hear(kept, open)
	for step := "x"; step != ""; {
		step, _ = w.next(outbox.Sent)
	}
	exhausted := w.latest()
	w.now = w.now.Add(3 * 24 * time.Hour)
	w.hear(paid(kept), open)
	w.now = w.now.Add(20 * 24 * time.Hour)
	w.hear(paid(kept), open, w.failed("in_3", "do_not_honor"))
	for range 3 {
		w.hear(paid(kept), open, w.failed("in_3", "do_not_honor"))
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		c, err := w.cases.Find(ctx, tx, exhausted.ID)
		if c.Status != dunning.Exhausted {
			t.Errorf("the old case became %s", c.Status)
		}
		return err
	})
	if n := w.count(outbox.Settled); n != 0 {
		t.Errorf("told %d times that all is settled while two invoices are open", n)
	}
}

// What is left of the old case is only what was voided: it stays exhausted too, and gives nothing back.
func TestAnExhaustedCaseThatKeepsOnlyWhatWasVoidedStaysExhausted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	gone, open := w.failed("in_1", "do_not_honor"), w.failed("in_2", "do_not_honor")
	w.hear(gone, open)
	for step := "x"; step != ""; {
		step, _ = w.next(outbox.Sent)
	}
	exhausted := w.latest()
	gone.Status, gone.AmountRemaining = "void", 0
	w.now = w.now.Add(20 * 24 * time.Hour)
	for range 3 {
		w.hear(gone, open, w.failed("in_3", "do_not_honor"))
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		c, err := w.cases.Find(ctx, tx, exhausted.ID)
		if c.Status != dunning.Exhausted {
			t.Errorf("the old case became %s", c.Status)
		}
		return err
	})
	if c := w.latest(); c.Access != exhausted.Access || c.ID == exhausted.ID {
		t.Errorf("the new case begins with access %s, the old one left %s", c.Access, exhausted.Access)
	}
}

// Consent was withdrawn for one of two invoices. Its payment answers the question; the other one is gone on with.
func TestPaymentOfWhatConsentWasWithdrawnForEndsItsPause(t *testing.T) {
	t.Parallel()
	w := setup(t)
	withdrawn, other := w.failed("in_1", "revocation_of_authorization"), w.failed("in_2", "insufficient_funds")
	w.hear(withdrawn, other)
	if c := w.latest(); c.RestingSince == 0 {
		t.Fatal("goes on though consent was withdrawn")
	}
	w.now = w.now.Add(2 * 24 * time.Hour)
	withdrawn = paid(withdrawn)
	withdrawn.PaidAt, withdrawn.Decline = w.now.Unix(), billing.Decline{}
	w.hear(withdrawn, other)
	if c := w.latest(); c.RestingSince != 0 || c.NextStepAt == 0 || c.RestedDays != 2 {
		t.Errorf("after it was paid: resting since %d, next look %d, %d days rested", c.RestingSince, c.NextStepAt, c.RestedDays)
	}
}

// A payment of something else, or a further try that the bank answered with another reason, is no answer to that question.
func TestNothingElseEndsThePauseForWithdrawnConsent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	withdrawn, other := w.failed("in_1", "revocation_of_authorization"), w.failed("in_2", "insufficient_funds")
	w.hear(withdrawn, other)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return billing.SaveTries(ctx, tx, []billing.Attempt{{
			CustomerID: "cus_1", InvoiceID: "in_1", MethodID: "pm_1", Status: billing.AttemptDeclined, By: billing.ByStripe, Charge: "ch_1",
			Amount: withdrawn.Remaining(), Decline: withdrawn.Decline, StartedAt: w.now.Unix(),
		}})
	})
	w.now = w.now.Add(24 * time.Hour)
	other = paid(other)
	other.PaidAt = w.now.Unix()
	w.hear(withdrawn, other)
	if w.latest().RestingSince == 0 {
		t.Error("goes on once something else was paid")
	}
	withdrawn.Decline.DeclineCode = "do_not_honor"
	w.hear(withdrawn, other)
	if w.latest().RestingSince == 0 {
		t.Error("goes on once the bank gave another reason")
	}
}

// Staff have answered for one invoice. Consent that is withdrawn for the next one asks anew, the old one doesn't.
func TestConsentWithdrawnForAFurtherInvoiceRestsTheCaseAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first := w.failed("in_1", "revocation_of_authorization")
	w.hear(first)
	w.now = w.now.Add(24 * time.Hour)
	c := w.latest()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Resume(ctx, tx, c.ID, "Ines", w.now, dunning.PauseConsent)
	})
	w.now = w.now.Add(24 * time.Hour)
	w.hear(first)
	if w.latest().RestingSince != 0 {
		t.Fatal("the pause that staff ended came back by itself")
	}
	w.hear(first, w.failed("in_2", "stop_payment_order"))
	if w.latest().RestingSince == 0 {
		t.Error("goes on though consent was withdrawn for a further invoice")
	}
}

// Who has no address of their own but another billing contact is reminded there, and told there that all is settled.
func TestTheContactWhoWasRemindedIsToldThatAllIsSettled(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "expired_card")
	hear := func(i billing.Invoice) {
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			who := billing.Customer{ID: "cus_1", Name: "Chiara Bellini", Contacts: []string{"finance@bellini.example"}, Country: "IT"}
			err := billing.Save(ctx, tx, billing.Account{Customer: who, Invoices: []billing.Invoice{i}}, w.now.Unix())
			if err != nil {
				return err
			}
			return w.cases.Reconsider(ctx, tx, "cus_1", w.now)
		})
	}
	hear(i)
	if step, _ := w.next(outbox.Sent); step != "first" {
		t.Fatalf("reminded by %q", step)
	}
	hear(paid(i))
	for _, n := range w.notices() {
		if n.Kind == outbox.Settled && n.Status == outbox.Queued && n.Recipient == "finance@bellini.example" {
			return
		}
	}
	t.Errorf("not told: %+v", w.notices())
}

// Consent that is withdrawn on a further try of an invoice which failed long before asks anew too; without a further try it
// does not.
func TestConsentWithdrawnOnAFurtherTryRestsTheCaseAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	older := w.failed("in_1", "insufficient_funds")
	w.hear(older)
	w.now = w.now.Add(5 * 24 * time.Hour)
	further := w.failed("in_2", "revocation_of_authorization")
	w.hear(older, further)
	if w.latest().RestingSince == 0 {
		t.Fatal("goes on though consent was withdrawn")
	}
	w.now = w.now.Add(24 * time.Hour)
	further = paid(further)
	further.PaidAt, further.Decline = w.now.Unix(), billing.Decline{}
	w.hear(older, further)
	if w.latest().RestingSince != 0 {
		t.Fatal("rests on though that was paid")
	}
	w.now = w.now.Add(24 * time.Hour)
	older.Decline.DeclineCode, older.AttemptCount = "revocation_of_all_authorizations", 2
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return billing.SaveTries(ctx, tx, []billing.Attempt{{
			CustomerID: "cus_1", InvoiceID: "in_1", MethodID: "pm_1", Status: billing.AttemptDeclined, By: billing.ByStripe, Charge: "ch_2",
			Amount: older.Remaining(), Decline: older.Decline, StartedAt: w.now.Unix(),
		}})
	})
	w.hear(older, further)
	c := w.latest()
	if c.RestingSince == 0 {
		t.Fatal("goes on though consent was withdrawn on the further try")
	}
	w.now = w.now.Add(24 * time.Hour)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Resume(ctx, tx, c.ID, "Ines", w.now, dunning.PauseConsent)
	})
	w.hear(older, further)
	if w.latest().RestingSince != 0 {
		t.Error("the pause that staff ended came back by itself")
	}
}
