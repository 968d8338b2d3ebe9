package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// apiClient lets the sandbox's own pages call its API without a network, as
// Stripe's pages call Stripe's.
type apiClient struct {
	handler        http.Handler
	secretKey      string
	publishableKey string
}

// apiRefusal is an error body of the API.
type apiRefusal struct {
	Status  int
	Code    string
	Message string
}

func (e *apiRefusal) Error() string {
	return fmt.Sprintf("the API answered %d %s", e.Status, e.Code)
}

// pageIntent is what the pages need of a PaymentIntent or SetupIntent.
type pageIntent struct {
	ID           string `json:"id"`
	ClientSecret string `json:"client_secret"`
	Status       string `json:"status"`
	Amount       int64  `json:"amount"` // 0 for a SetupIntent
	Currency     string `json:"currency"`
	Customer     string `json:"customer"`
	Method       string `json:"payment_method"`
}

// pageInvoice is what the pages need of an invoice. Instants are unix seconds.
type pageInvoice struct {
	ID               string      `json:"id"`
	Number           string      `json:"number"`
	Status           string      `json:"status"`
	Currency         string      `json:"currency"`
	Total            int64       `json:"total"`
	AmountPaid       int64       `json:"amount_paid"`
	AmountRemaining  int64       `json:"amount_remaining"`
	CustomerName     string      `json:"customer_name"`
	CustomerEmail    string      `json:"customer_email"`
	DueDate          int64       `json:"due_date"`
	PaidOutOfBand    bool        `json:"paid_out_of_band"`
	PaymentIntent    *pageIntent `json:"payment_intent"`
	StatusTransition struct {
		PaidAt int64 `json:"paid_at"`
	} `json:"status_transitions"`
	Lines struct {
		Data []struct {
			Description string `json:"description"`
			Amount      int64  `json:"amount"`
			Currency    string `json:"currency"`
		} `json:"data"`
	} `json:"lines"`
}

// invoice reads an invoice with its PaymentIntent and up to 100 lines.
func (c apiClient) invoice(ctx context.Context, id string) (pageInvoice, error) {
	var invoice pageInvoice
	err := c.call(ctx, c.secretKey, http.MethodGet, "/v1/invoices/"+url.PathEscape(id), url.Values{"expand[]": {"payment_intent"}}, &invoice)
	if err != nil {
		return pageInvoice{}, fmt.Errorf("read invoice %s: %w", id, err)
	}
	return invoice, nil
}

// intent reads the PaymentIntent or SetupIntent of this id.
func (c apiClient) intent(ctx context.Context, id string) (pageIntent, error) {
	var intent pageIntent
	err := c.call(ctx, c.secretKey, http.MethodGet, intentPath(id), nil, &intent)
	if err != nil {
		return pageIntent{}, fmt.Errorf("read intent %s: %w", id, err)
	}
	return intent, nil
}

// newSetup makes a SetupIntent for a customer's card, to be charged later.
func (c apiClient) newSetup(ctx context.Context, customer string) (pageIntent, error) {
	var intent pageIntent
	err := c.call(ctx, c.secretKey, http.MethodPost, "/v1/setup_intents", url.Values{
		"customer": {customer}, "usage": {"off_session"}, "payment_method_types[]": {"card"},
	}, &intent)
	if err != nil {
		return pageIntent{}, fmt.Errorf("make a setup for %s: %w", customer, err)
	}
	return intent, nil
}

// setDefault makes a payment method the one the customer's invoices are charged
// to. As in Stripe's own portal, a subscription's own method still goes first.
func (c apiClient) setDefault(ctx context.Context, customer, method string) error {
	var changed struct{}
	err := c.call(ctx, c.secretKey, http.MethodPost, "/v1/customers/"+url.PathEscape(customer), url.Values{
		"invoice_settings[default_payment_method]": {method},
	}, &changed)
	if err != nil {
		return fmt.Errorf("set the default method of %s: %w", customer, err)
	}
	return nil
}

// intentPath is the address of a PaymentIntent or SetupIntent in the API.
func intentPath(id string) string {
	if strings.HasPrefix(id, "seti_") {
		return "/v1/setup_intents/" + url.PathEscape(id)
	}
	return "/v1/payment_intents/" + url.PathEscape(id)
}

// confirm confirms an intent with a card typed by a person, by the rights of
// its client secret as a browser does. A decline is an *apiRefusal with the
// sentence a person may read.
func (c apiClient) confirm(ctx context.Context, intent pageIntent, card typedCard) (pageIntent, error) {
	var method struct {
		ID string `json:"id"`
	}
	err := c.call(ctx, c.publishableKey, http.MethodPost, "/v1/payment_methods", url.Values{
		"type":            {"card"},
		"card[number]":    {card.Number},
		"card[exp_month]": {card.Month},
		"card[exp_year]":  {card.Year},
		"card[cvc]":       {card.CVC},
	}, &method)
	if err != nil {
		return pageIntent{}, fmt.Errorf("read the card for %s: %w", intent.ID, err)
	}
	var confirmed pageIntent
	err = c.call(ctx, c.publishableKey, http.MethodPost, intentPath(intent.ID)+"/confirm", url.Values{
		"client_secret":  {intent.ClientSecret},
		"payment_method": {method.ID},
		"use_stripe_sdk": {"true"},
	}, &confirmed)
	if err != nil {
		return pageIntent{}, fmt.Errorf("confirm %s: %w", intent.ID, err)
	}
	return confirmed, nil
}

// call makes one call and reads its answer into what the caller gives. A
// refusal by the API is an *apiRefusal.
func (c apiClient) call(ctx context.Context, key, method, path string, fields url.Values, into any) error {
	target, body := path, ""
	if method == http.MethodGet {
		target += "?" + fields.Encode()
	} else {
		body = fields.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	// What a server, not a client, would have filled in.
	request.RequestURI = target
	request.RemoteAddr = "127.0.0.1:0"
	request.Host = "sandbox"
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := answerBuffer{header: http.Header{}, status: http.StatusOK}
	c.handler.ServeHTTP(&answer, request)
	if answer.status >= http.StatusBadRequest {
		var failed struct {
			Error struct{ Code, Message string }
		}
		err := json.Unmarshal(answer.body.Bytes(), &failed)
		if err != nil {
			return fmt.Errorf("read a refusal with status %d: %w", answer.status, err)
		}
		return &apiRefusal{Status: answer.status, Code: failed.Error.Code, Message: failed.Error.Message}
	}
	err = json.Unmarshal(answer.body.Bytes(), into)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// answerBuffer keeps what a handler answers.
type answerBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answerBuffer) Header() http.Header         { return a.header }
func (a *answerBuffer) WriteHeader(status int)      { a.status = status }
func (a *answerBuffer) Write(p []byte) (int, error) { return a.body.Write(p) }
