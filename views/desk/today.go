package desk

import (
	"time"

	"sollecito/internal/billing"
)

// TodayPage is the list of cases, GET /admin, with ?view= and ?q=.
type TodayPage struct {
	Frame
	View  string // the key of the view shown; "" while a search runs over everything
	Query string // what was searched for
	Views []View
	Tiles []Tile
	Rows  []Row
	Pager Pager

	Imported   int  // customers from the first import who wait to be released
	MayRelease bool // whether who is signed in may release them

	Missed   int // events Stripe did not deliver lately and that were fetched
	MissedAt time.Time

	Deaf        int  // endpoints of the merchant's app that have taken nothing for three days
	MayWebhooks bool // whether who is signed in may look into it
}

// View is one saved question over the cases.
type View struct {
	Key   string // as in ?view=
	Label string
	Count int
}

// The keys of the views that are always there. Views lists what a page offers, in their usual order.
const (
	ViewPerson    = "person"
	ViewOpen      = "open"
	ViewPaused    = "paused"
	ViewRecovered = "recovered"
	ViewExhausted = "exhausted"
)

// Views names the views in their order with the given counts by key; a missing key counts 0.
func Views(counts map[string]int) []View {
	return []View{
		{Key: ViewPerson, Label: "Needs a person", Count: counts[ViewPerson]},
		{Key: ViewOpen, Label: "All open", Count: counts[ViewOpen]},
		{Key: ViewPaused, Label: "Paused", Count: counts[ViewPaused]},
		{Key: ViewRecovered, Label: "Recovered", Count: counts[ViewRecovered]},
		{Key: ViewExhausted, Label: "Exhausted", Count: counts[ViewExhausted]},
	}
}

// Tile is one figure over the list. With money the first currency leads and the others follow in the line below
// it; they are never added. Without money Count is the figure.
type Tile struct {
	Label   string
	Money   []billing.Money
	Count   int
	Context string // one line, such as "64 customers" or "oldest since yesterday, 09:30"
}

// Row is one case in the list.
type Row struct {
	CustomerID string
	Name       string // the customer's name, or their address where they gave none
	Email      string
	State      State
	Need       string // why a person is needed, "" when none is: "Asks for a VAT number"
	Class      billing.Class
	Next       Next // zero when nothing is planned
	Owes       []billing.Money
}

// State is where a case stands, for its pill.
type State struct {
	Status string    // open, paused, recovered, exhausted, canceled; "" when the customer never had a case
	Day    int       // the case's day, shown while it is open; day 0 is the day it opened
	Pauses []string  // the kinds of its active pauses (staff, conversation, dispute, processing, …), for the words beside the pill
	Closed time.Time // when it closed; zero while it is open
}

// Next is what comes next, and when it does so by itself.
type Next struct {
	At    time.Time
	Waits bool   // for a person, so that it has no day
	Title string // "Mail 3", "Stripe tries the card again"
}
