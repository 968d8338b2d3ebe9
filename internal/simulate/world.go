package main

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// start is a Monday: the first renewals fall into an ordinary week.
var start = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// world is what is true outside the portal: customers and what they do, Stripe, the mail server, the time.
type world struct {
	play      play
	at        time.Time
	agenda    agenda
	customers []*customer
	known     map[string]*customer // by Stripe's id
	addressed map[string]*customer // by e-mail address
	stripe    *processor
	post      *post
	acts      acts
}

// acts are what the world does to the portal.
type acts interface {
	receive(e *event) bool        // whether the portal answered 2xx
	ordered(i *invoice, by *card) // the portal charges an invoice
}

// play is what is asked for.
type play struct {
	customers, days int
	seed            uint64
	only            string  // the one customer who lives, "" for all
	failing         float64 // the share of renewals that fail
	unusual         float64 // how many times more than usually pay by debit or by hand, promise, or decide about their reminders
	collector       bool    // the merchant collects for others: each reminder can be stopped by one press
	good            float64 // the share of renewals that went well of which Stripe tells
	faults          faults
}

// faults are how often things go wrong, as shares of one.
type faults struct {
	stripe, afterEffect       float64 // calls that fail; orders that take effect and are not answered
	doubled, lost, shuffled   float64 // webhooks
	refused, dropped          float64 // mails put off with 4xx; taken and not answered
	busy                      float64 // transactions that do not begin
	deaths                    int     // days between two sudden ends of the program, 0 for none
	outage, quiet, silentPost bool    // thirty days nobody is at home; hours without Stripe; hours without the mail server
}

// usual are the faults that a play has when nothing else is asked for, each as the share of what it may befall.
func usual() faults {
	return faults{
		stripe: 0.05, afterEffect: 0.01, doubled: 0.10, lost: 0.05, shuffled: 0.20, refused: 0.05, dropped: 0.01, busy: 0.01,
		deaths: 10, outage: true, quiet: true, silentPost: true,
	}
}

// customer is one person with one subscription. Each has dice of their own, so that one life is the same whoever
// else lives.
type customer struct {
	n                       int
	id, name, email         string
	country, state, locale  string
	told                    string           // the time zone Stripe's metadata tells, "" for none
	zones                   []*time.Location // where they may be, and all of which must be awake
	currency                string
	amount                  int64
	business                bool
	invoiced                bool   // is sent invoices, and pays them by hand
	way                     string // how all that was ever overdue was to be paid, several when not all alike; "" for nothing yet
	manner                  manner
	choice                  choice
	spoke                   time.Time // since when Stripe tells their language
	life, calls, deliveries *rand.Rand
	letters                 *rand.Rand
	card                    *card
	cards                   int
	spare                   *card // another one on file from the beginning, nil for none
	subscription            string
	renews                  time.Time // when its period ends
	charges                 []charge
	canceled, paused        bool
	kind                    string // what the merchant says of them; "" for nothing
	sure                    bool   // what they order on our pages is paid: for tests
	renewals                int
	open                    []*invoice // not paid yet, of which not all need be overdue
	clearSince              time.Time  // since when Stripe knows that nothing is overdue; zero while something is
	wrote, resting          time.Time  // since when a message waits; until when staff let the case rest
	disputed                time.Time  // since when a dispute runs or was lost
	vow                     *vow       // the day they set, nil for none
	claimed                 time.Time  // until when they said that a transfer is on its way
	presses                 int
	reminders               []heard
	settled                 time.Time // the last time they acted on our pages
	trace                   []entry
}

type entry struct {
	at         time.Time
	what, more string
}

func (c *customer) note(at time.Time, what, more string) {
	c.trace = append(c.trace, entry{at, what, more})
}

// chance reports whether something happens that does so in this share of cases.
func chance(dice *rand.Rand, share float64) bool { return share > 0 && dice.Float64() < share }

func pick[T any](dice *rand.Rand, all []T) T { return all[dice.IntN(len(all))] }

// manner is how a customer goes about an unpaid bill.
type manner struct {
	name                           string
	pays, replaces, writes, leaves float64 // what a reminder makes them do; nothing otherwise
}

var manners = []manner{
	{"prompt", 0.6, 0.3, 0.03, 0.01},
	{"slow", 0.25, 0.2, 0.05, 0.03},
	{"silent", 0, 0, 0, 0},
	{"talker", 0.2, 0.1, 0.4, 0.05},
}

