package web

import (
	"context"
	"database/sql"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// staffHandler does one thing for a member of staff and returns what went wrong.
type staffHandler func(w http.ResponseWriter, r *http.Request, who staff.Member) error

// deskRoute is one route below /admin and the right it asks for. sure marks what must not be done in somebody's name
// at a desk they left: it asks for both factors again unless they were given within five minutes.
type deskRoute struct {
	pattern string
	right   staff.Right
	serve   staffHandler
	sure    bool
}

// anybody marks the routes that are there to get in; they are served without a member.
const anybody staff.Right = "anybody"

// deskTable is every route of the staff pages. A test walks it with every role.
func (s *Server) deskTable() []deskRoute {
	return []deskRoute{
		{"GET /admin/signin", anybody, s.showSignIn, false},
		{"POST /admin/signin", anybody, s.signIn, false},
		{"GET /admin/signin/code", anybody, s.showCode, false},
		{"POST /admin/signin/code", anybody, s.enterCode, false},
		{"POST /admin/signout", anybody, s.signOut, false},
		{"GET /admin/enrol/{token}", anybody, s.showEnrol, false},
		{"POST /admin/enrol/{token}", anybody, s.enrol, false},
		{"GET /admin/factor", anybody, s.showFactor, false},
		{"POST /admin/factor", anybody, s.finishFactor, false},
		{"GET /admin/factor/codes", anybody, s.showCodes, false},
		{"POST /admin/factor/codes", anybody, s.keepCodes, false},
		{"GET /admin/{$}", anybody, s.toToday, false},

		{"GET /admin", staff.See, s.showToday, false},
		{"GET /admin/customers/{id}", staff.See, s.showCustomer, false},
		{"GET /admin/notices/{id}", staff.See, s.showNotice, false},
		{"GET /admin/notices/{id}/html", staff.See, s.showNoticeHTML, false},
		{"GET /admin/inbox", staff.See, s.showInbox, false},
		{"GET /admin/conversations/{id}", staff.See, s.showConversation, false},
		{"GET /admin/sending", staff.See, s.showSending, false},

		{"GET /admin/confirm", staff.See, s.showConfirm, false},
		{"POST /admin/confirm", staff.See, s.confirm, false},
		{"GET /admin/account", staff.See, s.showAccount, false},
		{"POST /admin/account/sessions", staff.See, s.endOwnSessions, false},
		{"GET /admin/account/password", staff.See, s.showPassword, true},
		{"POST /admin/account/password", staff.See, s.changePassword, true},
		{"POST /admin/account/codes", staff.See, s.newCodes, true},

		{"POST /admin/cases/{id}/pause", staff.Act, s.pauseCase, false},
		{"POST /admin/cases/{id}/resume", staff.Act, s.resumeCase, false},
		{"POST /admin/cases/{id}/release", staff.Act, s.releaseCase, false},
		{"POST /admin/cases/{id}/announce", staff.Act, s.announceAgain, false},
		{"POST /admin/cases/{id}/promise", staff.Act, s.setPromise, false},
		{"POST /admin/cases/{id}/promise/end", staff.Act, s.takeBackPromise, false},
		{"POST /admin/customers/{id}/wish", staff.Act, s.seenToWish, false},
		{"POST /admin/conversations/{id}/reply", staff.Act, s.reply, false},
		{"POST /admin/cases/{id}/final", staff.Steer, s.doFinal, true}, // it cannot be undone
		{"POST /admin/cases/{id}/final/decline", staff.Steer, s.spareFinal, true},
		{"POST /admin/cases/{id}/charge", staff.Steer, s.chargeCase, true}, // moves money
		{"POST /admin/customers/{id}/mail-again", staff.Steer, s.mailAgain, false},
		{"POST /admin/customers/{id}/no-mail", staff.Act, s.noMail, false},
		{"POST /admin/customers/{id}/no-reminders", staff.Act, s.noReminders, false},
		{"POST /admin/customers/{id}/remind", staff.Steer, s.remindAgain, false},

		{"GET /admin/imported", staff.Steer, s.showImported, false},
		{"GET /admin/imported/release", staff.Steer, s.askRelease, false},
		{"POST /admin/imported/release", staff.Steer, s.releaseImported, true}, // mail to hundreds
		{"POST /admin/customers/{id}/revoke", staff.Steer, s.revokeLinks, true},
		{"GET /admin/interest/{id}", staff.Steer, s.showInterest, false},
		{"POST /admin/customers/{id}/interest", staff.Steer, s.confirmInterest, true},
		{"POST /admin/interest/{id}/withdraw", staff.Steer, s.withdrawInterest, false},
		{"POST /admin/sending/stop", staff.Steer, s.stopSending, false}, // in an emergency nothing stands in the way
		{"POST /admin/sending/resume", staff.Steer, s.resumeSending, true},

		{"GET /admin/people", staff.Administer, s.showPeople, false},
		{"POST /admin/people", staff.Administer, s.addPerson, true},
		{"GET /admin/people/{id}", staff.Administer, s.showPerson, false},
		{"POST /admin/people/{id}/role", staff.Administer, s.changeRole, true},
		{"POST /admin/people/{id}/signout", staff.Administer, s.signPersonOut, true},
		{"POST /admin/people/{id}/renew", staff.Administer, s.renewPerson, true},
		{"POST /admin/people/{id}/factor", staff.Administer, s.resetFactor, true},
		{"POST /admin/people/{id}/disable", staff.Administer, s.disablePerson, true},
		{"GET /admin/keys", staff.Administer, s.showKeys, false},
		{"POST /admin/keys", staff.Administer, s.makeKey, true},
		{"POST /admin/keys/{id}/end", staff.Administer, s.endKey, true},
		{"GET /admin/webhooks", staff.Administer, s.showWebhooks, false},
		{"POST /admin/webhooks", staff.Administer, s.addWebhook, true},
		{"GET /admin/webhooks/{id}", staff.Administer, s.showWebhook, false},
		{"POST /admin/webhooks/{id}", staff.Administer, s.changeWebhook, true}, // elsewhere from now on
		{"POST /admin/webhooks/{id}/secret", staff.Administer, s.renewWebhook, true},
		{"POST /admin/webhooks/{id}/test", staff.Administer, s.testWebhook, false},
		{"POST /admin/webhooks/{id}/again", staff.Administer, s.deliverAllAgain, false},
		{"POST /admin/deliveries/{id}/again", staff.Administer, s.deliverAgain, false},
		{"POST /admin/webhooks/{id}/disable", staff.Administer, s.disableWebhook, true},
		{"POST /admin/webhooks/{id}/enable", staff.Administer, s.enableWebhook, true},
		{"POST /admin/webhooks/{id}/remove", staff.Administer, s.removeWebhook, true},
		{"GET /admin/audit", staff.Administer, s.showAudit, false},
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
		mux.Handle(route.pattern, s.desk(route))
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
	http.SetCookie(w, s.strict(s.staffCookie(), token, age))
}

// deviceAge is how long a browser keeps the name by which it is known, in seconds.
const deviceAge = 30 * 24 * 60 * 60

// setDeviceCookie gives a browser a name, if it has got a new one. It opens nothing: a sign-in from it is not slowed
// down by strangers' guesses, and not told by mail.
func (s *Server) setDeviceCookie(w http.ResponseWriter, device string) {
	if device != "" {
		http.SetCookie(w, s.strict(s.staffCookie()+"-device", device, deviceAge))
	}
}

func (s *Server) strict(name, value string, age int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.Addresses.Secure(), SameSite: http.SameSiteStrictMode}
}

// seat is who sits in front of the page, and the token their browser holds from now on.
type seat struct {
	staff.Session
	token string
}

type seatKey struct{}

func withSeat(r *http.Request, at seat) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), seatKey{}, at))
}

