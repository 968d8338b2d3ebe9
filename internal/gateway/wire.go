package gateway

import (
	"encoding/json"

	"github.com/stripe/stripe-go/v76"
)

// Stripe's objects as far as a reading looks at them, by the names and types of Stripe's library. The library's own hold all
// that there is, and it goes through an answer once more for each level of what is expanded in it: that took twice as long as
// keeping what was read. What may stand as an id alone where an object was asked for has then nothing but its ID.

// expanded reads an object, or the id that stands for it.
func expanded(raw []byte, id *string, object any) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, id)
	}
	return json.Unmarshal(raw, object)
}

// reference is something of which only the id is of use, whether or not it stands there in full.
type reference struct{ ID string }

// UnmarshalJSON implements json.Unmarshaler.
func (r *reference) UnmarshalJSON(raw []byte) error {
	var full struct {
		ID string `json:"id"`
	}
	err := expanded(raw, &r.ID, &full)
	if r.ID == "" {
		r.ID = full.ID
	}
	return err
}

// loose is a word that is no part of the version we asked for: its absence or another shape must not spoil a reading that is
// otherwise sound.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(raw []byte) error {
	var said string
	lenient(raw, &said)
	*l = loose(said)
	return nil
}

type stripeCustomer plainCustomer

// UnmarshalJSON implements json.Unmarshaler.
func (c *stripeCustomer) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &c.ID, (*plainCustomer)(c))
}

// plainCustomer is a customer who stands there in full, as are the other plain ones.
type plainCustomer struct {
	ID               string            `json:"id"`
	Object           string            `json:"object"`
	Deleted          bool              `json:"deleted"`
	Created          int64             `json:"created"`
	Livemode         bool              `json:"livemode"`
	Name             string            `json:"name"`
	Email            string            `json:"email"`
	PreferredLocales []string          `json:"preferred_locales"`
	Metadata         map[string]string `json:"metadata"`
	Address          *struct {
		Country string `json:"country"`
		State   string `json:"state"`
	} `json:"address"`
	InvoiceSettings *struct {
		DefaultPaymentMethod *stripeMethod `json:"default_payment_method"`
	} `json:"invoice_settings"`
	DefaultSource *stripeSource   `json:"default_source"`
	Discount      *stripeDiscount `json:"discount"`
}

type stripeDiscount plainDiscount

// UnmarshalJSON implements json.Unmarshaler.
func (d *stripeDiscount) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &d.ID, (*plainDiscount)(d))
}

type plainDiscount struct {
	ID     string        `json:"id"`
	End    int64         `json:"end"`
	Coupon *stripeCoupon `json:"coupon"`
}

type stripeCoupon plainCoupon

// UnmarshalJSON implements json.Unmarshaler.
func (c *stripeCoupon) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &c.ID, (*plainCoupon)(c))
}

type plainCoupon struct {
	ID         string          `json:"id"`
	PercentOff float64         `json:"percent_off"`
	AmountOff  int64           `json:"amount_off"`
	Currency   stripe.Currency `json:"currency"`
}

type stripeMethod plainMethod

// UnmarshalJSON implements json.Unmarshaler.
func (m *stripeMethod) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &m.ID, (*plainMethod)(m))
}

type plainMethod struct {
	ID            string                   `json:"id"`
	Type          stripe.PaymentMethodType `json:"type"`
	Customer      *reference               `json:"customer"`
	Card          *stripeCard              `json:"card"`
	SEPADebit     *stripeAccount           `json:"sepa_debit"`
	USBankAccount *stripeAccount           `json:"us_bank_account"`
	ACSSDebit     *stripeAccount           `json:"acss_debit"`
	BACSDebit     *stripeAccount           `json:"bacs_debit"`
	AUBECSDebit   *stripeAccount           `json:"au_becs_debit"`
}

type stripeCard struct {
	Brand       string `json:"brand"`
	Last4       string `json:"last4"`
	ExpMonth    int64  `json:"exp_month"`
	ExpYear     int64  `json:"exp_year"`
	Fingerprint string `json:"fingerprint"`
}

// stripeAccount is an account at a bank.
type stripeAccount struct {
	BankName    string `json:"bank_name"`
	Last4       string `json:"last4"`
	Fingerprint string `json:"fingerprint"`
}

