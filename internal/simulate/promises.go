package main

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
)

// vow is a day a customer has set, as they remember it.
type vow struct {
	press    string
	charge   bool // on its morning; else they pay by themselves until its end
	due      time.Time
	invoices []*invoice
	card     *card // that is to be charged
}

// standing reports whether the customer waits for the day they set: none comes any more when what it was about has ended.
func (c *customer) standing(at time.Time) bool {
	if c.vow == nil || !at.Before(c.vow.due) {
		return false
	}
	for _, i := range c.vow.invoices {
		if i.status == "open" {
			return true
		}
	}
	return false
}

// promise is a customer who chooses one of the days their page offers. The same press again while it fails. Who says they
// pay by themselves does so the day before, or never.
func (h *house) promise(c *customer, press string, charge, honest bool) {
	again := func() { h.w.when(h.w.at.Add(time.Hour), func() { h.promise(c, press, charge, honest) }) }
	if h.portal == nil {
		again()
		return
	}
	ctx := context.Background()
	v := &vow{press: press, charge: charge, card: c.card}
	err := h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		v.invoices = nil
		p := dunning.Promise{Press: press, Kind: dunning.PromiseSelf, Actor: "customer"}
		if charge {
			p.Kind, p.MethodID = dunning.PromiseCharge, c.card.id
		}
		open, err := h.portal.Cases.OpenOf(ctx, tx, c.id)
		if err != nil {
			return err
		}
		days := dunning.DefaultPromiseRules().PromiseDays(open, h.w.at, c.zones[0])
		if len(days) == 0 {
			return fault.New(fault.Invalid, "No day is offered.")
		}
		day := days[int(c.n+len(press))%len(days)]
		p.CaseID, p.Day = open.ID, day.Format(time.DateOnly)
		v.due = time.Date(day.Year(), day.Month(), day.Day(), 9, 0, 0, 0, c.zones[0])
		if !charge {
			v.due = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, c.zones[0])
		}
		owed, err := billing.Overdue(ctx, tx, c.id, h.w.at.Unix())
		if err != nil {
			return err
		}
		for _, i := range owed {
			if charge && i.Chargeable() && i.Class().Retryable() || !charge && !i.Processing() {
				p.Invoices = append(p.Invoices, dunning.Promised{Invoice: i.ID, Amount: i.Remaining()})
				v.invoices = append(v.invoices, h.w.stripe.invoices[i.ID])
			}
		}
		_, err = h.portal.Cases.Promise(ctx, tx, p, h.w.at)
		return err
	})
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid), fault.Is(err, fault.Conflict), fault.Is(err, fault.TooMany):
		c.note(h.w.at, "may not promise", fault.MessageOf(err))
		return
	case err != nil:
		again()
		return
	}
	h.vowed(c, v, honest)
}

// vowed keeps what the portal has confirmed.
func (h *house) vowed(c *customer, v *vow, honest bool) {
	c.vow = v
	what := "promises to pay"
	if v.charge {
		what = "is to be charged"
		for _, i := range v.invoices {
			i.vows++
		}
	}
	h.judge.counts[what]++
	c.note(h.w.at, what, v.due.UTC().Format(time.DateTime))
	switch {
	case chance(c.life, 0.1):
		h.w.when(h.w.at.Add(20*time.Hour), func() { h.takeBack(c, v) })
	case honest && !v.charge && c.invoiced:
		for _, i := range v.invoices {
			h.w.transfer(i, v.due.Sub(h.w.at)-20*time.Hour)
		}
	case honest && !v.charge:
		h.w.when(v.due.Add(-20*time.Hour), func() { h.press(c, c.nextPress(), c.card.id) })
	}
}

// takeBack is a customer who does not stand by the day they set, and says so.
func (h *house) takeBack(c *customer, v *vow) {
	if c.vow != v || !c.standing(h.w.at) {
		return
	}
	again := func() { h.w.when(h.w.at.Add(time.Hour), func() { h.takeBack(c, v) }) }
	if h.portal == nil {
		again()
		return
	}
	ctx := context.Background()
	err := h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		open, err := h.portal.Cases.OpenOf(ctx, tx, c.id)
		if err != nil {
			return err
		}
		return h.portal.Cases.WithdrawPromise(ctx, tx, open.ID, "customer", h.w.at)
	})
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
		return
	case err != nil:
		again()
		return
	}
	c.vow = nil
	h.judge.counts["takes a promise back"]++
	c.note(h.w.at, "takes it back", "")
}

// claim is a customer who says that their transfer is on its way. It is, or it is not.
func (h *house) claim(c *customer, honest bool) {
	if h.portal == nil {
		h.w.when(h.w.at.Add(time.Hour), func() { h.claim(c, honest) })
		return
	}
	err := h.portal.Talks.Claim(context.Background(), c.id, "Paid by transfer at "+h.w.at.Format(time.DateTime), h.w.at)
	if err != nil {
		c.note(h.w.at, "may not claim", fault.MessageOf(err))
		return
	}
	c.claimed = workdays(h.w.at, 5, c.zones[0])
	h.judge.counts["claims a transfer"]++
	c.note(h.w.at, "claims", "a transfer, until "+c.claimed.UTC().Format(time.DateTime))
	if !honest {
		return
	}
	for _, i := range c.open {
		h.w.transfer(i, time.Duration(1+c.life.IntN(4))*24*time.Hour)
	}
}

// workdays is the end of the last of some days from Monday to Friday after the instant.
func workdays(at time.Time, days int, zone *time.Location) time.Time {
	day := at.In(zone)
	for days > 0 {
		day = day.AddDate(0, 0, 1)
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			days--
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone)
}
