package privacy

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
)

// restBatch is how many customers of whom the rest may go are looked up at a time.
const restBatch = 50

// deleteRest deletes what was kept of customers when that many years have passed since the end of the one in which they were
// erased: nobody has to keep records of their money any more. Their ids stay: by them what Stripe tells of them is passed
// over for ever. One that fails holds up no other.
func (e *Eraser) deleteRest(ctx context.Context) error {
	if e.Years == 0 {
		return nil
	}
	before := e.keptFrom()
	var failed error
	var past restPlace
	for {
		var old []restPlace
		err := e.DB.See(ctx, func(tx *sql.Tx) error {
			var err error
			old, err = leftOf(ctx, tx, before, past)
			return err
		})
		if err != nil {
			return errors.Join(failed, fmt.Errorf("find of whom the rest may go: %w", err))
		}
		for _, who := range old {
			err = e.DB.Do(ctx, func(tx *sql.Tx) error { return e.deleteRestOf(ctx, tx, who.customer) })
			if ctx.Err() != nil {
				return errors.Join(failed, err)
			}
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("delete the rest of %s: %w", who.customer, err))
			}
		}
		if len(old) < restBatch {
			return failed
		}
		past = old[len(old)-1]
	}
}

// keptFrom is the instant before which somebody was erased whose records nobody has to keep any more. What the law counts
// in years runs from the end of the calendar year in which something was written down.
func (e *Eraser) keptFrom() time.Time {
	zone := cmp.Or(e.Zone, time.UTC)
	return time.Date(e.Now().In(zone).Year()-e.Years, time.January, 1, 0, 0, 0, 0, zone)
}

// deleteRestOf deletes what is left of one customer, and the rows that erasing deletes where one was written after it: what
// they belong to could not go before them.
func (e *Eraser) deleteRestOf(ctx context.Context, tx *sql.Tx, customer string) error {
	err := database.Hold(ctx, tx, customer)
	if err != nil {
		return err
	}
	gone := int64(0)
	for _, t := range slices.Backward(tables) {
		if t.rule == deleted {
			err = t.forget(ctx, tx, customer)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
		if !t.ages() {
			continue
		}
		done, err := tx.ExecContext(ctx, `DELETE FROM `+t.name+` WHERE `+t.whose, customer)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		rows, err := done.RowsAffected()
		if err != nil {
			return err
		}
		gone += rows
	}
	if gone == 0 {
		return nil // another program was first, and has written it down
	}
	return audit.Append(ctx, tx, audit.Entry{At: e.Now(), Actor: "program", Action: "customer.rest_deleted", Object: customer})
}

// restPlace is a customer's place among those who were erased: the first erased stand first.
type restPlace struct {
	erasedAt int64
	customer string
}

// leftOf answers a batch of customers erased before the instant of whom something is left, after the place given.
func leftOf(ctx context.Context, tx *sql.Tx, before time.Time, past restPlace) ([]restPlace, error) {
	var left []string
	for _, t := range tables {
		// Events are in no order of their customers, and go with the rest: a count of holds is left of everybody.
		if t.ages() && t.name != "events" {
			left = append(left, `EXISTS (SELECT 1 FROM `+t.name+` WHERE `+strings.ReplaceAll(t.whose, "$1", "customers.id")+`)`)
		}
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT erased_at, id FROM customers
		WHERE erased_at > 0 AND erased_at < $1 AND (erased_at, id) > ($2, $3) AND (`+strings.Join(left, " OR ")+`)
		ORDER BY erased_at, id LIMIT $4`, before.Unix(), past.erasedAt, past.customer, restBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []restPlace
	for rows.Next() {
		var p restPlace
		err = rows.Scan(&p.erasedAt, &p.customer)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// ages reports whether what is kept of an erased customer in a table is deleted some years later.
func (t table) ages() bool {
	return !t.forever && (t.rule == nameless || t.rule == kept)
}
