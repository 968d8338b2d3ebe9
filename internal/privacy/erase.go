package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
	"sollecito/internal/interest"
	"sollecito/internal/outbox"
)

// Eraser erases customers. Now is the business clock, Real the one that claims of senders are counted by.
type Eraser struct {
	DB        *database.DB
	Cases     *dunning.Cases
	Now, Real func() time.Time
	Years     int            // after which Sweep deletes what was kept of an erased customer, 0 for never
	Zone      *time.Location // of the merchant, in which calendar years end; nil for UTC

	swept atomic.Int64 // when Sweep did its work last, unix seconds of business time
	given atomic.Bool  // what those had kept from them who were gone before is given back, since this program began
	late  atomic.Bool  // nothing that was told of those erased long ago is left to wait for, as far as is known
}

// Busy is the error of a customer for whom something is under way that only its end can tell of: a mail that the mail
// server is being told, a payment or a change that Stripe was asked for. Nothing was erased; it ends within a minute or two
// while the portal runs.
type Busy struct{ With []string }

func (b *Busy) Error() string {
	return "something of this customer is under way just now: " + strings.Join(b.With, ", ")
}

// underWay are the questions whether something is under way that must be seen through, by what it is called.
var underWay = []struct{ called, question string }{
	{"a mail that is being handed to the mail server", `FROM notices WHERE customer_id = $1 AND status = 'sending'`},
	{"a payment", `FROM attempts WHERE customer_id = $1 AND kind = 'charge' AND status = 'started'`},
	{"a card that is being taken off", `FROM removals WHERE customer_id = $1 AND status = 'ordered'`},
	{"an act at Stripe at a campaign's end", `FROM final_acts WHERE customer_id = $1 AND status = 'ordered'`},
}

// cardDays is how long the fingerprint of an erased customer's card is kept with their tries: the longest of the networks'
// windows and a day.
const cardDays = 31

const withdrawn = "The customer was erased before it was said."

// Erase erases a customer in one transaction: what is queued for them never goes out, their links and sessions are gone,
// their case closes, and of their rows stays what the list says. From then on what Stripe tells of them is passed over.
// by is who asked, for the audit log. first is false when they were erased before; then only what was left behind since is
// erased. *Busy when something is under way, fault.NotFound when there is no such customer; then nothing has changed.
func (e *Eraser) Erase(ctx context.Context, customer, by string) (first bool, err error) {
	err = e.DB.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, customer)
		if err != nil {
			return err
		}
		found, err := billing.CustomersByID(ctx, tx, []string{customer})
		if err != nil {
			return err
		}
		who, known := found[customer]
		if !known {
			return fault.New(fault.NotFound, "There is no customer %s.", customer)
		}
		first = who.ErasedAt == 0
		err = e.end(ctx, tx, who)
		if err != nil {
			return err
		}
		err = e.forget(ctx, tx, who)
		if err != nil || !first {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{At: e.Now(), Actor: by, Action: "customer.erased", Object: customer})
	})
	return first, err
}

// end stops everything that was still to happen for a customer, and makes sure that nothing is under way.
func (e *Eraser) end(ctx context.Context, tx *sql.Tx, who billing.Customer) error {
	now := e.Now()
	err := outbox.EraseQueue(ctx, tx, who.ID, withdrawn, now.Unix(), e.Real().Unix())
	if err != nil {
		return err
	}
	// What was queued is locked now and can be begun by nobody: whatever is under way shows.
	var busy Busy
	for _, u := range underWay {
		is := false
		err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 `+u.question+`)`, who.ID).Scan(&is)
		if err != nil {
			return fmt.Errorf("look for %s: %w", u.called, err)
		}
		if is {
			busy.With = append(busy.With, u.called)
		}
	}
	if len(busy.With) > 0 {
		return &busy
	}
	err = e.Cases.Erase(ctx, tx, who.ID, now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE attempts SET status = 'failed', ended_at = $1 WHERE customer_id = $2 AND kind = 'setup' AND status = 'started'`, now.Unix(), who.ID)
	if err != nil {
		return fmt.Errorf("end the card fields of %s: %w", who.ID, err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE events SET status = 'ignored', reason = $1, processed_at = $2 WHERE customer_id = $3 AND status = 'received'`,
		intake.ErasedCustomer, e.Real().Unix(), who.ID)
	if err != nil {
		return fmt.Errorf("pass over what Stripe told of %s: %w", who.ID, err)
	}
	return nil
}

// forget does with every row of a customer what the list says.
func (e *Eraser) forget(ctx context.Context, tx *sql.Tx, who billing.Customer) error {
	err := outbox.EraseSuppressions(ctx, tx, who.ID, who.Addresses())
	if err != nil {
		return err
	}
	err = interest.Erase(ctx, tx, who.ID)
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(tables) {
		err = t.forget(ctx, tx, who.ID)
		if err != nil {
			return fmt.Errorf("erase %s: %w", t.name, err)
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE customers SET deleted = true, erased_at = $1 WHERE id = $2 AND erased_at = 0`, e.Now().Unix(), who.ID)
	if err != nil {
		return fmt.Errorf("mark %s as erased: %w", who.ID, err)
	}
	return forgetCards(ctx, tx, e.Now())
}

