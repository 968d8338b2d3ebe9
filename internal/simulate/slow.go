package main

import (
	"fmt"
	"time"
)

// What takes days: bank debits, and invoices that are paid by hand.

// owes reports whether any invoice is overdue.
func (c *customer) owes() bool {
	for _, i := range c.open {
		if i.overdue {
			return true
		}
	}
	return false
}

// The ways to pay, by the campaigns that are meant for them.
const (
	byTransfer = "invoices"
	byDebit    = "bank-debits"
	byCard     = "cards" // consumer-cards or business-cards
	several    = "several"
)

func (i *invoice) way() string {
	switch {
	case !i.due.IsZero():
		return byTransfer
	case i.card.debit:
		return byDebit
	}
	return byCard
}

// isOverdue reports whether a try failed, or the day passed.
func (i *invoice) isOverdue(now time.Time) bool {
	return i.overdue || !i.due.IsZero() && !now.Before(i.due)
}

// bill sends the month's invoice, to be paid by transfer within two weeks. Of most that are paid in time nobody hears.
func (w *world) bill(i *invoice) {
	c := i.of
	i.due = w.at.AddDate(0, 0, 14)
	late := chance(c.life, min(1, 3*w.play.failing))
	if !late && !chance(c.life, w.play.good) {
		i.status, i.paid, i.paidAt = "paid", 1, w.at
		return
	}
	w.enter(i)
	c.note(w.at, "billed", i.id+" due "+i.due.Format(time.DateOnly))
	w.tell(c, "customer.subscription.updated", "subscription", c.subscription) // of an invoice that was sent no event tells us
	if !late {
		w.transfer(i, time.Duration(1+c.life.IntN(12))*24*time.Hour)
		return
	}
	w.when(i.due, func() {
		if i.status != "open" {
			return
		}
		c.note(w.at, "overdue", i.id)
		w.falls(i)
		if chance(c.life, 0.4) { // whatever is said meanwhile
			w.transfer(i, time.Duration(1+c.life.IntN(50))*24*time.Hour)
		}
		w.when(w.at.AddDate(0, 0, 40+c.life.IntN(20)), func() { w.giveUp(i) })
	})
}

// transfer is money that arrives after the wait, and somebody who marks it as paid.
func (w *world) transfer(i *invoice, wait time.Duration) {
	w.when(w.at.Add(wait), func() {
		if i.status == "open" {
			i.byHand = true
			w.pay(i, "by transfer")
		}
	})
}

// collect orders the month's debit. Of most that went well nobody hears.
func (w *world) collect(i *invoice) {
	c := i.of
	fails := i.card.says != "" || chance(c.life, w.play.failing)
	if !fails && !chance(c.life, w.play.good) {
		i.tries, i.status, i.paid, i.paidAt = 1, "paid", 1, w.at
		w.mayDispute(i)
		return
	}
	w.enter(i)
	w.debit(i, fails)
}

// debit lets a bank debit be under way, and come back after some days where it fails.
func (w *world) debit(i *invoice, fails bool) {
	c := i.of
	i.tries++
	i.under, i.next, i.hidden = w.at, time.Time{}, w.stripe.mute
	c.note(w.at, "debit", i.id+" is under way")
	c.tried(charge{fmt.Sprintf("ch_%s_%d", i.id, i.tries), "pending", "", i, i.card, w.at})
	w.tell(c, "payment_intent.processing", "payment_intent", "pi_"+i.id)
	tries := i.tries
	w.when(w.at.Add(time.Duration(3+c.life.IntN(5))*24*time.Hour), func() {
		if i.status != "open" || i.tries != tries || i.under.IsZero() {
			return
		}
		i.under = time.Time{}
		if !fails {
			w.pay(i, "by debit")
			return
		}
		code := "insufficient_funds"
		if chance(c.life, 0.2) {
			code, i.card.says = "debit_not_authorized", "debit_not_authorized"
		}
		w.refused(i, code)
	})
}
