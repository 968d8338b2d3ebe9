package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Pause lets a case rest for a reason, until the instant (zero: until somebody ends it). The same reason twice
// changes nothing. fault.Conflict when the case is not open.
func (cs *Cases) Pause(ctx context.Context, tx *sql.Tx, caseID string, reason PauseReason, note, actor string, until, now time.Time) error {
	c, err := cs.held(ctx, tx, caseID)
	if err != nil {
		return err
	}
	if c.Status != Open {
		return fault.New(fault.Conflict, "This case has ended; there is nothing to pause.")
	}
	err = cs.begin(ctx, tx, &c, Pause{CaseID: caseID, Reason: reason, Note: note, Actor: actor, Since: now.Unix(), Until: unixOrZero(until)})
	if err != nil {
		return err
	}
	return updateCase(ctx, tx, c, now)
}

// Resume ends the pauses of the given reasons, or all when none is named, and puts the case back on its
// schedule; the days it rested don't count. Ending what is not there changes nothing.
func (cs *Cases) Resume(ctx context.Context, tx *sql.Tx, caseID, actor string, now time.Time, reasons ...PauseReason) error {
	c, err := cs.held(ctx, tx, caseID)
	if err != nil {
		return err
	}
	active, err := cs.ActivePauses(ctx, tx, caseID)
	if err != nil {
		return err
	}
	for _, p := range active {
		if len(reasons) > 0 && !slices.Contains(reasons, p.Reason) {
			continue
		}
		if p.Reason == PausePromise {
			busy, err := beingCharged(ctx, tx, caseID)
			if err != nil {
				return err
			}
			if busy {
				continue // its end is told when the bank has answered
			}
		}
		err = cs.end(ctx, tx, &c, p, actor, now)
		if err != nil {
			return err
		}
	}
	if c.Status != Open {
		return nil
	}
	if c.RestingSince == 0 {
		// What was held back while the case rested goes out as soon as the policy lets it.
		err = outbox.GoOn(ctx, tx, c.ID, whyRests, now.Unix())
		if err != nil {
			return err
		}
	}
	return cs.reschedule(ctx, tx, c, now)
}

// ElapsedPauses answers the ids of up to limit pauses whose day has come, but for promises, which end by what became of them.
func (cs *Cases) ElapsedPauses(ctx context.Context, tx *sql.Tx, now time.Time, limit int) ([]string, error) {
	return database.Strings(ctx, tx, `SELECT id FROM pauses WHERE `+elapsed+` ORDER BY until LIMIT $2`, now.Unix(), limit)
}

const elapsed = `ended_at = 0 AND until > 0 AND until <= $1 AND reason <> 'promise'`

// EndPauses ends those of the pauses whose day has still come once their customers are held.
func (cs *Cases) EndPauses(ctx context.Context, tx *sql.Tx, pauses []string, now time.Time) error {
	if len(pauses) == 0 {
		return nil
	}
	marks, args := database.List(pauses)
	cases, err := database.Strings(ctx, tx, `SELECT DISTINCT case_id FROM pauses WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return fmt.Errorf("find whose pauses end: %w", err)
	}
	err = cs.HoldAll(ctx, tx, cases)
	if err != nil {
		return err
	}
	over, err := selectPauses(ctx, tx, `WHERE id IN (`+marks+`) AND ended_at = 0 ORDER BY until`, args...)
	if err != nil {
		return err
	}
	for _, p := range over {
		if p.Until == 0 || p.Until > now.Unix() {
			continue
		}
		err = cs.Resume(ctx, tx, p.CaseID, "", now, p.Reason)
		if err != nil {
			return fmt.Errorf("end pause %s: %w", p.ID, err)
		}
	}
	return nil
}

func (cs *Cases) begin(ctx context.Context, tx *sql.Tx, c *Case, p Pause) error {
	active, err := cs.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, a := range active {
		if a.Reason == p.Reason {
			return nil
		}
	}
	err = insertPause(ctx, tx, p)
	if err != nil {
		return err
	}
	if c.RestingSince == 0 {
		c.RestingSince = p.Since
	}
	c.NextStepAt = 0
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: p.Since, What: "paused", Why: pauseWords[p.Reason] + noteWords(p.Note), Actor: p.Actor})
}

// end ends one pause; with the last, the days the case rested are added up. A promise ends with its pause.
func (cs *Cases) end(ctx context.Context, tx *sql.Tx, c *Case, p Pause, actor string, now time.Time) error {
	if p.Reason == PausePromise {
		err := withdraw(ctx, tx, c.ID, actor, "The pause was lifted.", now)
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE pauses SET ended_at = $1 WHERE id = $2`, now.Unix(), p.ID)
	if err != nil {
		return err
	}
	left, err := cs.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if len(left) == 0 && c.RestingSince > 0 {
		who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
		if err != nil {
			return err
		}
		c.RestedDays += contact.DaysBetween(time.Unix(c.RestingSince, 0), now, contact.ZonesOf(who, cs.fallback)[0])
		c.RestingSince = 0
	}
	why, err := overWords(ctx, tx, *c, p, actor)
	if err != nil {
		return err
	}
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "resumed", Why: why, Actor: actor})
}

