package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/support"
)

// Every n, where the usual run takes some of them: go test ./internal/simulate -run NthFailure -nth.all -timeout 30m
var (
	everyN = flag.Bool("nth.all", false, "fail every single statement, call and write, not a selection")
	mostN  = flag.Int("nth.most", 0, "about how many of each to fail, on PostgreSQL too; 0 for some, on SQLite alone")
)

// operation is something the portal does, and what whoever asked for it does when it fails.
type operation struct {
	name    string
	prepare func(*bench, *customer) // leads the customer to where it begins
	do      func(*bench, *customer) error
}

// bench is a portal on which one operation after another is done for one customer after another.
type bench struct {
	*house
	t      *testing.T
	kept   map[string]string // what somebody holds in their hands between two tries, by customer and name
	caught map[string]letter // the last mail each got
	door   *door
}

var operations = []operation{
	{"a failure is told", nil, (*bench).hearFailure},
	{"a step is due", func(b *bench, c *customer) { b.fails(c); b.toStep(c) }, func(b *bench, _ *customer) error { return b.drain("schedule") }},
	{"a reminder is sent", func(b *bench, c *customer) {
		b.fails(c)
		b.toStep(c)
		b.must(b.drain("schedule"))
		b.later(11 * time.Minute)
	},
		func(b *bench, _ *customer) error { return b.drain("send") }},
	{"a customer pays", func(b *bench, c *customer) { b.fails(c); b.toStep(c); b.must(b.drain("schedule", "send")) },
		func(b *bench, c *customer) error { b.press(c, "press_"+c.id, c.card.id); return nil }},
	{"a customer gives a card", func(b *bench, c *customer) { b.fails(c) }, (*bench).giveCard},
	{"a payment is told", func(b *bench, c *customer) { b.fails(c); b.toStep(c); b.must(b.drain("schedule", "send")) }, (*bench).hearPayment},
	{"a customer writes", func(b *bench, c *customer) { b.fails(c) }, func(b *bench, c *customer) error {
		return errors.Join(b.portal.Talks.Write(b.t.Context(), c.id, "What is this for?", true, b.w.at), b.drain("send"))
	}},
	{"staff answer", func(b *bench, c *customer) {
		b.fails(c)
		b.must(b.portal.Talks.Write(b.t.Context(), c.id, "What is this for?", false, b.w.at))
	}, (*bench).answer},
	{"staff pause a case", func(b *bench, c *customer) { b.fails(c) }, (*bench).pauseCase},
	{"staff let it go on", func(b *bench, c *customer) { b.fails(c); b.must(b.pauseCase(c)) }, (*bench).resumeCase},
	{"staff release what was imported", (*bench).imported, (*bench).release},
}

// Whatever single statement, call or write of an operation fails, once it is asked for again as its caller would and
// all has come to rest, everything is as if nothing had failed: nothing half done, nothing done twice, no rule broken.
func TestNthFailureLeavesNothingHalfDone(t *testing.T) {
	if databasetest.OnPostgres() && !*everyN && *mostN == 0 {
		t.Skip("the same transactions; with -nth.all or -nth.most on both")
	}
	for _, op := range slices.Concat(operations, furtherOperations) {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel() // each has a portal and a database of its own
			b := newBench(t)
			want, statements, commits, calls, writes := b.undisturbed(op)
			t.Logf("%d statements, %d commits, %d calls to Stripe, %d writes and reads of mail", statements, commits, calls, writes)
			for _, kind := range []struct {
				name string
				most int
				arm  func(n int) (disarm func())
			}{
				{"statement", statements, b.failStatement}, {"commit without an answer", commits, b.muteCommit},
				{"call", calls, func(n int) func() { return b.failCall(n, beforeEffect) }},
				{"call that took effect", calls, func(n int) func() { return b.failCall(n, afterEffect) }}, {"turn of the mail dialogue", writes, b.failWire},
			} {
				for _, n := range selected(kind.most) {
					got := b.disturbed(op, func() func() { return kind.arm(n) })
					// What the mail server may have taken is never said again, and says so.
					got = strings.ReplaceAll(got, " uncertain", " sent")
					if got != want {
						t.Errorf("%s %d of %d failed, and it ended as\n%s\nwithout it:\n%s", kind.name, n, kind.most, got, want)
					}
				}
			}
			for _, broken := range b.judge.broken {
				t.Error(broken)
			}
		})
	}
}

