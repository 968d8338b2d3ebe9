package web

import (
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/link"
	"sollecito/views"
)

// mostShared is how many links to hand on a customer may make in a day.
const mostShared = 10

// showShare shows what a link to hand on lets somebody see and do, and those that work now.
func (s *Server) showShare(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.drawShare(w, r, v, "", nil)
}

// drawShare draws the page; address is a link that has just been made, which is shown this once.
func (s *Server) drawShare(w http.ResponseWriter, r *http.Request, v visitor, address string, faults []views.Fault) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	payable := wholeOf(st.payable())
	if len(payable) == 0 {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	p := views.SharePage{Frame: s.frame(r, v), Invoices: invoicesOf(payable, v.zone), Chosen: r.PostFormValue("invoice"), Address: address, Faults: faults}
	if !slices.ContainsFunc(payable, func(i billing.Invoice) bool { return i.ID == p.Chosen }) {
		p.Chosen = payable[0].ID
	}
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		links, err := link.HandedOn(r.Context(), tx, v.ID)
		if err != nil {
			return err
		}
		for _, l := range links {
			due, err := dueOf(r, tx, l)
			if err != nil {
				return err
			}
			at := slices.IndexFunc(st.open, func(i billing.Invoice) bool { return i.ID == l.InvoiceID })
			if at >= 0 && l.Alive(due, s.Now(), s.Real()) {
				p.Shared = append(p.Shared, views.Shared{ID: l.ID, Number: st.open[at].Number, MadeAt: time.Unix(l.IssuedAt, 0).In(v.zone)})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.show(w, r, statusOf(faults), views.Share(p))
	return nil
}

// wholeOf leaves out what a charge of ours cannot pay, because a part was paid already.
func wholeOf(invoices []billing.Invoice) []billing.Invoice {
	return slices.DeleteFunc(slices.Clone(invoices), billing.Invoice.PartPaid)
}

// makeShare makes a link with which somebody else may pay one invoice.
func (s *Server) makeShare(w http.ResponseWriter, r *http.Request) error {
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	payable := wholeOf(st.payable())
	at := slices.IndexFunc(payable, func(i billing.Invoice) bool { return i.ID == r.PostFormValue("invoice") })
	if at < 0 {
		http.Redirect(w, r, "/pay/share", http.StatusSeeOther)
		return nil
	}
	token := ""
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		within, err := database.Within(r.Context(), tx, "share "+v.ID, 24*time.Hour, mostShared, s.Real())
		if err != nil || !within {
			return err
		}
		token, err = link.Issue(r.Context(), tx, link.Link{
			CustomerID: v.ID, InvoiceID: payable[at].ID, Language: s.localeOf(r, v).Tag(), IssuedAt: s.Now().Unix(),
		})
		return err
	})
	if err != nil {
		return err
	}
	if token == "" {
		return s.drawShare(w, r, v, "", []views.Fault{{Field: "make", Said: views.Said{Key: "share.fault_often"}}})
	}
	return s.drawShare(w, r, v, s.Addresses.Link(token), nil)
}

// endShare ends a link that was handed on.
func (s *Server) endShare(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error { return link.Revoke(r.Context(), tx, v.ID, r.PostFormValue("link"), s.Now()) })
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/pay/share", http.StatusSeeOther)
	return nil
}

// maskedName is a name by which only who knows it recognises it: "C••• B•••".
func maskedName(name string) string {
	var parts []string
	for _, word := range strings.Fields(name) {
		if len(parts) < 3 {
			parts = append(parts, string([]rune(word)[:1])+"•••")
		}
	}
	return strings.Join(parts, " ")
}
