package web

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// staffHandler does one thing for a member of staff and returns what went wrong.
type staffHandler func(w http.ResponseWriter, r *http.Request, who staff.Member) error

// deskRoute is one route below /admin and the right it asks for.
type deskRoute struct {
	pattern string
	right   staff.Right
	serve   staffHandler
}

// anybody marks the routes that are there to get in; they are served without a member.
const anybody staff.Right = ""

// deskTable is every route of the staff pages. A test walks it with every role.
func (s *Server) deskTable() []deskRoute {
	return []deskRoute{
		{"GET /admin/signin", anybody, s.showSignIn},
		{"POST /admin/signin", anybody, s.signIn},
		{"POST /admin/signout", anybody, s.signOut},
		{"GET /admin/enrol/{token}", anybody, s.showEnrol},
		{"POST /admin/enrol/{token}", anybody, s.enrol},
		{"GET /admin/{$}", anybody, s.toToday},

		{"GET /admin", staff.See, s.showToday},
		{"GET /admin/customers/{id}", staff.See, s.showCustomer},
		{"GET /admin/notices/{id}", staff.See, s.showNotice},
		{"GET /admin/notices/{id}/html", staff.See, s.showNoticeHTML},
		{"GET /admin/inbox", staff.See, s.showInbox},
		{"GET /admin/conversations/{id}", staff.See, s.showConversation},
		{"GET /admin/sending", staff.See, s.showSending},

		{"POST /admin/cases/{id}/pause", staff.Act, s.pauseCase},
		{"POST /admin/cases/{id}/resume", staff.Act, s.resumeCase},
		{"POST /admin/cases/{id}/release", staff.Act, s.releaseCase},
		{"POST /admin/cases/{id}/announce", staff.Act, s.announceAgain},
		{"POST /admin/conversations/{id}/reply", staff.Act, s.reply},

		{"POST /admin/customers/{id}/mail-again", staff.Steer, s.mailAgain},
		{"POST /admin/customers/{id}/revoke", staff.Steer, s.revokeLinks},
		{"POST /admin/sending/stop", staff.Steer, s.stopSending},
		{"POST /admin/sending/resume", staff.Steer, s.resumeSending},

		{"GET /admin/audit", staff.Administer, s.showAudit},
	}
}

func (s *Server) deskRoutes(mux *http.ServeMux) {
	for _, route := range s.deskTable() {
		if route.right == anybody {
			mux.Handle(route.pattern, s.page(func(w http.ResponseWriter, r *http.Request) error {
				return route.serve(w, r, staff.Member{})
			}))
			continue
		}
		mux.Handle(route.pattern, s.desk(route.right, route.serve))
	}
}

func (s *Server) toToday(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	http.Redirect(w, r, "/admin", http.StatusSeeOther)
	return nil
}

// staffCookie is the name of the cookie that carries a member's session. Browsers drop the prefix over http.
func (s *Server) staffCookie() string {
	if s.Addresses.Secure() {
		return "__Host-sollecito-staff"
	}
	return "sollecito-staff"
}

// setStaffCookie hands the session to the browser, "" takes it away. The cookie is Strict: no link from elsewhere
// opens a staff page in somebody's name.
func (s *Server) setStaffCookie(w http.ResponseWriter, token string) {
	age := 0
	if token == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.staffCookie(), Value: token, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.Addresses.Secure(), SameSite: http.SameSiteStrictMode,
	})
}

type memberKey struct{}

func withMember(r *http.Request, who staff.Member) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), memberKey{}, who))
}

// memberOf answers who is signed in, or fault.SignedOut.
func (s *Server) memberOf(r *http.Request) (staff.Member, error) {
	who, known := r.Context().Value(memberKey{}).(staff.Member)
	if known {
		return who, nil
	}
	cookie, err := r.Cookie(s.staffCookie())
	if err != nil || cookie.Value == "" {
		return staff.Member{}, fault.New(fault.SignedOut, "Your session has ended, or you were not signed in. Nothing has changed.")
	}
	return s.Members.BySession(r.Context(), cookie.Value)
}

