package web

import (
	"cmp"
	"database/sql"
	"fmt"
	"net/http"
	"strings"

	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// finalWords are the final acts as a deed in the middle of a sentence.
var finalWords = map[campaign.Act]string{
	campaign.ActCancel: "end the subscription", campaign.ActPause: "pause collection", campaign.ActWriteOff: "write the invoices off",
}

// decides reports whether the final act of the newest case waits for a person who may decide it now.
func (k record) decides() bool {
	return k.hasCase() && k.c.Status == dunning.Open && k.c.RestingSince == 0 && k.final.Status == dunning.FinalProposed
}

// finalActs is the decision about a final act: to do it, or to leave it.
func finalActs(k record) []desk.Act {
	return []desk.Act{
		{Name: desk.ActFinal, Label: capital(finalWords[k.final.Act]), Icon: "flag"},
		{Name: desk.ActSpare, Label: "Leave it", Icon: "skip", Main: true},
	}
}

// finalQuestion shows what the act would do now, object by object; what is confirmed is what was shown.
func (s *Server) finalQuestion(p desk.CustomerPage, k record) *desk.Question {
	var what []string
	for _, i := range k.effect.Invoices {
		what = append(what, fmt.Sprintf("%s for %s (invoice %s)", s.deskMoney(i.Remaining()), cmp.Or(i.Description, "an invoice"), cmp.Or(i.Number, i.ID)))
	}
	open := strings.Join(what, ", ")
	var names []string
	for _, sub := range k.effect.Subscriptions {
		names = append(names, fmt.Sprintf("%s, %s each %s (%s)", cmp.Or(sub.Description, "a subscription"), s.deskMoney(sub.Amount), sub.Interval, sub.ID))
	}
	behind := strings.Join(names, "; ")
	var effects []string
	switch k.final.Act {
	case campaign.ActCancel:
		effects = []string{"At Stripe this ends at once: " + behind + ". It cannot be undone; a new subscription has to be made.", "It stays open and can still be paid: " + open + ". Stripe charges it no more by itself."}
	case campaign.ActPause:
		effects = []string{"At Stripe collection pauses for: " + behind + ". Invoices of its next renewals are voided until somebody resumes it there.", "It stays open and can still be paid: " + open + "."}
	case campaign.ActWriteOff:
		effects = []string{"At Stripe this is marked uncollectible: " + open + ". It can still be paid, and the case counts as recovered then.", "Subscriptions go on as they are."}
	}
	step := k.plans[k.c.ID].StepOf(k.final.Step)
	if step >= 0 && k.plans[k.c.ID].Steps[step].Access != "" {
		effects = append(effects, "Access becomes "+accessWords[k.plans[k.c.ID].Steps[step].Access]+".")
	}
	effects = append(effects,
		"Right before, Stripe is asked once more. Whatever has been paid by then is left alone.",
		"The customer is told by mail what was done, why, and how to contest it.")
	if k.sendingPaused {
		effects = append(effects, "All sending is stopped, so it waits until somebody resumes it.")
	}
	return desk.FinalQuestion(p, k.c.ID, finalWords[k.final.Act], effects, k.effect.Objects())
}

// doFinal orders the act that was shown.
func (s *Server) doFinal(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	err = r.ParseForm()
	if err != nil {
		return err
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		effect, err := s.Cases.OrderFinal(r.Context(), tx, c.ID, r.PostForm["object"], who.Name, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "case.final_ordered", c.ID, c.CustomerID+" "+string(effect.Act)+": "+strings.Join(effect.Objects(), " "))
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, c.CustomerID, "final_ordered")
}

// spareFinal decides against the act, and keeps why.
func (s *Server) spareFinal(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	typed := r.PostFormValue("reason")
	note, wrong := cleanNote(typed, true)
	if wrong != "" {
		return s.askAgain(w, r, who, c.CustomerID, func(p desk.CustomerPage, k record) *desk.Question {
			return desk.SpareQuestion(p, k.c.ID, finalWords[k.final.Act], desk.Note{Required: true, Value: typed, Fault: wrong})
		})
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := s.Cases.DeclineFinal(r.Context(), tx, c.ID, note, who.Name, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "case.final_declined", c.ID, c.CustomerID)
	})
	if err != nil {
		return err
	}
	return s.backToCustomer(w, r, c.CustomerID, "final_declined")
}

// finalHeld says why the final act waits, "" when it does not.
func finalHeld(k record) string {
	switch k.final.Status {
	case dunning.FinalProposed:
		return "Its day has come and it was announced. It waits for a manager's decision; nothing happens before."
	case dunning.FinalOrdered:
		return "It is being done: Stripe is asked once more whether anything was paid, then it happens."
	}
	return ""
}

// finalEntry is an event of a final act on the line of time; false when the event is none.
func finalEntry(e *desk.Entry, what, by string, act campaign.Act) bool {
	deed := cmp.Or(finalWords[act], "the final act")
	e.Kind = desk.KindFlag
	switch what {
	case "final_proposed":
		e.Tone, e.Title = desk.Wait, capital(deed)+"? It waits for a decision"
	case "final_ordered":
		e.Title = "Decided" + by + " to " + deed
	case "final_held":
		e.Tone, e.Title = desk.Wait, "Not done: "+deed
	case "final_done":
		e.Kind, e.Tone, e.Title = desk.KindAccess, desk.Bad, "Done at Stripe: "+deed
	case "final_declined":
		e.Title = "Decided" + by + " not to " + deed
	case "final_dropped":
		e.Title = "Not needed any more: " + deed
	default:
		return false
	}
	return true
}
