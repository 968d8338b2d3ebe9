package intake

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/gateway"
)

const settingRenewals = "renewals"

// renewalsRead says up to where renewals ahead were read, unix seconds of business time.
type renewalsRead struct {
	Until int64 `json:"until"`
}

// renewalsAtOnce is how long a stretch of time is read and then kept as read.
const renewalsAtOnce = 24 * time.Hour

// readRenewals reads the renewals that have come within the lead time since it was last done, because of customers who
// never failed to pay nothing else may ever tell us. Each renewal is read once in its period; later news of it come as
// events.
func (w *walk) readRenewals(ctx context.Context) error {
	if w.ahead == 0 {
		return nil
	}
	var read renewalsRead
	err := w.db.See(ctx, func(tx *sql.Tx) error { return findState(ctx, tx, settingRenewals, &read) })
	if err != nil {
		return err
	}
	// Counted from the catch-up's beginning, a stretch is the same one when it is gone on with.
	at := w.state.UnderWay.At
	read.Until = max(read.Until, at)
	end := time.Unix(at, 0).Add(w.ahead).Add(2 * reconcileEvery).Unix()
	for read.Until < end {
		from := read.Until
		read.Until = min(from+int64(renewalsAtOnce/time.Second), end)
		err = w.readRenewalPages(ctx, from, read)
		if err != nil {
			return err
		}
	}
	return nil
}

// readRenewalPages reads one stretch of time, from then until that of read, which is kept with its last page.
func (w *walk) readRenewalPages(ctx context.Context, from int64, read renewalsRead) error {
	for more := true; more; {
		readAt := w.now().Unix()
		page, err := w.stripe.RenewingPage(ctx, from, read.Until, w.state.UnderWay.After)
		if err != nil {
			return w.listing(err)
		}
		more = page.More
		err = w.keepPage(ctx, page.Accounts, readAt, func(save func(tx *sql.Tx) error) error { return w.pastPage(ctx, page, read, save) })
		if err != nil {
			return err
		}
	}
	return nil
}

// pastPage does save and moves on from a page of renewals, in one transaction; from the last page of a stretch, to its end.
func (w *walk) pastPage(ctx context.Context, page gateway.RenewingPage, read renewalsRead, save func(tx *sql.Tx) error) error {
	return w.advance(ctx, func(tx *sql.Tx, next *Reconciled) error {
		next.UnderWay.After = page.Last
		if page.More {
			return save(tx)
		}
		next.UnderWay.After = ""
		err := keepState(ctx, tx, settingRenewals, read)
		if err != nil {
			return err
		}
		return save(tx)
	})
}
