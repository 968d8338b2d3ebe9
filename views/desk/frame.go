package desk

import (
	"time"

	"sollecito/internal/l10n"
)

// Frame is what every page for staff carries around its own content. Every page struct embeds it. Instants in
// this room's structs are drawn as they stand, so they must already be in the zone they are to be read in: the
// merchant's, unless a field says otherwise.
type Frame struct {
	Locale   *l10n.Locale // the English locale: money and dates are drawn through it
	Merchant string       // the merchant's name
	Staff    Staff        // who is signed in; zero on the pages before that
	Nav      Nav          // the current entry of the navigation, "" for none
	Counts   Counts
	Sending  Switch    // shown on every page while sending is stopped
	Now      time.Time // the instant the page speaks of, in the merchant's zone
	TestMode bool      // true shows that no real money moves
	Nonce    string    // the Content-Security-Policy nonce of this response; unused while the pages need no script
	Flash    *Flash    // what the act just done led to; nil for none

	// Asset turns a file's plain name ("desk.css") into the address it is served at. It is (*static.Assets).Path.
	Asset func(name string) string
}

// Staff is the person signed in.
type Staff struct {
	Name  string
	Email string
	Role  string // viewer, agent, manager, admin
}

// Nav names an entry of the navigation.
type Nav string

// The entries of the navigation, in their order on the page.
const (
	NavToday    Nav = "today"
	NavInbox    Nav = "inbox"
	NavSending  Nav = "sending"
	NavPeople   Nav = "people"
	NavKeys     Nav = "keys"
	NavWebhooks Nav = "webhooks"
	NavAudit    Nav = "audit"
)

// Counts are the figures beside the navigation's entries; 0 draws none.
type Counts struct {
	NeedsPerson int // cases in the view "Needs a person"
	Inbox       int // conversations that wait for an answer
}

// Switch is the state of the one switch that stops all sending.
type Switch struct {
	Stopped bool
	Since   time.Time
	By      string // who stopped it; "" for the program itself
	Reason  string // their note; "" for none
	PutBack bool   // the database was put back from a copy, which Reason tells of
}

// Flash is one sentence about what just happened.
type Flash struct {
	Tone Tone // Good, Wait or Bad
	Text string
}

// Tone colours a pill, a dot or a flash. The words beside it carry the meaning alone.
type Tone string

// The tones of the stylesheet. Plain is grey.
const (
	Plain  Tone = ""
	Accent Tone = "accent"
	Good   Tone = "good"
	Wait   Tone = "wait"
	Bad    Tone = "bad"
)

// Fault is one thing wrong with what was sent in a form: the id of the field it stands at, and what to do.
type Fault struct {
	Field string
	Text  string
}

// Pager leads through a list too long for one page. The addresses are absolute paths, "" where there is no more.
type Pager struct {
	From, To, Total int // of the rows shown, counted from 1; Total 0 when unknown
	Previous, Next  string
}

// faulty is a page's title, which says first when something went wrong.
func faulty(title string, fault bool) string {
	if fault {
		return "Error: " + title
	}
	return title
}

// onlyFault is a list of faults for one field, none when all is well.
func onlyFault(field, text string) []Fault {
	if text == "" {
		return nil
	}
	return []Fault{{Field: field, Text: text}}
}
