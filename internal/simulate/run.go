package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/jobs"
	"sollecito/internal/webhook"
)

// outcome is how a play ended.
type outcome struct {
	hash     uint64
	broken   []string
	counts   map[string]int
	instants int
	house    *house
}

// simulate plays p on the database dsn names, which must be empty.
func simulate(ctx context.Context, p play, r rules, dsn string, change ...func(*house)) (outcome, error) {
	w, err := newWorld(p)
	if err != nil {
		return outcome{}, err
	}
	h := &house{w: w, judge: newJudge(w, r), dsn: dsn, flaky: &flaky{}, log: &watcher{level: watched}, heard: map[string][]string{}}
	w.acts = h
	for _, f := range change {
		f(h)
	}
	err = h.open(ctx)
	if err != nil {
		return outcome{}, errors.Join(err, h.close())
	}
	instants, err := h.live(ctx)
	if err == nil {
		err = h.calm(ctx)
	}
	if err == nil && h.spoil != nil {
		err = h.spoil(ctx)
	}
	if err == nil {
		err = h.agree(ctx)
	}
	err = errors.Join(err, h.close())
	return outcome{hash: w.hash(), broken: h.judge.broken, counts: h.judge.counts, instants: instants, house: h}, err
}

// looks is how often the portal looks for what nobody told it, and the judge for what was left lying.
const looks = 3 * time.Hour

// live lets the days pass.
func (h *house) live(ctx context.Context) (instants int, err error) {
	w, f := h.w, h.w.play.faults
	end := start.Add(time.Duration(w.play.days) * 24 * time.Hour)
	dice := rand.New(rand.NewPCG(w.play.seed*8+7, 0))
	leave, back := end, end
	if f.outage && w.play.days > 90 {
		leave = start.Add(time.Duration(30+dice.IntN(w.play.days-80)) * 24 * time.Hour)
		back = leave.Add(30 * 24 * time.Hour)
	}
	death := func() time.Time { return w.at.Add(time.Duration(1+dice.IntN(max(1, f.deaths*48))) * 30 * time.Minute) }
	dies, hour := death(), start
	for {
		next, err := h.next(ctx, end, hour)
		if err != nil {
			return instants, err
		}
		w.at = next
		instants++
		if !w.at.Before(end) {
			return instants, nil
		}
		switch {
		case h.portal != nil && !w.at.Before(leave) && w.at.Before(back):
			err = h.close()
		case h.portal == nil && !w.at.Before(back):
			h.back = w.at
			err = h.open(ctx)
		case f.deaths > 0 && h.portal != nil && !w.at.Before(dies):
			h.dieSoon(dice.IntN(120))
			dies = death()
		}
		if err != nil {
			return instants, err
		}
		if w.happen() {
			h.known = false
		}
		full := !w.at.Before(hour)
		if full {
			hour = w.at.Truncate(looks).Add(looks)
		}
		err = h.turn(ctx, full)
		if err != nil {
			return instants, err
		}
	}
}

// next is the earliest instant at which somebody has something to do.
func (h *house) next(ctx context.Context, end, hour time.Time) (time.Time, error) {
	next := end
	if h.portal != nil && hour.Before(next) {
		next = hour
	}
	if len(h.w.agenda.all) > 0 && h.w.agenda.all[0].at.Before(next) {
		next = h.w.agenda.all[0].at
	}
	if h.portal == nil {
		return next, nil
	}
	dues, err := h.dues(ctx)
	if err != nil {
		return next, err
	}
	for _, d := range dues {
		if d.At.Before(next) {
			next = d.At
		}
	}
	if !next.After(h.w.at) {
		next = h.w.at.Add(time.Minute) // what could not be done is looked at again
	}
	return next, nil
}

