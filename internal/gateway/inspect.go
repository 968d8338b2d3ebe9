package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhookendpoint"
	"golang.org/x/sync/errgroup"

	"sollecito/internal/fault"
)

// ErrKey says that Stripe knows no such key, ErrPermission that the key may not do what was asked.
var (
	ErrKey        = errors.New("this key is unknown to Stripe")
	ErrPermission = errors.New("the key lacks a permission")
)

// Business is the Stripe account that a key opens, as far as a check of the installation looks at it.
type Business struct {
	ID       string
	Name     string    // as its dashboard shows it
	Country  string    // two letters
	Currency string    // its default, as "eur"
	Charges  bool      // Stripe lets it charge
	Date     time.Time // when Stripe answered, by Stripe's clock; zero when it did not say
}

// Business reads the account of our key. When Stripe refuses, ErrKey or ErrPermission tells why and Date is set all
// the same. Errors: these two, or fault.Unavailable.
func (c *Client) Business(ctx context.Context) (Business, error) {
	a := &stripe.Account{}
	err := c.backend.Call(http.MethodGet, "/v1/account", c.key, &stripe.AccountParams{Params: reading(ctx)}, a)
	if err != nil {
		return Business{Date: dateOf(err)}, refused("read our account", err)
	}
	b := Business{ID: a.ID, Country: a.Country, Currency: string(a.DefaultCurrency), Charges: a.ChargesEnabled, Date: instant(a.LastResponse)}
	if a.Settings != nil && a.Settings.Dashboard != nil {
		b.Name = a.Settings.Dashboard.DisplayName
	}
	return b, nil
}

// KnowsPublishable reports whether Stripe knows a publishable key. It asks for something that such a key may not have,
// since Stripe tells a key it does not know from one that may not. Error: fault.Unavailable.
func (c *Client) KnowsPublishable(ctx context.Context, key string) (bool, error) {
	err := c.backend.Call(http.MethodGet, "/v1/account", key, &stripe.AccountParams{Params: reading(ctx)}, &stripe.Account{})
	var e *stripe.Error
	if err == nil || errors.As(err, &e) && (e.Code == stripe.ErrorCodeSecretKeyRequired || e.HTTPStatusCode == http.StatusForbidden) {
		return true, nil
	}
	if e != nil && e.HTTPStatusCode == http.StatusUnauthorized {
		return false, nil
	}
	return false, failed("ask for the publishable key", err)
}

// Endpoint is one place that Stripe sends the account's events to.
type Endpoint struct {
	ID      string
	URL     string
	Enabled bool
	Version string   // "" is the account's default
	Missing []string // of ListenTo, what it does not send
}

// Endpoints reads all webhook endpoints of the account. Errors: ErrKey, ErrPermission, or fault.Unavailable.
func (c *Client) Endpoints(ctx context.Context) ([]Endpoint, error) {
	var all []Endpoint
	pages := webhookendpoint.Client{B: c.backend, Key: c.key}.List(&stripe.WebhookEndpointListParams{ListParams: listing(ctx)})
	for pages.Next() {
		standing := pages.WebhookEndpoint()
		e := Endpoint{ID: standing.ID, URL: standing.URL, Enabled: standing.Status == "enabled", Version: standing.APIVersion}
		if !slices.Contains(standing.EnabledEvents, "*") {
			for _, name := range ListenTo {
				if !slices.Contains(standing.EnabledEvents, name) {
					e.Missing = append(e.Missing, name)
				}
			}
		}
		all = append(all, e)
	}
	return all, refused("list webhook endpoints", pages.Err())
}

// Need is one permission that a restricted key is given for us, in the words of Stripe's dashboard.
type Need struct {
	Resource string // as "Invoices"
	Level    string // "Read" or "Write"
	For      string // what fails without it, in one sentence
	Vital    bool   // without it the portal cannot do its work at all

	method, path string // a call that only this permission lets through
}

// nobody is an id that no object has: an order about it shows whether the key may give such orders, and changes
// nothing.
const nobody = "sollecito_permission_check"

