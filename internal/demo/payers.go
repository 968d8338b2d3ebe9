package demo

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/link"
)

// payers are customers who pressed to pay, and what came of it; and some who owe nothing any more.
func payers() []player {
	return []player{
		{
			name: "Lena Hofmann", email: "lena@hofmann.example", locale: "de",
			line1: "Kaulbachstraße 20", city: "München", postcode: "80539", nation: "DE", plan: studioEUR,
			scenario: "just_paid", story: "Pressed to pay this morning, and the bank said yes",
			failed: 2*aDay + 3*time.Hour, code: "insufficient_funds",
			turns: []turn{{20 * time.Minute, (*Demo).payGladly}},
		},
		{
			name: "Marco Esposito", email: "marco@esposito.example", locale: "it",
			line1: "Via Toledo 112", city: "Napoli", postcode: "80134", nation: "IT", plan: studioEUR,
			scenario: "declined_now", story: "Pressed to pay this morning, and the bank said no",
			failed: 3*aDay + 3*time.Hour, code: "insufficient_funds",
			turns: []turn{{25 * time.Minute, (*Demo).payInVain}},
		},
		{
			name: "Yuki Tanaka", email: "yuki@tanaka.example", locale: "ja",
			line1: "3-4-8 Umeda", city: "Osaka", postcode: "530-0001", nation: "JP", plan: studioJPY,
			scenario: "card_saved", story: "Added a card; it is kept, but the charge did not go through",
			failed: 4*aDay + 6*time.Hour, code: "expired_card",
			turns: []turn{{30 * time.Minute, (*Demo).addPoorCard}},
		},
		{
			name: "Olivia Grant", email: "olivia@grant.example", locale: "en-GB",
			line1: "41 Lamb's Conduit Street", city: "London", postcode: "WC1N 3NB", nation: "GB", plan: studioEUR,
			scenario: "partly_paid", story: "Paid two invoices at once; one went through",
			failed: 4*aDay + 2*time.Hour, code: "insufficient_funds", extras: []extra{{"Extra storage, 500 GB", "eur", 1200, 3*aDay + 5*time.Hour}},
			turns: []turn{{35 * time.Minute, (*Demo).payInVain}},
		},
		{
			name: "Ethan Brooks", email: "ethan@brooks.example", locale: "en-US",
			line1: "77 Alder Street", city: "Portland", postcode: "97205", nation: "US", plan: agencyUSD,
			scenario: "amount_changes", story: "A large sum in dollars that is put right now and then",
			failed: 3*aDay + 4*time.Hour, code: "insufficient_funds",
		},
		{
			name: "Pablo Ruiz", email: "pablo@ruiz.example", locale: "es",
			line1: "Calle Sierpes 18", city: "Sevilla", postcode: "41004", nation: "ES", plan: studioEUR,
			scenario: "tried_often", story: "Tried the same card five times this morning",
			failed: 2*aDay + 2*time.Hour, code: "insufficient_funds",
			turns: []turn{{15 * time.Minute, (*Demo).payFiveTimes}},
		},
		{
			name: "Karin Lund", email: "karin@lund.example", locale: "en",
			line1: "Avenyn 12", city: "Göteborg", postcode: "411 36", nation: "SE", plan: teamEUR,
			scenario: "paid_elsewhere", story: "Paid by transfer after the first reminder",
			failed: 6*aDay + 3*time.Hour, code: "do_not_honor",
			turns: []turn{{2 * aDay, (*Demo).payOutside}, {1 * aDay, (*Demo).letLinkExpire}},
		},
		{
			name: "Stefan Ionescu", email: "stefan@ionescu.example", locale: "en",
			line1: "Strada Lipscani 25", city: "București", postcode: "030031", nation: "RO", plan: studioEUR,
			scenario: "voided", story: "Was billed by mistake; the invoice was withdrawn",
			failed: 4*aDay + 3*time.Hour, code: "do_not_honor",
			turns: []turn{{2 * aDay, (*Demo).void}, {1 * aDay, (*Demo).takeLinkBack}},
		},
		{
			name: "Nils Hauser", email: "nils@hauser.example", locale: "de",
			line1: "Neubaugasse 44", city: "Wien", postcode: "1070", nation: "AT", plan: studioEUR,
			scenario: "refunded", story: "Paid after a reminder, changed his mind, and got the money back",
			failed: 9*aDay + 3*time.Hour, code: "insufficient_funds", paid: 5*aDay + 1*time.Hour,
			turns: []turn{{1 * aDay, (*Demo).refund}},
		},
		{
			name: "Greta Baumann", email: "greta@baumann.example", locale: "de",
			line1: "Venloer Straße 301", city: "Köln", postcode: "50823", nation: "DE", plan: studioEUR,
			scenario: "debit_failed", story: "Paid by bank debit; days later the bank took it back",
			failed: 9*aDay + 4*time.Hour, code: "expired_card",
			turns: []turn{{7 * aDay, (*Demo).payByFailingDebit}},
		},
		{
			name: "June Park", email: "june@park.example", locale: "en",
			line1: "1180 Peachtree Street", city: "Atlanta", postcode: "30309", nation: "US", plan: studioUSD,
			scenario: "account_unproven", story: "Typed the number of her bank account; small deposits are on their way to it",
			failed: 3*aDay + 3*time.Hour, code: "expired_card",
			turns: []turn{{2 * aDay, (*Demo).typeAccount}},
		},
	}
}