// An act that is done once more because its answer was lost, and one of which half is kept, do not pass for well done.
func TestNthFailureFindsWhatIsDoneTwiceOrHalf(t *testing.T) {
	b := newBench(t)
	begin := func(b *bench, c *customer) { b.fails(c) }
	times := 0
	twice := operation{"twice", begin, func(b *bench, c *customer) error {
		times++
		return b.portal.Talks.Write(b.t.Context(), c.id, fmt.Sprintf("What is this for? %d", times), false, b.w.at)
	}}
	want, _, commits, _, _ := b.undisturbed(twice)
	if commits != 1 || b.disturbed(twice, func() func() { return b.muteCommit(1) }) == want {
		t.Errorf("a message of %d commits that was kept twice was not found", commits)
	}
	half := operation{"half", begin, func(b *bench, c *customer) error {
		err := b.pauseCase(c)
		if err == nil {
			_ = b.resumeCase(c)
		}
		return nil
	}}
	want, statements, _, _, _ := b.undisturbed(half)
	if b.disturbed(half, func() func() { return b.failStatement(statements) }) == want {
		t.Error("an act of which half was kept was not found")
	}
}

// selected answers 1 to most, or some of them with both ends.
func selected(most int) []int {
	var all []int
	stride := 1
	if !*everyN {
		stride = max(1, most/cmp.Or(*mostN, 6))
	}
	for n := 1; n <= most; n += stride {
		all = append(all, n)
	}
	if most > 0 && !slices.Contains(all, most) {
		all = append(all, most)
	}
	return all
}