// seatOf answers whose session the browser has, however far they have come in, or fault.SignedOut.
func (s *Server) seatOf(r *http.Request) (seat, error) {
	known, found := r.Context().Value(seatKey{}).(seat)
	if found {
		return known, nil
	}
	cookie, err := r.Cookie(s.staffCookie())
	if err != nil || cookie.Value == "" {
		return seat{}, notSignedIn()
	}
	open, err := s.Members.BySession(r.Context(), cookie.Value)
	return seat{Session: open, token: cookie.Value}, err
}

func notSignedIn() error {
	return fault.New(fault.SignedOut, "Your session has ended, or you were not signed in. Nothing has changed.")
}

// memberOf answers who is signed in with both factors, or fault.SignedOut.
func (s *Server) memberOf(r *http.Request) (staff.Member, error) {
	at, err := s.seatOf(r)
	if err == nil && at.Standing != staff.Full {
		err = notSignedIn()
	}
	return at.Member, err
}

// callerOf is where a request came from, for the list of sessions and the audit log.
func (s *Server) callerOf(r *http.Request) staff.Caller {
	const longestAgent = 300
	agent := []rune(strings.ToValidUTF8(r.UserAgent(), ""))
	ip := visitOf(r).ip
	if !ip.IsValid() { // it came by the demo's own way
		ip = s.clientIP(r)
	}
	c := staff.Caller{IP: addressOf(ip), Agent: string(agent[:min(len(agent), longestAgent)]), Request: visitOf(r).id}
	device, err := r.Cookie(s.staffCookie() + "-device")
	if err == nil {
		c.Device = device.Value
	}
	return c
}