var places = []struct {
	country, state, told, locale, currency string
	amount                                 int64
	zones                                  []string
}{
	{"NL", "", "", "nl", "eur", 2900, []string{"Europe/Amsterdam"}},
	{"IT", "", "", "it", "eur", 2900, []string{"Europe/Rome"}},
	{"GB", "", "", "en-GB", "gbp", 2500, []string{"Europe/London"}},
	{"JP", "", "", "ja", "jpy", 3000, []string{"Asia/Tokyo"}},
	{"IN", "", "", "en", "inr", 99900, []string{"Asia/Kolkata"}},
	{"NP", "", "", "en", "usd", 1900, []string{"Asia/Kathmandu"}},
	{"NZ", "", "Pacific/Auckland", "en-NZ", "nzd", 4500, []string{"Pacific/Auckland"}},
	{"US", "CA", "", "en-US", "usd", 3900, []string{"America/Los_Angeles"}},
	{"US", "", "", "en-US", "usd", 3900, []string{"America/New_York", "Pacific/Honolulu"}}, // of all there are, the two ends
	{"AU", "NSW", "", "en-AU", "aud", 4900, []string{"Australia/Sydney"}},
	{"CA", "", "America/St_Johns", "fr-CA", "cad", 4900, []string{"America/St_Johns"}},
	{"CL", "", "America/Santiago", "es", "usd", 1900, []string{"America/Santiago"}},
	{"", "", "", "en", "eur", 150000, []string{"Europe/Rome"}}, // nobody knows: the merchant's own
}

func newWorld(p play) (*world, error) {
	w := &world{play: p, at: start, known: map[string]*customer{}, addressed: map[string]*customer{}}
	for n := range p.customers {
		c, err := newCustomer(p, n)
		if err != nil {
			return nil, err
		}
		if p.only != "" && c.id != p.only {
			continue
		}
		c.clearSince = start
		w.customers = append(w.customers, c)
		w.known[c.id], w.addressed[c.email] = c, c
	}
	if len(w.customers) == 0 {
		return nil, fmt.Errorf("there is no customer %s among %d", p.only, p.customers)
	}
	w.stripe = newProcessor(w)
	w.post = newPost(w)
	for _, c := range w.customers {
		first := start.Add(time.Duration(c.life.IntN(30*24*4)) * 15 * time.Minute)
		c.renews = first
		w.when(first, func() { w.renew(c) })
	}
	return w, nil
}

func newCustomer(p play, n int) (*customer, error) {
	dice := func(of uint64) *rand.Rand { return rand.New(rand.NewPCG(p.seed*8+of, uint64(n))) }
	c := &customer{
		n: n, id: fmt.Sprintf("cus_%06d", n), name: fmt.Sprintf("Customer %d", n), email: fmt.Sprintf("c%d@customer.example", n),
		subscription: fmt.Sprintf("sub_%06d", n), life: dice(1), calls: dice(2), deliveries: dice(3), letters: dice(4),
	}
	place := pick(c.life, places)
	c.country, c.state, c.told, c.locale, c.currency, c.amount = place.country, place.state, place.told, place.locale, place.currency, place.amount
	for _, name := range place.zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, err
		}
		c.zones = append(c.zones, zone)
	}
	c.business = chance(c.life, 0.1)
	c.manner = pick(c.life, manners)
	c.newCard()
	if charged := c.card; chance(c.life, 0.05*p.unusual) {
		c.spare = c.newCard()
		c.card = charged
	}
	switch dice := c.life.Float64() / p.unusual; {
	case dice < 0.08:
		c.card.debit = true
	case dice < 0.12:
		c.invoiced = true
	}
	return c, nil
}

// when puts something on the agenda, at a full quarter of an hour: instants are shared, as they are where many live.
func (w *world) when(at time.Time, do func()) {
	const grid = 15 * time.Minute
	at = at.Add(grid - 1).Truncate(grid)
	w.agenda.count++
	heap.Push(&w.agenda, &happening{at: at, order: w.agenda.count, do: do})
}

// happen does what the agenda holds up to now, and reports whether there was anything.
func (w *world) happen() bool {
	any := false
	for len(w.agenda.all) > 0 && !w.agenda.all[0].at.After(w.at) {
		h := heap.Pop(&w.agenda).(*happening)
		h.do()
		any = true
	}
	return any
}

// happening is something that happens at an instant; those of one instant in the order they were put down.
type happening struct {
	at    time.Time
	order int
	do    func()
}

type agenda struct {
	all   []*happening
	count int
}

func (a agenda) Len() int { return len(a.all) }
func (a agenda) Less(i, k int) bool {
	if a.all[i].at.Equal(a.all[k].at) {
		return a.all[i].order < a.all[k].order
	}
	return a.all[i].at.Before(a.all[k].at)
}
func (a agenda) Swap(i, k int) { a.all[i], a.all[k] = a.all[k], a.all[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { a.all = append(a.all, x.(*happening)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := len(a.all) - 1
	h := a.all[last]
	a.all = a.all[:last]
	return h
}

// hash is a number for all that happened to everybody, whatever the order among them.
func (w *world) hash() uint64 {
	var all uint64
	for _, c := range w.customers {
		sum := fnv.New64a()
		fmt.Fprintln(sum, c.id)
		for _, e := range c.trace {
			fmt.Fprintln(sum, e.at.Unix(), e.what, e.more)
		}
		all ^= sum.Sum64()
	}
	return all
}
