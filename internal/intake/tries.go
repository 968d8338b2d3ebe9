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

// newTries reports whether the latest charge of an open invoice failed and is not known yet.
func newTries(ctx context.Context, tx *sql.Tx, account billing.Account) (bool, error) {
	for _, i := range account.Invoices {
		if i.Charge == "" || !i.Failed() {
			continue
		}
		known, err := billing.KnowsCharge(ctx, tx, i.Charge)
		if err != nil {
			return false, fmt.Errorf("look for tries that are not known: %w", err)
		}
		if !known {
			return true, nil
		}
	}
	return false, nil
}

// tries reads the charges of a customer where there is news of them; only who needs them always gets an error when they
// cannot be read. Nobody else's are read: no budget is asked for them.
func (in *Intake) tries(ctx context.Context, account billing.Account, news, always bool) ([]billing.Attempt, error) {
	if !news {
		return nil, nil
	}
	tries, err := in.stripe.Charges(ctx, account.Customer.ID, in.now().Add(-triesFor).Unix())
	if err != nil && !always {
		in.log.WarnContext(ctx, "tries at Stripe could not be read; they are before anything is charged", "customer", account.Customer.ID, "err", err)
		return nil, nil
	}
	return tries, err
}
