package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// processor is the account at Stripe: invoices, cards, disputes and events, with the rules by which they change.
type processor struct {
	w        *world
	dice     *rand.Rand // of what belongs to no customer
	invoices map[string]*invoice
	owing    []*customer // who have open invoices, by their number
	cards    map[string]*card
	disputes []*dispute
	setups   map[string]*setup
	events   []*event          // oldest first
	answered map[string]answer // by idempotency key
	dead     bool              // the program that calls has ended
	calls    int
	fail     func(call int) failure // of the calls, counted from 1; nil for none
	mute     bool                   // says nothing of debits under way
	charges  int                    // tries to take money that were ordered by the portal
}

type card struct {
	id, last4 string
	owner     *customer
	detached  bool        // taken off its owner for good
	gone      time.Time   // since when it is
	debit     bool        // it is a bank account, and takes days to say anything
	says      string      // the decline code it answers from now on, "" when it pays
	tries     []time.Time // ordered by the portal
	guest     bool        // somebody else's, who pays one invoice with it
	came      time.Time   // when such a one did
	pays      *invoice    // which
}

type invoice struct {
	id      string
	of      *customer
	status  string // open, paid, void, uncollectible
	amount  int64
	created time.Time
	due     time.Time // the day until which it is to be paid by hand; zero for one that is charged
	overdue bool      // a try failed, or its day passed
	under   time.Time // since when a bank debit is under way, zero for none
	hidden  bool      // and nobody is told: for tests of the judge
	byHand  bool      // paid by transfer
	tries   int
	failed  time.Time // the last try that failed
	next    time.Time
	code    string // why it failed
	card    *card
	paidAt  time.Time
	orders  int             // distinct orders of the portal that took effect
	presses map[string]bool // of the customer, that were about it
	paid    int             // how often money was taken

	vows     int // to be charged on a day their customer set, of which each may be once
	newCards int // that came while it was open: each may be tried once without a press
}

type dispute struct {
	id, status string
	of         *customer
	invoice    *invoice
	created    time.Time
}

type setup struct {
	id       string
	of       *customer
	metadata map[string]string
	card     *card
}

type event struct {
	id, kind, object, objectID string
	of                         *customer
	created                    time.Time
	kept                       bool // the portal answered 2xx
}

func newProcessor(w *world) *processor {
	return &processor{
		w: w, dice: rand.New(rand.NewPCG(w.play.seed*8+5, 0)), invoices: map[string]*invoice{}, cards: map[string]*card{},
		setups: map[string]*setup{}, answered: map[string]answer{},
	}
}

func (c *customer) newCard() *card {
	c.cards++
	c.card = &card{id: fmt.Sprintf("pm_%06d_%d", c.n, c.cards), last4: fmt.Sprintf("%04d", (c.n*7+c.cards)%10000), owner: c}
	return c.card
}

// declines are what banks say, by how often: most have no money on the card, many give no reason, some cards are dead.
var declines = []struct {
	code  string
	share float64
	final bool // this card will not pay again
}{
	{"insufficient_funds", 0.42, false}, {"generic_decline", 0.15, false}, {"do_not_honor", 0.14, false}, {"expired_card", 0.10, true},
	{"authentication_required", 0.04, false}, {"processing_error", 0.05, false}, {"card_velocity_exceeded", 0.03, false},
	{"lost_card", 0.02, true}, {"stolen_card", 0.02, true}, {"pickup_card", 0.01, true}, {"stop_payment_order", 0.01, true}, {"call_issuer", 0.01, false},
}

// renew makes the month's invoice and charges it.
func (w *world) renew(c *customer) {
	if c.canceled {
		return
	}
	c.renewals++
	c.renews = w.at.AddDate(0, 1, 0)
	w.when(c.renews, func() { w.renew(c) })
	i := &invoice{id: fmt.Sprintf("in_%06d_%d", c.n, c.renewals), of: c, status: "open", amount: c.amount, created: w.at, card: c.card}
	w.stripe.cards[c.card.id] = c.card
	if c.spare != nil {
		w.stripe.cards[c.spare.id] = c.spare
	}
	if c.invoiced {
		w.bill(i)
		return
	}
	if c.card.debit {
		w.collect(i)
		return
	}
	code := c.card.says
	if code == "" && chance(c.life, w.play.failing) {
		dice := c.life.Float64()
		for _, d := range declines {
			code = d.code
			if d.final {
				c.card.says = d.code
			}
			if dice -= d.share; dice < 0 {
				break
			}
			c.card.says = ""
		}
	}
	if code == "" {
		i.tries, i.status, i.paid, i.paidAt = 1, "paid", 1, w.at
		w.mayDispute(i)
		if chance(c.life, w.play.good) {
			w.stripe.invoices[i.id] = i
			w.tell(c, "invoice.paid", "invoice", i.id)
		}
		return
	}
	w.enter(i)
	w.failed(i, code)
}

