package desk

import (
	"time"

	"sollecito/internal/billing"
)

// CustomerPage is the page with one customer's whole story, GET /admin/customers/{id}. With ?act= the question of
// that act stands in the page (Question), with its effects, before anything happens.
type CustomerPage struct {
	Frame
	ID        string
	Name      string // "" when unknown: the address leads the page
	Email     string // "" when there is no usable address
	State     State
	Owes      []billing.Money
	Invoices  []Invoice
	Card      string // "Mastercard ending 5454, 02/28"; "" when there is none
	Access    Access
	LocalTime time.Time // now, in the customer's zone
	ZoneName  string    // "Europe/Amsterdam"
	ZoneFrom  string    // where the zone comes from: "from the invoice address"; "" leaves it out
	Language  string    // in English: "Dutch"
	Campaign  string    // "Gentle"; "" without a case
	Version   int       // of the campaign
	Since     time.Time // customer since
	Facts     []Fact    // further rows of the facts
	Plan      *Plan     // the next planned step; nil when nothing is planned
	Idle      string    // said instead of a plan: why nothing is planned
	Pauses    []Pause   // active ones
	Limits    []Limit
	Mandates  []Mandate // what they agreed to, newest first
	Acts      []Act     // what may be done now by who is signed in
	Question  *Question // the act being asked about; nil for none
	Ahead     []Entry   // what will happen, furthest first
	Past      []Entry   // what happened, newest first
	PortalURL string    // the customer's own page, seen read only; "" when there is no way
	StripeURL string    // the customer at Stripe; "" without
	Talk      *Talk     // their conversation; nil when there is none
	Interest  *Interest // late interest; nil when there is nothing to see
}

// Invoice is one overdue invoice of a customer.
type Invoice struct {
	ID        string
	Number    string // "" while Stripe gave none: the id is shown
	What      string
	Remaining billing.Money
	Class     billing.Class
	Code      string    // the processor's own word: "insufficient_funds"; "" for none
	Since     time.Time // first failed attempt or due date
	URL       string    // at Stripe; "" without
}

// Access is what the merchant's app should allow this customer.
type Access struct {
	Level string    // full, grace, restricted, suspended
	Until time.Time // zero when no change is announced
}

// Fact is one row of a list of facts. Href makes the value a link when set; it must be an address of ours, a
// mailto: or https:.
type Fact struct {
	Term  string
	Value string
	Href  string
	Sub   string // a smaller line below
}

// Plan is the next step and why it comes then and why it is this one.
type Plan struct {
	Title    string    // "Mail 3"
	At       time.Time // in the merchant's zone
	LocalAt  time.Time // in the customer's zone; zero when it is the same
	City     string    // of the customer's zone: "Amsterdam"; "" leaves it out
	Sentence string    // "“Lumen Studio will be limited from 12 November”, in Dutch, to anneke@studiowaal.nl."
	Why      []string  // each one reason, a finished sentence
	Held     string    // why it waits for a person instead; "" when it goes by itself
}

// Pause is a reason why the case rests.
type Pause struct {
	Kind   string // staff, conversation, dispute, processing, claim, promise, consent, imported
	Reason string // staff's note, or ""
	By     string // who, "" when nobody in person
	Since  time.Time
	Until  time.Time // zero when it has no end of its own
}

// Limit is one of the counted limits with how much of it is used.
type Limit struct {
	Label string // "Messages, 7 days"
	Used  int
	Of    int
}

// Act is one thing staff may do on this page. It leads to its question first: ?act={Name}.
type Act struct {
	Name  string // as in ?act=
	Label string
	Icon  string // a name from the sprite: pause, retry, send, chat, flag, skip
	Main  bool   // the one filled button
}

// Names of the acts that the helpers of this room ask about.
const (
	ActPause     = "pause"
	ActResume    = "resume"
	ActRelease   = "release"
	ActAnnounce  = "announce"
	ActCharge    = "charge"
	ActRevoke    = "revoke"
	ActMailAgain = "mail-again"

	ActNoMail      = "no-mail"      // the customer asked for no reminders by mail
	ActNoReminders = "no-reminders" // nor in the app
	ActRemind      = "remind"       // they want them again
	ActPromise     = "promise"
	ActTakeBack    = "take-back"
	ActSeenTo      = "seen-to"
	ActFinal       = "final"
	ActSpare       = "final-decline"
)

// Question is an act with its effects, before it happens. Its form is POST to Action; with a note it sends the
// field reason.
type Question struct {
	Title   string
	Effects []string // what will and will not happen, each a finished sentence
	Action  string
	Deed    string // the button: "Pause reminders"
	Danger  bool   // true when the deed cannot be undone
	Note    *Note  // nil when nothing is asked
	Hidden  []Hidden
	Picks   []Pick // choices of one among several
	Back    string // where Back leads, an absolute path
}

// Note is the field a person explains themselves in.
type Note struct {
	Label    string
	Hint     string
	Value    string // what was typed before, kept
	Fault    string // what is wrong with it; "" when nothing
	Required bool
}

// Hidden is a field that goes along unseen.
type Hidden struct{ Name, Value string }

// Entry is one point on the line of time.
type Entry struct {
	At       time.Time
	About    bool // true when the instant is somebody else's and only roughly known
	Undated  bool // true when nobody can name a day: At only says where it stands in the order
	Kind     Kind // chooses the icon
	Tone     Tone
	Title    string
	Subject  string // of a message, in Lang; "" for none
	Lang     string
	Detail   string // a finished sentence, or ""
	Quote    string // somebody's own words, drawn in quotation marks; "" for none
	Code     string // the processor's own word, or ""
	CopyURL  string // the exact kept copy of a message; "" for none
	LinkURL  string // another place to look; "" for none
	LinkText string
}

// Kind is what an entry is about.
type Kind string

// The kinds of entries, each with its own icon.
const (
	KindMail    Kind = "mail"    // a message by mail
	KindBanner  Kind = "banner"  // a message in the merchant's app
	KindCharge  Kind = "charge"  // a charge, failed or not
	KindPaid    Kind = "paid"    // money came
	KindRetry   Kind = "retry"   // the processor tries again
	KindAccess  Kind = "access"  // what the merchant's app allows changes
	KindPause   Kind = "pause"   // the case rests
	KindResume  Kind = "resume"  // the case goes on
	KindSkip    Kind = "skip"    // a step was left out
	KindPromise Kind = "promise" // a date was set
	KindFlag    Kind = "flag"    // something needs attention
	KindVisit   Kind = "visit"   // the customer opened their page
	KindTalk    Kind = "talk"    // somebody wrote
	KindNote    Kind = "note"    // staff noted something
	KindOpen    Kind = "open"    // the case opened
	KindClose   Kind = "close"   // the case closed
	KindCard    Kind = "card"    // a card was added or changed
	KindOther   Kind = "other"   // anything else
)

// Talk leads to a customer's conversation.
type Talk struct {
	ID      string
	Waiting bool // the last word is the customer's
	Last    time.Time
}
