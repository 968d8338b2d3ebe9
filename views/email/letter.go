package email

import (
	"sollecito/internal/brand"
	"sollecito/internal/l10n"
)

// Letter is what a letter says, in finished words. Every string is plain text; whoever draws it escapes it.
type Letter struct {
	Locale    *l10n.Locale
	Merchant  Merchant
	Subject   string // at most 78 characters
	Preheader string // what a mailbox shows after the subject: the sum and what comes next
	Heading   string
	Greeting  string      // "Hello Chiara,"
	Before    []Paragraph // before the sums
	Message   *Quote      // somebody's own words that the letter passes on; nil for none
	Amounts   []Amount    // one per currency, never added across them; or a code
	Button    *Button     // the one thing to do; nil when there is none
	LinkLine  string      // stands before the button's address as text: "Or open"
	Facts     []Fact
	After     []Paragraph
	SignOff   string
	Quote     *Quote   // the reader's own words that the letter answers, below it; nil for none
	Why       string   // why the reader gets this letter
	Quiet     []Button // small links below: what the reader may want to change about such letters
}

// Merchant is the company that writes.
type Merchant struct {
	Name         string
	LegalAddress string // one line with the registered name
	SupportEmail string
	Logo         Picture
	Colours      brand.Colours // none for those of a merchant who gave none
}

// Picture is the merchant's logo as a mail shows it.
type Picture struct {
	URL           string // an absolute address of a PNG; "" leaves the picture out
	Width, Height int    // in pixels
	Plate         bool   // it may be see-through: it lies on white, also in the dark
	Word          bool   // it is the name itself, which then is not written beside it
}

// Paragraph is one paragraph, cut where amounts and emphasised words stand. A span's line breaks are kept.
type Paragraph []l10n.Span

// Amount is a sum with what it is for.
type Amount struct {
	Money  l10n.Isolated
	What   string // "Studio plan", "3 invoices"
	Period string // "3 November to 2 December"; "" for none
}

// Button leads to the one thing to do. URL is one of our own addresses.
type Button struct {
	Label Paragraph
	URL   string
}

// Fact is one row of the table of facts.
type Fact struct{ Term, Value Paragraph }

// Quote is text that somebody wrote, with who and when.
type Quote struct {
	Who  string
	Text string
}
