package web

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/internal/support"
	"sollecito/views/desk"
)

// readPromises fills in the days a customer set and what they asked for.
func (s *Server) readPromises(ctx context.Context, tx *sql.Tx, k *record) error {
	var err error
	k.promises, err = s.Cases.PromisesOf(ctx, tx, k.ID)
	if err != nil {
		return err
	}
	k.wishes, err = support.WishesOf(ctx, tx, k.ID)
	return err
}

// promise is the day that stands for the newest case, nil without one.
func (k record) promise() *dunning.Promise {
	for n := range k.promises {
		if k.promises[n].Status == dunning.PromiseActive {
			return &k.promises[n]
		}
	}
	return nil
}

// wants reports whether the customer has asked to end their plan and nobody has seen to it.
func (k record) wants() bool {
	for _, w := range k.wishes {
		if w.Status == support.WishOpen {
			return true
		}
	}
	return false
}

// promisable are the open invoices a day can be set for, and whether the card on file could be charged for them all.
func (k record) promisable() (invoices []billing.Invoice, charge bool) {
	charge = k.card != nil
	for _, i := range k.open {
		if i.Processing() || i.Disputed {
			continue
		}
		invoices = append(invoices, i)
		charge = charge && i.Chargeable() && i.Class().Retryable()
	}
	return invoices, charge && len(invoices) > 0
}

// promiseActs are what staff may do about days and wishes.
func (s *Server) promiseActs(k record) []desk.Act {
	var acts []desk.Act
	if k.wants() {
		acts = append(acts, desk.Act{Name: desk.ActSeenTo, Label: "Wish seen to", Icon: "check"})
	}
	if !k.hasCase() || k.c.Status != dunning.Open {
		return acts
	}
	p := k.promise()
	due, _ := k.promisable()
	switch {
	case p != nil && s.underWay(*p):
	case p != nil:
		acts = append(acts, desk.Act{Name: desk.ActPromise, Label: "Move the day", Icon: "cal"}, desk.Act{Name: desk.ActTakeBack, Label: "Take the day back", Icon: "play"})
	case len(due) > 0:
		acts = append(acts, desk.Act{Name: desk.ActPromise, Label: "Set a day", Icon: "cal"})
	}
	return acts
}

func (s *Server) promiseQuestion(p desk.CustomerPage, k record) *desk.Question {
	zone := s.zonesOf(k)[0]
	invoices, charge := k.promisable()
	f := desk.PromiseFacts{CaseID: k.c.ID, Press: database.NewID("press"), Days: dunning.StaffPromiseDays(s.Now(), zone)}
	if charge {
		f.Card = cardWords(k.card)
	}
	var sums []string
	for _, m := range totalOf(invoices) {
		sums = append(sums, s.deskMoney(m))
	}
	f.Sum = s.Catalog.Locale("en").List(sums)
	if stands := k.promise(); stands != nil {
		f.Day = stands.On(zone)
	}
	f.Retry = s.retryBefore(invoices, f.Days[len(f.Days)-1], s.Zone)
	return desk.PromiseQuestion(p, f)
}

func (s *Server) takeBackQuestion(p desk.CustomerPage, k record) *desk.Question {
	stands := k.promise()
	if stands == nil {
		return nil
	}
	next := s.afterResting(k)
	if len(k.pauses) > 1 {
		next = desk.Next{}
	}
	return desk.TakeBackQuestion(p, k.c.ID, stands.On(s.zonesOf(k)[0]), stands.Kind == dunning.PromiseCharge, next)
}

// setPromise keeps the day a member of staff agreed on with the customer.
func (s *Server) setPromise(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	k, err := s.recordOf(r.Context(), c.CustomerID)
	if err != nil {
		return err
	}
	invoices, charge := k.promisable()
	p := dunning.Promise{CaseID: c.ID, Press: press, Kind: dunning.PromiseSelf, Day: r.PostFormValue("day"), Actor: who.Name}
	if r.PostFormValue("kind") == string(dunning.PromiseCharge) {
		if !charge {
			return fault.New(fault.Conflict, "There is nothing to charge any more: the card was refused for good, or a part was paid.")
		}
		p.Kind, p.MethodID = dunning.PromiseCharge, k.card.ID
	}
	for _, i := range invoices {
		p.Invoices = append(p.Invoices, dunning.Promised{Invoice: i.ID, Amount: i.Remaining()})
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		kept, err := s.Cases.Promise(r.Context(), tx, p, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "promise.set", c.ID, fmt.Sprintf("%s %s %s %s", c.CustomerID, kept.ID, kept.Kind, kept.Day))
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, c.CustomerID, "promised")
}

// takeBackPromise ends the day that stands.
func (s *Server) takeBackPromise(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := s.Cases.WithdrawPromise(r.Context(), tx, c.ID, who.Name, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "promise.withdrawn", c.ID, c.CustomerID)
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, c.CustomerID, "taken_back")
}

// seenToWish keeps that a customer's wish to end their plan has been seen to.
func (s *Server) seenToWish(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	customer := r.PathValue("id")
	err := s.Talks.SeenTo(r.Context(), customer, support.Speaker{
		ID: who.ID, Name: who.Name, Role: string(who.Role), IP: visitOf(r).ip.String(), Request: visitOf(r).id,
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, customer, "seen_to")
}

// pastWishes are what a customer asked for, and when somebody saw to it.
func (s *Server) pastWishes(k record) []desk.Entry {
	var all []desk.Entry
	for _, w := range k.wishes {
		all = append(all, desk.Entry{At: s.at(w.MadeAt), Kind: desk.KindFlag, Tone: desk.Wait, Title: "Wants to end their plan"})
		switch w.Status {
		case support.WishWithdrawn:
			all = append(all, desk.Entry{At: s.at(w.EndedAt), Kind: desk.KindOther, Title: "Keeps their plan after all"})
		case support.WishDone:
			all = append(all, desk.Entry{At: s.at(w.EndedAt), Kind: desk.KindOther, Title: "Their wish was seen to by " + w.EndedBy})
		}
	}
	return all
}

// aheadPromise is what the day that stands brings, false without one.
func (s *Server) aheadPromise(k record) (desk.Entry, bool) {
	p := k.promise()
	if p == nil {
		return desk.Entry{}, false
	}
	var sums []string
	for _, m := range p.Amounts() {
		sums = append(sums, s.deskMoney(m))
	}
	sum := s.Catalog.Locale("en").List(sums)
	e := desk.Entry{At: s.at(p.DueAt), Kind: desk.KindPromise, Title: "They pay " + sum + " by themselves until then", Detail: "If not, reminders go on."}
	if p.Kind == dunning.PromiseCharge {
		e.Title, e.Detail = "We charge "+sum+", as they chose", "Declined, reminders go on."
		if k.card != nil {
			e.Detail = cmp.Or(cardWords(k.card), "Their card") + ". " + e.Detail
		}
	}
	e.At = time.Unix(max(p.DueAt, s.Now().Unix()), 0).In(s.Zone)
	return e, true
}
