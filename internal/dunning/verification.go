package dunning

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"sollecito/internal/billing"
)

const (
	depositDays       = 3 // business days: small deposits arrive within two, and a statement is looked at
	mostVerifications = 2 // in one case: whoever types a third account is reminded meanwhile
)

// provenBy answers until when a case rests because small deposits are on their way to a bank account that the customer
// added; no instant when it does not rest for any. What somebody has ended does not begin again for the same account.
func (cs *Cases) provenBy(ctx context.Context, tx *sql.Tx, c Case, invoices []billing.Invoice, now time.Time) (time.Time, error) {
	takes := func(i billing.Invoice) bool { return i.Open() && i.TakesTyped() }
	if !slices.ContainsFunc(invoices, takes) {
		return time.Time{}, nil
	}
	longest := 3 * depositDays * 24 * time.Hour // whatever weekends lie in between
	added, waits, err := billing.Unproven(ctx, tx, c.CustomerID, now.Add(-longest).Unix())
	if err != nil || !waits {
		return time.Time{}, err
	}
	had, err := selectPauses(ctx, tx, `WHERE case_id = $1 AND reason = $2`, c.ID, PauseVerification)
	if err != nil {
		return time.Time{}, err
	}
	ended := 0
	for _, p := range had {
		if !p.Active() {
			ended++
		}
		if !p.Active() && p.Since >= added.StartedAt {
			return time.Time{}, nil
		}
	}
	if ended >= mostVerifications {
		return time.Time{}, nil
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	return afterBusinessDays(time.Unix(added.StartedAt, 0), depositDays, cs.Zone(who)), err
}
