package web

import (
	"cmp"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/internal/support"
	"sollecito/views/desk"
)

// liftable are the pauses a member of staff may end. A bank debit under way and a dispute that runs are facts at the bank;
// once it has decided against the merchant, whether to ask for what is open is for a person to say. A case of the first
// import is released instead.
func liftable(disputes []billing.Dispute) []dunning.PauseReason {
	may := []dunning.PauseReason{
		dunning.PauseStaff, dunning.PauseConversation, dunning.PauseClaim, dunning.PausePromise, dunning.PauseConsent,
		dunning.PauseVerification,
	}
	if !slices.ContainsFunc(disputes, billing.Dispute.Running) {
		may = append(may, dunning.PauseDispute)
	}
	return may
}

// restsForLost reports whether the newest case rests for a dispute that the bank has decided against the merchant.
func (k record) restsForLost() bool {
	return slices.ContainsFunc(k.pauses, func(p dunning.Pause) bool { return p.Reason == dunning.PauseDispute }) &&
		!slices.ContainsFunc(k.disputes, billing.Dispute.Running)
}

// pausesParted parts the active pauses of the newest case: those staff may end, those that stay.
func (k record) pausesParted() (may, stay []dunning.PauseReason) {
	for _, p := range k.pauses {
		if slices.Contains(liftable(k.disputes), p.Reason) {
			may = append(may, p.Reason)
			continue
		}
		stay = append(stay, p.Reason)
	}
	return may, stay
}

// actsFor is what may be done now by this member.
func (s *Server) actsFor(k record, who staff.Member) []desk.Act {
	var acts []desk.Act
	if who.Role.May(staff.Act) && k.hasCase() && k.c.Status == dunning.Open {
		acts = caseActs(k)
	}
	if who.Role.May(staff.Act) {
		acts = append(acts, s.promiseActs(k)...)
	}
	_, may := k.chargeable()
	if who.Role.May(staff.Steer) && may {
		acts = append(acts, desk.Act{Name: desk.ActCharge, Label: "Try the charge now", Icon: "retry"})
	}
	if who.Role.May(staff.Steer) && k.decides() {
		acts = append(finalActs(k), acts...)
	}
	if who.Role.May(staff.Steer) && len(k.stopped()) > 0 {
		acts = append(acts, desk.Act{Name: desk.ActMailAgain, Label: "Mail them again", Icon: "send"})
	}
	acts = append(acts, choiceActs(k, who)...)
	if who.Role.May(staff.Steer) {
		acts = append(acts, desk.Act{Name: desk.ActRevoke, Label: "End their links", Icon: "wall"})
	}
	return acts
}

// caseActs is what may be done with an open case.
func caseActs(k record) []desk.Act {
	var acts []desk.Act
	_, err := k.announcement()
	if err == nil {
		acts = append(acts, desk.Act{Name: desk.ActAnnounce, Label: "Announce it again", Icon: "send", Main: true})
	}
	may, stay := k.pausesParted()
	if slices.Contains(stay, dunning.PauseImported) {
		acts = append(acts, desk.Act{Name: desk.ActRelease, Label: "Start reminders", Icon: "send", Main: len(acts) == 0})
	}
	if len(may) > 0 {
		acts = append(acts, desk.Act{Name: desk.ActResume, Label: "Resume", Icon: "play", Main: len(acts) == 0})
	}
	if !slices.Contains(may, dunning.PauseStaff) {
		acts = append(acts, desk.Act{Name: desk.ActPause, Label: "Pause", Icon: "pause", Main: len(acts) == 0})
	}
	return acts
}

