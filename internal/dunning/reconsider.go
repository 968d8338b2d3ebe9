package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Reconsider brings the customer's cases in line with what is stored of their invoices: opens a case, lets
// further invoices join, closes it, turns a closed one into recovered. It looks at nothing but stored state, so
// it may run at any time, any number of times, after events in any order, and ends in the same place.
//
// told names invoices of which Stripe told us that a charge failed; whoever tells leaves out further tries on invoices
// that an import brought. A failure from before the connection that nobody told us of starts nothing by itself: its
// case rests as imported until staff release it, or until a failure is told, which may come after other news of it.
func (cs *Cases) Reconsider(ctx context.Context, tx *sql.Tx, customer string, now time.Time, told ...string) error {
	err := database.Hold(ctx, tx, customer)
	if err != nil {
		return err
	}
	return cs.ReconsiderHeld(ctx, tx, customer, nil, now, func() ([]string, error) { return told, nil })
}

// ReconsiderHeld is Reconsider for whoever holds the customer. told is asked only where its answer decides anything: when a
// case may open, or rests as imported. stands is what is stored of the customer, nil for whoever has not read it.
func (cs *Cases) ReconsiderHeld(ctx context.Context, tx *sql.Tx, customer string, stands *billing.Standing, now time.Time, told func() ([]string, error)) error {
	var open []billing.Invoice
	var err error
	if stands != nil {
		open = stands.Open
	} else {
		open, err = billing.OpenInvoices(ctx, tx, customer)
	}
	if err != nil {
		return err
	}
	overdue := slices.DeleteFunc(slices.Clone(open), func(i billing.Invoice) bool { return !i.Overdue(now.Unix()) })
	c, has, err := cs.creditClosed(ctx, tx, customer, now)
	if err != nil {
		return err
	}
	if !has {
		return cs.open(ctx, tx, customer, overdue, told, now)
	}
	all, err := invoicesOf(ctx, tx, []string{c.ID}, open...)
	if err != nil {
		return err
	}
	invoices, err := cs.join(ctx, tx, c, all[c.ID], overdue, now)
	if err != nil {
		return err
	}
	was := c
	err = cs.endImported(ctx, tx, &c, overdue, told, now)
	if err != nil {
		return err
	}
	return cs.settle(ctx, tx, was, c, stands, invoices, now)
}

// endImported lets a case go that rested since the first import when something new failed.
func (cs *Cases) endImported(ctx context.Context, tx *sql.Tx, c *Case, overdue []billing.Invoice, told func() ([]string, error), now time.Time) error {
	active, err := cs.standingPauses(ctx, tx, *c)
	if err != nil {
		return err
	}
	imported, rests := find(active, PauseImported)
	if !rests {
		return nil
	}
	failures, err := told()
	if err != nil {
		return err
	}
	fresh, err := sinceConnection(ctx, tx, overdue, failures)
	if err != nil || !fresh {
		return err
	}
	return cs.end(ctx, tx, c, imported, "", now)
}

// SettingConnected names the setting that holds since when (unix seconds) the installation listens to Stripe.
const SettingConnected = "connected_at"

// sinceConnection reports whether any of the overdue invoices failed after the connection, or its failure was told.
func sinceConnection(ctx context.Context, tx *sql.Tx, overdue []billing.Invoice, told []string) (bool, error) {
	if slices.ContainsFunc(overdue, func(i billing.Invoice) bool { return slices.Contains(told, i.ID) }) {
		return true, nil
	}
	text, err := database.Setting(ctx, tx, SettingConnected)
	if err != nil || text == "" {
		return len(overdue) > 0, err
	}
	connected, err := strconv.ParseInt(text, 10, 64)
	return slices.ContainsFunc(overdue, func(i billing.Invoice) bool { return i.Since() >= connected }), err
}

// without answers those of all that are not among the others.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(others, s) })
}