func newBench(t *testing.T) *bench {
	w := &world{play: play{seed: 1, unusual: 1}, at: time.Date(2026, 11, 3, 9, 5, 0, 0, time.UTC), known: map[string]*customer{}, addressed: map[string]*customer{}}
	w.stripe, w.post = newProcessor(w), newPost(w)
	h := &house{w: w, judge: newJudge(w, promised), dsn: databasetest.URL(t), flaky: &flaky{}, log: &watcher{level: watched}}
	w.acts = h
	w.play.collector = true // so that mails can be stopped by one press
	w.post.keep = true
	h.settle = func(c *config.Config) {
		c.InboundAddress, c.InboundListen = "mail+{token}@in.lumen.example", "127.0.0.1:0"
	}
	b := &bench{house: h, t: t, kept: map[string]string{}, caught: map[string]letter{}}
	b.must(h.open(t.Context()))
	t.Cleanup(func() { _ = h.close() })
	b.plans()
	b.listen()
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// somebody is a new customer on a Tuesday morning, with no holiday in the fortnight after it.
func (b *bench) somebody() *customer {
	c, err := newCustomer(b.w.play, len(b.w.customers))
	b.must(err)
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	b.must(err)
	c.sure, c.business, c.invoiced, c.card.debit = true, false, false, false
	c.country, c.state, c.told, c.zones, c.currency, c.amount = "IN", "", "Europe/Amsterdam", []*time.Location{amsterdam}, "eur", 2900
	b.w.customers = append(b.w.customers, c)
	b.w.known[c.id], b.w.addressed[c.email] = c, c
	b.w.stripe.cards[c.card.id] = c.card
	for b.w.at = b.w.at.Truncate(24 * time.Hour).Add(33*time.Hour + 5*time.Minute); b.w.at.Weekday() != time.Tuesday || c.restsWithin(b.w.at, 14); {
		b.w.at = b.w.at.Add(24 * time.Hour)
	}
	return c
}

func (c *customer) restsWithin(at time.Time, days int) bool {
	for n := range days {
		day := at.AddDate(0, 0, n)
		if c.rests(day) || day.Month() == time.December && day.Day() == 25 || day.YearDay() == 1 { // in every year
			return true
		}
	}
	return false
}

// undisturbed does the operation once and answers how all ended and how much of each kind it took.
func (b *bench) undisturbed(op operation) (state string, statements, commits, calls, writes int) {
	wires := 0
	b.w.post.wire = func(c net.Conn) net.Conn { return &turns{Conn: c, next: func() bool { wires++; return false }} }
	state = b.disturbed(op, func() func() {
		asked, called, turned := b.flaky.asked, b.w.stripe.calls, wires
		b.flaky.mute = func() error { commits++; return nil }
		return func() {
			statements, calls, writes = b.flaky.asked-asked, b.w.stripe.calls-called, wires-turned
			b.flaky.mute = nil
		}
	})
	return state, statements, commits, calls, writes
}

// disturbed does the operation for somebody new while what arm makes fail fails, lets its caller ask again when it
// answered an error, lets all come to rest and answers how it ended.
func (b *bench) disturbed(op operation, arm func() func()) string {
	b.t.Helper()
	c := b.somebody()
	if op.prepare != nil {
		op.prepare(b, c)
	}
	disarm := arm()
	err := op.do(b, c)
	disarm()
	b.w.happen()
	if err != nil {
		b.later(30 * time.Second)
		b.must(op.do(b, c))
	}
	b.rest()
	b.hand()
	state := b.state(c)
	for len(c.open) > 0 { // nobody comes back in the days of the next one
		b.w.void(c.open[0])
	}
	b.w.happen()
	b.rest()
	b.w.agenda = agenda{}
	return state
}

// rest lets some hours pass, in which everything that waits is tried again.
func (b *bench) rest() {
	b.t.Helper()
	for _, wait := range []time.Duration{0, 3, 60, 150, 660, 900, 900, 1800, 3600} {
		b.later(wait * time.Second)
		b.w.happen()
		b.must(b.drain("events", "readings", "promises", "retries", "schedule", "finals", "send", "mend", "sweep", "returns"))
	}
}

func (b *bench) later(d time.Duration) { b.w.at = b.w.at.Add(d) }

func (b *bench) drain(tasks ...string) error {
	_, err := b.portal.Runner.Drain(b.t.Context(), tasks...)
	return err
}

// fails lets the customer's renewal fail, with the portal knowing of it.
func (b *bench) fails(c *customer) {
	b.t.Helper()
	b.must(b.hearFailure(c))
	b.rest()
}

func (b *bench) hearFailure(c *customer) error { return b.hearFailureOf(c, "do_not_honor") }

func (b *bench) hearFailureOf(c *customer, code string) error {
	if len(c.open) == 0 {
		i := &invoice{id: "in_" + c.id[4:], of: c, status: "open", amount: c.amount, created: b.w.at, card: c.card}
		b.w.enter(i)
		c.clearSince = time.Time{}
		c.card.says = code
		b.w.failed(i, code)
		c.card.says = ""
	}
	return b.hearAll(c)
}

func (b *bench) hearPayment(c *customer) error {
	if len(c.open) > 0 {
		b.w.pay(c.open[0], "at Stripe")
	}
	return b.hearAll(c)
}

// hearAll delivers what was told of the customer and not taken, and lets the portal read it.
func (b *bench) hearAll(c *customer) error {
	b.w.agenda = agenda{}
	for _, e := range b.w.stripe.events {
		if e.of == c && !e.kept {
			e.kept = b.receive(e)
			if !e.kept {
				return errBusy
			}
		}
	}
	return b.drain("events")
}

// toStep moves the clock to the case's next step.
func (b *bench) toStep(c *customer) {
	b.t.Helper()
	b.must(b.asked(b.t.Context(), func(tx *sql.Tx) error {
		open, err := b.portal.Cases.OpenOf(b.t.Context(), tx, c.id)
		if err == nil && open.NextStepAt > b.w.at.Unix() {
			b.w.at = time.Unix(open.NextStepAt, 0).UTC()
		}
		return err
	}))
}

// giveCard is a card update from the field to the result page; the same press again where the page failed.
func (b *bench) giveCard(c *customer) error {
	ctx, press := b.t.Context(), "press_"+c.id
	i := b.w.stripe.invoices["in_"+c.id[4:]]
	i.press(press)
	owed := []checkout.Expected{{Invoice: i.id, Amount: billing.Money{Minor: i.amount, Currency: c.currency}}}
	secret, err := b.portal.Desk.StartCard(ctx, checkout.Press{ID: press, Customer: c.id, Invoices: owed})
	if err != nil {
		return err
	}
	id, _, _ := strings.Cut(secret, "_secret")
	s := b.w.stripe.setups[id]
	if s.card == nil {
		old := c.card
		s.card, c.card = c.newCard(), old
		b.w.stripe.cards[s.card.id] = s.card
		b.w.tell(c, "setup_intent.succeeded", "setup_intent", id)
	}
	_, err = b.portal.Desk.FinishCard(ctx, c.id, id)
	return err
}

func (b *bench) answer(c *customer) error {
	ctx := b.t.Context()
	var talk support.Conversation
	var said []support.Message
	err := b.portal.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		talk, said, err = b.portal.Talks.OfCustomer(ctx, tx, c.id)
		return err
	})
	if err != nil {
		return err
	}
	if len(said) < 2 { // who sees their answer on the page does not send it again
		err = b.portal.Talks.Reply(ctx, talk.ID, "For the month's plan.", support.Speaker{ID: "staff_1", Name: "Ines", Role: "admin"})
	}
	return errors.Join(err, b.drain("send"))
}