func (t table) forget(ctx context.Context, tx *sql.Tx, customer string) error {
	spared := ""
	if t.spare != "" {
		spared = ` AND NOT (` + t.spare + `)`
	}
	switch t.rule {
	case deleted:
		_, err := tx.ExecContext(ctx, `DELETE FROM `+t.name+` WHERE `+t.whose+spared, customer)
		return err
	case nameless:
		var sets []string
		for _, column := range t.emptied() {
			sets = append(sets, column+` = ''`)
		}
		for _, column := range strings.Fields(t.zeros) {
			sets = append(sets, column+` = 0`)
		}
		_, err := tx.ExecContext(ctx, `UPDATE `+t.name+` SET `+strings.Join(sets, ", ")+` WHERE `+t.whose+spared, customer)
		return err
	}
	return nil
}

// forgetCards empties the fingerprints of erased customers' cards that no limit counts any more, and lets go of others'
// cards that were taken off at Stripe since.
func forgetCards(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE attempts SET card = '' WHERE card <> '' AND started_at < $1 AND customer_id IN (SELECT id FROM customers WHERE erased_at > 0)`,
		now.AddDate(0, 0, -cardDays).Unix())
	if err != nil {
		return fmt.Errorf("forget cards of erased customers: %w", err)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM guest_cards WHERE gone_at > 0 AND customer_id IN (SELECT id FROM customers WHERE erased_at > 0)`)
	if err != nil {
		return fmt.Errorf("forget cards of who paid for erased customers: %w", err)
	}
	return nil
}

// forgetTold deletes what the merchant's app was told of customers erased since the instant, once it has it or nobody tries
// any more. What an app that was out of reach is told late may still have waited when they were swept last.
func forgetTold(ctx context.Context, tx *sql.Tx, since int64) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM webhook_deliveries
		WHERE status <> 'pending' AND customer_id IN (SELECT id FROM customers WHERE erased_at > 0 AND erased_at >= $1)`, since)
	if err != nil {
		return fmt.Errorf("forget what was told of erased customers: %w", err)
	}
	return nil
}

// forgetLate forgets what was told of customers whenever they were erased, in a program's first sweep and until none of it waits
// any more: another program's life may have ended while the app was still to take it.
func (e *Eraser) forgetLate(ctx context.Context) error {
	if e.late.Load() {
		return nil
	}
	waits := false
	err := e.DB.Do(ctx, func(tx *sql.Tx) error {
		err := forgetTold(ctx, tx, 0)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM webhook_deliveries WHERE customer_id IN (SELECT id FROM customers WHERE erased_at > 0))`).Scan(&waits)
		if err != nil {
			return fmt.Errorf("look what still waits of erased customers: %w", err)
		}
		return nil
	})
	e.late.Store(err == nil && !waits)
	return err
}

// giveBack gives back, once in a program's life, what an earlier version kept from customers who were erased, or deleted at Stripe,
// after their case had ended: the merchant's app would lock them out for ever.
func (e *Eraser) giveBack(ctx context.Context) (int, error) {
	if e.given.Load() {
		return 0, nil
	}
	var kept []string
	err := e.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		kept, err = e.Cases.KeptFromTheGone(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find who is gone and has not everything back: %w", err)
	}
	for _, customer := range kept {
		e.late.Store(false)
		again := e.DB.Do(ctx, func(tx *sql.Tx) error { return e.Cases.GiveBack(ctx, tx, customer, e.Now()) })
		err = errors.Join(err, again) // one that fails holds up no other
	}
	e.given.Store(err == nil)
	return len(kept), err
}

const (
	sweepEvery = time.Hour
	sweptFor   = 3 * sweepEvery // whoever was at work on a customer who was just erased may write something down after it
)

// Sweep erases what was left behind of customers who were erased lately, and what was kept for a while or for years, once in
// an hour of business time; in between it does nothing. It answers to how many something was given back, of which the merchant's
// app is to be told; else it leaves no work for a next round. A customer with whom it fails holds up no other and is tried again in
// an hour.
func (e *Eraser) Sweep(ctx context.Context) (int, error) {
	now := e.Now().Unix()
	last := e.swept.Load()
	if last <= now && now-last < int64(sweepEvery.Seconds()) {
		return 0, nil
	}
	var erased []billing.Customer
	err := e.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		erased, err = billing.ErasedSince(ctx, tx, e.Now().AddDate(0, 0, -2*cardDays).Unix())
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, who := range erased {
		if who.ErasedAt < now-int64(sweptFor.Seconds()) {
			continue
		}
		_, again := e.Erase(ctx, who.ID, "")
		err = errors.Join(err, again) // one that fails holds up no other
	}
	given, wrong := e.giveBack(ctx)
	err = errors.Join(err, wrong)
	err = errors.Join(err, e.forgetLate(ctx))
	if len(erased) > 0 {
		err = errors.Join(err, e.DB.Do(ctx, func(tx *sql.Tx) error { return forgetCards(ctx, tx, e.Now()) }))
		err = errors.Join(err, e.DB.Do(ctx, func(tx *sql.Tx) error { return forgetTold(ctx, tx, erased[0].ErasedAt) }))
	}
	err = errors.Join(err, e.deleteRest(ctx))
	if ctx.Err() == nil {
		e.swept.Store(now)
	}
	return given, err
}