// addressOf is an address as it is written, "" for none.
func addressOf(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

// handOf is a member doing something to somebody's account.
func (s *Server) handOf(r *http.Request, who staff.Member) staff.Hand {
	return staff.Hand{Caller: s.callerOf(r), ID: who.ID, Role: who.Role}
}

// SignInAs opens a session for a member without password and second factor and leads to their pages. No route does: it
// is for the demo, which has one of its own and serve has not. Errors as staff.Members.OpenSession.
func (s *Server) SignInAs(w http.ResponseWriter, r *http.Request, memberID string) error {
	token, err := s.Members.OpenSession(r.Context(), memberID, s.callerOf(r))
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
	f.Flash = s.done(r)
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		state, err := dunning.SendingSwitch(r.Context(), tx)
		if err != nil {
			return err
		}
		f.Sending = desk.Switch{Stopped: state.Stopped, Since: s.zoned(state.Since), By: state.By, Reason: state.Reason, PutBack: state.PutBack()}
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

// doings are what a page says after a form did its work. The address carries only the key and a mark of the session, so
// that nobody can put a sentence onto our pages, neither one of their own nor one of these that is not true.
var doings = map[string]desk.Flash{
	"paused":             {Tone: desk.Good, Text: "Reminders are paused. They go on when somebody resumes them."},
	"resumed":            {Tone: desk.Good, Text: "Your pause has ended."},
	"released":           {Tone: desk.Good, Text: "Reminders have started."},
	"announced":          {Tone: desk.Good, Text: "A fresh mail with the new date is on its way."},
	"revoked":            {Tone: desk.Good, Text: "Their links have ended. None that was sent before opens anything."},
	"replied":            {Tone: desk.Good, Text: "Your answer is on its way."},
	"stopped":            {Tone: desk.Wait, Text: "Sending is stopped for everybody."},
	"sending":            {Tone: desk.Good, Text: "Sending goes on."},
	"ended":              {Tone: desk.Good, Text: "The session has ended."},
	"others":             {Tone: desk.Good, Text: "All your other sessions have ended."},
	"password":           {Tone: desk.Good, Text: "Your password is changed, and your other sessions have ended."},
	"kept":               {Tone: desk.Good, Text: "Your second factor and your recovery codes are in place."},
	"role":               {Tone: desk.Good, Text: "Their role is changed."},
	"signedout":          {Tone: desk.Good, Text: "They are signed out everywhere."},
	"reset":              {Tone: desk.Good, Text: "Their second factor is gone. They set up a new one after their next password."},
	"disabled":           {Tone: desk.Wait, Text: "They are shut out."},
	"mail_again":         {Tone: desk.Good, Text: "They may be written to again. What was left out meanwhile is not sent afterwards."},
	"no-mail":            {Tone: desk.Good, Text: "It is written down. No reminder is mailed to them any more."},
	"remind":             {Tone: desk.Good, Text: "It is written down. They are reminded again from the next step on."},
	"nobody":             {Tone: desk.Wait, Text: "Nothing has happened: nobody was chosen, or somebody has released them meanwhile."},
	"no-reminders":       {Tone: desk.Good, Text: "It is written down. They get no reminder at all any more."},
	"imported":           {Tone: desk.Good, Text: "They are released. Each goes back on its schedule on the day you were shown."},
	"promised":           {Tone: desk.Good, Text: "The day is set. Reminders rest until then, and a mail confirms it."},
	"taken_back":         {Tone: desk.Good, Text: "The day is taken back. Reminders go on by their schedule."},
	"seen_to":            {Tone: desk.Good, Text: "Their wish counts as seen to."},
	"charged":            {Tone: desk.Good, Text: "The charge went through."},
	"asked":              {Tone: desk.Wait, Text: "Stripe has not answered yet. The story below tells what came of it as soon as that is known; nothing is charged twice."},
	"debiting":           {Tone: desk.Good, Text: "The charge has begun. Reminders rest until the bank answers, which takes some days."},
	"refused":            {Tone: desk.Wait, Text: "Nothing was taken. The story below says why."},
	"final_ordered":      {Tone: desk.Good, Text: "It is decided. It happens in a moment, if Stripe says that nothing has been paid meanwhile."},
	"interest":           {Tone: desk.Good, Text: "Late interest is confirmed and kept. Its paper is below, as text; nothing was added at Stripe."},
	"interest_withdrawn": {Tone: desk.Good, Text: "Late interest is withdrawn."},
	"key_ended":          {Tone: desk.Good, Text: "The key has ended. Whoever asks with it is refused."},
	"hook_changed":       {Tone: desk.Good, Text: "The endpoint is changed. What waits for it goes to where it is now."},
	"hook_tested":        {Tone: desk.Good, Text: "A test is on its way. Load the page again in a moment to see what your app answered."},
	"hook_again":         {Tone: desk.Good, Text: "It is on its way again. Load the page again in a moment to see what your app answered."},
	"hook_disabled":      {Tone: desk.Wait, Text: "The endpoint is disabled and is told nothing."},
	"hook_enabled":       {Tone: desk.Good, Text: "The endpoint is enabled and is told from the next event on."},
	"hook_removed":       {Tone: desk.Good, Text: "The endpoint is removed."},
	"final_declined":     {Tone: desk.Good, Text: "It is left. Your reason stands in the line of time."},
}

func (s *Server) done(r *http.Request) *desk.Flash {
	said, known := doings[s.deedTold(r)]
	if !known {
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