// enter makes an invoice one that can be seen at Stripe.
func (w *world) enter(i *invoice) {
	w.stripe.invoices[i.id] = i
	i.of.open = append(i.of.open, i)
	if len(i.of.open) == 1 {
		at, _ := slices.BinarySearchFunc(w.stripe.owing, i.of, byNumber)
		w.stripe.owing = slices.Insert(w.stripe.owing, at, i.of)
	}
}

func byNumber(a, b *customer) int { return cmp.Compare(a.n, b.n) }

// failed keeps that a try failed.
func (w *world) failed(i *invoice, code string) {
	i.tries++
	w.refused(i, code)
}

// refused keeps how a try came out; Stripe tries again by itself where the code lets it.
func (w *world) refused(i *invoice, code string) {
	c := i.of
	i.code, i.failed, i.next = code, w.at, time.Time{}
	w.falls(i)
	c.note(w.at, "charge failed", i.id+" "+code)
	c.tried(charge{fmt.Sprintf("ch_%s_%d", i.id, i.tries), "failed", code, i, i.card, w.at})
	hopeless := i.card.says != "" || code == "authentication_required" || code == "debit_not_authorized" || !i.due.IsZero()
	if !hopeless && i.tries < i.card.most() {
		i.next = w.at.Add(time.Duration(2+i.tries) * 24 * time.Hour)
		tries := i.tries
		w.when(i.next, func() { w.retry(i, tries) })
	}
	w.tell(c, "invoice.payment_failed", "invoice", i.id)
	w.tell(c, "payment_intent.payment_failed", "payment_intent", "pi_"+i.id)
	w.tell(c, "customer.subscription.updated", "subscription", c.subscription)
	if i.next.IsZero() {
		w.when(w.at.Add(time.Duration(20+c.life.IntN(20))*24*time.Hour), func() { w.giveUp(i) })
	}
}

// falls makes an invoice one that is owed since a try failed or its day passed. Who owes three loses the plan.
func (w *world) falls(i *invoice) {
	c := i.of
	i.overdue = true
	c.clearSince = time.Time{}
	switch way := i.way(); c.way {
	case "", way:
		c.way = way
	default:
		c.way = several
	}
	owed := 0
	for _, o := range c.open {
		if o.overdue {
			owed++
		}
	}
	if owed >= 3 {
		w.cancel(c)
	}
}

// most is how often an invoice is charged to it without its owner.
func (by *card) most() int {
	if by.debit {
		return 2
	}
	return 5
}

// retry is Stripe's own next try.
func (w *world) retry(i *invoice, tries int) {
	if i.status != "open" || i.tries != tries {
		return
	}
	i.card = i.of.card
	if i.card.debit {
		w.debit(i, chance(i.of.life, 0.6))
		return
	}
	if i.card.says == "" && chance(i.of.life, 0.3) {
		w.pay(i, "by Stripe's next try")
		return
	}
	w.failed(i, i.code)
}

// giveUp is what the merchant lets Stripe do with a bill nobody paid.
func (w *world) giveUp(i *invoice) {
	if i.status != "open" {
		return
	}
	if !i.under.IsZero() { // its money may come yet
		w.when(w.at.AddDate(0, 0, 10), func() { w.giveUp(i) })
		return
	}
	switch dice := i.of.life.Float64(); {
	case dice < 0.35:
		w.writeOff(i)
	case dice < 0.7:
		w.cancel(i.of)
		w.void(i)
	}
}

func (w *world) pay(i *invoice, how string) {
	i.status, i.paidAt, i.next, i.under = "paid", w.at, time.Time{}, time.Time{}
	i.paid++
	if !i.byHand {
		i.of.tried(charge{"ch_" + i.id + "_paid", "succeeded", "", i, i.card, w.at})
	}
	w.leave(i, "paid", how)
	w.tell(i.of, "invoice.paid", "invoice", i.id)
	w.tell(i.of, "payment_intent.succeeded", "payment_intent", "pi_"+i.id)
	w.mayDispute(i)
}

func (w *world) void(i *invoice) {
	i.status = "void"
	w.leave(i, "void", "")
	w.tell(i.of, "invoice.voided", "invoice", i.id)
}