func (b *bench) pauseCase(c *customer) error {
	return b.onCase(c, func(ctx context.Context, tx *sql.Tx, id string) error {
		return b.portal.Cases.Pause(ctx, tx, id, dunning.PauseStaff, "", "Ines", time.Time{}, b.w.at)
	})
}

func (b *bench) resumeCase(c *customer) error {
	return b.onCase(c, func(ctx context.Context, tx *sql.Tx, id string) error {
		return b.portal.Cases.Resume(ctx, tx, id, "Ines", b.w.at)
	})
}

// onCase is one act of staff on the customer's open case.
func (b *bench) onCase(c *customer, act func(ctx context.Context, tx *sql.Tx, id string) error) error {
	ctx := b.t.Context()
	return b.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		open, err := b.portal.Cases.OpenOf(ctx, tx, c.id)
		if err != nil {
			return err
		}
		return act(ctx, tx, open.ID)
	})
}

// imported is a bill that failed before the connection and that nobody told us of.
func (b *bench) imported(c *customer) {
	b.t.Helper()
	now := b.w.at
	b.w.at = start.Add(-30 * 24 * time.Hour)
	i := &invoice{id: "in_" + c.id[4:], of: c, status: "open", amount: c.amount, created: b.w.at, card: c.card, tries: 4}
	b.w.enter(i)
	c.clearSince = time.Time{}
	b.w.failed(i, "generic_decline")
	b.w.agenda, b.w.at = agenda{}, now
	for _, e := range b.w.stripe.events {
		e.kept = true
	}
	b.must(b.portal.Intake.Refresh(b.t.Context(), c.id))
}

func (b *bench) release(c *customer) error {
	return b.onCase(c, func(ctx context.Context, tx *sql.Tx, id string) error {
		_, err := b.portal.Cases.Release(ctx, tx, id, "Ines", b.w.at, b.w.at)
		return err
	})
}