// restedSince answers how many local days the case rested between two instants, however many pauses held it at once.
func (cs *Cases) restedSince(ctx context.Context, tx *sql.Tx, c Case, from, now time.Time, zone *time.Location) (int, error) {
	pauses, err := cs.Pauses(ctx, tx, c.ID)
	if err != nil {
		return 0, err
	}
	days, last := 0, from
	for _, p := range pauses {
		end := now
		if !p.Active() {
			end = time.Unix(p.EndedAt, 0)
		}
		if end.After(now) {
			end = now
		}
		begin := time.Unix(p.Since, 0)
		if begin.Before(last) {
			begin = last
		}
		days += contact.DaysBetween(begin, end, zone)
		if end.After(last) {
			last = end
		}
	}
	return days, nil
}

// facts answers for what of what Stripe says a case rests: a bank debit under way, a bank account that is being proven and by
// when, a dispute, consent withdrawn at the bank. disputes says whether the customer has any, running or not. The answer about
// consent is there only when it is yes.
func (cs *Cases) facts(ctx context.Context, tx *sql.Tx, c Case, invoices []billing.Invoice, disputes bool, now time.Time) (want map[PauseReason]bool, proven time.Time, err error) {
	disputed := false
	if disputes {
		disputed, err = cs.disputed(ctx, tx, c, invoices)
		if err != nil {
			return nil, time.Time{}, err
		}
	}
	proven, err = cs.provenBy(ctx, tx, c, invoices, now)
	if err != nil {
		return nil, time.Time{}, err
	}
	want = map[PauseReason]bool{PauseProcessing: false, PauseVerification: proven.After(now), PauseDispute: disputed}
	for _, i := range invoices {
		if !i.Open() {
			continue
		}
		want[PauseProcessing] = want[PauseProcessing] || i.Processing()
		if i.Class() == billing.ClassConsent {
			want[PauseConsent] = true
		}
	}
	return want, proven, nil
}

// wouldRest reports whether a case that has taken its last step would rest now if it were open: for what Stripe says, or
// because its customer has written since somebody last saw to that. No pause is kept for it, but its last mail may not have
// left yet.
func (cs *Cases) wouldRest(ctx context.Context, tx *sql.Tx, c Case, invoices []billing.Invoice, now time.Time) (bool, error) {
	want, _, err := cs.facts(ctx, tx, c, invoices, true, now)
	if err != nil || want[PauseProcessing] || want[PauseVerification] || want[PauseDispute] {
		return err == nil, err
	}
	if want[PauseConsent] {
		fresh, err := withdrawnAnew(ctx, tx, c, invoices)
		if err != nil || fresh {
			return err == nil, err
		}
	}
	if cs.unanswered == nil {
		return false, nil
	}
	since, err := cs.unanswered(ctx, tx, c.CustomerID)
	if err != nil || since == 0 {
		return false, err
	}
	had, err := selectPauses(ctx, tx, `WHERE case_id = $1 AND reason = $2`, c.ID, PauseConversation)
	seen := slices.ContainsFunc(had, func(p Pause) bool { return p.EndedAt >= since }) // staff let reminders go on unanswered
	return err == nil && !seen, err
}