// open begins a case over all overdue invoices, if one of them was never part of a case before. An invoice that
// merely failed again after its case was exhausted opens nothing.
func (cs *Cases) open(ctx context.Context, tx *sql.Tx, customer string, overdue []billing.Invoice, told func() ([]string, error), now time.Time) error {
	known, err := everMembers(ctx, tx, overdue)
	if err != nil || len(known) == len(overdue) {
		return err
	}
	who, err := billing.FindCustomer(ctx, tx, customer)
	if err != nil || who.Deleted {
		return err
	}
	c, err := cs.openFor(ctx, tx, who, overdue, now)
	if err != nil {
		return err
	}
	err = cs.restUnanswered(ctx, tx, &c, now)
	if err != nil {
		return err
	}
	invoices, err := cs.join(ctx, tx, c, nil, overdue, now)
	if err != nil {
		return err
	}
	err = cs.presumeNew(ctx, tx, c, overdue, now)
	if err != nil {
		return err
	}
	failures, err := told()
	if err != nil {
		return err
	}
	recent, err := sinceConnection(ctx, tx, overdue, without(failures, known))
	if err != nil {
		return err
	}
	if !recent {
		err = cs.begin(ctx, tx, &c, Pause{CaseID: c.ID, Reason: PauseImported, Since: now.Unix()})
		if err != nil {
			return err
		}
	}
	return cs.settle(ctx, tx, Case{}, c, nil, invoices, now)
}

// everMembers answers the ids of those of the invoices that some case was ever about.
func everMembers(ctx context.Context, tx *sql.Tx, invoices []billing.Invoice) ([]string, error) {
	var known []string
	for _, i := range invoices {
		was, err := everMember(ctx, tx, i.ID)
		if err != nil {
			return nil, err
		}
		if was {
			known = append(known, i.ID)
		}
	}
	return known, nil
}

// openFor keeps a new case of a customer, in the campaign that their overdue invoices choose, with why.
func (cs *Cases) openFor(ctx context.Context, tx *sql.Tx, who billing.Customer, overdue []billing.Invoice, now time.Time) (Case, error) {
	plans, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return Case{}, err
	}
	subject, err := subjectOf(ctx, tx, who, overdue, now)
	if err != nil {
		return Case{}, err
	}
	plan := plans.Choose(subject)
	access, err := cs.AccessOf(ctx, tx, who.ID)
	if err != nil {
		return Case{}, err
	}
	c := Case{
		ID: database.NewID("case"), CustomerID: who.ID, Campaign: plan.Name, CampaignVersion: plan.Version,
		Status: Open, Access: access, OpenedAt: now.Unix(), OpenedDay: openedOn(now, contact.ZonesOf(who, cs.fallback)),
		Holdout: plan.HoldsOut(who.ID), Variant: plan.VariantFor(who.ID),
	}
	err = insertCase(ctx, tx, &c)
	if err != nil {
		return Case{}, err
	}
	err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "opened", Why: "A payment failed; reminders follow the campaign " + plan.Name + "."})
	if err != nil {
		return Case{}, err
	}
	return c, chose(ctx, tx, c, plan, subject)
}

// restUnanswered lets a new case rest whose customer has written, or asked to end their plan, and still waits for an answer.
func (cs *Cases) restUnanswered(ctx context.Context, tx *sql.Tx, c *Case, now time.Time) error {
	if cs.unanswered == nil {
		return nil
	}
	since, err := cs.unanswered(ctx, tx, c.CustomerID)
	if err != nil || since == 0 {
		return err
	}
	return cs.begin(ctx, tx, c, Pause{CaseID: c.ID, Reason: PauseConversation, Since: now.Unix()})
}

// join adds overdue invoices to those the case is about, as far as it does not know them yet, and answers all of them.
// They leave any older case.
func (cs *Cases) join(ctx context.Context, tx *sql.Tx, c Case, known, overdue []billing.Invoice, now time.Time) ([]billing.Invoice, error) {
	var joined []billing.Invoice
	for _, i := range overdue {
		if slices.ContainsFunc(known, func(k billing.Invoice) bool { return k.ID == i.ID }) {
			continue
		}
		err := addMember(ctx, tx, c.ID, i.ID, now.Unix())
		if err != nil {
			return nil, err
		}
		err = leaveOther(ctx, tx, c.ID, i.ID, now.Unix())
		if err != nil {
			return nil, err
		}
		err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "joined", Why: "Invoice " + nameOf(i) + " is unpaid: " + string(i.Class()) + "."})
		if err != nil {
			return nil, err
		}
		joined = append(joined, i)
	}
	slices.SortFunc(joined, func(a, b billing.Invoice) int { return strings.Compare(a.ID, b.ID) }) // as they are read
	return append(known, joined...), nil
}

