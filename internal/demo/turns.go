package demo

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/link"
)

// payByDebit lets the player pay the open invoice from their bank account. It takes days to arrive.
func (d *Demo) payByDebit(ctx context.Context, p *part) error {
	return d.debit(ctx, p, "pm_success_de")
}

// payByFailingDebit is payByDebit from an account that the bank takes the money back to, days later.
func (d *Demo) payByFailingDebit(ctx context.Context, p *part) error {
	return d.debit(ctx, p, "pm_failed_de")
}

func (d *Demo) debit(ctx context.Context, p *part, account string) error {
	account, err := d.stripe.make(ctx, "/v1/payment_methods/"+account+"/attach", form{"customer": p.ID})
	if err != nil {
		return fmt.Errorf("%s keeps a bank account: %w", p.Name, err)
	}
	_, err = d.stripe.make(ctx, "/v1/invoices/"+p.invoice+"/pay", form{"payment_method": account})
	if err != nil {
		return fmt.Errorf("%s pays by debit: %w", p.Name, err)
	}
	return nil
}

// dispute lets the player go to their bank over the first payment they made.
func (d *Demo) dispute(ctx context.Context, p *part) error {
	charges, err := d.stripe.call(ctx, "GET", "/v1/charges", form{"customer": p.ID, "limit": "100"})
	if err != nil {
		return fmt.Errorf("find what %s paid: %w", p.Name, err)
	}
	if len(charges.Data) == 0 {
		return fmt.Errorf("%s never paid anything", p.Name)
	}
	_, err = d.stripe.make(ctx, "/sandbox/disputes", form{"charge": charges.Data[len(charges.Data)-1].ID, "reason": "subscription_canceled"})
	if err != nil {
		return fmt.Errorf("%s disputes: %w", p.Name, err)
	}
	return nil
}

// credit takes a part of the open invoice back, as an apology would.
func (d *Demo) credit(ctx context.Context, p *part) error {
	_, err := d.stripe.make(ctx, "/v1/credit_notes", form{"invoice": p.invoice, "amount": "9900", "memo": "For the hours the studio was down"})
	if err != nil {
		return fmt.Errorf("credit %s: %w", p.Name, err)
	}
	return nil
}

// payPart pays a part of the open invoice.
func (d *Demo) payPart(_ context.Context, p *part) error { return d.sandbox.PayPart(p.invoice, 10000) }

// invoiceByTransfer sends the player an invoice to pay within two weeks.
func (d *Demo) invoiceByTransfer(ctx context.Context, p *part) error {
	invoice, err := d.stripe.make(ctx, "/v1/invoices", form{
		"customer": p.ID, "currency": "eur", "collection_method": "send_invoice", "days_until_due": "14", "pending_invoice_items_behavior": "exclude",
	})
	if err != nil {
		return fmt.Errorf("invoice %s: %w", p.Name, err)
	}
	_, err = d.stripe.make(ctx, "/v1/invoiceitems", form{
		"customer": p.ID, "invoice": invoice, "currency": "eur", "amount": "106800", "description": "Team plan, one year",
	})
	if err != nil {
		return fmt.Errorf("invoice %s: %w", p.Name, err)
	}
	_, err = d.stripe.make(ctx, "/v1/invoices/"+invoice+"/finalize", form{"auto_advance": "false"})
	if err != nil {
		return fmt.Errorf("send %s their invoice: %w", p.Name, err)
	}
	// No event tells of an invoice that nothing is charged for; the portal learns of it when it reads the customer.
	return d.portal.Intake.Refresh(ctx, p.ID)
}

// keepMore attaches a second card and a bank account, which nothing is charged to.
func (d *Demo) keepMore(ctx context.Context, p *part) error {
	for _, method := range []string{"pm_card_mastercard", "pm_success_de"} {
		var err error
		p.Spare, err = d.stripe.make(ctx, "/v1/payment_methods/"+method+"/attach", form{"customer": p.ID})
		if err != nil {
			return fmt.Errorf("%s keeps another way to pay: %w", p.Name, err)
		}
	}
	return nil
}

// handOn makes a link with which somebody else may pay the open invoice, as from the player's page.
func (d *Demo) handOn(ctx context.Context, p *part) error {
	return d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		var err error
		p.Handed, err = link.Issue(ctx, tx, link.Link{CustomerID: p.ID, InvoiceID: p.invoice, IssuedAt: d.clock.Now().Unix()})
		return err
	})
}

// refund gives back what the player paid for the invoice that had failed.
func (d *Demo) refund(ctx context.Context, p *part) error {
	charges, err := d.stripe.call(ctx, "GET", "/v1/charges", form{"customer": p.ID, "limit": "1"})
	if err != nil || len(charges.Data) == 0 {
		return fmt.Errorf("find what %s paid (%d charges): %w", p.Name, len(charges.Data), err)
	}
	_, err = d.stripe.make(ctx, "/v1/refunds", form{"charge": charges.Data[0].ID, "reason": "requested_by_customer"})
	if err != nil {
		return fmt.Errorf("refund %s: %w", p.Name, err)
	}
	return nil
}

// removeCard takes away the one way to pay.
func (d *Demo) removeCard(ctx context.Context, p *part) error {
	_, err := d.stripe.make(ctx, "/v1/payment_methods/"+p.card+"/detach", nil)
	if err != nil {
		return fmt.Errorf("%s removes their card: %w", p.Name, err)
	}
	return nil
}

// expireCard lets the bank refuse the player's card for its date from the next charge on.
func (d *Demo) expireCard(_ context.Context, p *part) error { return d.sandbox.ExpireCard(p.card) }

// write lets the player write to support, as from their page.
func (d *Demo) write(ctx context.Context, p *part) error {
	text := "Our card has a daily limit, and this is above it. Can you split the amount over two days, or shall we send a transfer?"
	err := d.portal.Talks.Write(ctx, p.ID, text, false, d.clock.Now())
	if err != nil {
		return fmt.Errorf("%s writes: %w", p.Name, err)
	}
	return nil
}

// writeOff gives the open invoice up.
func (d *Demo) writeOff(ctx context.Context, p *part) error {
	_, err := d.stripe.make(ctx, "/v1/invoices/"+p.invoice+"/mark_uncollectible", nil)
	if err != nil {
		return fmt.Errorf("write off what %s owes: %w", p.Name, err)
	}
	return nil
}