// questionOf is an act with what it will do, nil when it is not there to be done.
func (s *Server) questionOf(p desk.CustomerPage, k record, who staff.Member, act string) *desk.Question {
	offered := slices.ContainsFunc(s.actsFor(k, who), func(a desk.Act) bool { return a.Name == act })
	if !offered {
		return nil
	}
	may, stay := k.pausesParted()
	switch act {
	case desk.ActPause:
		return s.pauseQuestion(p, k, desk.Note{Required: true})
	case desk.ActResume:
		var others []string
		for _, reason := range stay {
			others = append(others, string(reason))
		}
		q := desk.ResumeQuestion(p, k.c.ID, s.afterResting(k), others)
		if slices.Contains(may, dunning.PauseDispute) {
			q.Effects = append(q.Effects, "Their bank took a payment back for good. Reminders are about what is open now, not about that payment.")
		}
		return q
	case desk.ActRelease:
		return desk.ReleaseQuestion(p, k.c.ID, s.afterResting(k))
	case desk.ActAnnounce:
		a, err := k.announcement()
		if err != nil {
			return nil
		}
		ahead, _ := k.c.NextConsequence(k.situation)
		return desk.AnnounceQuestion(p, k.c.ID, cmp.Or(k.mailTo(), a.To), a.GoesAt.In(s.Zone), a.Until, ahead.Acts())
	case desk.ActCharge:
		return s.chargeQuestion(p, k)
	case desk.ActFinal:
		return s.finalQuestion(p, k)
	case desk.ActSpare:
		return desk.SpareQuestion(p, k.c.ID, finalWords[k.final.Act], desk.Note{Required: true})
	case desk.ActMailAgain:
		var addresses []string
		for _, stopped := range k.stopped() {
			addresses = append(addresses, stopped.Address)
		}
		return desk.MailAgainQuestion(p, addresses)
	case desk.ActNoMail, desk.ActNoReminders, desk.ActRemind:
		return desk.ChoiceQuestion(p, act, desk.Note{})
	case desk.ActRevoke:
		return desk.RevokeQuestion(p)
	case desk.ActPromise:
		return s.promiseQuestion(p, k)
	case desk.ActTakeBack:
		return s.takeBackQuestion(p, k)
	case desk.ActSeenTo:
		return desk.SeenToQuestion(p)
	}
	return nil
}

// announcement is how the consequence the newest case is held at would be announced once more; fault.Conflict when
// it cannot be.
func (k record) announcement() (dunning.Announcement, error) {
	return k.c.AnnouncementAgain(k.situation, k.caseNotices(), k.Addresses())
}

func (s *Server) pauseQuestion(p desk.CustomerPage, k record, note desk.Note) *desk.Question {
	var next time.Time
	for _, i := range k.open {
		at := s.at(i.NextAttemptAt)
		if i.NextAttemptAt > s.Now().Unix() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return desk.PauseQuestion(p, k.c.ID, next, note)
}

// afterResting is what would come next if the case went on now, the days it rested not counted.
func (s *Server) afterResting(k record) desk.Next {
	going := k.c
	going.RestedDays += k.c.Resting(s.Now(), k.situation.Zones[0])
	going.RestingSince = 0
	next, ok := going.Next(k.situation)
	if !ok {
		return desk.Next{}
	}
	return desk.Next{Title: k.titleAhead(next), At: next.At.In(s.Zone)}
}

// longestNote is the most characters a note to colleagues may have, as its field allows.
const longestNote = 300

// cleanNote checks a note to colleagues; said is what is wrong with it. An empty one is refused when it is asked for.
func cleanNote(typed string, asked bool) (note, said string) {
	note, err := support.Clean(typed)
	switch {
	case err != nil && fault.MessageOf(err) == support.FaultCard:
		return "", "This looks like a card number. It must never be written down here."
	case err != nil && fault.MessageOf(err) == support.FaultEmpty && asked:
		return "", "Say why in a few words."
	case err != nil && fault.MessageOf(err) == support.FaultEmpty:
		return "", ""
	case err != nil || utf8.RuneCountInString(note) > longestNote:
		return "", "Say it in at most 300 characters."
	}
	return note, ""
}

// askAgain shows a customer's page with a question whose note was refused, as it was typed and with what is wrong with it.
func (s *Server) askAgain(w http.ResponseWriter, r *http.Request, who staff.Member, customer string, question func(desk.CustomerPage, record) *desk.Question) error {
	k, err := s.recordOf(r.Context(), customer)
	if err != nil {
		return err
	}
	p := s.customerPage(r, who, k)
	p.Question = question(p, k)
	s.show(w, r, http.StatusUnprocessableEntity, desk.Customer(p))
	return nil
}

// pauseCase lets a case rest until somebody resumes it.
func (s *Server) pauseCase(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	typed := r.PostFormValue("reason")
	note, wrong := cleanNote(typed, true)
	if wrong != "" {
		return s.askAgain(w, r, who, c.CustomerID, func(p desk.CustomerPage, k record) *desk.Question {
			return s.pauseQuestion(p, k, desk.Note{Required: true, Value: typed, Fault: wrong})
		})
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := s.Cases.Pause(r.Context(), tx, c.ID, dunning.PauseStaff, note, who.Name, time.Time{}, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "case.paused", c.ID, c.CustomerID)
	})
	if err != nil {
		return err
	}
	return s.backToCustomer(w, r, c.CustomerID, "paused")
}

