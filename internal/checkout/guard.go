package checkout

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Limits against card testing, in real time. Whoever tries cards is a customer or, by the link, somebody one of them
// asked to pay: a guest does not use up what the customer may.
const (
	mostDeclines = 5         // declined cards of one who tries, after which they are asked to wait
	mostSetups   = 15        // card fields, or questions of a bank, one who tries may ask for
	mostGuests   = 60        // card fields all guests of a customer together may ask for
	limitWindow  = time.Hour // of these

	mostDeclinesThere = 20             // declined cards from one network, whoever's page they were tried on
	thereWindow       = 24 * time.Hour // of these

	mostFailures = 5 // of one set of card fields, which then take no further card
)

// tryer is who a press's tries are counted by.
func (p Press) tryer() string {
	if p.Link != "" {
		return p.Link
	}
	return p.Customer
}

func declinesOf(tryer string) string       { return "declined " + tryer }
func declinesThere(place string) string    { return "declined at " + place }
func setupsOf(tryer string) string         { return "setup " + tryer }
func guestSetupsOf(customer string) string { return "guests' setup " + customer }

var errTooMany = fault.New(fault.TooMany, "Too many tries.")

// Guard refuses, with fault.TooMany, a network from which too many cards were declined lately: cards are being tried
// there.
func (d *Desk) Guard(ctx context.Context, place string) error {
	return d.db.See(ctx, func(tx *sql.Tx) error {
		over, err := d.over(ctx, tx, "", place)
		if err == nil && over {
			err = errTooMany
		}
		return err
	})
}

// guard refuses whoever had too many cards declined of late.
func (d *Desk) guard(ctx context.Context, tx *sql.Tx, p Press) error {
	over, err := d.over(ctx, tx, p.tryer(), p.Place)
	if err == nil && over {
		err = errTooMany
	}
	return err
}

// over reports whether one who tries, or a network, has had too many cards declined. "" is nobody and nowhere.
func (d *Desk) over(ctx context.Context, tx *sql.Tx, tryer, place string) (bool, error) {
	if tryer != "" {
		declined, err := database.Used(ctx, tx, declinesOf(tryer), limitWindow, d.real())
		if err != nil || declined >= mostDeclines {
			return err == nil, err
		}
	}
	if place == "" {
		return false, nil
	}
	declined, err := database.Used(ctx, tx, declinesThere(place), thereWindow, d.real())
	return declined >= mostDeclinesThere, err
}

// guardSetup refuses whoever had too many cards declined of late, or asked too often for what cards are confirmed with.
func (d *Desk) guardSetup(ctx context.Context, tx *sql.Tx, p Press) error {
	err := d.guard(ctx, tx, p)
	if err != nil {
		return err
	}
	within, err := database.Within(ctx, tx, setupsOf(p.tryer()), limitWindow, mostSetups, d.real())
	if err == nil && within && p.Link != "" {
		within, err = database.Within(ctx, tx, guestSetupsOf(p.Customer), limitWindow, mostGuests, d.real())
	}
	if err == nil && !within {
		err = errTooMany
	}
	return err
}

