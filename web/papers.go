package web

import (
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/internal/stepup"
	"sollecito/views"
)

// keyPapers stands in a session whose reader has typed a code from the customer's mailbox: it opens what holds their
// address and what they bought long ago.
const keyPapers = "papers"

// openReceipts is how long a payment is shown to somebody who has only the link, which may have been forwarded.
const openReceipts = 90 * 24 * time.Hour

func mayRead(v visitor) bool { return link.Value(v.session, keyPapers) != "" }

// isEarlier reports whether a payment is too long ago to stand on the page without a code.
func (s *Server) isEarlier(v visitor, i billing.Invoice) bool {
	return !mayRead(v) && i.PaidAt < s.Now().Add(-openReceipts).Unix()
}

func (s *Server) hasEarlier(v visitor, st standing) bool {
	return slices.ContainsFunc(st.closed, func(i billing.Invoice) bool { return i.Paid() && s.isEarlier(v, i) })
}

// papersOf is what a code for the papers proves.
func papersOf(v visitor) stepup.Need {
	return stepup.Need{CustomerID: v.ID, Session: link.Hash(v.session.ID), Purpose: stepup.ReadPapers}
}

// showPapers asks for a code, or leads on when one was typed in this session.
func (s *Server) showPapers(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.drawPapers(w, r, v, nil)
}

func (s *Server) drawPapers(w http.ResponseWriter, r *http.Request, v visitor, faults []views.Fault) error {
	p := views.PapersPage{Frame: s.frame(r, v), Open: mayRead(v), Code: views.CodeEntry{Nobody: v.Email == "", Typed: r.PostFormValue("code"), Faults: faults}}
	wanted := r.FormValue("pdf")
	if wanted != "" {
		i, err := s.ownInvoice(r, v, wanted)
		if err != nil {
			return err
		}
		p.PDF = &invoicesOf([]billing.Invoice{i}, v.zone)[0]
	}
	if p.Open && p.PDF == nil {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		p.Code.Asked, err = s.Codes.Asked(r.Context(), tx, papersOf(v))
		return err
	})
	if err != nil {
		return err
	}
	s.show(w, r, statusOf(faults), views.Papers(p))
	return nil
}

// askPapersCode mails a code for the papers. It opens nothing.
func (s *Server) askPapersCode(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	if v.Email != "" {
		err = s.DB.Do(r.Context(), func(tx *sql.Tx) error { return s.Codes.Ask(r.Context(), tx, papersOf(v), s.Now()) })
		if fault.Is(err, fault.TooMany) {
			return s.drawPapers(w, r, v, codeFault("code.fault_often"))
		}
		if err != nil {
			return err
		}
		s.Wake()
	}
	http.Redirect(w, r, papersPath(r), http.StatusSeeOther)
	return nil
}

// papersPath is the page of the papers, for the one that was asked for.
func papersPath(r *http.Request) string {
	wanted := r.PostFormValue("pdf")
	if wanted == "" {
		return "/pay/papers"
	}
	return "/pay/papers?pdf=" + escape(wanted)
}

// openPapers opens the papers for this session, for whoever has the code. The session goes on under another id.
func (s *Server) openPapers(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	typed := r.PostFormValue("code")
	if strings.TrimSpace(typed) == "" {
		return s.drawPapers(w, r, v, codeFault("code.fault_empty"))
	}
	verdict := stepup.Void
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		var err error
		verdict, err = s.Codes.Try(r.Context(), tx, papersOf(v), typed)
		return err
	})
	if err != nil {
		return err
	}
	if verdict != stepup.Right {
		return s.drawPapers(w, r, v, refusedCode(verdict))
	}
	err = s.Sessions.End(r.Context(), v.session.ID)
	if err != nil {
		return err
	}
	v.session.ID, v.session.IsNew = "", true
	v.session.Values[keyPapers] = "open"
	err = v.session.Save(r, w)
	if err != nil {
		return err
	}
	http.Redirect(w, r, papersPath(r), http.StatusSeeOther)
	return nil
}
