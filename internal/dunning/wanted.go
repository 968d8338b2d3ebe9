package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Say is what WhichWanted answers of a notice that is about to be handed over.
type Say struct {
	Go    bool
	Skip  string    // the reason why it is not said at all, when neither Go nor Later
	Later time.Time // not now, but then
	Why   string    // of Later

	// What a reminder that goes was decided by; its letter tells of the same.
	Case   Case
	In     Situation
	Broken bool // a day its customer had set came to nothing, now or earlier
	Held   bool // the consequence whose day Case announces waits for a person, so that nobody can name its day

	moved bool // the date that Case announces is later than the one that is kept
	inApp bool // it is told in the app in the mail's place
}

// WhichWanted decides right before notices are handed over, from what is stored, whether they may go, by their ids. It only
// reads; what goes with a decision is kept by Follow. A reminder may go when its case is open and not resting, or took its last
// step with it and would not rest, something is owed, and the contact policy allows it now. The date it announces is later when the mail itself was held up. who are their
// customers, all different; whoever acts on the answer holds them, or has seen that nobody else did since (database.Held).
func (cs *Cases) WhichWanted(ctx context.Context, tx *sql.Tx, notices []outbox.Notice, who map[string]billing.Customer, now time.Time) (map[string]Say, error) {
	all := make(map[string]Say, len(notices))
	var reminders []outbox.Notice
	var err error
	for _, n := range notices {
		switch n.Kind {
		case outbox.Reminder:
			reminders = append(reminders, n)
		case outbox.Settled:
			all[n.ID], err = cs.thanksWanted(ctx, tx, n, now)
		case outbox.Precaution:
			all[n.ID], err = cs.precautionWanted(ctx, tx, n, now)
		case outbox.FinalAct:
			all[n.ID], err = cs.finalWanted(ctx, tx, n, now)
		default:
			all[n.ID] = Say{Go: true}
		}
		if err != nil {
			return nil, err
		}
	}
	return all, cs.remindersWanted(ctx, tx, reminders, who, now, all)
}

// Follow keeps what goes with a decision about a notice, in the transaction that acts on it.
func (cs *Cases) Follow(ctx context.Context, tx *sql.Tx, n outbox.Notice, say Say, now time.Time) error {
	if say.inApp {
		return cs.tellInApp(ctx, tx, n, now)
	}
	if say.moved {
		return updateCase(ctx, tx, say.Case, now)
	}
	return nil
}