// handOut keeps to whom what a card is confirmed with is handed.
func (d *Desk) handOut(ctx context.Context, tx *sql.Tx, p Press, intent string) error {
	now := d.real()
	_, err := tx.ExecContext(ctx, `DELETE FROM confirmations WHERE at < $1`, now.Add(-2*thereWindow).Unix())
	if err != nil {
		return fmt.Errorf("sweep confirmations: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO confirmations (intent, tryer, place, at, told, counted) VALUES ($1, $2, $3, $4, 0, 0)
		ON CONFLICT (intent) DO UPDATE SET tryer = excluded.tryer, place = excluded.place, at = excluded.at`,
		intent, p.tryer(), p.Place, now.Unix())
	if err != nil {
		return fmt.Errorf("keep to whom %s is handed: %w", intent, err)
	}
	return nil
}

// pressOf is the press a card was begun with, as far as it says whose the tries with it are: of whoever was handed what it
// was confirmed with.
func (d *Desk) pressOf(ctx context.Context, attempt billing.Attempt) (Press, error) {
	p := Press{ID: attempt.Press, Customer: attempt.CustomerID, By: attempt.By}
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var tryer string
		err := tx.QueryRowContext(ctx, `SELECT tryer, place FROM confirmations WHERE intent = $1`, attempt.Reference).Scan(&tryer, &p.Place)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // begun days ago
		}
		if tryer != p.Customer {
			p.Link = tryer
		}
		return err
	})
	return p, err
}

// confirmation is what a browser was handed, and what is known of the cards that were declined with it.
type confirmation struct {
	tryer, place string
	told         int64 // by events
	pressed      int64 // heard in answer to us
	counted      int64 // the larger of the two
}

// countDecline counts one declined card of one who tries, and of the network.
func (d *Desk) countDecline(ctx context.Context, tx *sql.Tx, tryer, place string) error {
	_, err := database.Within(ctx, tx, declinesOf(tryer), limitWindow, mostDeclines, d.real())
	if err == nil && place != "" {
		_, err = database.Within(ctx, tx, declinesThere(place), thereWindow, mostDeclinesThere, d.real())
	}
	return err
}

// countPress counts a press of which a charge was declined, unless another of its charges was, which was counted then, or an
// event told of it before; of the same decline Stripe's event is news no more.
func (d *Desk) countPress(ctx context.Context, tx *sql.Tx, p Press, a billing.Attempt) error {
	made, err := billing.AttemptsOf(ctx, tx, a.CustomerID, a.Press)
	if err != nil {
		return err
	}
	counted := slices.ContainsFunc(made, func(b billing.Attempt) bool {
		return b.ID != a.ID && b.Kind == "charge" && b.Status == billing.AttemptDeclined
	})
	if counted {
		return nil
	}
	c, known, err := d.heard(ctx, tx, a.Reference)
	if err != nil || known && c.pressed <= c.counted {
		return err
	}
	return d.countDecline(ctx, tx, p.tryer(), p.Place)
}

// pressBehind is the press of a charge of which it is heard late how it ended. Of a card on file it is not kept where it
// was pressed.
func (d *Desk) pressBehind(ctx context.Context, a billing.Attempt) (Press, error) {
	setup, found := billing.Attempt{}, false
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		setup, found, err = billing.SetupOf(ctx, tx, a.Press)
		return err
	})
	if err != nil || !found {
		return Press{ID: a.Press, Customer: a.CustomerID, By: a.By}, err
	}
	p, err := d.pressOf(ctx, setup)
	p.By = a.By
	return p, err
}

// countRead counts a decline that was read of an intent, unless an event told it before.
func (d *Desk) countRead(ctx context.Context, tx *sql.Tx, intent string) error {
	c, known, err := d.heard(ctx, tx, intent)
	if err != nil || !known || c.pressed <= c.counted {
		return err
	}
	return d.countDecline(ctx, tx, c.tryer, c.place)
}

// heard keeps that Stripe answered us that a card was declined, and answers what was known of the intent before; false
// when it was handed to nobody. The event that tells of it may come before the answer, after it, or at the same time.
func (d *Desk) heard(ctx context.Context, tx *sql.Tx, intent string) (confirmation, bool, error) {
	err := database.HoldQuietly(ctx, tx, intent)
	if err != nil {
		return confirmation{}, false, err
	}
	var c confirmation
	err = tx.QueryRowContext(ctx, `SELECT tryer, place, told, counted, pressed FROM confirmations WHERE intent = $1`, intent).
		Scan(&c.tryer, &c.place, &c.told, &c.counted, &c.pressed)
	if errors.Is(err, sql.ErrNoRows) {
		return confirmation{}, false, nil
	}
	c.pressed++
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE confirmations SET pressed = $1, counted = $2 WHERE intent = $3`, c.pressed, max(c.counted, c.pressed), intent)
	}
	if err != nil {
		return confirmation{}, false, fmt.Errorf("count a decline of %s: %w", intent, err)
	}
	return c, true, nil
}

// Declined counts a card that Stripe's event says was declined with what we handed out, once for each event, and lets
// card fields take no further card when too many were. What we handed to nobody is not ours to count. Errors:
// fault.Unavailable when Stripe does not answer, and then it is safe to ask again.
func (d *Desk) Declined(ctx context.Context, event, intent string) error {
	over := false
	err := d.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.HoldQuietly(ctx, tx, intent)
		if err != nil {
			return err
		}
		c, err := d.told(ctx, tx, event, intent)
		if err != nil || c.tryer == "" {
			return err
		}
		over, err = d.over(ctx, tx, c.tryer, c.place)
		over = over || c.told >= mostFailures
		return err
	})
	if err != nil {
		return fmt.Errorf("count what %s tells: %w", event, err)
	}
	if !over {
		return nil
	}
	if !strings.HasPrefix(intent, "seti_") { // an invoice's own payment cannot be canceled without the invoice
		d.log.WarnContext(ctx, "too many cards were declined with an invoice's payment, which stays open at Stripe", "intent", intent)
		return nil
	}
	d.log.WarnContext(ctx, "too many cards were declined, the card fields are closed", "intent", intent)
	return d.stripe.CancelSetup(ctx, intent, event)
}

// told keeps that an event told of a decline and counts it, when it is news. The confirmation of an intent we handed to
// nobody is empty.
func (d *Desk) told(ctx context.Context, tx *sql.Tx, event, intent string) (confirmation, error) {
	known := 2 * thereWindow
	if strings.HasPrefix(intent, "pi_") { // later tries of an invoice's own payment are Stripe's, or our schedule's
		known = limitWindow
	}
	var c confirmation
	err := tx.QueryRowContext(ctx, `SELECT tryer, place, told, counted FROM confirmations WHERE intent = $1 AND at > $2`,
		intent, d.real().Add(-known).Unix()).
		Scan(&c.tryer, &c.place, &c.told, &c.counted)
	if errors.Is(err, sql.ErrNoRows) {
		return confirmation{}, nil
	}
	if err != nil {
		return confirmation{}, err
	}
	fresh, err := database.Within(ctx, tx, "counted "+event, thereWindow, 1, d.real())
	if err != nil || !fresh {
		return c, err
	}
	c.told++
	if c.told > c.counted {
		c.counted++
		err = d.countDecline(ctx, tx, c.tryer, c.place)
		if err != nil {
			return c, err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE confirmations SET told = $1, counted = $2 WHERE intent = $3`, c.told, c.counted, intent)
	return c, err
}
