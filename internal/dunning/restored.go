package dunning

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/outbox"
)

// unknown is the time of which a database that was put back from a copy knows nothing: since the copy was taken, until
// somebody began to work on it. Both are unix seconds. The zero value is no time at all.
type unknown struct {
	From  int64 `json:"from"`
	Until int64 `json:"until"`
}

const settingUnknown = "unknown_time"

// lateWebhooks is how long before a copy something may have happened at Stripe of which it knows nothing: as long as Stripe
// keeps telling what it could not tell at once.
const lateWebhooks = 3 * 24 * time.Hour

func unknownTime(ctx context.Context, tx *sql.Tx) (unknown, error) {
	kept, err := database.Setting(ctx, tx, settingUnknown)
	if err != nil || kept == "" {
		return unknown{}, err
	}
	var u unknown
	err = json.Unmarshal([]byte(kept), &u)
	if err != nil {
		return unknown{}, fmt.Errorf("read which time nothing is known of: %w", err)
	}
	return u, nil
}

// holds reports whether an instant (unix seconds, 0 for none) lies in the unknown time.
func (u unknown) holds(at int64) bool {
	return at > 0 && at >= u.From-int64(lateWebhooks/time.Second) && at <= u.Until
}

// PutBack is what became of a database that was put back from a copy.
type PutBack struct {
	Mails   int64 // waited to leave when the copy was taken
	Steps   int   // of cases, whose time came since
	Retries int
	Finals  int // acts that were ordered
}

const (
	whyPutBack = "The database was put back from a copy, in which it had not left yet: it may have been sent since."
	whyCopied  = "The database was put back from a copy: whether it was charged or withdrawn since is not known, so nothing was charged."
)

// PutBack takes in that this database is a copy taken at an instant, and that somebody begins to work on it now. What may
// have been said, charged or done in between by the program that it was copied from is not said, charged or done again: mails
// that could have left are uncertain, those of steps whose time came too, retries are passed over, final acts wait for a
// person once more. All sending is stopped until somebody resumes it. It holds nobody: the caller sees to it that nothing else
// works on the database meanwhile.
func (cs *Cases) PutBack(ctx context.Context, tx *sql.Tx, copied, now time.Time) (PutBack, error) {
	u := unknown{From: min(copied.Unix(), now.Unix()), Until: now.Unix()}
	kept, err := json.Marshal(u)
	if err != nil {
		return PutBack{}, err
	}
	err = database.SetSetting(ctx, tx, settingUnknown, string(kept))
	if err != nil {
		return PutBack{}, err
	}
	err = stopForCopy(ctx, tx, copied, now)
	if err != nil {
		return PutBack{}, err
	}
	var done PutBack
	done.Steps, err = cs.presumeAll(ctx, tx, u, now)
	if err != nil {
		return PutBack{}, fmt.Errorf("find what may have been said since the copy: %w", err)
	}
	done.Mails, err = outbox.PresumeWaiting(ctx, tx, u.Until, whyRests, whyPutBack)
	if err != nil {
		return PutBack{}, err
	}
	done.Retries, err = cs.passRetries(ctx, tx, u, now)
	if err != nil {
		return PutBack{}, fmt.Errorf("pass over the retries since the copy: %w", err)
	}
	ordered, err := selectFinals(ctx, tx, `WHERE status = 'ordered' ORDER BY customer_id, id`)
	if err != nil {
		return PutBack{}, err
	}
	for _, f := range ordered {
		err = giveBackFinal(ctx, tx, f, "The database was put back from a copy. Whether it was done or called off since is not known, so it waits for a decision again.", now)
		if err != nil {
			return PutBack{}, err
		}
	}
	done.Finals = len(ordered)
	return done, nil
}

// presumeAll presumes the steps of all open cases whose time came in the unknown time.
func (cs *Cases) presumeAll(ctx context.Context, tx *sql.Tx, u unknown, now time.Time) (int, error) {
	open, err := selectCases(ctx, tx, `WHERE status = 'open' ORDER BY customer_id`)
	if err != nil {
		return 0, err
	}
	steps := 0
	for some := range slices.Chunk(open, 100) {
		var customers []string
		for _, c := range some {
			customers = append(customers, c.CustomerID)
		}
		who, err := billing.CustomersByID(ctx, tx, customers)
		if err != nil {
			return steps, err
		}
		all, err := cs.situations(ctx, tx, some, who, now)
		if err != nil {
			return steps, err
		}
		for _, c := range some {
			waits, err := cs.unreleased(ctx, tx, c, u)
			if err != nil {
				return steps, err
			}
			if waits {
				continue
			}
			n, err := presume(ctx, tx, c, all[c.ID], u)
			if err != nil {
				return steps, err
			}
			steps += n
		}
	}
	return steps, nil
}

