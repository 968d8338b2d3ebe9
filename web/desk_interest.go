package web

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/interest"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// interestOf is what a manager sees of late interest: what was confirmed and holds, and a proposal, or why there is
// none, for each other overdue invoice. Nil when there is nothing to see.
func (s *Server) interestOf(k record, who staff.Member) *desk.Interest {
	if !who.Role.May(staff.Steer) {
		return nil
	}
	confirmed, shown := map[string]bool{}, &desk.Interest{}
	for _, kept := range k.interest {
		if kept.Withdrawn {
			continue
		}
		confirmed[kept.InvoiceID] = true
		shown.Kept = append(shown.Kept, desk.KeptInterest{
			ID: kept.ID, Invoice: k.invoiceName(kept.InvoiceID), Words: s.interestWords(kept), By: kept.ConfirmedBy, At: s.at(kept.ConfirmedAt),
		})
	}
	for _, i := range k.open {
		if s.Interest == nil || confirmed[i.ID] || !i.Overdue(s.Now().Unix()) {
			continue
		}
		p := desk.ProposedInterest{ID: i.ID, Invoice: cmp.Or(i.Number, i.ID)}
		claim, err := s.Interest.Propose(k.Customer, i, s.Now().In(s.Zone))
		if err != nil {
			p.Refused = fault.MessageOf(err)
		} else {
			p.Lines = claim.Breakdown(s.interestMoney)
		}
		same := func(before desk.ProposedInterest) bool { return p.Refused != "" && before.Refused == p.Refused }
		at := slices.IndexFunc(shown.Proposed, same)
		if at >= 0 {
			shown.Proposed[at].Others = append(shown.Proposed[at].Others, p.Invoice)
			continue
		}
		shown.Proposed = append(shown.Proposed, p)
	}
	if len(shown.Kept)+len(shown.Proposed) == 0 {
		return nil
	}
	return shown
}

func (k record) invoiceName(id string) string {
	for _, i := range k.invoices {
		if i.ID == id {
			return cmp.Or(i.Number, i.ID)
		}
	}
	return id
}

func (s *Server) interestMoney(minor int64, currency string) string {
	return s.deskMoney(billing.Money{Minor: minor, Currency: currency})
}

// interestWords are the sums of a confirmed claim: "€10.27 interest and €40.00 fixed".
func (s *Server) interestWords(k interest.Kept) string {
	words := s.interestMoney(k.Interest, k.Currency) + " interest"
	if k.Fixed > 0 {
		words += " and " + s.interestMoney(k.Fixed, k.FixedCurrency) + " fixed"
	}
	return words
}

// interestQuestion is confirming or withdrawing late interest with its effects; nil when it is not there to be done.
func (s *Server) interestQuestion(p desk.CustomerPage, k record, who staff.Member, asked url.Values) *desk.Question {
	if !who.Role.May(staff.Steer) {
		return nil
	}
	for _, kept := range k.interest {
		if asked.Get("act") == desk.ActWithdrawInterest && !kept.Withdrawn && kept.ID == asked.Get("claim") {
			return desk.WithdrawInterestQuestion(p, kept.ID, k.invoiceName(kept.InvoiceID), s.interestWords(kept), desk.Note{Required: true})
		}
	}
	for _, i := range k.open {
		if asked.Get("act") != desk.ActInterest || s.Interest == nil || i.ID != asked.Get("invoice") {
			continue
		}
		claim, err := s.Interest.Propose(k.Customer, i, s.Now().In(s.Zone))
		if err != nil {
			return nil
		}
		return desk.InterestQuestion(p, i.ID, claim.Name, claim.Shown(), claim.Breakdown(s.interestMoney))
	}
	return nil
}

