package web

import (
	"database/sql"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// Limits on tries to sign in from one place. Guessing at one account is slowed down by its own waits; this is for
// trying one password at many accounts.
const (
	mostSignIns   = 300
	signInsWithin = 10 * time.Minute
)

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	back := r.URL.Query().Get("back")
	if back != "" {
		back = deskPath(back)
	}
	at, err := s.seatOf(r)
	if err == nil {
		http.Redirect(w, r, further(at, back), http.StatusSeeOther)
		return nil
	}
	if !fault.Is(err, fault.SignedOut) {
		return err
	}
	s.show(w, r, http.StatusOK, desk.SignIn(desk.SignInPage{Frame: s.deskFrame(r), Back: back}))
	return nil
}

// further is where somebody goes on from how far they have come in.
func further(at seat, back string) string {
	next := ""
	switch {
	case at.Standing == staff.Full:
		return deskPath(back)
	case at.Standing == staff.Keeping:
		next = "/admin/factor/codes"
	case at.Factor:
		next = "/admin/signin/code"
	default:
		next = "/admin/factor"
	}
	if back != "" {
		next += "?back=" + escape(back)
	}
	return next
}

// deskPath answers an absolute path of the staff pages, the list of cases for anything else.
func deskPath(back string) string {
	path := ownPath(back, "/admin")
	if path != "/admin" && !strings.HasPrefix(path, "/admin/") && !strings.HasPrefix(path, "/admin?") || strings.HasPrefix(path, "/admin/sign") {
		return "/admin"
	}
	return path
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p := desk.SignInPage{Frame: s.deskFrame(r), Email: strings.TrimSpace(r.PostFormValue("email"))}
	back := r.PostFormValue("back")
	if back != "" {
		p.Back = deskPath(back)
	}
	err := s.withinSignIns(r)
	if err != nil {
		return err
	}
	token, who, err := s.Members.SignIn(r.Context(), p.Email, r.PostFormValue("password"), s.callerOf(r))
	var later *staff.TryLater
	switch {
	case errors.As(err, &later):
		p.Wait = later.Wait
		w.Header().Set("Retry-After", strconv.Itoa(int(later.Wait.Seconds())+1))
		s.show(w, r, http.StatusTooManyRequests, desk.SignIn(p))
		return nil
	case fault.Is(err, fault.Invalid):
		p.Refused = true
		s.show(w, r, http.StatusUnprocessableEntity, desk.SignIn(p))
		return nil
	case err != nil:
		return err
	}
	err = s.comeIn(w, r, token)
	if err != nil {
		return err
	}
	http.Redirect(w, r, further(seat{Session: staff.Session{Member: who, Standing: staff.Half}}, p.Back), http.StatusSeeOther)
	return nil
}

// comeIn hands the browser its new session and ends the one it had, so that none is left open behind it.
func (s *Server) comeIn(w http.ResponseWriter, r *http.Request, token string) error {
	before, err := r.Cookie(s.staffCookie())
	if err == nil {
		err = s.Members.SignOut(r.Context(), before.Value, s.callerOf(r))
		if err != nil {
			return err
		}
	}
	s.setStaffCookie(w, token)
	return nil
}

// placeOf is the network a limit counts by: a household has all of an IPv6 /64.
func placeOf(ip netip.Addr) string {
	if !ip.Is6() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return network.String()
}

func (s *Server) withinSignIns(r *http.Request) error {
	var within bool
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		var err error
		within, err = database.Within(r.Context(), tx, "sign-in "+placeOf(visitOf(r).ip), signInsWithin, mostSignIns, s.Real())
		return err
	})
	if err != nil {
		return err
	}
	if !within {
		return fault.New(fault.TooMany, "There were very many tries from your network. Please wait a few minutes.")
	}
	return nil
}

// signOut ends the session here and on the server. Cookies are left alone otherwise: Clear-Site-Data would take
// those of the merchant's whole domain with it.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	cookie, err := r.Cookie(s.staffCookie())
	if err == nil {
		err = s.Members.SignOut(r.Context(), cookie.Value, s.callerOf(r))
		if err != nil {
			return err
		}
	}
	s.setStaffCookie(w, "")
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, "/admin/signin", http.StatusSeeOther)
	return nil
}

func (s *Server) showEnrol(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p, err := s.enrolPage(r)
	if err != nil {
		return err
	}
	if p.Dead {
		s.show(w, r, http.StatusNotFound, desk.Enrol(p))
		return nil
	}
	s.show(w, r, http.StatusOK, desk.Enrol(p))
	return nil
}

func (s *Server) enrolPage(r *http.Request) (desk.EnrolPage, error) {
	token := r.PathValue("token")
	p := desk.EnrolPage{Frame: s.deskFrame(r), Action: "/admin/enrol/" + url.PathEscape(token), Minimum: staff.ShortestPassword}
	who, err := s.Members.CheckEnrolment(r.Context(), token)
	if fault.Is(err, fault.NotFound) {
		p.Dead = true
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.Email, p.Role, p.Name = who.Email, string(who.Role), who.Name
	return p, nil
}

func (s *Server) enrol(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	name := r.PostFormValue("name")
	token, who, err := s.Members.Enrol(r.Context(), r.PathValue("token"), name, r.PostFormValue("password"), s.callerOf(r))
	if err == nil {
		err = s.comeIn(w, r, token)
		if err != nil {
			return err
		}
		http.Redirect(w, r, further(seat{Session: staff.Session{Member: who, Standing: staff.Half}}, ""), http.StatusSeeOther)
		return nil
	}
	if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
		return err
	}
	p, pageErr := s.enrolPage(r)
	if pageErr != nil {
		return pageErr
	}
	if p.Dead {
		s.show(w, r, http.StatusNotFound, desk.Enrol(p))
		return nil
	}
	field := "password"
	if staff.AboutName(err) {
		field = "name"
	}
	p.Faults = []desk.Fault{{Field: field, Text: fault.MessageOf(err) + "."}}
	if strings.TrimSpace(name) != "" {
		p.Name = name
	}
	s.show(w, r, http.StatusUnprocessableEntity, desk.Enrol(p))
	return nil
}
