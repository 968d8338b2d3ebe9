package dunning_test

import (
	"context"
	"database/sql"
	"reflect"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// checkStanding holds a page's reading of a case, which leaves out what the state makes no use of, against what the
// schedule reads of it.
func (w *resters) checkStanding(ctx context.Context, tx *sql.Tx) error {
	who, there, err := billing.FindCustomerAnd(ctx, tx, w.customer, contact.AnyChoice, dunning.AnyPause, dunning.AnyPromise, dunning.AnyFinal)
	if fault.Is(err, fault.NotFound) { // nothing was heard of them yet
		return nil
	}
	if err != nil {
		return err
	}
	k := dunning.Known{Customer: who, Choices: there[0], Pauses: there[1], Promises: there[2], Finals: there[3]}
	k.Open, err = billing.OpenInvoices(ctx, tx, w.customer)
	if err != nil {
		return err
	}
	k.Methods, err = billing.Methods(ctx, tx, w.customer)
	if err != nil {
		return err
	}
	got, err := w.cases.StandingOf(ctx, tx, k, w.now)
	if err != nil {
		return err
	}
	c, err := w.cases.LatestOf(ctx, tx, w.customer)
	if fault.Is(err, fault.NotFound) {
		w.same("nobody's case", got, dunning.Standing{})
		return nil
	}
	if err != nil {
		return err
	}
	w.same("the case", got.Case, c)
	pauses, err := w.cases.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	w.same("active pauses", got.Pauses, pauses)
	claims, err := w.cases.MayClaim(ctx, tx, c)
	if err != nil {
		return err
	}
	w.same("may claim", got.MayClaim, claims)
	promise, err := w.cases.ActivePromise(ctx, tx, c.ID)
	if err == nil {
		w.same("the promise", *got.Promise, promise)
	} else if !fault.Is(err, fault.NotFound) {
		return err
	} else if got.Promise != nil {
		w.Errorf("a promise that is none: %v", *got.Promise)
	}
	if c.Status != dunning.Open || c.RestingSince > 0 {
		return nil
	}
	in, err := w.cases.SituationOf(ctx, tx, c, w.now)
	if err != nil {
		return err
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	w.same("earlier contacts", got.Situation.Contacts, in.Contacts)
	w.same("invoices", got.Situation.Invoices, in.Invoices)
	w.same("what is ahead", c.Ahead(got.Situation), c.Ahead(in))
	w.same("the outlook", c.Outlook(got.Situation, got.Notices), c.Outlook(in, notices))
	return nil
}

func (w *resters) same(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		w.Errorf("%s: a page reads\n%+v\nand the schedule\n%+v", what, got, want)
	}
}
