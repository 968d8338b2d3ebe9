package dunning

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// AccessReason is why the merchant's app should allow what it should. The words are public, in the API and in webhooks:
// none ever changes its meaning.
type AccessReason string

// The reasons.
const (
	GoodStanding AccessReason = "in_good_standing"      // no case is open, and none ended with something unpaid
	Overdue      AccessReason = "payment_overdue"       // a case is open, and nothing has been taken away
	TakenAway    AccessReason = "announced_consequence" // a consequence that was announced took place
	LeftUnpaid   AccessReason = "left_unpaid"           // the case ended and something of it is still open: what was taken away stays so
)

// Allowance is what the merchant's app should allow a customer now, why, and until when at least.
type Allowance struct {
	Access campaign.Access
	Reason AccessReason
	Until  time.Time // as Case.Tightens answers, zero for none
}

// Allowed reports whether the customer may use the app at all: everybody who is not suspended may.
func (a Allowance) Allowed() bool { return a.Access != campaign.Suspended }

// AllowanceOf answers what the merchant's app should allow the customer at now.
func (cs *Cases) AllowanceOf(ctx context.Context, tx *sql.Tx, customer string, now time.Time) (Allowance, error) {
	c, err := cs.LatestOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return Allowance{Access: campaign.Full, Reason: GoodStanding}, nil
	}
	if err != nil {
		return Allowance{}, err
	}
	a := Allowance{Access: c.Access, Reason: c.accessReason()}
	if !c.mayTighten(now) {
		return a, nil // most customers: what their campaign has ahead need not be read
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil {
		return Allowance{}, err
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return Allowance{}, err
	}
	a.Until, _ = c.Tightens(in, notices)
	return a, nil
}

// BeganLimited reports whether a case began where an exhausted one before it had left off: with something taken away.
func (cs *Cases) BeganLimited(ctx context.Context, tx *sql.Tx, c Case) (bool, error) {
	all, err := cs.OfCustomer(ctx, tx, c.CustomerID) // newest first
	if err != nil {
		return false, err
	}
	for _, before := range all {
		if before.OpenedAt < c.OpenedAt {
			return before.Status == Exhausted && before.Limited(), nil
		}
	}
	return false, nil
}

// Limited reports whether something is taken away from the customer.
func (c Case) Limited() bool {
	return c.Access == campaign.Restricted || c.Access == campaign.Suspended
}

func (c Case) accessReason() AccessReason {
	switch {
	case c.Status == Exhausted:
		return LeftUnpaid
	case c.Status != Open:
		return GoodStanding
	case c.Limited():
		return TakenAway
	}
	return Overdue
}

// Tightens answers on which day the merchant's app will allow less, and what it will allow then. It is the day the customer
// was told: access never tightens earlier; it does so later, or not at all, if the case rests or they pay.
//
// The day is the zero time while none is known: nothing is ahead, the step waits for a person (as Foresee tells by the
// case's notices), or it is a final act, of which only the earliest day is known.
func (c Case) Tightens(in Situation, notices []outbox.Notice) (time.Time, campaign.Access) {
	i, ahead := c.nextConsequence(in)
	if !ahead || !c.mayTighten(in.Now) {
		return time.Time{}, ""
	}
	next := in.Plan.Steps[i]
	if next.Acts() || !next.Access.Tighter(c.Access) || c.holds(in, i, notices) != "" {
		return time.Time{}, ""
	}
	return time.Unix(c.ConsequenceAt, 0), next.Access
}

// mayTighten reports whether the case has a day ahead on which something is taken away. The holdout keeps what it has.
func (c Case) mayTighten(now time.Time) bool {
	return c.Status == Open && !c.Holdout && c.ConsequenceAt > now.Unix()
}