// confirmInterest keeps late interest as it was shown. Nothing is asked of Stripe, and nobody is told.
func (s *Server) confirmInterest(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	if s.Interest == nil {
		return fault.New(fault.Conflict, "Late interest is switched off (SOLLECITO_LATE_INTEREST).")
	}
	customer, now := r.PathValue("id"), s.Now()
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := database.Hold(r.Context(), tx, customer)
		if err != nil {
			return err
		}
		c, err := billing.FindCustomer(r.Context(), tx, customer)
		if err != nil {
			return err
		}
		i, err := billing.FindInvoice(r.Context(), tx, r.PostFormValue("invoice"))
		if err != nil {
			return err
		}
		claim, err := s.Interest.Propose(c, i, now.In(s.Zone))
		if fault.Is(err, fault.Invalid) {
			return fault.New(fault.Conflict, "%s", fault.MessageOf(err)) // it was possible when it was shown
		}
		if err != nil {
			return err
		}
		if claim.Shown() != r.PostFormValue("shown") {
			return fault.New(fault.Conflict, "The sum has changed since it was shown; look at it again.")
		}
		kept, err := interest.Keep(r.Context(), tx, interest.Kept{
			CustomerID: c.ID, InvoiceID: i.ID, Country: claim.Country.Code, Currency: claim.Currency, Interest: claim.Interest,
			Fixed: claim.Fixed.Minor, FixedCurrency: claim.Fixed.Currency, ConfirmedBy: who.Name, ConfirmedAt: now.Unix(),
			Document: claim.Document(s.Merchant.LegalAddress, cmp.Or(c.Name, c.Email, c.ID), s.interestMoney),
		})
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "interest.confirmed", kept.ID, c.ID+" "+i.ID+" "+claim.Shown())
	})
	if err != nil {
		return err
	}
	return s.backToCustomer(w, r, customer, "interest")
}

// withdrawInterest takes a confirmed claim back, and keeps why.
func (s *Server) withdrawInterest(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	kept, err := s.keptInterest(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	typed := r.PostFormValue("reason")
	note, wrong := cleanNote(typed, true)
	if wrong != "" {
		return s.askAgain(w, r, who, kept.CustomerID, func(p desk.CustomerPage, k record) *desk.Question {
			return desk.WithdrawInterestQuestion(p, kept.ID, k.invoiceName(kept.InvoiceID), s.interestWords(kept), desk.Note{Required: true, Value: typed, Fault: wrong})
		})
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := interest.Withdraw(r.Context(), tx, kept.ID, note, who.Name, s.Now().Unix())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "interest.withdrawn", kept.ID, kept.CustomerID+" "+kept.InvoiceID)
	})
	if err != nil {
		return err
	}
	return s.backToCustomer(w, r, kept.CustomerID, "interest_withdrawn")
}

// showInterest hands out the paper of a confirmed claim as it was confirmed. One that was withdrawn says so first.
func (s *Server) showInterest(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	kept, err := s.keptInterest(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	err = s.looked(r, who, "interest.viewed", kept.ID, kept.CustomerID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="late-interest-%s.txt"`, kept.ID))
	text := kept.Document
	if kept.Withdrawn {
		text = "WITHDRAWN on " + s.at(kept.WithdrawnAt).Format("2 January 2006") + ": do not ask for this.\n\n" + text
	}
	_, err = io.WriteString(w, text)
	return err
}

func (s *Server) keptInterest(ctx context.Context, id string) (interest.Kept, error) {
	var kept interest.Kept
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		kept, err = interest.Find(ctx, tx, id)
		return err
	})
	return kept, err
}

// pastInterest is what was confirmed and taken back of late interest.
func (s *Server) pastInterest(k record) []desk.Entry {
	var all []desk.Entry
	for _, kept := range k.interest {
		name := k.invoiceName(kept.InvoiceID)
		all = append(all, desk.Entry{
			At: s.at(kept.ConfirmedAt), Kind: desk.KindNote, Title: "Late interest confirmed by " + kept.ConfirmedBy,
			Detail: s.interestWords(kept) + " on invoice " + name + ". Nothing was added at Stripe.",
		})
		if kept.Withdrawn {
			all = append(all, desk.Entry{
				At: s.at(kept.WithdrawnAt), Kind: desk.KindNote, Title: "Late interest withdrawn by " + kept.WithdrawnBy,
				Detail: "Invoice " + name + ".", Quote: kept.Reason,
			})
		}
	}
	return all
}