type stripeSource plainSource

// UnmarshalJSON implements json.Unmarshaler.
func (s *stripeSource) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &s.ID, (*plainSource)(s))
}

// plainSource is a card or an account at a bank, or a source that holds one; Object says which.
type plainSource struct {
	ID      string                   `json:"id"`
	Object  stripe.PaymentSourceType `json:"object"`
	Deleted bool                     `json:"deleted"`
	stripeCard
	BankName string `json:"bank_name"`

	Type      string         `json:"type"`
	Card      *stripeCard    `json:"card"`
	SEPADebit *stripeAccount `json:"sepa_debit"`
}

type stripeSubscription plainSubscription

// UnmarshalJSON implements json.Unmarshaler.
func (s *stripeSubscription) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &s.ID, (*plainSubscription)(s))
}

type plainSubscription struct {
	ID               string                              `json:"id"`
	Status           stripe.SubscriptionStatus           `json:"status"`
	Customer         *stripeCustomer                     `json:"customer"`
	Description      string                              `json:"description"`
	Currency         stripe.Currency                     `json:"currency"`
	CurrentPeriodEnd int64                               `json:"current_period_end"`
	CancelAt         int64                               `json:"cancel_at"`
	CollectionMethod stripe.SubscriptionCollectionMethod `json:"collection_method"`
	PauseCollection  *struct {
		ResumesAt int64 `json:"resumes_at"`
	} `json:"pause_collection"`
	DefaultPaymentMethod *stripeMethod   `json:"default_payment_method"`
	DefaultSource        *stripeSource   `json:"default_source"`
	Discount             *stripeDiscount `json:"discount"`
	TrialSettings        *struct {
		EndBehavior *struct {
			MissingPaymentMethod string `json:"missing_payment_method"`
		} `json:"end_behavior"`
	} `json:"trial_settings"`
	Items *page[stripeItem] `json:"items"`
}

type stripeItem struct {
	ID       string       `json:"id"`
	Quantity int64        `json:"quantity"`
	Price    *stripePrice `json:"price"`
}

type stripePrice plainPrice

// UnmarshalJSON implements json.Unmarshaler.
func (p *stripePrice) UnmarshalJSON(raw []byte) error { return expanded(raw, &p.ID, (*plainPrice)(p)) }

type plainPrice struct {
	ID                string     `json:"id"`
	Nickname          string     `json:"nickname"`
	Product           *reference `json:"product"`
	UnitAmount        int64      `json:"unit_amount"`
	UnitAmountDecimal float64    `json:"unit_amount_decimal,string"`
	Recurring         *struct {
		Interval string `json:"interval"`
	} `json:"recurring"`
	TransformQuantity *struct {
		DivideBy int64                              `json:"divide_by"`
		Round    stripe.PriceTransformQuantityRound `json:"round"`
	} `json:"transform_quantity"`
}

type stripeInvoice struct {
	ID                           string                         `json:"id"`
	Deleted                      bool                           `json:"deleted"`
	Number                       string                         `json:"number"`
	Status                       stripe.InvoiceStatus           `json:"status"`
	Customer                     *stripeCustomer                `json:"customer"`
	Subscription                 *stripeSubscription            `json:"subscription"`
	CollectionMethod             stripe.InvoiceCollectionMethod `json:"collection_method"`
	BillingReason                stripe.InvoiceBillingReason    `json:"billing_reason"`
	Currency                     stripe.Currency                `json:"currency"`
	AmountDue                    int64                          `json:"amount_due"`
	AmountPaid                   int64                          `json:"amount_paid"`
	AmountRemaining              int64                          `json:"amount_remaining"`
	PostPaymentCreditNotesAmount int64                          `json:"post_payment_credit_notes_amount"`
	Description                  string                         `json:"description"`
	Created                      int64                          `json:"created"`
	DueDate                      int64                          `json:"due_date"`
	PeriodStart                  int64                          `json:"period_start"`
	PeriodEnd                    int64                          `json:"period_end"`
	PaidOutOfBand                bool                           `json:"paid_out_of_band"`
	Attempted                    *bool                          `json:"attempted"` // nil when Stripe does not say it
	AttemptCount                 int64                          `json:"attempt_count"`
	NextPaymentAttempt           int64                          `json:"next_payment_attempt"`
	ReceiptNumber                string                         `json:"receipt_number"`
	HostedInvoiceURL             string                         `json:"hosted_invoice_url"`
	InvoicePDF                   string                         `json:"invoice_pdf"`
	StatusTransitions            *struct {
		FinalizedAt int64 `json:"finalized_at"`
		PaidAt      int64 `json:"paid_at"`
	} `json:"status_transitions"`
	Lines                *page[stripeLine] `json:"lines"`
	PaymentIntent        *stripeIntent     `json:"payment_intent"`
	Charge               *stripeCharge     `json:"charge"`
	DefaultPaymentMethod *stripeMethod     `json:"default_payment_method"`
	DefaultSource        *stripeSource     `json:"default_source"`

	// What newer versions of the API say instead, since 2025-03-31.
	Payments json.RawMessage `json:"payments"`
	Parent   json.RawMessage `json:"parent"`
}

