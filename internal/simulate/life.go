package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/checkout"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/support"
)

// hear is what a reminder makes a customer do, some time later.
func (w *world) hear(h *house, c *customer) {
	wait := time.Duration(10+c.life.IntN(3*24*60)) * time.Minute
	dice, m := c.life.Float64(), c.manner
	var do func()
	switch {
	case dice < m.pays && c.invoiced:
		do = w.paysByHand(h, c)
	case dice < m.pays:
		do = w.paysByCard(h, c)
	case dice < m.pays+m.replaces:
		do = func() { h.replace(c) }
	case dice < m.pays+m.replaces+m.writes:
		do = func() { h.write(c) }
	case dice < m.pays+m.replaces+m.writes+m.leaves:
		do = func() {
			w.cancel(c)
			for len(c.open) > 0 {
				w.void(c.open[0])
			}
		}
	case dice > 0.97:
		do = func() { h.pause(c) }
	default:
		return
	}
	w.when(w.at.Add(wait), do)
}

// paysByHand is what those do who are sent invoices and mean to pay: at once, or they say when, or that they have, and some
// of these have not.
func (w *world) paysByHand(h *house, c *customer) func() {
	switch dice := c.life.Float64() / w.play.unusual; {
	case dice < 0.15:
		return func() { h.claim(c, true) }
	case dice < 0.25:
		return func() { h.claim(c, false) }
	case dice < 0.35:
		return func() { h.promise(c, c.nextPress(), false, chance(c.life, 0.6)) }
	}
	return func() {
		for _, i := range c.open {
			w.transfer(i, time.Duration(1+c.life.IntN(4))*24*time.Hour)
		}
	}
}

// paysByCard is what those do who mean to pay on our pages: all at once, or one invoice of several, on a day they set, by themselves or by whoever pays for them.
func (w *world) paysByCard(h *house, c *customer) func() {
	switch dice := c.life.Float64() / w.play.unusual; {
	case dice < 0.10:
		return func() { h.promise(c, c.nextPress(), true, true) }
	case dice < 0.15:
		return func() { h.promise(c, c.nextPress(), false, chance(c.life, 0.6)) }
	case dice < 0.19:
		return func() { h.financePays(c) }
	}
	return func() { h.press(c, c.nextPress(), c.card.id) }
}

func (c *customer) nextPress() string {
	c.presses++
	return fmt.Sprintf("press_%s_%d", c.id, c.presses)
}

// press is one press of the button that pays all that is open, and the same press again while nobody answers.
func (h *house) press(c *customer, press, method string) {
	again := func() { h.w.when(h.w.at.Add(time.Hour), func() { h.press(c, press, method) }) }
	if h.portal == nil {
		again()
		return
	}
	ctx := context.Background()
	owed, err := h.owed(c)
	if err == nil && len(owed) == 0 {
		return
	}
	if len(owed) > 1 && c.n%2 == 0 { // one at a time, the oldest first
		owed = owed[:1]
		h.judge.counts["pays one of several"]++
	}
	if err == nil {
		for _, o := range owed {
			h.w.stripe.invoices[o.Invoice].press(press)
		}
		c.settled = h.w.at
		c.note(h.w.at, "presses pay", press)
		_, err = h.portal.Desk.Charge(ctx, checkout.Press{ID: press, Customer: c.id, Method: method, Invoices: owed})
	}
	if err == nil || fault.Is(err, fault.Conflict) || fault.Is(err, fault.TooMany) {
		return
	}
	again()
}

// press keeps that a press was about the invoice.
func (i *invoice) press(id string) {
	if i.presses == nil {
		i.presses = map[string]bool{}
	}
	i.presses[id] = true
}

// replace gives a new card, which our page charges with at once. Some browsers never come back to say so.
func (h *house) replace(c *customer) {
	if h.portal == nil {
		h.w.when(h.w.at.Add(time.Hour), func() { h.replace(c) })
		return
	}
	ctx, press := context.Background(), c.nextPress()
	owed, err := h.owed(c)
	if err != nil {
		return // they look at an error page, and leave it
	}
	before := len(h.w.stripe.setups)
	c.note(h.w.at, "gives a card", press)
	_, err = h.portal.Desk.StartCard(ctx, checkout.Press{ID: press, Customer: c.id, Invoices: owed})
	if err != nil || len(h.w.stripe.setups) == before {
		return
	}
	s := h.w.stripe.setups[fmt.Sprintf("seti_%d", before)]
	old := c.card
	s.card = c.newCard()
	c.card = old // until Stripe is told to use it
	h.w.stripe.cards[s.card.id] = s.card
	for _, o := range owed {
		h.w.stripe.invoices[o.Invoice].press(press)
		h.w.stripe.invoices[o.Invoice].newCards++
	}
	c.settled = h.w.at
	h.w.tell(c, "setup_intent.succeeded", "setup_intent", s.id)
	if chance(c.life, 0.7) {
		_, err = h.portal.Desk.FinishCard(ctx, c.id, s.id)
		if err != nil {
			c.note(h.w.at, "card page fails", fault.MessageOf(err))
		}
	}
	if chance(c.life, 0.3) {
		h.w.when(h.w.at.Add(time.Duration(1+c.life.IntN(30*24))*time.Hour), func() { h.remove(c, old) })
	}
}

// write is a message to support, which staff answer in some days.
func (h *house) write(c *customer) {
	if h.portal == nil || len(c.open) == 0 {
		return
	}
	err := h.portal.Talks.Write(context.Background(), c.id, fmt.Sprintf("What is this for? (%s)", h.w.at.Format(time.DateTime)), chance(c.life, 0.3), h.w.at)
	if err != nil {
		return
	}
	c.wrote = h.w.at
	c.note(h.w.at, "writes", "")
}

// staffHear is staff reading a customer's message in their mailbox.
func (h *house) staffHear(c *customer) {
	if c == nil {
		return
	}
	h.w.when(h.w.at.Add(time.Duration(4+c.life.IntN(72))*time.Hour), func() { h.reply(c) })
}

func (h *house) reply(c *customer) {
	ctx := context.Background()
	if h.portal == nil {
		h.w.when(h.w.at.Add(time.Hour), func() { h.reply(c) })
		return
	}
	var talk support.Conversation
	err := h.portal.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		talk, _, err = h.portal.Talks.OfCustomer(ctx, tx, c.id)
		return err
	})
	if err == nil {
		err = h.portal.Talks.Reply(ctx, talk.ID, "It is for the month's plan.", support.Speaker{ID: "staff_sim", Name: "Ines", Role: "admin"})
	}
	if err != nil {
		h.w.when(h.w.at.Add(time.Hour), func() { h.reply(c) })
		return
	}
	c.wrote = time.Time{}
	c.note(h.w.at, "staff answers", "")
}

// pause is staff letting a case rest for some days.
func (h *house) pause(c *customer) {
	if h.portal == nil {
		return
	}
	ctx := context.Background()
	until := h.w.at.Add(time.Duration(1+c.life.IntN(6)) * 24 * time.Hour)
	err := h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		open, err := h.portal.Cases.OpenOf(ctx, tx, c.id)
		if err != nil {
			return err
		}
		return h.portal.Cases.Pause(ctx, tx, open.ID, dunning.PauseStaff, "", "staff_sim", until, h.w.at)
	})
	if err != nil {
		return
	}
	c.resting = until
	c.note(h.w.at, "staff pauses", until.Format(time.DateTime))
}
