package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/internal/support"
	"sollecito/views/desk"
)

// toldFor is how long a page says what a form did, in real time: long enough to read it again after a look elsewhere, too
// short for what was true once to be taken for news.
const toldFor = 15 * time.Minute

// tellAt is the address of the page that says what a form just did. The mark in it is made with the secret of the session
// the form came in: whoever types such an address, or sends it to somebody, makes no page say anything.
func (s *Server) tellAt(path, done, session string) string {
	at := strconv.FormatInt(s.Real().Unix(), 10)
	return path + "?" + url.Values{"done": {done}, "told": {at + "." + toldMark(path, done, at, session)}}.Encode()
}

// toldIn is what a form of this session just did, as the address of the page that follows it says; "" when none did. It
// reads alone, as every GET does: a reload says it again.
func (s *Server) toldIn(r *http.Request, session string) string {
	query := r.URL.Query()
	done := query.Get("done")
	at, mark, _ := strings.Cut(query.Get("told"), ".")
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil || session == "" || r.Method != http.MethodGet || s.Real().Sub(time.Unix(unix, 0)) > toldFor {
		return ""
	}
	if !hmac.Equal([]byte(mark), []byte(toldMark(r.URL.EscapedPath(), done, at, session))) {
		return ""
	}
	return done
}

func toldMark(path, done, at, session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("told\n" + path + "\n" + done + "\n" + at))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// tellDesk leads to the staff page that says what a form just did.
func (s *Server) tellDesk(w http.ResponseWriter, r *http.Request, path, done string) error {
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	http.Redirect(w, r, s.tellAt(path, done, at.token), http.StatusSeeOther)
	return nil
}

// deedTold is what a form of this member's session just did, "" when none did.
func (s *Server) deedTold(r *http.Request) string {
	at, err := s.seatOf(r)
	if err != nil {
		return ""
	}
	return s.toldIn(r, at.token)
}

// toldWhile takes back what a page tells of a deed that was undone since, as a reload or a step back may find it: stands
// says of what can be undone whether it still holds.
func (s *Server) toldWhile(r *http.Request, f *desk.Frame, stands map[string]bool) {
	holds, undoable := stands[s.deedTold(r)]
	if undoable && !holds {
		f.Flash = nil
	}
}

// standing says of what can be undone, or ends by itself, on a customer's page whether it still holds.
func (k record) standing() map[string]bool {
	rests := func(reason dunning.PauseReason) bool {
		return slices.ContainsFunc(k.pauses, func(p dunning.Pause) bool { return p.Reason == reason })
	}
	promised := slices.ContainsFunc(k.promises, func(p dunning.Promise) bool { return p.Status == dunning.PromiseActive })
	asks := slices.ContainsFunc(k.wishes, func(w support.Wish) bool { return w.Status == support.WishOpen })
	suppressed := slices.ContainsFunc(k.suppressions, func(s outbox.Suppression) bool { return s.LiftedAt == 0 })
	claimed := map[string]bool{} // of invoices whose late interest was ever confirmed: whether it still is
	for _, i := range k.interest {
		claimed[i.InvoiceID] = claimed[i.InvoiceID] || !i.Withdrawn
	}
	confirmed := slices.Collect(maps.Values(claimed))
	asked := slices.ContainsFunc(k.tries, func(a billing.Attempt) bool { return a.By == billing.ByStaff && a.Status == billing.AttemptStarted })
	debited := slices.ContainsFunc(k.open, billing.Invoice.Processing)
	c := k.chosen()
	return map[string]bool{
		"paused": rests(dunning.PauseStaff), "resumed": !rests(dunning.PauseStaff), "released": len(k.pauses) == 0,
		"promised": promised, "taken_back": !promised, "seen_to": !asks, "mail_again": !suppressed,
		desk.ActNoMail: c.NoMail, desk.ActNoReminders: c.NoMail && c.NoApp, desk.ActRemind: !c.NoMail && !c.NoApp,
		"asked": asked, "debiting": debited,
		"interest": slices.Contains(confirmed, true), "interest_withdrawn": slices.Contains(confirmed, false),
	}
}