func (w *world) writeOff(i *invoice) {
	i.status = "uncollectible"
	w.leave(i, "written off", "")
	w.tell(i.of, "invoice.marked_uncollectible", "invoice", i.id)
	if chance(i.of.life, 0.1) {
		w.when(w.at.Add(time.Duration(1+i.of.life.IntN(30))*24*time.Hour), func() { w.pay(i, "late, after it was written off") })
	}
}

// leave takes an invoice out of what its customer owes.
func (w *world) leave(i *invoice, what, how string) {
	c := i.of
	c.note(w.at, what, i.id+" "+how)
	was := len(c.open)
	c.open = slices.DeleteFunc(c.open, func(o *invoice) bool { return o == i })
	if was > 0 && len(c.open) == 0 {
		at, _ := slices.BinarySearchFunc(w.stripe.owing, c, byNumber)
		w.stripe.owing = slices.Delete(w.stripe.owing, at, at+1)
	}
	if !c.owes() && c.clearSince.IsZero() {
		c.clearSince = w.at
		c.wrote, c.resting, c.claimed, c.vow = time.Time{}, time.Time{}, time.Time{}, nil // that case is over; another one is another matter
	}
}

func (w *world) cancel(c *customer) {
	if c.canceled {
		return
	}
	c.canceled = true
	c.note(w.at, "canceled", "")
	w.tell(c, "customer.subscription.deleted", "subscription", c.subscription)
}

// mayDispute lets a customer take money back now and then, long after it was paid.
func (w *world) mayDispute(i *invoice) {
	c := i.of
	share := 0.003
	if i.card.debit {
		share = 0.02 // a debit is taken back without a reason, for eight weeks
	}
	if i.byHand || !chance(c.life, share) {
		return
	}
	w.when(w.at.Add(time.Duration(5+c.life.IntN(35))*24*time.Hour), func() {
		w.stripe.invoices[i.id] = i
		d := &dispute{id: "dp_" + i.id, status: "needs_response", of: c, invoice: i, created: w.at}
		w.stripe.disputes = append(w.stripe.disputes, d)
		c.disputed = w.at
		c.note(w.at, "disputed", i.id)
		w.tell(c, "charge.dispute.created", "dispute", d.id)
		w.when(w.at.Add(time.Duration(20+c.life.IntN(40))*24*time.Hour), func() {
			d.status = pick(c.life, []string{"won", "lost"})
			c.disputed = time.Time{}
			c.note(w.at, "dispute "+d.status, i.id)
			w.tell(c, "charge.dispute.closed", "dispute", d.id)
		})
	})
}

// tell makes an event and sends it on its way, which may be long, double or lead nowhere.
func (w *world) tell(c *customer, kind, object, id string) {
	e := &event{id: fmt.Sprintf("evt_%06d_%d", c.n, len(w.stripe.events)), kind: kind, object: object, objectID: id, of: c, created: w.at}
	w.stripe.events = append(w.stripe.events, e)
	f := w.play.faults
	if chance(c.deliveries, f.lost) {
		return
	}
	wait := time.Duration(0)
	if chance(c.deliveries, f.shuffled) {
		wait = time.Duration(c.deliveries.IntN(72*60)) * time.Minute
	}
	w.when(w.at.Add(wait), func() { w.bring(e, w.at.Add(72*time.Hour)) })
	if chance(c.deliveries, f.doubled) {
		wait += time.Duration(c.deliveries.IntN(60*24)) * time.Minute
		w.when(w.at.Add(wait), func() { w.bring(e, w.at.Add(72*time.Hour)) })
	}
}

// bring delivers an event, again each hour while the portal does not take it, as long as Stripe would.
func (w *world) bring(e *event, until time.Time) {
	if w.acts.receive(e) {
		e.kept = true
		return
	}
	if w.at.Before(until) {
		w.when(w.at.Add(time.Hour), func() { w.bring(e, until) })
	}
}

// order is the portal's order to charge an invoice with its customer there. paid is false while a debit is under way.
func (w *world) order(i *invoice, by *card) (paid bool) {
	w.acts.ordered(i, by)
	i.orders++
	w.stripe.charges++
	by.tries = append(by.tries, w.at)
	i.card = by
	c := i.of
	c.settled = w.at
	switch {
	case by.debit:
		w.debit(i, !c.sure && chance(c.life, 0.3))
	case by.says != "":
		w.failed(i, by.says)
	case c.sure || i.code == "authentication_required" || chance(c.life, 0.7): // the bank asks, and hears yes
		w.pay(i, "on our page")
		return true
	default:
		w.failed(i, "insufficient_funds")
	}
	return false
}