// callerOf is where a request came from, for the list of sessions and the audit log.
func callerOf(r *http.Request) staff.Caller {
	const longestAgent = 300
	agent := []rune(r.UserAgent())
	return staff.Caller{IP: visitOf(r).ip.String(), Agent: string(agent[:min(len(agent), longestAgent)]), Request: visitOf(r).id}
}

// SignInAs opens a session for a member without a password and leads to their pages: for the demo, whose visitors
// have none. Errors as staff.Members.OpenSession.
func (s *Server) SignInAs(w http.ResponseWriter, r *http.Request, memberID string) error {
	token, err := s.Members.OpenSession(r.Context(), memberID, callerOf(r))
	if err != nil {
		return err
	}
	s.setStaffCookie(w, token)
	http.Redirect(w, r, "/admin", http.StatusSeeOther)
	return nil
}

// deskFrame is what every staff page carries. For somebody who is not signed in it tells nothing of what is
// inside. Figures that cannot be read are left out rather than failing the page, which may be an error's.
func (s *Server) deskFrame(r *http.Request) desk.Frame {
	f := desk.Frame{
		Locale: s.Catalog.Locale("en"), Merchant: s.Merchant.Name, Now: s.Now().In(s.Zone), TestMode: s.TestMode,
		Nonce: visitOf(r).nonce, Asset: s.Assets.Path,
	}
	who, err := s.memberOf(r)
	if err != nil {
		return f
	}
	f.Staff = desk.Staff{Name: who.Name, Email: who.Email, Role: string(who.Role)}
	f.Flash = done(r)
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		state, err := dunning.SendingSwitch(r.Context(), tx)
		if err != nil {
			return err
		}
		f.Sending = desk.Switch{Stopped: state.Stopped, Since: s.zoned(state.Since), By: state.By, Reason: state.Reason}
		f.Counts.NeedsPerson, err = s.Cases.CountNeeding(r.Context(), tx)
		if err != nil {
			return err
		}
		f.Counts.Inbox, err = s.Talks.CountWaiting(r.Context(), tx)
		return err
	})
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "figures of the frame could not be read", "request", visitOf(r).id, "err", err)
	}
	return f
}

// doings are what a page says after a form did its work. The address carries only the key, so that nobody can
// write a sentence of their own onto our pages.
var doings = map[string]desk.Flash{
	"paused":     {Tone: desk.Good, Text: "Reminders are paused. They go on when somebody resumes them."},
	"resumed":    {Tone: desk.Good, Text: "Your pause has ended."},
	"released":   {Tone: desk.Good, Text: "Reminders have started."},
	"announced":  {Tone: desk.Good, Text: "A fresh mail with the new date is on its way."},
	"revoked":    {Tone: desk.Good, Text: "Their links have ended. None that was sent before opens anything."},
	"mail_again": {Tone: desk.Good, Text: "They may be written to again. What was left out meanwhile is not sent afterwards."},
	"replied":    {Tone: desk.Good, Text: "Your answer is on its way."},
	"stopped":    {Tone: desk.Wait, Text: "Sending is stopped for everybody."},
	"sending":    {Tone: desk.Good, Text: "Sending goes on."},
}

func done(r *http.Request) *desk.Flash {
	said, known := doings[r.URL.Query().Get("done")]
	if !known || r.Method != http.MethodGet {
		return nil
	}
	return &said
}

// zoned is an instant as staff read it, in the merchant's zone; no instant stays none.
func (s *Server) zoned(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(s.Zone)
}

// at is a stored instant as staff read it; 0 is none.
func (s *Server) at(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).In(s.Zone)
}

// audit writes down who did what in the transaction of the deed. object is an id and detail a few words without
// names, so that forgetting a customer leaves the log whole.
func (s *Server) audit(r *http.Request, tx *sql.Tx, who staff.Member, action, object, detail string) error {
	return audit.Append(r.Context(), tx, audit.Entry{
		At: s.Now(), Actor: who.ID, Role: string(who.Role), Action: action, Object: object, Detail: detail,
		IP: visitOf(r).ip.String(), Request: visitOf(r).id,
	})
}

// looked writes down that somebody read a customer's record, before they get to.
func (s *Server) looked(r *http.Request, who staff.Member, action, object, customer string) error {
	return s.DB.Do(r.Context(), func(tx *sql.Tx) error { return s.audit(r, tx, who, action, object, customer) })
}
