package dunning

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
)

// receiptTime is how long after a press on our pages the news of its end is still an answer to it, at any hour.
const receiptTime = 2 * time.Hour

// thanksWait answers until when the news that all is settled waits, zero when it may go now. An answer to what the
// customer did just now comes at once; any other, such as one that a broken mail server held up into the night, in the
// hours they are glad to be written to.
func (cs *Cases) thanksWait(ctx context.Context, tx *sql.Tx, customer string, now time.Time) (time.Time, error) {
	pressed, err := billing.AttemptsSince(ctx, tx, customer, now.Add(-receiptTime).Unix())
	if err != nil || len(pressed) > 0 {
		return time.Time{}, err
	}
	who, err := billing.FindCustomer(ctx, tx, customer)
	if err != nil {
		return time.Time{}, err
	}
	choices, err := contact.ChoicesOf(ctx, tx, customer)
	if err != nil {
		return time.Time{}, err
	}
	at := cs.PolicyFor(who, choices).NextAllowed(now, contact.ZonesOf(who, cs.fallback))
	if !at.After(now) {
		return time.Time{}, nil
	}
	return at, nil
}
