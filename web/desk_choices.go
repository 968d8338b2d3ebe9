package web

import (
	"database/sql"
	"fmt"
	"net/http"

	"sollecito/internal/contact"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// chosen is what the customer decided about our reminders, the zero Choices when they never did.
func (k record) chosen() contact.Choices {
	if len(k.choices) == 0 {
		return contact.Choices{}
	}
	return k.choices[len(k.choices)-1]
}

// choiceFacts say what the customer decided, with when and how they said so.
func (s *Server) choiceFacts(k record) []desk.Fact {
	c := k.chosen()
	if c.Same(contact.Choices{}) {
		return nil
	}
	return []desk.Fact{{
		Term: "Their choice", Value: capital(choiceWords(c)),
		Sub: "Since " + s.at(c.At).Format("2 January 2006") + ", " + sourceWords(c) + ".",
	}}
}

// choiceWords are choices as colleagues say them.
func choiceWords(c contact.Choices) string {
	words := "reminders by mail and in the app"
	switch {
	case c.NoMail && c.NoApp:
		return "no reminders at all"
	case c.NoMail:
		words = "no reminders by mail"
	case c.NoApp:
		words = "no reminders in the app"
	}
	if c.Hours != (contact.Hours{}) {
		words += fmt.Sprintf("; what comes, only from %02d:00 to %02d:00 their time", c.Hours.From, c.Hours.To)
	}
	return words
}

func sourceWords(c contact.Choices) string {
	switch c.Source {
	case contact.FromOneClick:
		return "by the stop button of a mail"
	case contact.FromReply:
		return "by a reply"
	case contact.FromStaff:
		return "written down by " + c.Actor
	}
	return "on their page"
}

func (s *Server) pastChoices(k record) []desk.Entry {
	var all []desk.Entry
	for _, c := range k.choices {
		all = append(all, desk.Entry{
			At: s.at(c.At), Kind: desk.KindFlag, Title: "Chose " + choiceWords(c), Detail: capital(sourceWords(c)) + ".", Quote: c.Words,
		})
	}
	return all
}

// choiceActs is what may be written down of a customer's wishes. To stop writing to somebody is everybody's right who
// may act; to begin again is a manager's.
func choiceActs(k record, who staff.Member) []desk.Act {
	var acts []desk.Act
	c := k.chosen()
	if who.Role.May(staff.Act) && !c.NoMail {
		acts = append(acts, desk.Act{Name: desk.ActNoMail, Label: "No reminders by mail", Icon: "skip"})
	}
	if who.Role.May(staff.Act) && !(c.NoMail && c.NoApp) {
		acts = append(acts, desk.Act{Name: desk.ActNoReminders, Label: "No reminders at all", Icon: "skip"})
	}
	if who.Role.May(staff.Steer) && (c.NoMail || c.NoApp) {
		acts = append(acts, desk.Act{Name: desk.ActRemind, Label: "Remind them again", Icon: "send"})
	}
	return acts
}

// noMail, noReminders and remindAgain write down what a customer told a member of staff. From then on every send obeys
// it.
func (s *Server) noMail(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.writeChoice(w, r, who, desk.ActNoMail)
}

func (s *Server) noReminders(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.writeChoice(w, r, who, desk.ActNoReminders)
}

func (s *Server) remindAgain(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.writeChoice(w, r, who, desk.ActRemind)
}

// writeChoice keeps what a customer told a member of staff about our reminders; act says which choice it is.
func (s *Server) writeChoice(w http.ResponseWriter, r *http.Request, who staff.Member, act string) error {
	customer, typed := r.PathValue("id"), r.PostFormValue("reason")
	note, wrong := cleanNote(typed, true)
	if wrong != "" {
		return s.askAgain(w, r, who, customer, func(p desk.CustomerPage, _ record) *desk.Question {
			return desk.ChoiceQuestion(p, act, desk.Note{Value: typed, Fault: wrong})
		})
	}
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		changed, err := s.Cases.Choose(r.Context(), tx, customer, func(c contact.Choices) contact.Choices {
			c.NoMail, c.NoApp = act != desk.ActRemind, act == desk.ActNoReminders || act == desk.ActNoMail && c.NoApp
			c.Source, c.Words, c.Actor = contact.FromStaff, note, who.Name
			return c
		}, s.Now())
		if err != nil {
			return err
		}
		if !changed {
			return fault.New(fault.Conflict, "That is how it stands already; somebody else wrote it down meanwhile.")
		}
		return s.audit(r, tx, who, "choices."+act, customer, "")
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, customer, act)
}
