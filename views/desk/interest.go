package desk

import (
	"fmt"
	"net/url"
	"time"
)

// Interest is late interest on a customer's page: what was confirmed and holds, and what may be. Its acts are asked
// about with ?act=interest&invoice= and ?act=interest-withdraw&claim=.
type Interest struct {
	Kept     []KeptInterest
	Proposed []ProposedInterest
}

// KeptInterest is late interest that a person confirmed.
type KeptInterest struct {
	ID      string
	Invoice string // as it is called
	Words   string // "€10.27 interest and €40.00 fixed"
	By      string
	At      time.Time
}

// ProposedInterest is what the law would let the merchant ask for one overdue invoice, or why it is not worked out.
type ProposedInterest struct {
	ID      string
	Invoice string   // as it is called
	Others  []string // further invoices, as they are called, refused with the same sentence
	Refused string   // a finished sentence; "" when there is a proposal
	Lines   []string // the breakdown, each a finished sentence or formula
}

// The acts of late interest.
const (
	ActInterest         = "interest"
	ActWithdrawInterest = "interest-withdraw"
)

func (c CustomerPage) confirmInterestURL(p ProposedInterest) string {
	return customerURL(c.ID) + "?act=" + ActInterest + "&invoice=" + url.QueryEscape(p.ID) + "#question"
}

func (c CustomerPage) withdrawInterestURL(k KeptInterest) string {
	return customerURL(c.ID) + "?act=" + ActWithdrawInterest + "&claim=" + url.QueryEscape(k.ID) + "#question"
}

func (k KeptInterest) paperURL() string { return "/admin/interest/" + url.PathEscape(k.ID) }

// InterestQuestion asks whether late interest is confirmed as the breakdown has it; shown names what that says.
func InterestQuestion(page CustomerPage, invoiceID, name, shown string, breakdown []string) *Question {
	return &Question{
		Title: fmt.Sprintf("Confirm late interest on invoice %s?", name),
		Effects: append(breakdown,
			"Nothing is added at Stripe, and the customer is told nothing. You get a paper to put with the invoice.",
			"The paper is kept as it stands here, with your name. It can be withdrawn."),
		Action: customerURL(page.ID) + "/interest",
		Deed:   "Confirm",
		Hidden: []Hidden{{"invoice", invoiceID}, {"shown", shown}},
		Back:   customerURL(page.ID),
	}
}

// WithdrawInterestQuestion asks whether late interest that was confirmed is taken back.
func WithdrawInterestQuestion(page CustomerPage, id, name, words string, note Note) *Question {
	note.Label = "Why"
	note.Hint = "For your colleagues; the customer never sees it."
	return &Question{
		Title: fmt.Sprintf("Withdraw late interest on invoice %s?", name),
		Effects: []string{
			"It was confirmed: " + words + ". From now on it counts as not asked for.",
			"Where the customer has the paper already, tell them yourself.",
			"The paper stays on file, marked as withdrawn, and it may be worked out anew.",
		},
		Action: "/admin/interest/" + url.PathEscape(id) + "/withdraw",
		Deed:   "Withdraw it",
		Note:   &note,
		Back:   customerURL(page.ID),
	}
}
