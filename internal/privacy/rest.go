package privacy

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"sollecito/internal/database"
)

// restBatch is of how many customers the rest is deleted in one round.
const restBatch = 50

// deleteRest deletes what was kept of customers who were erased that many years ago, when nobody has to keep records of their
// money any more. Their ids stay: by them what Stripe tells of them is passed over for ever.
func (e *Eraser) deleteRest(ctx context.Context) error {
	if e.Years == 0 {
		return nil
	}
	var old []string
	err := e.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		old, err = leftOf(ctx, tx, e.Now().AddDate(-e.Years, 0, 0))
		return err
	})
	if err != nil {
		return fmt.Errorf("find of whom the rest may go: %w", err)
	}
	for _, customer := range old {
		err = e.DB.Do(ctx, func(tx *sql.Tx) error {
			err := database.Hold(ctx, tx, customer)
			if err != nil {
				return err
			}
			for _, t := range slices.Backward(tables) {
				if !t.ages() {
					continue
				}
				_, err = tx.ExecContext(ctx, `DELETE FROM `+t.name+` WHERE `+t.whose, customer)
				if err != nil {
					return fmt.Errorf("%s: %w", t.name, err)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("delete the rest of %s: %w", customer, err)
		}
	}
	return nil
}

// leftOf answers customers erased before the instant of whom something is left, the first erased first.
func leftOf(ctx context.Context, tx *sql.Tx, before time.Time) ([]string, error) {
	var left []string
	for _, t := range tables {
		if t.ages() {
			left = append(left, `EXISTS (SELECT 1 FROM `+t.name+` WHERE `+strings.ReplaceAll(t.whose, "$1", "customers.id")+`)`)
		}
	}
	return database.Strings(ctx, tx, `
		SELECT id FROM customers WHERE erased_at > 0 AND erased_at < $1 AND (`+strings.Join(left, " OR ")+`)
		ORDER BY erased_at, id LIMIT $2`, before.Unix(), restBatch)
}

// ages reports whether what is kept of an erased customer in a table is deleted some years later.
func (t table) ages() bool {
	return !t.forever && (t.rule == nameless || t.rule == kept)
}
