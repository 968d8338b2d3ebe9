package web

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/support"
	"sollecito/views"
)

// Values of the customer's session beside the well-known ones.
const (
	keyLanguage = "language"
	keyChosen   = "chosen" // the invoices chosen to be paid, as they were shown
)

// visitor is the customer whose session the request carries.
type visitor struct {
	billing.Customer
	visit    link.Visit
	session  *sessions.Session
	link     link.Link
	open     []billing.Invoice // on which money is still expected, oldest first
	has      traces
	language string // chosen in this session or by the link
	zone     *time.Location
}

// traces are what most customers have nothing of; where there is nothing, nothing is read.
type traces struct{ disputes, wish, choices, pauses, promises, finals bool }

// nobody is the visitor of pages that open without a session.
var nobody = visitor{}

// visitorOf answers whose session the request carries, or fault.SignedOut when there is none, its link was
// revoked or has expired. The first POST spends a banner's link.
func (s *Server) visitorOf(r *http.Request) (visitor, error) {
	var v visitor
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		v, err = s.visitorIn(r, tx)
		return err
	})
	return s.welcome(r, v, err)
}

// visitorIn reads who the visitor is; welcome then lets them in.
func (s *Server) visitorIn(r *http.Request, tx *sql.Tx) (visitor, error) {
	visit, err := s.Sessions.Visit(r, tx)
	if fault.Is(err, fault.NotFound) {
		return nobody, errSignedOut
	}
	if err != nil {
		return nobody, err
	}
	v := visitor{visit: visit, session: visit.Session, link: visit.Link}
	if v.link.InvoiceID != "" {
		return nobody, errSignedOut // opens that invoice's payment alone
	}
	err = v.read(r.Context(), tx, v.link.CustomerID)
	if fault.Is(err, fault.NotFound) {
		return nobody, errSignedOut
	}
	if err != nil {
		return nobody, err
	}
	// A banner's link lives shortly, but the session it opened lives on.
	if v.Deleted || v.link.RevokedAt > 0 || v.link.ExpiresAt == 0 && !v.link.Alive(latestDue(v.open), s.Now(), s.Real()) {
		return nobody, errSignedOut
	}
	v.language = link.Value(v.session, keyLanguage)
	v.zone = s.Cases.Zone(v.Customer)
	return v, nil
}

// read fills in what is stored of the customer.
func (v *visitor) read(ctx context.Context, tx *sql.Tx, customer string) error {
	who, has, err := billing.FindCustomerAnd(ctx, tx, customer,
		billing.AnyDispute, support.AnyWish, contact.AnyChoice, dunning.AnyPause, dunning.AnyPromise, dunning.AnyFinal)
	if err != nil {
		return err
	}
	v.Customer = who
	v.has = traces{disputes: has[0], wish: has[1], choices: has[2], pauses: has[3], promises: has[4], finals: has[5]}
	v.open, err = billing.OpenInvoices(ctx, tx, customer)
	return err
}

// welcome lets a visitor in, unless reading them failed, and keeps that they are here.
func (s *Server) welcome(r *http.Request, v visitor, err error) (visitor, error) {
	if err != nil {
		return nobody, err
	}
	err = s.Sessions.Seen(r.Context(), v.visit)
	if err != nil {
		return nobody, err
	}
	if r.Method == http.MethodPost && v.link.ExpiresAt > 0 && v.link.SpentAt == 0 {
		err = s.DB.Do(r.Context(), func(tx *sql.Tx) error { return link.Spend(r.Context(), tx, v.link.ID, s.Real()) })
		if err != nil {
			return nobody, err
		}
	}
	return v, s.keepLanguage(r, v)
}

// spoken are the deeds that the first page does not offer: whoever does one has read a page before.
var spoken = map[string]bool{
	"/pay/charge": true, "/pay/card": true, "/pay/card/intent": true, "/pay/choices/keep": true, "/pay/promise": true, "/pay/support": true,
}

// keepLanguage keeps the language chosen in a session for the letters too, with the next deed done in it. What
// the first page offers speaks for nobody: some programs press every button of the page a mail's link opens.
func (s *Server) keepLanguage(r *http.Request, v visitor) error {
	if r.Method != http.MethodPost || !spoken[r.URL.Path] || v.language == "" || v.language == v.Language {
		return nil
	}
	return s.DB.Do(r.Context(), func(tx *sql.Tx) error { return billing.SetLanguage(r.Context(), tx, v.ID, v.language) })
}