type stripeLine struct {
	Description string                     `json:"description"`
	Type        stripe.InvoiceLineItemType `json:"type"`
	Period      *struct {
		Start int64 `json:"start"`
		End   int64 `json:"end"`
	} `json:"period"`
}

type stripeIntent plainIntent

// UnmarshalJSON implements json.Unmarshaler.
func (i *stripeIntent) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &i.ID, (*plainIntent)(i))
}

type plainIntent struct {
	ID                 string                     `json:"id"`
	Object             string                     `json:"object"`
	Status             stripe.PaymentIntentStatus `json:"status"`
	ClientSecret       string                     `json:"client_secret"`
	PaymentMethod      *stripeMethod              `json:"payment_method"`
	PaymentMethodTypes []string                   `json:"payment_method_types"`
	LatestCharge       *stripeCharge              `json:"latest_charge"`
	LastPaymentError   *stripeFailure             `json:"last_payment_error"`
}

// stripeFailure is why a payment, or the adding of a method, failed last.
type stripeFailure struct {
	Code          stripe.ErrorCode   `json:"code"`
	DeclineCode   stripe.DeclineCode `json:"decline_code"`
	ChargeID      string             `json:"charge"`
	PaymentMethod *stripeMethod      `json:"payment_method"`
	Source        *stripeSource      `json:"source"`
	advice
}

type stripeCharge plainCharge

// UnmarshalJSON implements json.Unmarshaler.
func (c *stripeCharge) UnmarshalJSON(raw []byte) error {
	return expanded(raw, &c.ID, (*plainCharge)(c))
}

type plainCharge struct {
	ID             string              `json:"id"`
	Status         stripe.ChargeStatus `json:"status"`
	Created        int64               `json:"created"`
	Customer       *reference          `json:"customer"`
	Invoice        *reference          `json:"invoice"`
	PaymentIntent  *reference          `json:"payment_intent"`
	PaymentMethod  string              `json:"payment_method"`
	Amount         int64               `json:"amount"`
	AmountRefunded int64               `json:"amount_refunded"`
	Currency       stripe.Currency     `json:"currency"`
	Disputed       bool                `json:"disputed"`
	ReceiptNumber  string              `json:"receipt_number"`
	FailureCode    string              `json:"failure_code"`
	Outcome        *struct {
		Reason string `json:"reason"`
		advice
	} `json:"outcome"`
	Refunds *page[struct {
		Status  stripe.RefundStatus `json:"status"`
		Created int64               `json:"created"`
	}] `json:"refunds"`
	PaymentMethodDetails *struct {
		Card *struct {
			stripeCard
			Network      string    `json:"network"`
			ThreeDSecure *struct{} `json:"three_d_secure"`
		} `json:"card"`
		SEPADebit     *stripeAccount `json:"sepa_debit"`
		USBankAccount *stripeAccount `json:"us_bank_account"`
	} `json:"payment_method_details"`
}

// stripeEvent is an event as it is listed: in the shape of the day it was made.
type stripeEvent struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	APIVersion string `json:"api_version"`
	Account    string `json:"account"`
	Livemode   bool   `json:"livemode"`
	Created    int64  `json:"created"`
	Data       *struct {
		Object   json.RawMessage            `json:"object"`
		Previous map[string]json.RawMessage `json:"previous_attributes"`
	} `json:"data"`
}
