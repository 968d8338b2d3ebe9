package intake

import (
	"context"
	"database/sql"
	"time"
)

const settingRenewals = "renewals"

// renewalsRead says up to where renewals ahead were read, unix seconds of business time.
type renewalsRead struct {
	Until int64 `json:"until"`
}

// renewalsAtOnce is how long a stretch of time is read and then kept as read, so that who is interrupted in a large
// account does not begin anew.
const renewalsAtOnce = 24 * time.Hour

// readRenewals reads the renewals that have come within the time ahead since it was last done: of customers who never
// failed to pay nothing else need ever tell us. Each is read once in its period; later news of it come as events.
func (in *Intake) readRenewals(ctx context.Context, now time.Time) error {
	if in.ahead == 0 {
		return nil
	}
	var state renewalsRead
	err := in.db.See(ctx, func(tx *sql.Tx) error { return findState(ctx, tx, settingRenewals, &state) })
	if err != nil {
		return err
	}
	state.Until = max(state.Until, now.Unix())
	end := now.Add(in.ahead).Add(2 * reconcileEvery).Unix()
	for state.Until < end {
		until := min(state.Until+int64(renewalsAtOnce/time.Second), end)
		err = in.readRenewalPages(ctx, state.Until, until)
		if err != nil {
			return err
		}
		state.Until = until
		err = in.db.Do(ctx, func(tx *sql.Tx) error { return keepState(ctx, tx, settingRenewals, state) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *Intake) readRenewalPages(ctx context.Context, from, until int64) error {
	after := ""
	for {
		readAt := in.now().Unix()
		page, err := in.stripe.RenewingPage(ctx, from, until, after)
		if err != nil {
			return err
		}
		err = in.db.Do(ctx, func(tx *sql.Tx) error { return in.savePage(ctx, tx, page.Accounts, readAt) })
		if err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		after = page.Last
	}
}