// resumeCase ends the pauses staff may end.
func (s *Server) resumeCase(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.endPauses(w, r, who, "case.resumed", "resumed", func(tx *sql.Tx, customer string) ([]dunning.PauseReason, error) {
		disputes, err := billing.Disputes(r.Context(), tx, customer)
		return liftable(disputes), err
	})
}

// releaseCase starts the campaign of a case that was there before the portal was connected.
func (s *Server) releaseCase(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.endPauses(w, r, who, "case.released", "released", func(*sql.Tx, string) ([]dunning.PauseReason, error) {
		return []dunning.PauseReason{dunning.PauseImported}, nil
	})
}

// endPauses ends the pauses of a case that reasons answers for its customer.
func (s *Server) endPauses(w http.ResponseWriter, r *http.Request, who staff.Member, action, said string, reasons func(tx *sql.Tx, customer string) ([]dunning.PauseReason, error)) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	if c.Status != dunning.Open {
		return fault.New(fault.Conflict, "This case has ended meanwhile; there is nothing to go on with.")
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		ending, err := reasons(tx, c.CustomerID)
		if err != nil {
			return err
		}
		err = s.Cases.Resume(r.Context(), tx, c.ID, who.Name, s.Now(), ending...)
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, action, c.ID, c.CustomerID)
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, c.CustomerID, said)
}

// announceAgain mails a consequence that waits for a person once more, with a later date.
func (s *Server) announceAgain(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := s.Cases.AnnounceAgain(r.Context(), tx, c.ID, who.Name, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "case.announced", c.ID, c.CustomerID)
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, c.CustomerID, "announced")
}

// revokeLinks ends every link a customer was sent, and what is open through one.
func (s *Server) revokeLinks(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	customer := r.PathValue("id")
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		_, err := billing.FindCustomer(r.Context(), tx, customer)
		if err != nil {
			return err
		}
		err = link.RevokeAll(r.Context(), tx, customer, s.Now())
		if err != nil {
			return fmt.Errorf("end the links of %s: %w", customer, err)
		}
		return s.audit(r, tx, who, "links.revoked", customer, "")
	})
	if err != nil {
		return err
	}
	return s.backToCustomer(w, r, customer, "revoked")
}

// mailAgain lets every address of a customer be written to again. What is left out meanwhile is not sent afterwards.
func (s *Server) mailAgain(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	customer := r.PathValue("id")
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := database.Hold(r.Context(), tx, customer)
		if err != nil {
			return err
		}
		c, err := billing.FindCustomer(r.Context(), tx, customer)
		if err != nil {
			return err
		}
		lifted := 0
		for _, address := range c.Addresses() {
			was, err := outbox.Lift(r.Context(), tx, address, who.Name, s.Now().Unix())
			if err != nil {
				return err
			}
			if was {
				lifted++
			}
		}
		if lifted == 0 {
			return fault.New(fault.Conflict, "No address of theirs is held back any more.")
		}
		return s.audit(r, tx, who, "address.mailed_again", customer, fmt.Sprintf("addresses: %d", lifted))
	})
	if err != nil {
		return err
	}
	return s.backToCustomer(w, r, customer, "mail_again")
}

func (s *Server) caseOf(r *http.Request) (dunning.Case, error) {
	var c dunning.Case
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		c, err = s.Cases.Find(r.Context(), tx, r.PathValue("id"))
		return err
	})
	return c, err
}

func (s *Server) backToCustomer(w http.ResponseWriter, r *http.Request, customer, said string) error {
	return s.tellDesk(w, r, "/admin/customers/"+url.PathEscape(customer), said)
}
