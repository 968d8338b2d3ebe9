package web

import (
	"cmp"
	"database/sql"
	"net/http"
	"net/url"
	"slices"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/internal/support"
	"sollecito/views/desk"
)

// mostThreads is how many conversations the inbox lists; the longest waiting always come first.
const mostThreads = 200

// showInbox draws the conversations, those that wait for an answer or all.
func (s *Server) showInbox(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p := desk.InboxPage{Frame: s.deskFrame(r), Waiting: r.URL.Query().Get("view") != "all"}
	p.Nav = desk.NavInbox
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		briefs, err := s.Talks.List(r.Context(), tx, mostThreads)
		if err != nil {
			return err
		}
		var ids []string
		for _, b := range briefs {
			ids = append(ids, b.CustomerID)
		}
		customers, err := billing.CustomersByID(r.Context(), tx, ids)
		if err != nil {
			return err
		}
		for _, b := range briefs {
			waiting := b.Status == support.Waiting
			if p.Waiting && !waiting {
				continue
			}
			who := customers[b.CustomerID]
			p.Threads = append(p.Threads, desk.Thread{
				ID: b.ID, CustomerID: b.CustomerID, Name: cmp.Or(who.Name, who.Email), Excerpt: excerpt(b.Last.Body, 120),
				FromStaff: !b.Last.FromCustomer(), At: s.at(b.Last.At), Waiting: waiting,
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Inbox(p))
	return nil
}

// showConversation draws one conversation with its answer form. Reading it is written down.
func (s *Server) showConversation(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	p, err := s.conversationPage(r, who)
	if err != nil {
		return err
	}
	err = s.looked(r, who, "conversation.viewed", p.ID, p.CustomerID)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Conversation(p))
	return nil
}

// conversationPage builds the page.
func (s *Server) conversationPage(r *http.Request, who staff.Member) (desk.ConversationPage, error) {
	p := desk.ConversationPage{Frame: s.deskFrame(r), MayReply: who.Role.May(staff.Act), Limit: support.Longest}
	p.Nav = desk.NavInbox
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		talk, messages, err := s.Talks.Find(r.Context(), tx, r.PathValue("id"))
		if err != nil {
			return err
		}
		customer, err := billing.FindCustomer(r.Context(), tx, talk.CustomerID)
		if err != nil {
			return err
		}
		p.ID, p.CustomerID, p.Name, p.Email = talk.ID, customer.ID, customer.Name, customer.Email
		p.Language = s.languageOf(customer).EnglishName()
		notices, err := outbox.OfCustomer(r.Context(), tx, customer.ID)
		if err != nil {
			return err
		}
		for _, m := range messages {
			p.Messages = append(p.Messages, s.deskMessage(m, customer, notices))
		}
		c, err := s.Cases.LatestOf(r.Context(), tx, customer.ID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		pauses, err := s.Cases.ActivePauses(r.Context(), tx, c.ID)
		if err != nil {
			return err
		}
		var reasons []dunning.PauseReason
		for _, pause := range pauses {
			reasons = append(reasons, pause.Reason)
		}
		p.State = s.stateOf(c, customer, reasons)
		p.Resting = slices.Contains(reasons, dunning.PauseConversation)
		return nil
	})
	return p, err
}

// deskMessage is one thing said, with what became of its mail when it is ours.
func (s *Server) deskMessage(m support.Message, customer billing.Customer, notices []outbox.Notice) desk.Message {
	said := desk.Message{FromStaff: !m.FromCustomer(), Author: m.Name, Text: m.Body, At: s.at(m.At)}
	if m.FromCustomer() {
		said.Author = cmp.Or(customer.Name, customer.Email, customer.ID)
		switch {
		case m.Sender != "":
			said.Author = m.Sender + " (by mail, not the address on file)"
		case m.MailID != "":
			said.Author += " (by mail)"
		}
		for _, a := range m.Attachments {
			said.NotKept = append(said.NotKept, a.String())
		}
		return said
	}
	for _, n := range notices {
		if n.Kind != outbox.Reply || n.SubjectID != m.ID {
			continue
		}
		said.Delivery = s.becameOf(n)
		if n.Written() {
			said.CopyURL = "/admin/notices/" + url.PathEscape(n.ID)
		}
	}
	return said
}

// reply sends staff's answer. What cannot be taken is shown again with what was typed.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	id, typed := r.PathValue("id"), r.PostFormValue("text")
	err := s.Talks.Reply(r.Context(), id, typed, support.Speaker{
		ID: who.ID, Name: who.Name, Role: string(who.Role), IP: visitOf(r).ip.String(), Request: visitOf(r).id,
	})
	if fault.Is(err, fault.Invalid) {
		p, pageErr := s.conversationPage(r, who)
		if pageErr != nil {
			return pageErr
		}
		p.Text, p.Fault = typed, answerFault(err)
		s.show(w, r, http.StatusUnprocessableEntity, desk.Conversation(p))
		return nil
	}
	if err != nil {
		return err
	}
	s.Wake()
	return s.tellDesk(w, r, "/admin/conversations/"+url.PathEscape(id), "replied")
}

// answerFault is the sentence for an answer that could not be taken.
func answerFault(err error) string {
	switch fault.MessageOf(err) {
	case support.FaultCard:
		return "This looks like a card number. Card numbers must never be sent or kept."
	case support.FaultLong:
		return "That is too long. Please say it in fewer words."
	}
	return "Write your answer first."
}
