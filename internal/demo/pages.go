package demo

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/golang-jwt/jwt/v5"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/internal/sandbox"
	"sollecito/internal/staff"
	"sollecito/views/stage"
)

// frame is what every page of the stage carries.
func (d *Demo) frame(r *http.Request) stage.Frame {
	now := d.clock.Now().In(d.portal.Web.Zone)
	return stage.Frame{
		Locale: d.portal.Web.Catalog.Locale("en"), Merchant: merchantName, Now: now, Moved: d.clock.Offset(),
		StaffURL: "/demo/staff", Mails: len(d.mailbox.all()), Nonce: nonceOf(r), Asset: d.portal.Web.Assets.Path,
	}
}

// show draws a page.
func (d *Demo) show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	err := page.Render(r.Context(), w)
	if err != nil && r.Context().Err() == nil {
		d.log.WarnContext(r.Context(), "a page of the demo broke off", "path", r.URL.Path, "err", err)
	}
	return nil // the status is out; there is nothing more to tell the visitor
}

func (d *Demo) showHome(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	page, err := d.homePage(r)
	if err != nil {
		return err
	}
	page.Flash = d.flashes.get(r.URL.Query().Get("told")).words(page.Locale, page.Now)
	return d.show(w, r, http.StatusOK, stage.Home(page))
}

// home leads a person back to the stage, which then tells what was done.
func (d *Demo) home(w http.ResponseWriter, r *http.Request, f flash) error {
	http.Redirect(w, r, "/demo?told="+d.flashes.add(f), http.StatusSeeOther)
	return nil
}

// again answers a form that could not be used: a script hears the fault, a person sees the stage with it, and what
// they typed for the clock.
func (d *Demo) again(w http.ResponseWriter, r *http.Request, why error, advance string) error {
	if !wantsPage(r) || fault.MessageOf(why) == "" {
		return why
	}
	page, err := d.homePage(r)
	if err != nil {
		return err
	}
	page.Flash, page.Failed, page.Advance = fault.MessageOf(why), true, advance
	return d.show(w, r, statusOf[fault.KindOf(why)], stage.Home(page))
}

func (d *Demo) homePage(r *http.Request) (stage.HomePage, error) {
	customers, err := d.customers(r.Context())
	if err != nil {
		return stage.HomePage{}, err
	}
	page := stage.HomePage{Frame: d.frame(r), Customers: customers, Declines: stage.Declines(), StripeURL: d.stripe.base, StaffEmail: staffEmail, StaffPassword: staffPassword}
	secret := d.memory.record().Secret
	if secret != "" {
		page.StaffCode, err = staff.CodeOf(secret, d.options.Real())
	}
	return page, err
}

