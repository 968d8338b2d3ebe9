package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
)

// amountChanges lets the customer choose what to pay, and then the merchant take a dollar off it.
func (d *Demo) amountChanges(ctx context.Context, as *walkIn) error {
	err := as.press(ctx, "/pay/review", url.Values{"what": {"all"}})
	if err != nil {
		return err
	}
	_, err = d.stripe.make(ctx, "/v1/credit_notes", form{"invoice": as.Invoice, "amount": "100", "memo": "A dollar off, while you were looking"})
	if err != nil {
		return fmt.Errorf("credit %s: %w", as.Name, err)
	}
	return d.finish(ctx)
}

// cutFor is how long the stand-in does not answer.
const cutFor = 15 * time.Second

// stripeFails lets the stand-in answer nothing but 503 for a while.
func (d *Demo) stripeFails(ctx context.Context, _ *walkIn) error {
	err := d.outage(ctx, "1000")
	if err != nil {
		return err
	}
	d.work.Go(func() {
		select {
		case <-d.life.Done():
			return
		case <-time.After(cutFor):
		}
		err := d.outage(d.life, "0")
		if err != nil && d.life.Err() == nil {
			d.log.Error("the stand-in stays cut off", "err", err)
		}
	})
	return nil
}

// outage lets the stand-in refuse so many calls from now on.
func (d *Demo) outage(ctx context.Context, calls string) error {
	_, err := d.stripe.make(ctx, "/sandbox/outage", form{"status": "503", "count": calls})
	if err != nil {
		return fmt.Errorf("cut the stand-in off: %w", err)
	}
	return nil
}

// payUnanswered lets the customer press to pay while the stand-in does not answer.
func (d *Demo) payUnanswered(ctx context.Context, as *walkIn) error {
	err := d.outage(ctx, "1000")
	if err != nil {
		return err
	}
	as.Press, err = d.press(ctx, as.ID)
	return errors.Join(err, d.outage(ctx, "0"))
}

// press lets a customer press to pay everything with the card on file, as from their page, and answers the press.
func (d *Demo) press(ctx context.Context, customer string) (string, error) {
	p := checkout.Press{ID: database.NewID("press"), Customer: customer}
	err := d.portal.DB.See(ctx, func(tx *sql.Tx) error {
		who, err := billing.FindCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		p.Method = who.DefaultMethod
		open, err := billing.OpenInvoices(ctx, tx, customer)
		if err != nil {
			return err
		}
		for _, i := range open {
			p.Invoices = append(p.Invoices, checkout.Expected{Invoice: i.ID, Amount: i.Remaining()})
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	_, err = d.portal.Desk.Charge(ctx, p)
	return p.ID, err
}

// asksForCode lets the customer ask for a code to take a way to pay off. However often it was shown in this hour, it may
// be shown once more.
func (d *Demo) asksForCode(ctx context.Context, as *walkIn) error {
	err := d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM limits WHERE name = $1`, "code "+as.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("let %s ask once more: %w", as.Name, err)
	}
	return as.press(ctx, "/pay/methods/"+as.Spare+"/code", nil)
}

// damaged is a row of the database that cannot be read. Only one page asks for it.
const damaged = "removal_damaged"

// damages keeps a row as no program of ours writes it, so that a page fails for a reason of ours.
func (d *Demo) damages(ctx context.Context, as *walkIn) error {
	err := d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO removals (id, customer_id, method_id, successor, status, ordered_at, ended_at)
			VALUES ($1, $2, '', '', 'done', 'damaged', 0)
			ON CONFLICT (id) DO NOTHING`, damaged, as.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("damage a row: %w", err)
	}
	return nil
}
