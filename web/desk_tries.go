package web

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/views/desk"
)

// mostJudged is of how many open invoices a page says when they may be tried again.
const mostJudged = 3

// judged is an open invoice and whether it may be charged by itself now.
type judged struct {
	billing.Invoice
	method  billing.Method
	verdict billing.Verdict
}

// readTries reads how full the windows of the cards are that the oldest open invoices would be charged with, and where
// our own retries stand.
func (s *Server) readTries(ctx context.Context, tx *sql.Tx, k *record) error {
	for _, i := range k.open {
		if !i.Failed() || len(k.judged) == mostJudged {
			continue
		}
		id, err := billing.MethodFor(ctx, tx, i)
		if err != nil {
			return err
		}
		j := judged{Invoice: i}
		j.verdict, err = billing.MayCharge(ctx, tx, "", billing.BySchedule, i, id, s.Now())
		if err != nil {
			return err
		}
		j.method, err = findMethod(ctx, tx, k.ID, id)
		if err != nil {
			return err
		}
		k.judged = append(k.judged, j)
	}
	if !k.hasCase() {
		return nil
	}
	var err error
	k.retries, err = s.Cases.RetriesOf(ctx, tx, k.c.ID)
	return err
}

// cardShort names a card as shortly as can be: "Visa ·· 4242".
func cardShort(m billing.Method) string {
	return strings.TrimSpace(cmp.Or(m.BrandName(), "this card") + " ·· " + m.Last4)
}

// triesLimits are the windows of the cards, each card and amount once.
func triesLimits(k record) []desk.Limit {
	var all []desk.Limit
	seen := map[string]bool{}
	for _, j := range k.judged {
		key := fmt.Sprint(j.verdict.Card, j.Remaining())
		if seen[key] || j.method.Last4 == "" {
			continue
		}
		seen[key] = true
		for _, c := range j.verdict.Counts {
			span := fmt.Sprintf("%d days", int(c.Within/(24*time.Hour)))
			if c.Within == 24*time.Hour {
				span = "24 hours"
			}
			all = append(all, desk.Limit{Label: "Tries on " + cardShort(j.method) + ", " + span, Used: c.Used, Of: c.Most})
		}
	}
	return all
}

// triesFacts say when each open invoice may be tried again by itself, and where our own retries stand.
func (s *Server) triesFacts(k record) []desk.Fact {
	var all []desk.Fact
	for _, j := range k.judged {
		f := desk.Fact{Term: "Next try", Value: "Possible now"}
		if len(k.judged) > 1 {
			f.Term += " of " + cmp.Or(j.Number, j.ID)
		}
		switch {
		case j.NextAttemptAt > s.Now().Unix():
			f.Value, f.Sub = s.at(j.NextAttemptAt).Format("2 January, 15:04"), "Planned by Stripe. Ours stay off."
		case j.method.ID == "":
			f.Value, f.Sub = "Not possible", "There is no card to charge."
		case j.verdict.After > 0:
			f.Value, f.Sub = "Possible from "+s.at(j.verdict.After).Format("2 January, 15:04"), j.verdict.Why.Words()
		case !j.verdict.Allowed:
			f.Value, f.Sub = "Not with "+cardShort(j.method), j.verdict.Why.Words()
		}
		all = append(all, f)
	}
	for _, r := range k.retries {
		at := slices.IndexFunc(k.open, func(i billing.Invoice) bool { return i.ID == r.InvoiceID })
		if at < 0 || k.c.Status != dunning.Open {
			continue
		}
		f := desk.Fact{Term: "Our retries", Value: "None left", Sub: r.Why}
		if r.DueAt > 0 {
			f.Value = fmt.Sprintf("Number %d on %s", r.Number, s.at(r.DueAt).Format("2 January, 15:04"))
		}
		if k.c.RestingSince > 0 {
			f.Value = "They rest with the case"
		}
		if len(k.retries) > 1 {
			f.Term += " of " + cmp.Or(k.open[at].Number, r.InvoiceID)
		}
		all = append(all, f)
	}
	return all
}

// whoTried begins the title of a try by whoever made it; read tells that it was read from Stripe's charges.
func whoTried(a billing.Attempt, read bool) string {
	switch {
	case a.By == billing.BySchedule:
		return "Our retry"
	case a.By == billing.ByNewCard:
		return "Charged at once with the new card"
	case a.By == billing.ByPromise:
		return "Charged on the day they chose"
	case a.By == billing.ByGuest:
		return "Somebody they asked pressed pay"
	case a.By == billing.ByStaff:
		return "Charged by a colleague"
	case read && a.By == billing.ByCustomer:
		return "They tried at Stripe"
	case read:
		return "Stripe tried again"
	}
	return ""
}

// pastTries are the tries that were not a press of the customer's on our pages. Stripe's first one and its success are
// told as the invoice's own story.
func (s *Server) pastTries(k record) []desk.Entry {
	first := map[string]int64{}
	for _, i := range k.invoices {
		first[i.ID] = i.FailedAt
	}
	var all []desk.Entry
	for _, a := range k.tries {
		read := a.ID == a.Charge
		who := whoTried(a, read)
		if who == "" || a.Kind != "charge" || read && (a.Status != billing.AttemptDeclined || a.StartedAt <= first[a.InvoiceID]) {
			continue
		}
		e := desk.Entry{At: s.at(a.StartedAt), Kind: desk.KindRetry, Title: who + ", " + s.deskMoney(a.Amount), Code: codeOf(a.Decline)}
		switch a.Status {
		case billing.AttemptStarted:
			e.Tone, e.Detail = desk.Wait, "No answer is kept yet; it is asked for again by itself."
		case billing.AttemptPaid:
			e.Tone, e.Detail = desk.Good, "Paid."
		case billing.AttemptProcessing:
			e.Tone, e.Detail = desk.Wait, "The bank needs a few days."
		case billing.AttemptAction:
			e.Tone, e.Detail = desk.Wait, "The bank asks the customer to approve it."
		case billing.AttemptDeclined:
			e.Tone, e.Detail = desk.Bad, capital(classWords(a.Decline.Class()))+". Nothing was taken."
		default:
			e.Tone, e.Detail = desk.Bad, "It could not be asked for. Nothing was taken."
		}
		all = append(all, e)
	}
	return all
}

// aheadRetries are our own retries still to come.
func (s *Server) aheadRetries(k record) []desk.Entry {
	var all []desk.Entry
	for _, r := range k.retries {
		at := slices.IndexFunc(k.open, func(i billing.Invoice) bool { return i.ID == r.InvoiceID })
		if at < 0 || r.DueAt == 0 || k.c.Status != dunning.Open || k.c.RestingSince > 0 || k.open[at].NextAttemptAt > 0 {
			continue
		}
		all = append(all, desk.Entry{
			At: s.at(r.DueAt), About: true, Kind: desk.KindRetry, Title: "We try the charge again, " + s.deskMoney(k.open[at].Remaining()),
			Detail: fmt.Sprintf("Retry %d of invoice %s, by the campaign. If the card's budget allows it.", r.Number, cmp.Or(k.open[at].Number, r.InvoiceID)),
		})
	}
	return all
}

// findMethod is billing.FindMethod to which an unknown method is one with nothing known.
func findMethod(ctx context.Context, tx *sql.Tx, customer, id string) (billing.Method, error) {
	m, err := billing.FindMethod(ctx, tx, customer, id)
	if fault.Is(err, fault.NotFound) {
		return billing.Method{ID: id}, nil
	}
	return m, err
}