// customers is the cast as the pages show it.
func (d *Demo) customers(ctx context.Context) ([]stage.Customer, error) {
	addresses := link.NewAddresses(d.base)
	english := d.portal.Web.Catalog.Locale("en")
	var all []stage.Customer
	err := d.portal.DB.See(ctx, func(tx *sql.Tx) error {
		for _, p := range d.memory.record().Cast {
			standing, err := d.standingOf(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			c := stage.Customer{
				ID: p.ID, Name: p.Name, Email: p.Email, Scenario: p.Story, Watch: watchFor(p.Scenario), CaseStatus: standing.status, Access: string(standing.access),
				PortalURL: addresses.Link(p.Token), AdminURL: "/demo/staff?customer=" + url.QueryEscape(p.ID),
			}
			open, err := billing.OpenInvoices(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			for _, i := range open {
				left := i.Remaining()
				c.Invoices = append(c.Invoices, stage.Invoice{ID: i.ID, Amount: english.Money(left.Minor, left.Currency)})
			}
			subscriptions, err := billing.Subscriptions(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			c.Failing = slices.ContainsFunc(subscriptions, billing.Subscription.Live)
			all = append(all, c)
		}
		return nil
	})
	return all, err
}

func (d *Demo) showInbox(w http.ResponseWriter, r *http.Request) error {
	page := stage.InboxPage{Frame: d.frame(r)}
	for _, mail := range slices.Backward(d.mailbox.all()) {
		page.Letters = append(page.Letters, stage.Letter{ID: mail.ID, At: mail.At.In(page.Now.Location()), To: mail.To, Subject: mail.Subject})
	}
	return d.show(w, r, http.StatusOK, stage.Inbox(page))
}

func (d *Demo) letter(r *http.Request) (sandbox.Mail, error) {
	mail, ok := d.mailbox.find(r.PathValue("id"))
	if !ok {
		return sandbox.Mail{}, fault.New(fault.NotFound, "There is no such letter.")
	}
	return mail, nil
}

// shownHeaders are those of a letter that tell something beyond what its page shows anyway.
var shownHeaders = []string{"Reply-To", "Date", "Message-ID", "Content-Language", "Auto-Submitted", "Content-Type"}

func (d *Demo) showMail(w http.ResponseWriter, r *http.Request) error {
	mail, err := d.letter(r)
	if err != nil {
		return err
	}
	page := stage.MailPage{
		Frame: d.frame(r), ID: mail.ID, From: mail.From, To: mail.To, Subject: mail.Subject, Text: mail.Text,
	}
	page.At = mail.At.In(page.Now.Location())
	for _, name := range shownHeaders {
		value := mail.Header(name)
		if value != "" {
			page.Headers = append(page.Headers, stage.Header{Name: name, Value: value})
		}
	}
	if mail.HTML != "" {
		page.HTMLURL = "/demo/inbox/" + url.PathEscape(mail.ID) + "/html"
	}
	return d.show(w, r, http.StatusOK, stage.Mail(page))
}

// showMailHTML answers a letter's HTML part alone. Whatever stands in it, nothing runs and nothing is fetched but the
// demo's own logo; its links can be followed as in a mail program.
func (d *Demo) showMailHTML(w http.ResponseWriter, r *http.Request) error {
	mail, err := d.letter(r)
	if err != nil {
		return err
	}
	if mail.HTML == "" {
		return fault.New(fault.NotFound, "This letter has no HTML part.")
	}
	w.Header().Set("Content-Security-Policy", "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "+
		"style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'")
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(mail.HTML))
	if err != nil {
		d.log.DebugContext(r.Context(), "a visitor of the demo went away")
	}
	return nil
}

func (d *Demo) showApp(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	customers, err := d.customers(r.Context())
	if err != nil {
		return err
	}
	page := stage.AppPage{Frame: d.frame(r), Customers: customers, Customer: customers[0], ScriptURL: "/embed/v1.js"}
	wanted := r.URL.Query().Get("customer")
	if wanted != "" {
		at := slices.IndexFunc(customers, func(c stage.Customer) bool { return c.ID == wanted })
		if at < 0 {
			return fault.New(fault.NotFound, "There is no such customer.")
		}
		page.Customer = customers[at]
	}
	role := "billing"
	if r.URL.Query().Get("role") == "member" {
		role, page.Member = "member", true
	}
	page.Token, err = d.passFor(page.Customer.ID, role)
	if err != nil {
		return err
	}
	return d.show(w, r, http.StatusOK, stage.App(page))
}

// passFor signs the token with which a merchant's server says who is looking at its app. It is good for an hour of
// real time.
func (d *Demo) passFor(customer, role string) (string, error) {
	now := d.options.Real()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "merchant", "aud": "portal-embed", "sub": customer, "role": role, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}).SignedString([]byte(d.embed))
}

// enterAsStaff signs the visitor in as the one member of staff, past password and second factor: the demo's own way,
// which serve does not have. It is the only GET that does anything, and it does
// so for nobody who was sent here from another site or only asks for the headers.
func (d *Demo) enterAsStaff(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	to := "/admin"
	customer := r.URL.Query().Get("customer")
	known := slices.ContainsFunc(d.memory.record().Cast, func(p role) bool { return p.ID == customer })
	if known {
		to += "/customers/" + url.PathEscape(customer)
	}
	if r.Method == http.MethodHead || strings.EqualFold(r.Header.Get("Sec-Fetch-Site"), "cross-site") {
		http.Redirect(w, r, "/demo", http.StatusSeeOther)
		return nil
	}
	return d.portal.Web.SignInAs(leadingTo{w, to}, r, d.memory.record().StaffID)
}

// leadingTo sends a redirect elsewhere than its handler meant: the sign-in leads to the first admin page, and a
// visitor who chose a customer wants that one's.
type leadingTo struct {
	http.ResponseWriter
	to string
}

func (l leadingTo) WriteHeader(status int) {
	if status == http.StatusSeeOther {
		l.Header().Set("Location", l.to)
	}
	l.ResponseWriter.WriteHeader(status)
}
