package intake

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
)

// triesFor is how far back the tries on a customer's cards are read: the longest of the networks' windows and a day.
const triesFor = 31 * 24 * time.Hour

// tries reads the charges of a customer of whose open invoices some charge failed, when the latest one is not known
// yet, or always; only then is it an error that they cannot be read. Nobody else's are read: no budget is asked for them.
func (in *Intake) tries(ctx context.Context, account billing.Account, always bool) ([]billing.Attempt, error) {
	news := false
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		for _, i := range account.Invoices {
			if i.Charge == "" || !i.Failed() {
				continue
			}
			known, err := billing.KnowsCharge(ctx, tx, i.Charge)
			if err != nil {
				return err
			}
			news = news || !known
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for tries that are not known: %w", err)
	}
	if !news && !always {
		return nil, nil
	}
	tries, err := in.stripe.Charges(ctx, account.Customer.ID, in.now().Add(-triesFor).Unix())
	if err != nil && !always {
		in.log.WarnContext(ctx, "tries at Stripe could not be read; they are before anything is charged", "customer", account.Customer.ID, "err", err)
		return nil, nil
	}
	return tries, err
}
