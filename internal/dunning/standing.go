package dunning

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Standing is how the latest case of a customer stands, as their own pages tell it. All of it is zero for somebody who
// never had a case.
type Standing struct {
	Case      Case
	Situation Situation       // while the case goes on: open, and not resting; or while it rests and a day lies ahead on which something is taken away
	Notices   []outbox.Notice // likewise: of the case, in the order they were decided, without their kept letters
	Pauses    []Pause         // active ones
	Final     Final           // zero without one

	Promise      *Promise    // active
	Broken       *Promise    // the last of the case, when it came to nothing
	Withdrawn    *Promise    // likewise, when it was taken back
	PromiseDays  []time.Time // they may choose, none when they may not
	PromisesLeft int
	MayClaim     bool // may say that a transfer is on its way
}

// Known is what was read of a customer in the same transaction before it is asked how their case stands: their open
// invoices and their methods, and whether there is anything at all of what most customers have nothing of.
type Known struct {
	Customer billing.Customer
	Open     []billing.Invoice
	Methods  map[string]billing.Method

	Choices, Pauses, Promises, Finals bool
}

// What Known is asked with; see billing.FindCustomerAnd.
const (
	AnyPause   = `FROM pauses p JOIN cases c ON c.id = p.case_id WHERE c.customer_id = customers.id`
	AnyPromise = `FROM promises WHERE customer_id = customers.id`
	AnyFinal   = `FROM final_acts WHERE customer_id = customers.id`
)

// StandingOf answers how the latest case of a customer stands. What has no rows, and what the case's state makes no use
// of, is not read.
func (cs *Cases) StandingOf(ctx context.Context, tx *sql.Tx, k Known, now time.Time) (Standing, error) {
	c, members, has, err := latestWithMembers(ctx, tx, k.Customer.ID)
	if err != nil || !has {
		return Standing{}, err
	}
	st := Standing{Case: c}
	var pauses []Pause
	if k.Pauses {
		pauses, err = cs.Pauses(ctx, tx, c.ID)
		if err != nil {
			return Standing{}, err
		}
	}
	for _, p := range pauses {
		if p.Active() {
			st.Pauses = append(st.Pauses, p)
		}
	}
	st.MayClaim = mayClaim(c, pauses)
	if k.Finals {
		st.Final, err = oneFinal(selectFinals(ctx, tx, `WHERE customer_id = $1 AND case_id = $2 ORDER BY proposed_at DESC, id LIMIT 1`, c.CustomerID, c.ID))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return Standing{}, err
		}
	}
	err = cs.readPromises(ctx, tx, &st, k, now)
	if err != nil || c.Status != Open || c.RestingSince > 0 && !c.mayTighten(now) {
		return st, err
	}
	return st, cs.readAhead(ctx, tx, &st, k, members, now)
}

// readPromises fills in the day a customer set, and the days they may still choose.
func (cs *Cases) readPromises(ctx context.Context, tx *sql.Tx, st *Standing, k Known, now time.Time) error {
	var made []Promise
	var err error
	if k.Promises {
		made, err = cs.PromisesOf(ctx, tx, k.Customer.ID)
		if err != nil {
			return err
		}
	}
	active := slices.IndexFunc(made, func(p Promise) bool { return p.CaseID == st.Case.ID && p.Status == PromiseActive })
	if active >= 0 {
		st.Promise = &made[active]
	}
	last := len(made) - 1
	if last >= 0 && made[last].CaseID == st.Case.ID {
		switch made[last].Status {
		case PromiseBroken:
			st.Broken = &made[last]
		case PromiseWithdrawn:
			st.Withdrawn = &made[last]
		}
	}
	c, err := cs.withDayAhead(ctx, tx, st.Case)
	if err != nil {
		return err
	}
	st.PromiseDays, st.PromisesLeft = cs.canPromise(c, made, cs.Zone(k.Customer), now)
	return nil
}

// readAhead fills in what a case that goes on rests on, and what was said in it.
func (cs *Cases) readAhead(ctx context.Context, tx *sql.Tx, st *Standing, k Known, members []string, now time.Time) error {
	invoices, err := membersAmong(ctx, tx, members, k.Open)
	if err != nil {
		return err
	}
	var choices contact.Choices
	if k.Choices {
		choices, err = contact.ChoicesOf(ctx, tx, k.Customer.ID)
		if err != nil {
			return err
		}
	}
	plan, err := cs.campaigns.Find(ctx, tx, st.Case.Campaign, st.Case.CampaignVersion)
	if err != nil {
		return err
	}
	history, err := outbox.HistoryOf(ctx, tx, k.Customer.ID, st.Case.ID)
	if err != nil {
		return err
	}
	heard := outbox.ContactsIn(history, cs.heardSince(now), now.Unix())
	st.Situation = cs.situation(k.Customer, plan.Walked(st.Case.Variant), invoices, k.Methods, choices, heard, now)
	st.Notices = slices.DeleteFunc(history, func(n outbox.Notice) bool { return n.CaseID != st.Case.ID })
	return nil
}

// membersAmong answers the invoices with these ids, in that order: from those that were read, which are the open ones,
// and from what is stored where others are meant too.
func membersAmong(ctx context.Context, tx *sql.Tx, ids []string, read []billing.Invoice) ([]billing.Invoice, error) {
	known := make(map[string]billing.Invoice, len(read))
	for _, i := range read {
		known[i.ID] = i
	}
	var missing []string
	for _, id := range ids {
		_, is := known[id]
		if !is {
			missing = append(missing, id)
		}
	}
	others, err := billing.InvoicesByID(ctx, tx, missing)
	if err != nil {
		return nil, err
	}
	var all []billing.Invoice
	for _, id := range ids {
		i, is := known[id]
		if !is {
			i, is = others[id]
		}
		if !is {
			return nil, fault.New(fault.NotFound, "There is no invoice %s.", id)
		}
		all = append(all, i)
	}
	return all, nil
}