// payInVain lets the player press to pay; what the bank declines stays declined.
func (d *Demo) payInVain(ctx context.Context, p *part) error {
	var err error
	p.Press, err = d.press(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("%s pays: %w", p.Name, err)
	}
	return nil
}

// payGladly lets the player press to pay now that the money has come.
func (d *Demo) payGladly(ctx context.Context, p *part) error {
	err := d.sandbox.Relent(p.invoice, time.Time{})
	if err != nil {
		return err
	}
	return d.payInVain(ctx, p)
}

// payFiveTimes lets the player try until nothing more is tried.
func (d *Demo) payFiveTimes(ctx context.Context, p *part) error {
	for range 5 {
		err := d.payInVain(ctx, p)
		if err != nil {
			return err
		}
	}
	return nil
}

// addPoorCard lets the player type a card that can be kept and then declines every charge.
func (d *Demo) addPoorCard(ctx context.Context, p *part) error {
	return d.typeIn(ctx, p, form{"payment_method": "pm_card_chargeCustomerFail"})
}

// typeAccount lets the player type the number of a bank account in the United States.
func (d *Demo) typeAccount(ctx context.Context, p *part) error {
	return d.typeIn(ctx, p, form{
		"payment_method_data[type]": "us_bank_account", "payment_method_data[us_bank_account][account_number]": "000123456789",
		"payment_method_data[us_bank_account][routing_number]": "110000000", "payment_method_data[us_bank_account][account_holder_type]": "individual",
		"payment_method_data[billing_details][name]": p.Name, "return_url": d.Base() + "/pay/card/finish",
	})
}

// typeIn lets the player type a way to pay for the open invoice, as Stripe's fields hand it over.
func (d *Demo) typeIn(ctx context.Context, p *part, typed form) error {
	press := checkout.Press{ID: database.NewID("press"), Customer: p.ID}
	err := d.portal.DB.See(ctx, func(tx *sql.Tx) error {
		i, err := billing.FindInvoice(ctx, tx, p.invoice)
		press.Invoices = []checkout.Expected{{Invoice: i.ID, Amount: i.Remaining()}}
		return err
	})
	if err != nil {
		return err
	}
	secret, err := d.portal.Desk.StartCard(ctx, press)
	if err != nil {
		return fmt.Errorf("%s begins to type: %w", p.Name, err)
	}
	setup, _, _ := strings.Cut(secret, "_secret_")
	_, err = d.stripe.make(ctx, "/v1/setup_intents/"+url.PathEscape(setup)+"/confirm", typed)
	if err != nil {
		return fmt.Errorf("%s types a way to pay: %w", p.Name, err)
	}
	p.Press, err = d.portal.Desk.FinishCard(ctx, p.ID, setup)
	if err != nil {
		return fmt.Errorf("%s keeps a way to pay: %w", p.Name, err)
	}
	return nil
}

// payOutside marks the open invoice as paid by transfer.
func (d *Demo) payOutside(_ context.Context, p *part) error { return d.sandbox.Pay(p.invoice, true) }

// void withdraws the open invoice.
func (d *Demo) void(ctx context.Context, p *part) error {
	_, err := d.stripe.make(ctx, "/v1/invoices/"+p.invoice+"/void", nil)
	if err != nil {
		return fmt.Errorf("withdraw the invoice of %s: %w", p.Name, err)
	}
	return nil
}

// longAgo is older than any link may become.
const longAgo = 121 * aDay

// letLinkExpire gives the player a link of long ago.
func (d *Demo) letLinkExpire(ctx context.Context, p *part) error {
	return d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		var err error
		p.Old, err = link.Issue(ctx, tx, link.Link{CustomerID: p.ID, IssuedAt: d.clock.Now().Add(-longAgo).Unix()})
		return err
	})
}

// takeLinkBack gives the player a link and takes it back.
func (d *Demo) takeLinkBack(ctx context.Context, p *part) error {
	return d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		var err error
		p.Old, err = link.Issue(ctx, tx, link.Link{CustomerID: p.ID, IssuedAt: d.clock.Now().Unix()})
		if err != nil {
			return err
		}
		return link.RevokeAll(ctx, tx, p.ID, d.clock.Now())
	})
}