// turn lets the portal do what is due, and begin anew where it died. The runner would look at everything each second
// or so and find nothing most of the time; here each task is run when there is something for it. Looking for what
// nobody tells of comes every few hours instead of each quarter of an hour, at everything whatever it says once a day.
func (h *house) turn(ctx context.Context, full bool) error {
	if h.portal == nil {
		return nil
	}
	var err error
	switch {
	case full && !h.w.at.Before(h.all): // what says that nothing is due is not believed for longer than a day
		h.all = h.w.at.Truncate(24 * time.Hour).Add(24 * time.Hour)
		h.brought, h.foreseen = false, map[string]*foreseen{}
		err = h.work(ctx)
		if err == nil && !h.gone() {
			err = h.appHears(ctx)
		}
	case full:
		done := h.done // sweeping, and what is told once a day, is left to the day
		err = h.run(ctx, h.portal.Runner.Once, "events", "reconcile", "mend")
		h.brought = h.done > done // events that were looked for
		if err == nil {
			err = h.workDue(ctx)
		}
	default:
		err = h.workDue(ctx)
	}
	if err == nil && full {
		err = h.lively(ctx)
	}
	if err != nil || !h.gone() {
		return err
	}
	_ = h.close() // what is dead cannot say goodbye
	err = h.open(ctx)
	if err != nil {
		return err
	}
	return h.work(ctx, "events", "schedule", "send")
}

// manyEvents is how many the portal processes at once.
const manyEvents = 100

// workDue runs the tasks that have something to do, and those that have by what these did, until none has, or what is
// due cannot be done now.
func (h *house) workDue(ctx context.Context) error {
	idle := map[string]bool{} // ran and did nothing
	for !h.gone() {
		var tasks []string
		if h.brought {
			tasks, h.brought = []string{"events"}, false
		}
		dues, err := h.dues(ctx)
		if err != nil {
			return err
		}
		for _, d := range dues {
			if !d.At.After(h.w.at) && !idle[d.Task] {
				tasks = append(tasks, d.Task)
			}
		}
		if len(tasks) == 0 {
			return nil
		}
		for _, name := range tasks {
			done := h.done
			err = h.run(ctx, h.portal.Runner.Once, name) // what is due after it says so
			if err != nil {
				return err
			}
			idle[name] = h.done == done
			h.brought = h.brought || name == "events" && h.done-done >= manyEvents // and more may wait
		}
	}
	return nil
}

// dues asks the portal past all faults what is due when: each task, when something was written since that it looks at.
func (h *house) dues(ctx context.Context) ([]jobs.Due, error) {
	if h.known {
		return h.due, nil
	}
	defer h.flaky.spared()()
	h.due = h.due[:0]
	for _, task := range h.portal.Runner.Foreseen() {
		if task == delivering {
			continue
		}
		f := h.foreseen[task]
		if !h.flaky.tables.stands(f) {
			f = &foreseen{tables: map[string]bool{}, asked: h.flaky.tables.now}
			h.flaky.tables.reading = f.tables
			var err error
			f.due, err = h.portal.Runner.Dues(ctx, task)
			h.flaky.tables.reading = nil
			if err != nil {
				return nil, err
			}
			h.foreseen[task] = f
		}
		h.due = append(h.due, f.due...)
	}
	h.known = true
	return h.due, nil
}

// lively judges that nothing that is due was left lying. Cases and letters that wait for a reason have a later date.
func (h *house) lively(ctx context.Context) error {
	const grace = 15 * time.Minute // which whoever comes back from an absence has too
	if h.gone() || h.w.stripeIsDown() || h.w.postIsDown() || h.w.at.Before(h.back.Add(grace)) {
		return nil
	}
	late := h.w.at.Add(-grace).Unix()
	dues, err := h.dues(ctx)
	if err != nil || !slices.ContainsFunc(dues, func(d jobs.Due) bool { return d.At.Unix() < late }) {
		return err
	}
	var cases, letters int
	err = h.asked(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM cases WHERE status = 'open' AND next_step_at < $1`, late).Scan(&cases)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM notices WHERE status = 'queued' AND channel = 'email' AND due_at < $1`, late).Scan(&letters)
	})
	if cases+letters > 0 {
		h.judge.breach("I10", nil, "at %s %d cases and %d letters are late", h.w.at.Format(time.DateTime), cases, letters)
	}
	return err
}

