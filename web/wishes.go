package web

import (
	"net/http"
	"slices"

	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/views"
)

// showTransfer says what follows when a customer tells that a transfer is on its way.
func (s *Server) showTransfer(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.askTransfer(w, r, v, "", nil)
}

func (s *Server) askTransfer(w http.ResponseWriter, r *http.Request, v visitor, text string, faults []views.Fault) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	if !st.canClaim || len(st.open) == 0 {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	p := views.TransferPage{Frame: s.frame(r, v), Text: text, Faults: faults}
	pauses := append(slices.Clone(st.pauses), dunning.Pause{Reason: dunning.PauseClaim, Until: s.Cases.ClaimUntil(v.Customer, s.Now()).Unix()})
	if st.promise != nil && st.promise.Kind == dunning.PromiseCharge { // its day is taken back with its pause
		p.Charge = &views.Promise{On: st.promise.On(v.zone), Charge: true, Amounts: st.promise.Amounts(), Under: st.promise.ChargedAt > 0}
		pauses = slices.DeleteFunc(pauses, func(p dunning.Pause) bool { return p.Reason == dunning.PausePromise })
	}
	until, ends := restEnds(pauses, dunning.PauseClaim)
	if ends {
		p.Until = lastDay(until, v.zone)
	}
	s.show(w, r, statusOf(faults), views.Transfer(p))
	return nil
}

// notChargedNote says that a charge is not made because its customer told of a transfer, or their bank disputes a payment; nil
// when none was taken back for either, and when its day is over.
func (s *Server) notChargedNote(v visitor, st standing) *views.Note {
	p := st.withdrawn
	if p == nil || p.Kind != dunning.PromiseCharge || s.Now().After(p.On(v.zone).AddDate(0, 0, 1)) {
		return nil
	}
	for _, rests := range st.pauses {
		key, takesBack := notChargedKey[rests.Reason]
		since := rests.Since == p.EndedAt || rests.Reason == dunning.PauseDispute && p.Disputed() // which a further one may have been
		if takesBack && since {
			return &views.Note{Kind: views.NoteInfo, Said: views.Said{Key: key, Args: l10n.Args{"Amount": p.Amounts(), "Day": p.On(v.zone)}}}
		}
	}
	return nil
}

// notChargedKey says of the pauses that take back the day of a charge in the moment they begin that it is not made.
var notChargedKey = map[dunning.PauseReason]string{
	dunning.PauseClaim: "transfer.not_charged", dunning.PauseDispute: "promise.not_charged",
}

// claimTransfer lets reminders rest while staff look for a transfer.
func (s *Server) claimTransfer(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	typed := r.PostFormValue("text")
	said := s.localeOf(r, v).Text("act.paid_by_transfer")
	if typed != "" {
		said += "\n\n" + typed
	}
	err = s.Talks.Claim(r.Context(), v.ID, said, s.Real())
	if fault.Is(err, fault.Invalid) {
		return s.askTransfer(w, r, v, typed, []views.Fault{{Field: "text", Said: faultSaid(err)}})
	}
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	s.Wake()
	http.Redirect(w, r, s.tellAt("/pay", "claimed", v.session.ID), http.StatusSeeOther)
	return nil
}

// showCancel says what follows when a customer wants to end their plan, or asks whether they stay after all.
func (s *Server) showCancel(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.askCancel(w, r, v, "", nil)
}

func (s *Server) askCancel(w http.ResponseWriter, r *http.Request, v visitor, text string, faults []views.Fault) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	s.show(w, r, statusOf(faults), views.Cancel(views.CancelPage{
		Frame: s.frame(r, v), Open: totalOf(st.open), Asked: st.cancels, Text: text, Faults: faults,
	}))
	return nil
}

// cancel keeps the wish to end the plan for a person to see to. It asks for no payment first.
func (s *Server) cancel(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	typed := r.PostFormValue("text")
	said := s.localeOf(r, v).Text("cancel.said")
	if typed != "" {
		said += "\n\n" + typed
	}
	err = s.Talks.WishToCancel(r.Context(), v.ID, said)
	if fault.Is(err, fault.Invalid) {
		return s.askCancel(w, r, v, typed, []views.Fault{{Field: "text", Said: faultSaid(err)}})
	}
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, s.tellAt("/pay", "leaving", v.session.ID), http.StatusSeeOther)
	return nil
}

// stay takes the wish back.
func (s *Server) stay(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	err = s.Talks.StayAfterAll(r.Context(), v.ID, s.localeOf(r, v).Text("cancel.stay_said"), s.Real())
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay", http.StatusSeeOther)
	return nil
}
