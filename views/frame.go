package views

import (
	"sollecito/internal/l10n"
)

// Frame is what every customer page carries around its own content: whose page it is, for whom, in which
// language. Every page struct embeds it.
type Frame struct {
	Locale    *l10n.Locale
	Languages []*l10n.Locale // what the language menu offers; with fewer than two there is no menu
	Path      string         // where the language menu returns to: an absolute path, query included
	Merchant  Merchant

	// MaskedEmail is whose page it is, as "c•••@b•••.it". Empty when nobody's session is open: the page then
	// offers neither the conversation nor a way to leave.
	MaskedEmail string

	TestMode bool   // true shows that no real money moves
	Nonce    string // the Content-Security-Policy nonce of this response, for script tags

	StripeJS       string // address of Stripe's browser script; only the pages that hold card fields use it
	PublishableKey string // the key that script is started with; safe to show

	Notice string // a finished sentence about the page as a whole, such as data that may be old; "" for none

	// Asset turns a file's plain name ("pay.css") into the address it is served at. It is (*static.Assets).Path.
	Asset func(name string) string
}

// Merchant is the company the page speaks for.
type Merchant struct {
	Name         string
	LegalAddress string // one line with the registered name, as the law asks
	SupportEmail string
	HomeURL      string // where "Back to …" leads; "" leaves that button out
	Sign         Picture
	Icon         string // the plain name of the file browsers show beside the title; "" for Sollecito's own
}

// Picture is the merchant's sign at the top of a page: the plain name of its file, "" for none, and its size there.
type Picture struct {
	File          string
	Width, Height int
	Plate         bool // it may be see-through: it lies on white, also in the dark
	Word          bool // it is the name itself, which then is not written beside it
}

// Said is one sentence of the message catalogue: its key and what fills its places. Besides what the catalogue
// itself takes, an argument may be a billing.Money, a []billing.Money (listed, never added), a time.Time (drawn as
// a day; the instant must be in the reader's zone) or a *CardOnFile (drawn as "Visa ending 4242"). The merchant's
// name is always there as {{.Merchant}}.
type Said struct {
	Key  string
	Args l10n.Args
}

// Fault is one thing wrong with what was sent in a form: the field it stands at ("text", "email") and the
// sentence that says what to do.
type Fault struct {
	Field string
	Said  Said
}
