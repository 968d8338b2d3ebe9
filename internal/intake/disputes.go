package intake

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// seeDispute reads the dispute an event is about. Its customer has just been read.
func (in *Intake) seeDispute(ctx context.Context, id string) error {
	d, err := in.stripe.Dispute(ctx, id)
	if err != nil {
		return err
	}
	return in.saveDispute(ctx, d)
}

func (in *Intake) saveDispute(ctx context.Context, d billing.Dispute) error {
	if d.CustomerID == "" {
		return nil
	}
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, d.CustomerID)
		if err != nil {
			return err
		}
		_, err = billing.FindCustomer(ctx, tx, d.CustomerID)
		if fault.Is(err, fault.NotFound) {
			return nil // somebody who never owed us anything
		}
		if err != nil {
			return err
		}
		news, err := billing.SaveDispute(ctx, tx, d)
		if err != nil || !news {
			return err
		}
		return in.cases.Disputed(ctx, tx, d, in.now())
	})
	if err != nil {
		return fmt.Errorf("save dispute %s: %w", d.ID, err)
	}
	return nil
}