// unreleased reports whether an imported case rested through the unknown time as far as can be told: nobody had released it,
// or for a later day.
func (cs *Cases) unreleased(ctx context.Context, tx *sql.Tx, c Case, u unknown) (bool, error) {
	if c.RestingSince == 0 {
		return false, nil
	}
	active, err := cs.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return false, err
	}
	p, is := find(active, PauseImported)
	return is && (p.Until == 0 || p.Until > u.Until), nil
}

// presume keeps the mails of a case's steps whose time came by the end of the unknown time as uncertain, in the place of
// those that would be queued: the case takes the steps as ever, and says nothing twice. Of one that rests nobody knows when
// it went on: perhaps right after the copy. It answers how many steps there are.
func presume(ctx context.Context, tx *sql.Tx, c Case, in Situation, u unknown) (int, error) {
	if c.Holdout || in.Class == billing.ClassNone {
		return 0, nil
	}
	if c.RestingSince > 0 {
		c.RestedDays += contact.DaysBetween(time.Unix(c.RestingSince, 0), time.Unix(u.From, 0), in.Zones[0])
	}
	steps := 0
	for i := c.Step; i < len(in.Plan.Steps); i++ {
		step := in.Plan.Steps[i]
		if c.wanted(in.Plan, i, in.Class, in.Zones).Unix() > u.Until || !step.If.Matches(in.Who) || !slices.Contains(in.Ways(step), outbox.Email) {
			continue
		}
		n := outbox.Notice{Kind: outbox.Reminder, Channel: outbox.Email, CustomerID: c.CustomerID, CaseID: c.ID, Step: step.Key, Counts: true}
		added, err := outbox.Presume(ctx, tx, n, whyPutBack, u.Until)
		if err != nil {
			return steps, err
		}
		if added {
			steps++
		}
	}
	return steps, nil
}

// presumeNew presumes the first steps of a case that opens by failures of the unknown time: there may have been such a case
// before, which the copy does not know. Its first day was at the earliest when the invoice was made, or the copy.
func (cs *Cases) presumeNew(ctx context.Context, tx *sql.Tx, c Case, overdue []billing.Invoice, now time.Time) error {
	u, err := unknownTime(ctx, tx)
	if err != nil {
		return err
	}
	first := int64(0)
	for _, i := range overdue {
		since := i.Since()
		if !u.holds(since) {
			continue
		}
		if !i.ByHand() { // a retry of ours may hide when it failed first
			since = max(min(i.CreatedAt, since), u.From)
		}
		if first == 0 || since < first {
			first = since
		}
	}
	if first == 0 {
		return nil
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil {
		return err
	}
	c.OpenedAt, c.OpenedDay = first, openedOn(time.Unix(first, 0), in.Zones)
	_, err = presume(ctx, tx, c, in, u)
	return err
}

// thanked reports whether somebody may have been thanked for these invoices already: all was paid by the end of the unknown
// time.
func thanked(ctx context.Context, tx *sql.Tx, invoices []billing.Invoice) (bool, int64, error) {
	u, err := unknownTime(ctx, tx)
	last := int64(0)
	for _, i := range invoices {
		last = max(last, i.PaidAt)
	}
	return u.holds(last), u.Until, err
}

// passRetries passes over our own retries whose time came in the unknown time.
func (cs *Cases) passRetries(ctx context.Context, tx *sql.Tx, u unknown, now time.Time) (int, error) {
	due, err := selectRetries(ctx, tx, `
		FROM retries r JOIN cases c ON c.id = r.case_id WHERE r.due_at > 0 AND r.due_at <= $1 AND c.status = 'open' ORDER BY c.customer_id, r.invoice_id`, u.Until)
	if err != nil {
		return 0, err
	}
	for _, r := range due {
		c, err := cs.Find(ctx, tx, r.CaseID)
		if err != nil {
			return 0, err
		}
		i, err := billing.FindInvoice(ctx, tx, r.InvoiceID)
		if err != nil {
			return 0, err
		}
		turn, err := cs.turnOf(ctx, tx, c, i, r)
		if err != nil {
			return 0, err
		}
		why := "The database was put back from a copy: it may have been made since."
		for turn.DueAt > 0 && turn.DueAt <= u.Until {
			turn.pass(why)
		}
		err = updateRetry(ctx, tx, turn.Retry)
		if err != nil {
			return 0, err
		}
		err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "retry", Why: fmt.Sprintf("Our retry %d of invoice %s did not run. %s", r.Number, nameOf(i), why)})
		if err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// toldAhead reports whether somebody may have been told of a precaution already: until sending is resumed, of every renewal
// that came within the lead time by the end of the unknown time.
func (cs *Cases) toldAhead(ctx context.Context, tx *sql.Tx, p Precaution) (bool, int64, error) {
	s, err := SendingSwitch(ctx, tx)
	if err != nil || !s.PutBack() {
		return false, 0, err
	}
	u, err := unknownTime(ctx, tx)
	return p.At.Add(-cs.before.Lead).Unix() <= u.Until, u.Until, err
}