// remindersWanted decides about reminders, each by what was read of all of them at once, and adds what it decided to all.
func (cs *Cases) remindersWanted(ctx context.Context, tx *sql.Tx, reminders []outbox.Notice, who map[string]billing.Customer, now time.Time, all map[string]Say) error {
	if len(reminders) == 0 {
		return nil
	}
	var ids, customers []string
	for _, n := range reminders {
		ids, customers = append(ids, n.CaseID), append(customers, n.CustomerID)
	}
	marks, args := database.List(ids)
	found, err := selectCases(ctx, tx, `WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	if len(found) == 0 {
		return fault.New(fault.NotFound, "There is no such case.")
	}
	situations, err := cs.situations(ctx, tx, found, who, now)
	if err != nil {
		return err
	}
	paying, err := billing.WhoPressed(ctx, tx, customers, now.Add(-payingTime).Unix())
	if err != nil {
		return err
	}
	broken, err := whoBroke(ctx, tx, customers)
	if err != nil {
		return err
	}
	cases := make(map[string]Case, len(found))
	for _, c := range found {
		cases[c.ID] = c
	}
	for _, n := range reminders {
		c, is := cases[n.CaseID]
		if !is {
			return fault.New(fault.NotFound, "There is no such case.")
		}
		in := situations[c.ID]
		if c.Status == Exhausted && c.RestingSince == 0 && in.Class != billing.ClassNone {
			rests, err := cs.wouldRest(ctx, tx, c, in.Invoices, now)
			if err != nil {
				return fmt.Errorf("see whether %s would rest: %w", c.ID, err)
			}
			if rests {
				c.RestingSince = now.Unix()
			}
		}
		say := c.wants(in, n, paying[n.CustomerID])
		say.inApp = say.Skip == contact.NoMailWanted
		if say.Go {
			say.In, say.Broken = in, broken[n.CustomerID]
			say.Case, say.moved = c.givenNotice(in, n.Step, now)
			say.Held, err = heldNow(ctx, tx, say.Case, in)
			if err != nil {
				return err
			}
		}
		all[n.ID] = say
	}
	return nil
}

// heldNow reports whether the next consequence of a case waits for a person, as Foresee tells. The notices are read only where
// the step that announces it has been taken; before that, it is still to be announced or never will be.
func heldNow(ctx context.Context, tx *sql.Tx, c Case, in Situation) (bool, error) {
	i, ahead := c.nextConsequence(in)
	if !ahead {
		return false, nil
	}
	if c.willTell(in, i, nil) {
		return false, nil
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return false, fmt.Errorf("read what announced a consequence of %s: %w", c.ID, err)
	}
	return c.holds(in, i, notices) != "", nil
}

// wants decides whether a reminder of the case may go. It looks at nothing but its arguments.
func (c Case) wants(in Situation, n outbox.Notice, paying bool) Say {
	switch {
	case c.Status != Open && c.Status != Exhausted:
		return Say{Skip: string(ReasonClosed)}
	case c.RestingSince > 0:
		return Say{Later: in.Now.Add(6 * time.Hour), Why: whyRests}
	case in.Class == billing.ClassNone:
		return Say{Skip: string(ReasonNothing)}
	case in.Choices.NoMail:
		return Say{Skip: contact.NoMailWanted}
	case paying:
		return Say{Later: in.Now.Add(payingTime), Why: string(ReasonPaying)}
	}
	// The banner of this very step may have been shown already: mail and banner of one step count as one.
	slot := in.Policy.Slot(in.Now, in.Zones, in.contactsBut(n))
	if slot.At.After(in.Now) {
		why, _ := holding(slot.Why)
		return Say{Later: slot.At, Why: string(why)}
	}
	return Say{Go: true}
}

// thanksWanted decides about the one mail after payment.
func (cs *Cases) thanksWanted(ctx context.Context, tx *sql.Tx, n outbox.Notice, now time.Time) (Say, error) {
	wait, err := cs.thanksWait(ctx, tx, n.CustomerID, now)
	if err != nil || !wait.IsZero() {
		return Say{Later: wait, Why: "Outside the hours."}, err
	}
	owed, err := billing.Overdue(ctx, tx, n.CustomerID, now.Unix())
	if err == nil && len(owed) > 0 {
		return Say{Skip: string(ReasonAgain)}, nil
	}
	if err != nil || !cs.policy.Collector {
		return Say{Go: true}, err
	}
	choices, err := contact.ChoicesOf(ctx, tx, n.CustomerID)
	if err == nil && choices.NoMail {
		return Say{Skip: collectorStops}, nil
	}
	return Say{Go: true}, err
}

// collectorStops is why a mail that is no reminder is left out all the same.
const collectorStops = "The customer asked for no mail; a collector sends none."

// finalWanted decides about the mail that tells what was done at Stripe in the end. It is no reminder: whoever asked for
// none is told all the same that what they bought has ended, and how to object, in the hours they are glad to be written
// to and never on the heels of another message. A collector mails nobody who asked for no mail; the customer's page tells
// it then.
func (cs *Cases) finalWanted(ctx context.Context, tx *sql.Tx, n outbox.Notice, now time.Time) (Say, error) {
	choices, err := contact.ChoicesOf(ctx, tx, n.CustomerID)
	if err != nil {
		return Say{}, err
	}
	if cs.policy.Collector && choices.NoMail {
		return Say{Skip: collectorStops}, nil
	}
	who, err := billing.FindCustomer(ctx, tx, n.CustomerID)
	if err != nil {
		return Say{}, err
	}
	contacts, err := cs.contacts(ctx, tx, n.CustomerID, now, outbox.Notice{})
	if err != nil {
		return Say{}, err
	}
	slot := cs.PolicyFor(who, choices).Slot(now, contact.ZonesOf(who, cs.fallback), contacts)
	if slot.At.After(now) {
		return Say{Later: slot.At, Why: tooSoon}, nil
	}
	return Say{Go: true}, nil
}

// tooSoon is why a counted mail that is no reminder waits.
const tooSoon = "Outside the hours, or too soon after the last message."

// whoBroke answers which of the customers ever set a day that came to nothing.
func whoBroke(ctx context.Context, tx *sql.Tx, customers []string) (map[string]bool, error) {
	marks, args := database.List(customers)
	found, err := database.Strings(ctx, tx, `SELECT DISTINCT customer_id FROM promises WHERE status = 'broken' AND customer_id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read who broke a promise: %w", err)
	}
	all := make(map[string]bool, len(found))
	for _, customer := range found {
		all[customer] = true
	}
	return all, nil
}