// restFor brings the pauses that follow from what Stripe says in line with it (facts).
func (cs *Cases) restFor(ctx context.Context, tx *sql.Tx, c *Case, invoices []billing.Invoice, disputes bool, now time.Time) error {
	want, proven, err := cs.facts(ctx, tx, *c, invoices, disputes, now)
	if err != nil {
		return err
	}
	active, err := cs.standingPauses(ctx, tx, *c)
	if err != nil {
		return err
	}
	withdrawn, stands := find(active, PauseConsent)
	if stands && !want[PauseConsent] { // only a person or a payment ends it
		paid, err := paidSince(ctx, tx, withdrawn, c.CustomerID, invoices)
		if err != nil {
			return err
		}
		if paid {
			want[PauseConsent] = false
		}
	}
	for _, reason := range []PauseReason{PauseProcessing, PauseVerification, PauseDispute, PauseConsent} {
		wanted, known := want[reason]
		standing, stands := find(active, reason)
		switch {
		case wanted && !stands:
			if reason == PauseConsent {
				fresh, err := withdrawnAnew(ctx, tx, *c, invoices)
				if err != nil {
					return err
				}
				if !fresh {
					continue
				}
			}
			p := Pause{CaseID: c.ID, Reason: reason, Since: now.Unix()}
			if reason == PauseVerification {
				p.Until = proven.Unix()
			}
			err = cs.begin(ctx, tx, c, p)
			if err == nil && reason == PauseDispute {
				err = cs.spareDisputed(ctx, tx, c, now)
			}
			if err != nil {
				return err
			}
		case wanted && reason == PauseDispute:
			err = cs.spareDisputedAgain(ctx, tx, c, now)
			if err != nil {
				return err
			}
		case known && !wanted && stands:
			err = cs.end(ctx, tx, c, standing, "", now)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// standingPauses answers the active pauses of a case; one that does not rest has none.
func (cs *Cases) standingPauses(ctx context.Context, tx *sql.Tx, c Case) ([]Pause, error) {
	if c.RestingSince == 0 {
		return nil, nil
	}
	return cs.ActivePauses(ctx, tx, c.ID)
}

// whyDisputed is why nothing is charged on the day that was chosen.
const whyDisputed = "Their bank disputes a payment; nothing is charged by itself meanwhile."

// spareDisputedAgain is spareDisputed for a case that rests for a dispute already: a day that was chosen since is taken back
// by a further one.
func (cs *Cases) spareDisputedAgain(ctx context.Context, tx *sql.Tx, c *Case, now time.Time) error {
	p, err := cs.ActivePromise(ctx, tx, c.ID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := billing.Disputes(ctx, tx, c.CustomerID)
	if err != nil {
		return fmt.Errorf("read the disputes of %s: %w", c.CustomerID, err)
	}
	if !slices.ContainsFunc(all, func(d billing.Dispute) bool { return (d.Running() || d.Lost()) && d.CreatedAt >= p.MadeAt }) {
		return nil
	}
	return cs.spareDisputed(ctx, tx, c, now)
}

// spareDisputed takes back the day on which a case was to be charged that rests for a dispute from now on: nothing is charged
// by itself of somebody whose bank looks into a payment. A charge that is being made cannot be taken back.
func (cs *Cases) spareDisputed(ctx context.Context, tx *sql.Tx, c *Case, now time.Time) error {
	p, err := cs.ActivePromise(ctx, tx, c.ID)
	if fault.Is(err, fault.NotFound) || err == nil && (p.Kind != PromiseCharge || p.ChargedAt > 0) {
		return nil
	}
	if err != nil {
		return err
	}
	err = endPromise(ctx, tx, p, PromiseWithdrawn, "", whyDisputed, now)
	if err != nil {
		return err
	}
	active, err := cs.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	rests, is := find(active, PausePromise)
	if !is {
		return nil
	}
	return cs.end(ctx, tx, c, rests, "", now)
}

// paidSince reports whether a payment answered what the pause for a withdrawn consent asks: something of the case was paid
// since it began, or that for which consent was withdrawn, and nothing is open any more for which it ever was. A further try
// for which the bank gave another reason answers nothing.
func paidSince(ctx context.Context, tx *sql.Tx, p Pause, customer string, invoices []billing.Invoice) (bool, error) {
	if !slices.ContainsFunc(invoices, billing.Invoice.Paid) {
		return false, nil
	}
	answered := slices.ContainsFunc(invoices, func(i billing.Invoice) bool { return i.Paid() && i.PaidAt >= p.Since })
	tries, err := billing.Tries(ctx, tx, customer)
	if err != nil {
		return false, fmt.Errorf("read for what consent was withdrawn: %w", err)
	}
	for _, a := range tries {
		about := slices.IndexFunc(invoices, func(i billing.Invoice) bool { return i.ID == a.InvoiceID })
		if about < 0 || a.Status != billing.AttemptDeclined || a.Decline.Class() != billing.ClassConsent {
			continue
		}
		if invoices[about].Open() {
			return false, nil
		}
		answered = answered || invoices[about].Paid()
	}
	return answered, nil
}

// withdrawnAnew reports whether consent was withdrawn for an open invoice after the last pause for that had ended, at its
// first failure or on a further try. For one whose bank has said so only before, somebody has answered, and the pause does not
// come back by itself.
func withdrawnAnew(ctx context.Context, tx *sql.Tx, c Case, invoices []billing.Invoice) (bool, error) {
	had, err := selectPauses(ctx, tx, `WHERE case_id = $1 AND reason = $2`, c.ID, PauseConsent)
	if err != nil {
		return false, fmt.Errorf("read earlier pauses of %s: %w", c.ID, err)
	}
	answered := int64(0)
	for _, p := range had {
		answered = max(answered, p.EndedAt)
	}
	withdrawn := map[string]int64{} // when, by invoice
	for _, i := range invoices {
		if i.Open() && i.Class() == billing.ClassConsent {
			withdrawn[i.ID] = i.FailedAt
		}
	}
	tries, err := billing.Tries(ctx, tx, c.CustomerID)
	if err != nil {
		return false, fmt.Errorf("read when consent was withdrawn: %w", err)
	}
	for _, a := range tries {
		first, asks := withdrawn[a.InvoiceID]
		if asks && a.Status == billing.AttemptDeclined && a.Decline.Class() == billing.ClassConsent {
			withdrawn[a.InvoiceID] = max(first, a.StartedAt)
		}
	}
	for _, at := range withdrawn {
		if at > answered {
			return true, nil
		}
	}
	return false, nil
}

func find(pauses []Pause, reason PauseReason) (Pause, bool) {
	for _, p := range pauses {
		if p.Reason == reason {
			return p, true
		}
	}
	return Pause{}, false
}

var pauseWords = map[PauseReason]string{
	PauseStaff:        "A member of staff paused the reminders.",
	PauseConversation: "The customer wrote; reminders rest until somebody answers.",
	PauseDispute:      "The customer's bank disputes a payment.",
	PauseProcessing:   "A bank debit is under way.",
	PauseVerification: "Small deposits that prove the customer's bank account are on their way.",
	PauseClaim:        "The customer says a transfer is on its way.",
	PausePromise:      "The customer chose a date.",
	PauseConsent:      "The customer withdrew their consent at the bank.",
	PauseImported:     "Imported at the first connection; waits to be released.",
}

func noteWords(note string) string {
	if note == "" {
		return ""
	}
	return " " + note
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
