package dunning

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
)

const (
	claimDays  = 5 // business days, by which a transfer within most countries has long arrived
	mostClaims = 2 // in one case: whoever says it a third time is answered by a person
)

// ClaimUntil answers until when the reminders of a customer rest who says now that a transfer is on its way: the end
// of the last business day (Monday to Friday) in their zone.
func (cs *Cases) ClaimUntil(who billing.Customer, now time.Time) time.Time {
	return afterBusinessDays(now, cmp.Or(cs.claimDays, claimDays), cs.Zone(who))
}

// afterBusinessDays is the end of the last of so many business days after the day of an instant.
func afterBusinessDays(from time.Time, days int, zone *time.Location) time.Time {
	y, m, d := from.In(zone).Date()
	for left := days; left > 0; {
		d++
		day := time.Date(y, m, d, 0, 0, 0, 0, zone)
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			left--
		}
	}
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// MayClaim reports whether the customer may still say that a transfer is on its way: the case is open, does not rest
// for it already, and it was not said too often.
func (cs *Cases) MayClaim(ctx context.Context, tx *sql.Tx, c Case) (bool, error) {
	if c.Status != Open {
		return false, nil
	}
	said, err := selectPauses(ctx, tx, `WHERE case_id = $1 AND reason = 'claim'`, c.ID)
	return err == nil && mayClaim(c, said), err
}

// Claim lets an open case rest for a transfer that its customer says is on its way. A day they had chosen to be charged
// on is taken back, so that they don't pay twice.
func (cs *Cases) Claim(ctx context.Context, tx *sql.Tx, c Case, who billing.Customer, now time.Time) error {
	err := cs.Pause(ctx, tx, c.ID, PauseClaim, "", "customer", cs.ClaimUntil(who, now), now)
	if err != nil {
		return err
	}
	return cs.TakeBackCharge(ctx, tx, c, "They say that a transfer is on its way.", now)
}

// mayClaim is MayClaim for who has read the case's pauses.
func mayClaim(c Case, pauses []Pause) bool {
	said := 0
	for _, p := range pauses {
		if p.Reason != PauseClaim {
			continue
		}
		if p.Active() {
			return false
		}
		said++
	}
	return c.Status == Open && said < mostClaims
}
