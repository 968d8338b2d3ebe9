package stage

import (
	"time"

	"sollecito/internal/l10n"
)

// Frame is what every demo page carries. Instants are on the demo's moved clock, in the merchant's zone.
type Frame struct {
	Locale   *l10n.Locale
	Merchant string
	Now      time.Time
	Moved    time.Duration // how far the clock stands from the real one
	StaffURL string        // signs in with one click
	Mails    int           // letters in the mailbox
	Flash    string        // what the act just done led to; "" for none
	Failed   bool          // the flash tells of something that did not work
	Nonce    string        // the Content-Security-Policy nonce of this response, for the notice's script tag

	// Asset turns a file's plain name ("pay.css") into the address it is served at. It is (*static.Assets).Path.
	Asset func(name string) string
}

// HomePage is the stage itself, GET /demo. Its forms are POST /demo/clock (advance, a Go duration such as 72h),
// POST /demo/fail (customer, decline_code) and POST /demo/pay (invoice, out_of_band).
type HomePage struct {
	Frame
	Customers []Customer
	Declines  []Decline // what may be chosen for a failed renewal
	Advance   string    // what was typed for the clock before, kept
	StripeURL string    // the stand-in's address

	// What the member of staff signs in with by hand; StaffCode is "" when nobody knows it.
	StaffEmail, StaffPassword, StaffCode string
}

// Customer is one of the cast.
type Customer struct {
	ID         string
	Name       string
	Email      string
	Scenario   string    // one sentence: "The bank said no without a reason"
	Watch      string    // what to watch of it, and how to move the clock for it; "" for nothing in particular
	CaseStatus string    // open, paused, recovered, exhausted, canceled; "" without a case
	Access     string    // full, grace, restricted, suspended
	PortalURL  string    // opens their page as they would; "" for none
	AdminURL   string    // their page as staff see it
	Invoices   []Invoice // their open invoices
	Failing    bool      // a renewal can be made to fail: they have a subscription that renews by itself
}

// Invoice is one open invoice that can be paid outside the portal.
type Invoice struct {
	ID     string
	Amount l10n.Isolated
}

// Decline is one way a bank may say no.
type Decline struct {
	Code  string
	Words string
}

// Declines are the ways offered in the demo.
func Declines() []Decline {
	return []Decline{
		{"generic_decline", "No reason given"},
		{"insufficient_funds", "Not enough money"},
		{"expired_card", "Card expired"},
		{"authentication_required", "Bank wants approval"},
		{"lost_card", "Card reported lost"},
		{"incorrect_cvc", "Wrong security code"},
		{"processing_error", "Network trouble"},
	}
}

// InboxPage is the mailbox with every letter that went out, GET /demo/inbox.
type InboxPage struct {
	Frame
	Letters []Letter // newest first
}

// Letter is one caught letter in the list.
type Letter struct {
	ID      string
	At      time.Time
	To      string
	Subject string
}

// MailPage is one caught letter, GET /demo/inbox/{id}. Its HTML part is served alone at HTMLURL with a policy that
// runs nothing.
type MailPage struct {
	Frame
	ID      string
	At      time.Time
	From    string
	To      string
	Subject string
	Headers []Header
	Text    string
	HTMLURL string // "" when there is no HTML part
}

// Header is one header of a letter.
type Header struct{ Name, Value string }

// AppPage is a page of the make-believe merchant's app with the notice in it, GET /demo/app?customer=…&role=….
type AppPage struct {
	Frame
	Customer  Customer
	Customers []Customer // whom else one may be
	Member    bool       // true shows the app as a member of the team who cannot pay
	Token     string     // the signed token of the notice
	ScriptURL string     // address of the notice's script
}