// calm ends all faults and all life, and lets what is under way come to its end.
func (h *house) calm(ctx context.Context) error {
	h.w.play.faults = faults{}
	if h.portal == nil {
		err := h.open(ctx)
		if err != nil {
			return err
		}
	}
	for range 4 * 24 {
		h.w.at = h.w.at.Truncate(time.Hour).Add(time.Hour)
		err := h.turn(ctx, true)
		if err != nil {
			return err
		}
	}
	return nil
}

// bankTime is how long after its day a promise may still wait: for a bank debit, or a try that a card's budget allows later.
const bankTime = 12 * 24 * time.Hour

// agree holds what the portal believes in the end against what is true.
func (h *house) agree(ctx context.Context) error {
	err := h.asked(ctx, func(tx *sql.Tx) error {
		for _, c := range h.w.customers {
			err := h.agreeOn(ctx, tx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.id, err)
			}
		}
		kept, err := keptEvents(ctx, tx)
		if err != nil {
			return err
		}
		for _, e := range h.w.stripe.events {
			if e.kept && !kept[e.id] {
				h.judge.breach("I6", e.of, "the event %s was answered 2xx and is not kept", e.id)
			}
		}
		for what, query := range map[string]string{
			"I6: events still wait":                   `SELECT count(*) FROM events WHERE status = 'received'`,
			"I10: cases stand still":                  `SELECT count(*) FROM cases WHERE status = 'open' AND resting_since = 0 AND next_step_at IS NULL`,
			"I10: letters are marked as on their way": `SELECT count(*) FROM notices WHERE status = 'sending'`,
			"I1: attempts have no end":                `SELECT count(*) FROM attempts WHERE status = 'started' AND kind = 'charge'`,
			"B7: promises outlive their day":          `SELECT count(*) FROM promises WHERE status = 'active' AND due_at < ` + strconv.FormatInt(h.w.at.Add(-bankTime).Unix(), 10),
		} {
			var n int
			err = tx.QueryRowContext(ctx, query).Scan(&n)
			if err != nil {
				return err
			}
			if n > 0 {
				h.judge.breach(what, nil, "%d", n)
			}
		}
		ends, err := stringsOf(ctx, tx, `SELECT status FROM promises`)
		if err != nil {
			return err
		}
		for _, end := range ends {
			h.judge.counts["promise "+end]++
		}
		_, _, err = audit.Verify(ctx, tx)
		if err != nil {
			h.judge.breach("I9", nil, "%v", err)
		}
		return nil
	})
	for _, i := range h.w.stripe.invoices {
		if i.paid > 1 || i.orders > len(i.presses)+i.newCards+i.vows {
			h.judge.breach("I1", i.of, "%s: paid %d times, %d presses, %d new cards, %d promises and %d orders", i.id, i.paid, len(i.presses), i.newCards, i.vows, i.orders)
		}
	}
	for _, by := range h.w.stripe.cards {
		h.withinBudget(by)
		if by.guest && !by.detached {
			h.judge.breach("C8", by.owner, "%s of somebody else, who came on %s, is still on file", by.id, by.came.Format(time.DateTime))
		}
	}
	for _, leak := range h.log.leaks {
		h.judge.breach("I11", nil, "the log says %q", leak)
	}
	return err
}

// withinBudget judges how often the portal charged one card (docs/retries.md, the strictest of the networks).
func (h *house) withinBudget(by *card) {
	for n, at := range by.tries {
		day, month := 0, 0
		for _, later := range by.tries[n:] {
			if later.Sub(at) < 24*time.Hour {
				day++
			}
			if later.Sub(at) < 30*24*time.Hour {
				month++
			}
		}
		if day > 10 || month > 15 {
			h.judge.breach("I12", by.owner, "%s was charged %d times in a day, %d in thirty", by.id, day, month)
			return
		}
	}
}

