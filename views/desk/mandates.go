package desk

import "time"

// Mandate is what a customer agreed to when a way to pay was kept.
type Mandate struct {
	Of        string // the way to pay, in words
	ByGuest   bool   // somebody the customer handed a link to
	Given     time.Time
	Language  string // of the words
	Lang      string // its tag
	Dir       string // in which they run
	Words     string // as they were shown
	Version   string // the same for everybody who was shown the same
	Reference string // the mandate's name at Stripe, "" for a card
}