// state is all that is kept of a customer, without names and times.
func (b *bench) state(c *customer) string {
	b.t.Helper()
	var all []string
	b.must(b.asked(b.t.Context(), func(tx *sql.Tx) error {
		for _, query := range []string{
			`SELECT 'case ' || status || ' ' || access || ' at step ' || step || CASE WHEN next_step_at > 0 THEN ', goes on' ELSE '' END FROM cases WHERE customer_id = '%s'`,
			`SELECT 'invoice ' || status || ' ' || amount_remaining FROM invoices WHERE customer_id = '%s'`,
			`SELECT 'notice ' || kind || ' ' || channel || ' ' || step || ' ' || status FROM notices WHERE customer_id = '%s' AND kind <> 'code'`,
			`SELECT DISTINCT 'code ' || status FROM notices WHERE customer_id = '%s' AND kind = 'code' AND status <> 'skipped'`, // whoever sees no answer asks for another
			`SELECT 'pause ' || p.reason || CASE WHEN ended_at = 0 THEN '' ELSE ', over' END FROM pauses p JOIN cases c ON c.id = p.case_id WHERE c.customer_id = '%s'`,
			`SELECT 'attempt ' || kind || ' ' || status FROM attempts WHERE customer_id = '%s' AND initiator <> 'stripe'`, // Stripe's own are read before they matter
			`SELECT 'event ' || type || ' ' || status FROM events WHERE customer_id = '%s'`,
			`SELECT 'message from ' || author FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.customer_id = '%s'`,
			`SELECT 'conversation ' || status FROM conversations WHERE customer_id = '%s'`,
			`SELECT 'audit ' || action FROM audit a JOIN conversations c ON c.id = a.object WHERE c.customer_id = '%s'`,
			`SELECT 'audit ' || action FROM audit WHERE object = '%s'`,
			`SELECT 'promise ' || kind || ' ' || status || CASE WHEN charged_at > 0 THEN ', charged' ELSE '' END FROM promises WHERE customer_id = '%s'`,
			`SELECT 'choice ' || version || CASE WHEN no_mail THEN ' no mail' ELSE '' END || ' from ' || hours_from || ' by ' || source FROM contact_choices WHERE customer_id = '%s'`,
			`SELECT 'told ' || type FROM webhook_deliveries WHERE customer_id = '%s'`,
			`SELECT 'final ' || act || ' ' || status FROM final_acts WHERE customer_id = '%s'`,
			`SELECT 'target ' || t.status FROM final_targets t JOIN final_acts f ON f.id = t.final_id WHERE f.customer_id = '%s'`,
			`SELECT 'removal ' || status FROM removals WHERE customer_id = '%s'`,
			`SELECT 'guest ' || CASE WHEN method_id = '' THEN 'never came' ELSE 'came' END || CASE WHEN gone_at > 0 THEN ', gone' ELSE '' END FROM guest_cards WHERE customer_id = '%s'`,
			`SELECT 'suppressed ' || reason FROM suppressions WHERE customer_id = '%s'`,
			`SELECT 'bounce ' || kind FROM bounces WHERE customer_id = '%s'`,
			`SELECT 'arrival ' || way || ' ' || status || ' ' || outcome FROM arrivals WHERE customer_id = '%s'`,
			`SELECT 'wish ' || kind || ' ' || status FROM wishes WHERE customer_id = '%s'`,
			`SELECT 'log ' || l.what FROM case_log l JOIN cases c ON c.id = l.case_id WHERE c.customer_id = '%s' AND l.what <> 'new_card'`, // told where it was seen before its own press was through
		} {
			found, err := database.Strings(b.t.Context(), tx, fmt.Sprintf(query, c.id))
			if err != nil {
				return fmt.Errorf("%s: %w", query, err)
			}
			slices.Sort(found)
			all = append(all, found...)
		}
		return nil
	}))
	for _, i := range b.w.stripe.invoices {
		if i.of == c {
			all = append(all, fmt.Sprintf("at Stripe %s, paid %d times by %d orders", i.status, i.paid, i.orders))
		}
	}
	all = append(all, fmt.Sprintf("the plan at Stripe: canceled %t, paused %t, card %d of %d", c.canceled, c.paused, slices.Index(b.w.stripe.cardsOf(c), c.card)+1, len(b.w.stripe.cardsOf(c))))
	return strings.Join(all, "\n")
}

func (b *bench) failStatement(n int) func() {
	last := b.flaky.asked + n
	b.flaky.fail = func(n int, _ bool) error {
		if n == last {
			return errBusy
		}
		return nil
	}
	return func() { b.flaky.fail = nil }
}

func (b *bench) muteCommit(n int) func() {
	b.flaky.mute = func() error {
		n--
		if n == 0 {
			return errBusy
		}
		return nil
	}
	return func() { b.flaky.mute = nil }
}

func (b *bench) failCall(n int, how failure) func() {
	last := b.w.stripe.calls + n
	b.w.stripe.fail = func(call int) failure {
		if call == last {
			return how
		}
		return answers
	}
	return func() { b.w.stripe.fail = nil }
}

// failWire breaks the line to the mail server at its n-th turn. It begins on a line of its own, so that the turns are
// counted alike.
func (b *bench) failWire(n int) func() {
	b.w.post.wire = func(c net.Conn) net.Conn {
		return &turns{Conn: c, next: func() bool { n--; return n == 0 }}
	}
	return func() { b.w.post.wire = nil }
}

// turns is a connection that breaks when next says so, before it writes or reads once more.
type turns struct {
	net.Conn
	next func() bool
}

var errLine = errors.New("connection reset by peer")

// Write implements net.Conn.
func (t *turns) Write(p []byte) (int, error) {
	if t.next() {
		t.Conn.Close()
		return 0, errLine
	}
	return t.Conn.Write(p)
}

// Read implements net.Conn.
func (t *turns) Read(p []byte) (int, error) {
	if t.next() {
		t.Conn.Close()
		return 0, errLine
	}
	return t.Conn.Read(p)
}
