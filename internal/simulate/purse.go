package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/fault"
)

// What customers have on file, and who else pays for them.

// cardsOf are what Stripe keeps of a customer, in the order in which they came.
func (p *processor) cardsOf(c *customer) []*card {
	var all []*card
	for n := range c.cards {
		by := p.cards[fmt.Sprintf("pm_%06d_%d", c.n, n+1)]
		if by != nil && !by.detached {
			all = append(all, by)
		}
	}
	return all
}

// remove takes a card off that another has replaced, as the page does it once the code was typed.
func (h *house) remove(c *customer, by *card) {
	if by.detached || by == c.card {
		return
	}
	again := func() { h.w.when(h.w.at.Add(3*time.Hour), func() { h.remove(c, by) }) }
	if h.portal == nil {
		again()
		return
	}
	ctx := context.Background()
	holdings, err := h.portal.Desk.Holdings(ctx, c.id)
	at := slices.IndexFunc(holdings, func(h billing.Holding) bool { return h.ID == by.id })
	if err != nil || at < 0 {
		return // they see an error page, or no such card, and leave
	}
	r := billing.Removal{CustomerID: c.id, MethodID: by.id}
	if len(holdings[at].Serves) > 0 {
		r.Successor = c.card.id
	}
	may := false
	err = h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		open, err := billing.OpenInvoices(ctx, tx, c.id)
		if err != nil {
			return err
		}
		promised := ""
		if c.standing(h.w.at) && c.vow.charge {
			promised = c.vow.card.id
		}
		may = billing.MayRemove(holdings[at], holdings, open, promised, h.w.at.Unix()) == ""
		if !may {
			return nil
		}
		return h.portal.Desk.OrderRemoval(ctx, tx, &r, "")
	})
	if fault.Is(err, fault.Conflict) || err == nil && !may {
		return
	}
	if err != nil {
		again()
		return
	}
	h.judge.counts["removes a card"]++
	c.note(h.w.at, "removes a card", by.id)
	_ = h.portal.Desk.Remove(ctx, r) // what Stripe does not answer is seen through by the portal
}

// ordered implements acts: it judges with what the portal charges an invoice, and when.
func (h *house) ordered(i *invoice, by *card) {
	c, at := i.of, h.w.at
	if by.detached && at.Sub(by.gone) > h.judge.known {
		h.judge.breach("I1", c, "%s was charged with %s, which was taken off on %s", i.id, by.id, by.gone.Format(time.DateTime))
	}
	if by.guest && by.pays != i {
		h.judge.breach("C8", c, "%s was charged with somebody else's %s, who paid %s", i.id, by.id, by.pays.id)
	}
	if c.standing(at) && c.vow.charge && slices.Contains(c.vow.invoices, i) && at.Sub(c.settled) > 24*time.Hour {
		h.judge.breach("B7", c, "%s was charged, and they set a day, which comes on %s", i.id, c.vow.due.Format(time.DateTime))
	}
}

// financePays is somebody the customer handed a link to, who pays one invoice with a card of their own.
func (h *house) financePays(c *customer) {
	if h.portal == nil {
		h.w.when(h.w.at.Add(time.Hour), func() { h.financePays(c) })
		return
	}
	ctx, press := context.Background(), c.nextPress()
	owed, err := h.owed(c)
	if err != nil || len(owed) == 0 {
		return
	}
	owed = owed[:1]
	i := h.w.stripe.invoices[owed[0].Invoice]
	before := len(h.w.stripe.setups)
	_, err = h.portal.Desk.StartGuest(ctx, checkout.Press{ID: press, Customer: c.id, By: billing.ByGuest, Invoices: owed})
	if err != nil || len(h.w.stripe.setups) == before {
		return
	}
	s := h.w.stripe.setups[fmt.Sprintf("seti_%d", before)]
	old := c.card
	s.card = c.newCard()
	s.card.guest, s.card.came, s.card.pays = true, h.w.at, i
	c.card = old
	h.w.stripe.cards[s.card.id] = s.card
	i.press(press)
	c.settled = h.w.at
	h.judge.counts["finance pays"]++
	c.note(h.w.at, "finance pays", i.id)
	h.w.tell(c, "setup_intent.succeeded", "setup_intent", s.id)
	if chance(c.life, 0.8) {
		_, err = h.portal.Desk.FinishGuest(ctx, c.id, i.id, s.id)
		if err != nil {
			c.note(h.w.at, "finance's page fails", fault.MessageOf(err))
		}
	}
}

// owed is what the page shows as open, as it is pressed for.
func (h *house) owed(c *customer) ([]checkout.Expected, error) {
	var owed []checkout.Expected
	err := h.portal.DB.See(context.Background(), func(tx *sql.Tx) error {
		open, err := billing.Overdue(context.Background(), tx, c.id, h.w.at.Unix())
		for _, i := range open {
			owed = append(owed, checkout.Expected{Invoice: i.ID, Amount: i.Remaining()})
		}
		return err
	})
	return owed, err
}