// Needs are the permissions the portal uses, all of them and no more.
var Needs = []Need{
	{"Customers", "Write", "customers are read, and a new card is made their default", true, http.MethodPost, "/v1/customers/cus_" + nobody},
	{"Subscriptions", "Write", "a new card is put where the old one stood", true, http.MethodPost, "/v1/subscriptions/sub_" + nobody},
	{"Invoices", "Write", "open invoices are read, and charged when the customer presses", true, http.MethodPost, "/v1/invoices/in_" + nobody + "/pay"},
	{"SetupIntents", "Write", "a customer can leave a new card", true, http.MethodPost, "/v1/setup_intents/seti_" + nobody},
	{"PaymentIntents", "Read", "the state of a payment and its bank's approval are known", true, http.MethodGet, "/v1/payment_intents"},
	{"PaymentMethods", "Write", "the card on file is named, and a customer can take one off", true, http.MethodPost, "/v1/payment_methods/pm_" + nobody},
	{"Products", "Read", "a subscription is called by its name", true, http.MethodGet, "/v1/products"},
	{"Charges and Refunds", "Read", "the reason of a decline is known, and disputes and refunds find their customer", true, http.MethodGet, "/v1/charges"},
	{"Disputes", "Read", "reminders rest while a payment is disputed", false, http.MethodGet, "/v1/disputes"},
	{"Credit notes", "Read", "an event about a credit note finds its customer", false, http.MethodGet, "/v1/credit_notes"},
	{"Checkout Sessions", "Read", "an event about Stripe's own checkout finds its customer", false, http.MethodGet, "/v1/checkout/sessions"},
	{"Events", "Read", "events that never arrived are fetched", false, http.MethodGet, "/v1/events"},
	{"Webhook Endpoints", "Write", "the endpoint is made, checked and widened", false, http.MethodPost, "/v1/webhook_endpoints/we_" + nobody},
}

// MissingPermissions tries each of Needs and answers those that the key lacks. Nothing is changed: what is only read
// is listed one row long, and what is written is tried on an object that does not exist. Errors: ErrKey, or
// fault.Unavailable.
func (c *Client) MissingPermissions(ctx context.Context) ([]Need, error) {
	lacks := make([]bool, len(Needs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, need := range Needs {
		group.Go(func() error {
			err := c.try(ctx, need)
			if errors.Is(err, ErrPermission) {
				lacks[i] = true
				return nil
			}
			if fault.Is(err, fault.Unavailable) || errors.Is(err, ErrKey) {
				return err
			}
			return nil // anything else is an answer that only a key with the permission is given
		})
	}
	err := group.Wait()
	if err != nil {
		return nil, err
	}
	var missing []Need
	for i, need := range Needs {
		if lacks[i] {
			missing = append(missing, need)
		}
	}
	return missing, nil
}

func (c *Client) try(ctx context.Context, need Need) error {
	var answer struct{ stripe.APIResource }
	if need.method == http.MethodPost {
		params := ordering(ctx, freshKey("permission"))
		return refused("try "+need.Resource, c.backend.Call(http.MethodPost, need.path, c.key, &params, &answer))
	}
	params := &stripe.Params{Context: ctx}
	if !isOne(need.path) {
		params.AddExtra("limit", "1")
	}
	return refused("try "+need.Resource, c.backend.Call(http.MethodGet, need.path, c.key, params, &answer))
}

// isOne reports whether a path names one object and not a list.
func isOne(path string) bool {
	return len(path) > len(nobody) && path[len(path)-len(nobody):] == nobody
}

// refused is failed with the two refusals of a key told apart: for whoever checks it, and for who can go on without what a
// permission of no vital kind would let us read.
func refused(doing string, err error) error {
	if err == nil {
		return nil
	}
	var e *stripe.Error
	if errors.As(err, &e) {
		switch e.HTTPStatusCode {
		case http.StatusUnauthorized:
			return fmt.Errorf("%w: %w", ErrKey, failed(doing, err))
		case http.StatusForbidden:
			return fmt.Errorf("%w: %w", ErrPermission, failed(doing, err))
		}
	}
	return failed(doing, err)
}

func dateOf(err error) time.Time {
	var e *stripe.Error
	if !errors.As(err, &e) {
		return time.Time{}
	}
	return instant(e.LastResponse)
}

// instant is the Date of an answer, zero when it carries none.
func instant(answer *stripe.APIResponse) time.Time {
	header := cmp.Or(answer, &stripe.APIResponse{}).Header
	at, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at
}