func nameOf(i billing.Invoice) string {
	if i.Number != "" {
		return i.Number
	}
	return i.ID
}

// settle looks at an open case's invoices as they are stored now: it closes when none is open, rests for what
// the invoices themselves say, and is put back on the schedule otherwise. was is the case as it is stored, and stands
// what is stored of its customer, nil to have it read.
func (cs *Cases) settle(ctx context.Context, tx *sql.Tx, was, c Case, stands *billing.Standing, invoices []billing.Invoice, now time.Time) error {
	err := cs.settlePromise(ctx, tx, &c, invoices, now)
	if err != nil {
		return err
	}
	open, paid := 0, 0
	for _, i := range invoices {
		switch {
		case i.Open():
			open++
		case i.Paid():
			paid++
		}
	}
	c.Puzzling = slices.ContainsFunc(invoices, billing.Invoice.Puzzling)
	if stands == nil {
		who, disputes, err := billing.FindCustomerAnd(ctx, tx, c.CustomerID, billing.AnyDispute)
		if err != nil {
			return err
		}
		stands = &billing.Standing{Customer: who, Disputed: disputes[0]}
	}
	who := stands.Customer
	switch {
	case open == 0 && paid > 0:
		return cs.close(ctx, tx, c, Recovered, "Everything is paid.", invoices, now)
	case who.Deleted:
		return cs.close(ctx, tx, c, Canceled, closedForDeletion, invoices, now)
	case open == 0:
		return cs.close(ctx, tx, c, Canceled, "Nothing is owed any more: the invoices were voided, written off or credited.", invoices, now)
	}
	err = cs.restFor(ctx, tx, &c, invoices, stands.Disputed, now)
	if err != nil {
		return err
	}
	plans, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return err
	}
	err = cs.planRetries(ctx, tx, c, plans.Find(c.Campaign, c.CampaignVersion), who, invoices)
	if err != nil {
		return err
	}
	if c.keepsPlace(now) {
		return updateFrom(ctx, tx, was, c, now)
	}
	in, err := cs.situationsWith(ctx, tx, []Case{c}, plans, map[string]billing.Customer{who.ID: who}, map[string][]billing.Invoice{c.ID: invoices}, now)
	if err != nil {
		return err
	}
	return cs.replan(ctx, tx, was, c, in[c.ID], now)
}