func keptEvents(ctx context.Context, tx *sql.Tx) (map[string]bool, error) {
	kept := map[string]bool{}
	ids, err := stringsOf(ctx, tx, `SELECT id FROM events`)
	for _, id := range ids {
		kept[id] = true
	}
	return kept, err
}

// agreeOn judges that one customer's bills and case are as they are at Stripe, whatever came in which order.
func (h *house) agreeOn(ctx context.Context, tx *sql.Tx, c *customer) error {
	var owed, stored []string
	for _, i := range c.open {
		if i.isOverdue(h.w.at) {
			owed = append(owed, i.id)
		}
	}
	open, err := billing.OpenInvoices(ctx, tx, c.id)
	if err != nil {
		return err
	}
	for _, i := range open {
		at := h.w.stripe.invoices[i.ID]
		if at == nil || at.status != "open" || at.isOverdue(h.w.at) { // what is only due some day may not be known yet
			stored = append(stored, i.ID)
		}
	}
	slices.Sort(owed)
	slices.Sort(stored)
	if !slices.Equal(owed, stored) {
		h.judge.breach("I7", c, "Stripe has %v open, the portal %v", owed, stored)
	}
	err = h.tells(ctx, tx, c)
	if err != nil {
		return err
	}
	latest, err := h.portal.Cases.LatestOf(ctx, tx, c.id)
	if fault.Is(err, fault.NotFound) {
		if len(owed) > 0 {
			h.judge.breach("I7", c, "they owe %v and never had a case", owed)
		}
		return nil
	}
	if err != nil {
		return err
	}
	running := latest.Status == dunning.Open || latest.Status == dunning.Exhausted
	if running != (len(owed) > 0) || !running && latest.Access != campaign.Full {
		h.judge.breach("I7", c, "they owe %v, and their case is %s with access %s", owed, latest.Status, latest.Access)
	}
	h.judge.counts["case "+string(latest.Status)]++
	return nil
}

// tells judges that the merchant's app, by nothing but what it was told, knows of one customer what they may do and how each of
// their cases stands.
func (h *house) tells(ctx context.Context, tx *sql.Tx, c *customer) error {
	bodies, err := database.Strings(ctx, tx, `SELECT body FROM webhook_deliveries WHERE customer_id = $1 AND status = 'pending' ORDER BY id`, c.id)
	if err != nil {
		return err
	}
	access, cases := string(campaign.Full), map[string]string{}
	for _, text := range append(h.heard[c.id], bodies...) {
		var m struct {
			Type string
			Data struct{ Case, From, To, Status string }
		}
		err = json.Unmarshal([]byte(text), &m)
		if err != nil {
			return fmt.Errorf("read %s: %w", text, err)
		}
		h.judge.counts[m.Type]++
		switch {
		case m.Type == string(webhook.AccessChanged) && (m.Data.From != access || m.Data.To == access):
			h.judge.breach("B9", c, "access was %s, and the app is told that it went from %s to %s", access, m.Data.From, m.Data.To)
		case m.Type != string(webhook.AccessChanged) && m.Data.From != cases[m.Data.Case]:
			h.judge.breach("B9", c, "%s was %q, and the app is told that it went from %q to %s", m.Data.Case, cases[m.Data.Case], m.Data.From, m.Data.Status)
		}
		if m.Type == string(webhook.AccessChanged) {
			access = m.Data.To
		} else {
			cases[m.Data.Case] = m.Data.Status
		}
	}
	is, err := h.portal.Cases.AccessOf(ctx, tx, c.id)
	if err != nil {
		return err
	}
	if string(is) != access {
		h.judge.breach("B9", c, "access is %s, and the app was told %s", is, access)
	}
	all, err := h.portal.Cases.OfCustomer(ctx, tx, c.id)
	if err != nil {
		return err
	}
	for _, is := range all {
		if string(is.Status) != cases[is.ID] {
			h.judge.breach("B9", c, "%s is %s, and the app was told %q", is.ID, is.Status, cases[is.ID])
		}
	}
	return nil
}
