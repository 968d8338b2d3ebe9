package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/link"
)

// state is the answer of GET /demo/state.json.
type state struct {
	Now       string          `json:"now"` // RFC 3339, by the moved clock
	Customers []stateCustomer `json:"customers"`
	StaffURL  string          `json:"staff_url"`
	StripeAPI string          `json:"stripe_api_url"`
	StripeJS  string          `json:"stripe_js_url"`
	Secret    string          `json:"webhook_secret"`
}

type stateCustomer struct {
	ID       string  `json:"id"`
	Email    string  `json:"email"`
	Name     string  `json:"name"`
	Scenario string  `json:"scenario"`
	Status   *string `json:"case_status"` // the latest case's: open, paused, recovered, exhausted, canceled; null without one
	Access   string  `json:"access"`
	Portal   string  `json:"portal_url"`
}

func (d *Demo) showState(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	answer := state{
		Now: d.nowText(), StaffURL: d.base + "/demo/staff", StripeAPI: d.stripe.base, StripeJS: d.stripe.base + "/v3/",
		Secret: d.sandbox.WebhookSecret(), Customers: []stateCustomer{},
	}
	addresses := link.NewAddresses(d.base)
	err = d.portal.DB.See(r.Context(), func(tx *sql.Tx) error {
		for _, p := range d.memory.record().Cast {
			standing, err := d.standingOf(r.Context(), tx, p.ID)
			if err != nil {
				return err
			}
			c := stateCustomer{
				ID: p.ID, Email: p.Email, Name: p.Name, Scenario: p.Scenario, Access: string(standing.access), Portal: addresses.Link(p.Token),
			}
			if standing.status != "" {
				c.Status = &standing.status
			}
			answer.Customers = append(answer.Customers, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// nowText is the demo's time as scripts read it.
func (d *Demo) nowText() string { return d.clock.Now().UTC().Format(time.RFC3339) }

// standing is how a customer stands with the portal.
type standing struct {
	status string // the latest case's, "paused" for an open one that rests; "" without a case
	access campaign.Access
}

func (d *Demo) standingOf(ctx context.Context, tx *sql.Tx, customer string) (standing, error) {
	var s standing
	var err error
	s.access, err = d.portal.Cases.AccessOf(ctx, tx, customer)
	if err != nil {
		return standing{}, err
	}
	latest, err := d.portal.Cases.LatestOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return s, nil
	}
	if err != nil {
		return standing{}, err
	}
	s.status = string(latest.Status)
	if latest.Status != dunning.Open {
		return s, nil
	}
	pauses, err := d.portal.Cases.ActivePauses(ctx, tx, latest.ID)
	if err != nil {
		return standing{}, err
	}
	if len(pauses) > 0 {
		s.status = "paused"
	}
	return s, nil
}

func (d *Demo) showMails(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, d.mailbox.all())
	return nil
}

// readForm reads a call's form, however a script or a browser sends one.
func readForm(w http.ResponseWriter, r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return fault.Wrap(fault.Invalid, err, "The Content-Type cannot be read; send a form, as curl -d does.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if kind == "" {
		// A bare client names no kind; net/http would take the form for bytes and read nothing.
		kind = "application/x-www-form-urlencoded"
		r.Header.Set("Content-Type", kind)
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
	case "multipart/form-data":
		err = r.ParseMultipartForm(mostForm)
	default:
		return fault.New(fault.Invalid, "Send a form, as curl -d does, not %s.", kind)
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.Wrap(fault.TooLarge, err, "The form is too large.")
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "The form could not be read.")
	}
	return nil
}

// flag reads a form's yes or no.
func flag(r *http.Request, name string) (bool, error) {
	// Python writes True and False.
	switch strings.ToLower(r.PostFormValue(name)) {
	case "", "0", "false":
		return false, nil
	case "1", "true", "on":
		return true, nil
	}
	return false, fault.New(fault.Invalid, "%s is 1 or left out.", name)
}

// farthest is how far the clock may be moved at once.
const farthest = 400 * aDay

func (d *Demo) moveClock(w http.ResponseWriter, r *http.Request) error {
	err := d.begin(w, r)
	if err != nil {
		return err
	}
	typed := strings.TrimSpace(r.PostFormValue("advance"))
	leap, err := flag(r, "leap")
	if err != nil {
		return d.again(w, r, err, typed)
	}
	by, err := time.ParseDuration(typed)
	if err != nil || by <= 0 || by > farthest {
		return d.again(w, r, fault.New(fault.Invalid, "advance is how far to move, as 72h or 1h30m: more than nothing, at most %dh.", farthest/time.Hour), typed)
	}
	mails := len(d.mailbox.all())
	move := d.walk
	if leap {
		move = d.leap
	}
	d.moving.Lock()
	err = move(d.life, d.clock.Now().Add(by))
	d.moving.Unlock()
	if err != nil {
		return d.ending(err)
	}
	if wantsPage(r) {
		return d.home(w, r, flash{kind: toldMoved, count: len(d.mailbox.all()) - mails})
	}
	writeJSON(w, http.StatusOK, map[string]string{"now": d.nowText()})
	return nil
}

// begin is what all calls that change something begin with. A walk through months takes as long as it takes: its answer
// is not given up by the server's own patience.
func (d *Demo) begin(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	err = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("wait for the clock: %w", err)
	}
	return readForm(w, r)
}

// ending turns a failure that comes from the demo's own end into one that says so.
func (d *Demo) ending(err error) error {
	if d.life.Err() != nil {
		return fault.Wrap(fault.Unavailable, err, "The demo is ending.")
	}
	return err
}

func (d *Demo) failRenewal(w http.ResponseWriter, r *http.Request) error {
	err := d.begin(w, r)
	if err != nil {
		return err
	}
	customer, code := r.PostFormValue("customer"), r.PostFormValue("decline_code")
	switch {
	case customer == "":
		return d.again(w, r, fault.New(fault.Invalid, "customer is missing: name one of /demo/state.json, as cus_…"), "")
	case code == "":
		return d.again(w, r, fault.New(fault.Invalid, "decline_code is missing: name one, as insufficient_funds."), "")
	}
	err = d.exists(r.Context(), "/v1/customers/", customer, "customer")
	if err != nil {
		return d.again(w, r, err, "")
	}
	d.moving.Lock()
	defer d.moving.Unlock()
	mails := len(d.mailbox.all())
	invoice, err := d.sandbox.FailRenewal(customer, code)
	if err != nil {
		return d.again(w, r, fault.Wrap(fault.Invalid, err,
			"The renewal cannot fail so: decline_code must be one of Stripe's, as insufficient_funds, and the customer must have a subscription that is charged automatically."), "")
	}
	err = d.finish(d.life)
	if err != nil {
		return d.ending(err)
	}
	if wantsPage(r) {
		return d.home(w, r, flash{kind: toldFailed, name: d.nameOf(customer), count: len(d.mailbox.all()) - mails})
	}
	writeJSON(w, http.StatusOK, map[string]string{"invoice": invoice})
	return nil
}

// nameOf is what a customer is called, their id when they are none of the cast.
func (d *Demo) nameOf(id string) string {
	for _, p := range d.memory.record().Cast {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}

// idForm is what ids look like. Anything else would mean something of its own in the address it is asked for at.
var idForm = regexp.MustCompile(`\A[A-Za-z0-9_]+\z`)

// exists asks the stand-in whether there is such an object.
func (d *Demo) exists(ctx context.Context, path, id, noun string) error {
	unknown := fault.New(fault.NotFound, "There is no %s of that id.", noun)
	if !idForm.MatchString(id) {
		return unknown
	}
	answer, err := d.stripe.call(ctx, http.MethodGet, path+id, nil)
	var no *refusal
	if errors.As(err, &no) && no.status == http.StatusNotFound || answer.Deleted {
		return unknown
	}
	if err != nil {
		return fmt.Errorf("ask the stand-in for a %s: %w", noun, err)
	}
	return nil
}

func (d *Demo) payInvoice(w http.ResponseWriter, r *http.Request) error {
	err := d.begin(w, r)
	if err != nil {
		return err
	}
	invoice := r.PostFormValue("invoice")
	if invoice == "" {
		return d.again(w, r, fault.New(fault.Invalid, "invoice is missing: name an open one, as in_…"), "")
	}
	outOfBand, err := flag(r, "out_of_band")
	if err != nil {
		return d.again(w, r, err, "")
	}
	err = d.exists(r.Context(), "/v1/invoices/", invoice, "invoice")
	if err != nil {
		return d.again(w, r, err, "")
	}
	d.moving.Lock()
	defer d.moving.Unlock()
	mails := len(d.mailbox.all())
	err = d.sandbox.Pay(invoice, outOfBand)
	if err != nil {
		return d.again(w, r, fault.Wrap(fault.Conflict, err, "This invoice cannot be paid now: it is paid already, void, or its payment is under way."), "")
	}
	err = d.finish(d.life)
	if err != nil {
		return d.ending(err)
	}
	if wantsPage(r) {
		return d.home(w, r, flash{kind: toldPaid, count: len(d.mailbox.all()) - mails})
	}
	writeJSON(w, http.StatusOK, map[string]string{"invoice": invoice})
	return nil
}
