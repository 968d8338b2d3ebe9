package web

import (
	"net/http"
	"net/url"
	"strings"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

func (s *Server) showAccount(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	account, err := s.Members.AccountOf(r.Context(), who.ID)
	if err != nil {
		return err
	}
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	p := desk.AccountPage{Frame: s.deskFrame(r), Codes: int(account.Codes), Since: s.at(account.FactorAt), Sessions: s.sessionRows(account.Sessions, at.ID)}
	s.show(w, r, http.StatusOK, desk.Account(p))
	return nil
}

func (s *Server) sessionRows(open []staff.OpenSession, here string) []desk.SessionRow {
	rows := make([]desk.SessionRow, len(open))
	for i, o := range open {
		rows[i] = desk.SessionRow{ID: o.ID, Browser: staff.BrowserOf(o.Agent), From: o.IP, Since: s.at(o.Since), SeenAt: s.at(o.SeenAt), Here: o.ID == here}
	}
	return rows
}

// endOwnSessions ends the named session of one's own, or all others when none is named.
func (s *Server) endOwnSessions(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	id := r.PostFormValue("id")
	err = s.Members.EndOwn(r.Context(), at.token, id, s.callerOf(r))
	if err != nil {
		return err
	}
	said := "others"
	if id != "" {
		said = "ended"
	}
	return s.tellDesk(w, r, "/admin/account", said)
}

func (s *Server) showPassword(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	s.show(w, r, http.StatusOK, desk.Password(desk.PasswordPage{Frame: s.deskFrame(r), Minimum: staff.ShortestPassword}))
	return nil
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	err = s.Members.ChangePassword(r.Context(), at.token, r.PostFormValue("password"), s.callerOf(r))
	if fault.Is(err, fault.Invalid) {
		p := desk.PasswordPage{Frame: s.deskFrame(r), Minimum: staff.ShortestPassword, Fault: fault.MessageOf(err) + "."}
		s.show(w, r, http.StatusUnprocessableEntity, desk.Password(p))
		return nil
	}
	if err != nil {
		return err
	}
	s.Wake()
	return s.tellDesk(w, r, "/admin/account", "password")
}

func (s *Server) newCodes(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	entry, err := s.Members.NewCodes(r.Context(), at.token, s.callerOf(r))
	if err != nil {
		return err
	}
	s.Wake()
	s.enter(w, entry)
	http.Redirect(w, r, "/admin/factor/codes?back="+escape("/admin/account"), http.StatusSeeOther)
	return nil
}

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	p, err := s.peoplePage(r, who)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.People(p))
	return nil
}

func (s *Server) peoplePage(r *http.Request, who staff.Member) (desk.PeoplePage, error) {
	p := desk.PeoplePage{Frame: s.deskFrame(r), Chose: string(staff.Agent)}
	p.Nav = desk.NavPeople
	all, err := s.Members.List(r.Context())
	if err != nil {
		return p, err
	}
	for _, m := range all {
		p.People = append(p.People, s.person(m, who))
	}
	return p, nil
}

func (s *Server) person(m, viewer staff.Member) desk.Person {
	return desk.Person{
		ID: m.ID, Name: m.Name, Email: m.Email, Role: string(m.Role), Enrolled: m.Enrolled, Factor: m.Factor, Disabled: m.Disabled,
		SignedInAt: s.at(m.SignedInAt), Self: m.ID == viewer.ID,
	}
}

// addPerson makes a new colleague. Their one-use address is on the answer itself, since nothing but its hash is kept;
// sent again the form makes a fresh one and says that they are on staff.
func (s *Server) addPerson(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	email, name, role := strings.ToLower(strings.TrimSpace(r.PostFormValue("email"))), r.PostFormValue("name"), r.PostFormValue("role")
	p, err := s.peoplePage(r, who)
	if err != nil {
		return err
	}
	for _, known := range p.People {
		if known.Email == email {
			p.Faults = []desk.Fault{{Field: "email", Text: "This address is on staff already: choose it in the list."}}
		}
	}
	if !staff.Role(role).Valid() {
		p.Faults = append(p.Faults, desk.Fault{Field: "role", Text: "Choose one of the roles."})
	}
	var token string
	if len(p.Faults) == 0 {
		token, err = s.Members.Invite(r.Context(), s.handOf(r, who), email, name, staff.Role(role))
	}
	if fault.Is(err, fault.Invalid) {
		field := "email"
		if staff.AboutName(err) {
			field = "name"
		}
		p.Faults, err = []desk.Fault{{Field: field, Text: fault.MessageOf(err) + "."}}, nil
	}
	if err != nil {
		return err
	}
	if len(p.Faults) > 0 {
		p.Email, p.Name, p.Chose = email, name, role
		s.show(w, r, http.StatusUnprocessableEntity, desk.People(p))
		return nil
	}
	p, err = s.peoplePage(r, who)
	if err != nil {
		return err
	}
	p.Invited = &desk.Invited{Email: email, Role: role, Address: s.Addresses.Enrolment(token)}
	s.show(w, r, http.StatusOK, desk.People(p))
	return nil
}

func (s *Server) showPerson(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	p, err := s.personPage(r, who)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.PersonOf(p))
	return nil
}

func (s *Server) personPage(r *http.Request, who staff.Member) (desk.PersonPage, error) {
	p := desk.PersonPage{Frame: s.deskFrame(r)}
	p.Nav = desk.NavPeople
	m, err := s.Members.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return p, err
	}
	account, err := s.Members.AccountOf(r.Context(), m.ID)
	if err != nil {
		return p, err
	}
	p.Person, p.Sessions = s.person(m, who), s.sessionRows(account.Sessions, "")
	s.toldWhile(r, &p.Frame, map[string]bool{"disabled": m.Disabled, "reset": !m.Factor, "signedout": len(p.Sessions) == 0})
	return p, nil
}

// renewPerson makes a fresh one-use address for somebody who lost their password or comes back.
func (s *Server) renewPerson(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	m, err := s.Members.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	token, err := s.Members.Invite(r.Context(), s.handOf(r, who), m.Email, "", "")
	if err != nil {
		return err
	}
	p, err := s.personPage(r, who)
	if err != nil {
		return err
	}
	p.Invited = &desk.Invited{Email: m.Email, Role: string(m.Role), Address: s.Addresses.Enrolment(token)}
	s.show(w, r, http.StatusOK, desk.PersonOf(p))
	return nil
}

func (s *Server) changeRole(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.toPerson(w, r, "role", s.Members.SetRole(r.Context(), s.handOf(r, who), r.PathValue("id"), staff.Role(r.PostFormValue("role"))))
}

func (s *Server) signPersonOut(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.toPerson(w, r, "signedout", s.Members.EndSessions(r.Context(), s.handOf(r, who), r.PathValue("id")))
}

func (s *Server) resetFactor(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	err := s.Members.ResetFactor(r.Context(), s.handOf(r, who), r.PathValue("id"))
	s.Wake()
	return s.toPerson(w, r, "reset", err)
}

func (s *Server) disablePerson(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	return s.toPerson(w, r, "disabled", s.Members.Disable(r.Context(), s.handOf(r, who), r.PathValue("id")))
}

// toPerson leads back to somebody's page after a deed, unless it failed.
func (s *Server) toPerson(w http.ResponseWriter, r *http.Request, said string, err error) error {
	if err != nil {
		return err
	}
	return s.tellDesk(w, r, "/admin/people/"+url.PathEscape(r.PathValue("id")), said)
}