// close ends a case. What was still queued for it is withdrawn, access is full again, and a customer who had
// heard of the failure, or paid on our pages, is told once that all is settled.
func (cs *Cases) close(ctx context.Context, tx *sql.Tx, c Case, status Status, why string, invoices []billing.Invoice, now time.Time) error {
	c.Status, c.Access = status, campaign.Full
	c.NextStepAt, c.RestingSince, c.ClosedAt = 0, 0, now.Unix()
	err := updateCase(ctx, tx, c, now)
	if err != nil {
		return err
	}
	promise, err := cs.ActivePromise(ctx, tx, c.ID)
	if err == nil {
		err = endPromise(ctx, tx, promise, PromiseWithdrawn, "", "The case closed.", now)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE pauses SET ended_at = $1 WHERE case_id = $2 AND ended_at = 0`, now.Unix(), c.ID)
	if err != nil {
		return err
	}
	err = outbox.Withdraw(ctx, tx, c.ID, string(ReasonClosed), now.Unix())
	if err != nil {
		return err
	}
	err = dropProposal(ctx, tx, c.ID, now)
	if err != nil {
		return err
	}
	err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: string(status), Why: why})
	if err != nil {
		return err
	}
	if status != Recovered {
		return nil
	}
	return cs.thank(ctx, tx, c, invoices, now)
}

func (cs *Cases) thank(ctx context.Context, tx *sql.Tx, c Case, invoices []billing.Invoice, now time.Time) error {
	told, err := cs.heard(ctx, tx, c, invoices)
	if err != nil {
		return err
	}
	attempts, err := billing.AttemptsSince(ctx, tx, c.CustomerID, c.OpenedAt)
	if err != nil {
		return err
	}
	onOurPages := false
	for _, a := range attempts {
		for _, i := range invoices {
			onOurPages = onOurPages || a.InvoiceID == i.ID && i.MarkedPaid() && a.Status != billing.AttemptDeclined && a.Status != billing.AttemptFailed
		}
	}
	if !told && !onOurPages {
		return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "quiet", Why: "The customer never heard of the failure, so nothing is said of its end."})
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return err
	}
	n := outbox.Notice{Kind: outbox.Settled, Channel: outbox.Email, CustomerID: c.CustomerID, CaseID: c.ID, Step: "settled"}
	if len(who.Addresses()) == 0 {
		return outbox.Skip(ctx, tx, n, string(ReasonNobody), now.Unix())
	}
	n.Recipient = who.Addresses()[0] // for staff to read; the sender goes on to the next contact where mail came back
	before, then, err := thanked(ctx, tx, invoices)
	if err != nil {
		return err
	}
	if before {
		_, err = outbox.Presume(ctx, tx, n, whyPutBack, then)
		return err
	}
	owes, err := cs.owesStill(ctx, tx, c.CustomerID)
	if err != nil {
		return fmt.Errorf("look whether %s owes something else: %w", c.CustomerID, err)
	}
	if owes {
		return outbox.Skip(ctx, tx, n, whyTogether, now.Unix())
	}
	// A receipt of what the customer did just now comes at once; news of a payment that happened by itself
	// waits for the hours they are glad to be written to.
	at := now
	if !onOurPages {
		choices, err := contact.ChoicesOf(ctx, tx, c.CustomerID)
		if err != nil {
			return err
		}
		at = cs.PolicyFor(who, choices).NextAllowed(now, contact.ZonesOf(who, cs.fallback))
	}
	n.DueAt = at.Unix()
	err = joinThanks(ctx, tx, c, now)
	if err != nil {
		return err
	}
	_, err = outbox.Queue(ctx, tx, n, now.Unix())
	return err
}

// creditClosed turns closed cases into recovered ones when what they were about has been paid since: an
// exhausted case, or one whose invoice was written off. An exhausted one of a customer who was deleted gives back what it took
// away. It answers the customer's open case, when there is one.
func (cs *Cases) creditClosed(ctx context.Context, tx *sql.Tx, customer string, now time.Time) (standing Case, has bool, err error) {
	all, err := selectCases(ctx, tx, `WHERE customer_id = $1 AND status IN ('open', 'exhausted', 'canceled') ORDER BY opened_at`, customer)
	if err != nil {
		return Case{}, false, err
	}
	for _, c := range all {
		if c.Status == Open {
			standing, has = c, true
			continue
		}
		invoices, err := cs.InvoicesOf(ctx, tx, c)
		if err != nil {
			return Case{}, false, err
		}
		open, paid := 0, 0
		for _, i := range invoices {
			if i.Open() {
				open++
			}
			if i.Paid() {
				paid++
			}
		}
		gone := false // to a later case, which speaks for all from then on; this one stays exhausted
		if open == 0 && len(invoices) > 0 && c.Status == Exhausted {
			left, err := lastLeft(ctx, tx, c.ID)
			if err != nil {
				return Case{}, false, fmt.Errorf("look what left case %s: %w", c.ID, err)
			}
			// What was written off does not go over. Paid since, it is this case's own.
			gone = left > 0 && !slices.ContainsFunc(invoices, func(i billing.Invoice) bool { return i.Paid() && i.PaidAt > left })
		}
		switch {
		case gone:
			err = cs.restoreDeleted(ctx, tx, c, now)
		case open == 0 && paid > 0:
			err = cs.close(ctx, tx, c, Recovered, "Paid after the case had ended.", invoices, now)
		case open == 0 && c.Status == Exhausted && len(invoices) > 0:
			err = cs.close(ctx, tx, c, Canceled, "Nothing is owed any more: the invoices were voided, written off or credited.", invoices, now)
		default:
			err = cs.restoreDeleted(ctx, tx, c, now)
		}
		if err != nil {
			return Case{}, false, fmt.Errorf("credit case %s: %w", c.ID, err)
		}
	}
	return standing, has, nil
}

// restoreDeleted is restoreAccess for a case whose customer may have been deleted at Stripe.
func (cs *Cases) restoreDeleted(ctx context.Context, tx *sql.Tx, c Case, now time.Time) error {
	if c.Status != Exhausted || c.Access == campaign.Full {
		return nil
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil || !who.Deleted {
		return err
	}
	return cs.restoreAccess(ctx, tx, c, closedForDeletion, now)
}
