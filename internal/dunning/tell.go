package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/webhook"
)

// tell writes what the merchant's app is to hear of a case that was just written: how its status and what its customer may do
// changed against the row before.
func tell(ctx context.Context, tx *sql.Tx, c Case, now time.Time) error {
	var news []webhook.Event
	if c.Status != c.stored.status {
		news = append(news, webhook.Event{Type: c.movedTo(), Customer: c.CustomerID, At: now.Unix(), Data: webhook.Case{
			Customer: c.CustomerID, Case: c.ID, From: string(c.stored.status), Status: string(c.Status), At: webhook.Moment(now.Unix()),
		}})
	}
	changed, err := accessChanged(ctx, tx, c)
	if err != nil {
		return err
	}
	if changed {
		news = append(news, webhook.Event{Type: webhook.AccessChanged, Customer: c.CustomerID, At: now.Unix(), Data: webhook.Access{
			Customer: c.CustomerID, Case: c.ID, From: string(c.stored.access), To: string(c.Access), Reason: c.whyAccess(), At: webhook.Moment(now.Unix()),
		}})
	}
	return webhook.Tell(ctx, tx, news...)
}

// movedTo is the type of event by which a case came to its status.
func (c Case) movedTo() webhook.Type {
	switch {
	case c.Status == Open && c.stored.status == "":
		return webhook.CaseOpened
	case c.Status == Open:
		return webhook.CaseReopened
	case c.Status == Recovered:
		return webhook.CaseRecovered
	case c.Status == Exhausted:
		return webhook.CaseExhausted
	}
	return webhook.CaseCanceled
}

// whyAccess is why the access of a case is another than its row had.
func (c Case) whyAccess() webhook.Reason {
	switch {
	case c.Status == Recovered:
		return webhook.ByPaid
	case c.Status == Canceled, c.Status == Exhausted && c.Access == campaign.Full: // or the customer is gone
		return webhook.ByNoDebt
	case c.Access.Tighter(c.stored.access):
		return webhook.ByStep
	}
	return webhook.ByBounce
}

// accessChanged reports whether what the customer may do changed with the case: a new one begins with what they had, and what
// becomes of one that a newer one has followed concerns nobody's access any more.
func accessChanged(ctx context.Context, tx *sql.Tx, c Case) (bool, error) {
	if c.stored.status == "" || c.Access == c.stored.access {
		return false, nil
	}
	if c.stored.status == Open {
		return true, nil // there is no newer one beside it
	}
	newer, err := selectCases(ctx, tx, `WHERE customer_id = $1 `+newestFirst+` LIMIT 1`, c.CustomerID)
	if err != nil {
		return false, fmt.Errorf("find the newest case of %s: %w", c.CustomerID, err)
	}
	return len(newer) > 0 && newer[0].ID == c.ID, nil
}
