package web

import (
	"database/sql"
	"net/http"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/support"
	"sollecito/views"
)

// showSupport draws the conversation between the customer and staff.
func (s *Server) showSupport(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	p, err := s.supportPage(r, v)
	if err != nil {
		return err
	}
	p.Sent = s.toldIn(r, v.session.ID) == "sent"
	s.show(w, r, http.StatusOK, views.Support(p))
	return nil
}

func (s *Server) supportPage(r *http.Request, v visitor) (views.SupportPage, error) {
	p := views.SupportPage{Frame: s.frame(r, v), Now: s.Now().In(v.zone)}
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return p, err
	}
	var open []billing.Money
	for _, i := range st.open {
		open = append(open, i.Remaining())
	}
	p.Open = billing.Totals(open)
	p.CanClaim = len(st.open) > 0 && st.c.Status == dunning.Open
	p.CanClaim = p.CanClaim && st.canClaim
	for _, pause := range st.pauses {
		p.Resting = p.Resting || pause.Reason == dunning.PauseConversation
	}
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		_, said, err := s.Talks.OfCustomer(r.Context(), tx, v.ID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		for _, m := range said {
			shown := views.Message{Mine: m.FromCustomer(), Author: m.Name, Text: m.In(func(key string) string { return p.Locale.Text(key) }), At: time.Unix(m.At, 0).In(v.zone)}
			for _, a := range m.Attachments {
				shown.NotKept = append(shown.NotKept, a.Name)
			}
			p.Messages = append(p.Messages, shown)
		}
		return err
	})
	return p, err
}

// writeSupport takes in a message. What cannot be taken is shown again with what was typed.
func (s *Server) writeSupport(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	text, claim := r.PostFormValue("text"), r.PostFormValue("paid") == "transfer"
	if claim && text == "" {
		http.Redirect(w, r, "/pay/transfer", http.StatusSeeOther) // which shows what follows first
		return nil
	}
	err = s.Talks.Write(r.Context(), v.ID, text, claim, s.Real())
	if fault.Is(err, fault.Invalid) {
		p, pageErr := s.supportPage(r, v)
		if pageErr != nil {
			return pageErr
		}
		p.Text = text
		p.Faults = []views.Fault{{Field: "text", Said: faultSaid(err)}}
		s.show(w, r, http.StatusUnprocessableEntity, views.Support(p))
		return nil
	}
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, s.tellAt("/pay/support", "sent", v.session.ID), http.StatusSeeOther)
	return nil
}

// faultSaid is the sentence for a message that could not be taken.
func faultSaid(err error) views.Said {
	switch fault.MessageOf(err) {
	case support.FaultLong:
		return views.Said{Key: "support.fault_long", Args: l10n.Args{"Most": support.Longest}}
	case support.FaultCard:
		return views.Said{Key: "support.fault_card"}
	}
	return views.Said{Key: "support.fault_empty"}
}