var errSignedOut = fault.New(fault.SignedOut, "Nobody's page is open.")

// dueOf answers the latest due date among what is open, for the life of a link: an automatic charge's first
// failed attempt, or the due date. Zero when nothing is open.
func dueOf(r *http.Request, tx *sql.Tx, l link.Link) (time.Time, error) {
	open, err := billing.OpenInvoices(r.Context(), tx, l.CustomerID)
	return latestDue(open), err
}

func latestDue(open []billing.Invoice) time.Time {
	latest := int64(0)
	for _, i := range open {
		latest = max(latest, i.Since())
	}
	if latest == 0 {
		return time.Time{}
	}
	return time.Unix(latest, 0)
}

// localeOf answers the reader's language: chosen here, else the link's, else the customer's, else the browser's.
func (s *Server) localeOf(r *http.Request, v visitor) *l10n.Locale {
	wanted := []string{v.language, v.Language, v.link.Language}
	if v.ID == "" {
		cookie, err := r.Cookie(s.languageCookie())
		if err == nil {
			wanted = append(wanted, cookie.Value)
		}
	}
	wanted = append(wanted, v.PreferredLocales...)
	return s.Catalog.Match(append(wanted, r.Header.Get("Accept-Language"), s.Language)...)
}

// frame is what every customer page carries.
func (s *Server) frame(r *http.Request, v visitor) views.Frame {
	return views.Frame{
		Locale: s.localeOf(r, v), Languages: s.Catalog.Locales(), Path: returnPath(r), Merchant: s.Merchant,
		MaskedEmail: maskedEmail(v), TestMode: s.TestMode, Nonce: visitOf(r).nonce,
		StripeJS: s.StripeJS, PublishableKey: s.PublishableKey, Asset: s.Assets.Path,
	}
}

// maskedEmail says whose page it is; a customer without an address still has a page of their own.
func maskedEmail(v visitor) string {
	if v.ID == "" {
		return ""
	}
	masked := billing.MaskedEmail(v.Email)
	if masked == "" {
		return "•••"
	}
	return masked
}

// returnPath is where the language menu comes back to: this page, or the overview after a form.
func returnPath(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/pay"
	}
	if strings.HasPrefix(r.URL.Path, "/l/") || strings.HasPrefix(r.URL.Path, "/pay/stop/") || !strings.HasPrefix(r.URL.Path, "/pay") {
		return "/pay/link" // an address with a token in it is never written into a page
	}
	return r.URL.RequestURI()
}

// languageCookie is the name of the cookie that keeps a reader's language while nobody's page is open.
func (s *Server) languageCookie() string {
	if s.Addresses.Secure() {
		return "__Host-sollecito-language"
	}
	return "sollecito-language"
}

// chooseLanguage keeps the language a reader chose: in a cookie, for the pages that are nobody's, and in their session
// when their page is open.
func (s *Server) chooseLanguage(w http.ResponseWriter, r *http.Request) error {
	chosen := s.Catalog.Locale(r.PostFormValue("lang")).Tag()
	v, err := s.visitorOf(r)
	if err != nil && !errors.Is(err, errSignedOut) {
		return err
	}
	if err == nil {
		v.session.Values[keyLanguage] = chosen
		err = v.session.Save(r, w)
		if err != nil {
			return err
		}
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.languageCookie(), Value: chosen, Path: "/", MaxAge: 86400, HttpOnly: true, Secure: s.Addresses.Secure(), SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, ownPath(r.PostFormValue("back"), "/pay"), http.StatusSeeOther)
	return nil
}

// leave ends the session.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) error {
	session, err := s.Sessions.Get(r, s.Sessions.CookieName())
	if err != nil {
		return err
	}
	session.Options.MaxAge = -1
	err = session.Save(r, w)
	if err != nil {
		return err
	}
	// Not "cookies": that would sign the reader out of the merchant's app on a sister domain.
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, "/pay/link", http.StatusSeeOther)
	return nil
}

// ownPath answers an absolute path of ours, the other one when it is anything else: a form must not lead away.
func ownPath(path, otherwise string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || len(path) < 1 || path[0] != '/' || len(path) > 1 && (path[1] == '/' || path[1] == '\\') {
		return otherwise
	}
	if slices.Contains(strings.Split(u.Path, "/"), "..") { // what it begins with is not where it leads
		return otherwise
	}
	return u.RequestURI()
}

func escape(s string) string { return url.QueryEscape(s) }
