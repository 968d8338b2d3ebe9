package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Cases answers questions about cases and moves them. Each method joins the caller's transaction, so that a
// fact, the case it changes and the notice that tells of it are kept together or not at all.
type Cases struct {
	campaigns   *campaign.Store
	policy      contact.Policy
	fallback    *time.Location
	home        string // the country fallback lies in, "" when it lies in none
	stripeMails bool
	before      Before
	promises    PromiseRules
	claimDays   int
	actsAlone   bool // final acts need no person
	unanswered  func(ctx context.Context, tx *sql.Tx, customer string) (since int64, err error)
}

// Rules are what an installation sets for all its cases.
type Rules struct {
	Campaigns   *campaign.Store
	Policy      contact.Policy
	Zone        *time.Location // of customers whose place is unknown
	StripeMails bool           // Stripe itself mails customers about failures: our first steps are in-app only
	Before      Before         // what is told before anything fails
	Promises    PromiseRules   // what customers may promise; none by the zero value
	ClaimDays   int            // business days a case rests for a transfer said to be on its way; 0 is five
	FinalActs   bool           // final acts at Stripe are done without a person

	// Unanswered answers since when a customer waits for an answer of ours (unix seconds), 0 when they don't. A case that
	// opens meanwhile rests until it is given, as one that was open when they wrote does. Nil when nobody can write.
	Unanswered func(ctx context.Context, tx *sql.Tx, customer string) (since int64, err error)
}

// NewCases makes the collection.
func NewCases(r Rules) *Cases {
	return &Cases{
		campaigns: r.Campaigns, policy: r.Policy, fallback: r.Zone, home: contact.CountryOfZone(r.Zone.String()), stripeMails: r.StripeMails,
		before: r.Before, promises: r.Promises, claimDays: r.ClaimDays, actsAlone: r.FinalActs,
		unanswered: r.Unanswered,
	}
}

// Campaigns answers every campaign there is.
func (cs *Cases) Campaigns(ctx context.Context, tx *sql.Tx) (campaign.Campaigns, error) {
	return cs.campaigns.All(ctx, tx)
}

// Zone answers the likeliest time zone of a customer.
func (cs *Cases) Zone(c billing.Customer) *time.Location { return contact.ZonesOf(c, cs.fallback)[0] }

// Find answers a case, or fault.NotFound.
func (cs *Cases) Find(ctx context.Context, tx *sql.Tx, id string) (Case, error) {
	return one(selectCases(ctx, tx, `WHERE id = $1`, id))
}

// held answers a case whose customer is held until the transaction ends: nobody else changes it meanwhile.
func (cs *Cases) held(ctx context.Context, tx *sql.Tx, id string) (Case, error) {
	c, err := cs.Find(ctx, tx, id)
	if err != nil {
		return Case{}, err
	}
	err = database.Hold(ctx, tx, c.CustomerID)
	if err != nil {
		return Case{}, err
	}
	return cs.Find(ctx, tx, id)
}

// OpenOf answers the customer's open case, or fault.NotFound.
func (cs *Cases) OpenOf(ctx context.Context, tx *sql.Tx, customer string) (Case, error) {
	return one(selectCases(ctx, tx, `WHERE customer_id = $1 AND status = 'open'`, customer))
}

// LatestOf answers the customer's newest case whatever its status, or fault.NotFound.
func (cs *Cases) LatestOf(ctx context.Context, tx *sql.Tx, customer string) (Case, error) {
	return one(selectCases(ctx, tx, `WHERE customer_id = $1 `+newestFirst+` LIMIT 1`, customer))
}

// OfCustomer answers all the customer's cases, newest first.
func (cs *Cases) OfCustomer(ctx context.Context, tx *sql.Tx, customer string) ([]Case, error) {
	return selectCases(ctx, tx, `WHERE customer_id = $1 ORDER BY opened_at DESC, id`, customer)
}

// Filter is which cases a list is of: those of a customer, those of a status, "" for any, and those made before a case.
type Filter struct {
	Customer string
	Status   Status
	Before   string
}

// List answers up to limit cases, newest first. Paging on from the last one answered leaves none out and answers none
// twice, whatever happens meanwhile: later cases come before all of them.
func (cs *Cases) List(ctx context.Context, tx *sql.Tx, f Filter, limit int) ([]Case, error) {
	var conditions []string
	var args []any
	for _, c := range []struct{ condition, value string }{{`customer_id = `, f.Customer}, {`status = `, string(f.Status)}, {`id < `, f.Before}} {
		if c.value != "" {
			args = append(args, c.value)
			conditions = append(conditions, c.condition+`$`+strconv.Itoa(len(args)))
		}
	}
	where := ``
	if len(conditions) > 0 {
		where = `WHERE ` + strings.Join(conditions, ` AND `)
	}
	args = append(args, limit)
	found, err := selectCases(ctx, tx, where+` ORDER BY id DESC LIMIT $`+strconv.Itoa(len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return found, nil
}

func one(found []Case, err error) (Case, error) {
	if err != nil {
		return Case{}, err
	}
	if len(found) == 0 {
		return Case{}, fault.New(fault.NotFound, "There is no such case.")
	}
	return found[0], nil
}

// CountOpen answers how many open cases walk a campaign, in any of its versions.
func CountOpen(ctx context.Context, tx *sql.Tx, name string) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM cases WHERE status = 'open' AND campaign = $1`, name).Scan(&n)
	return n, err
}

// AccessOf answers what the merchant's app should allow the customer now: as the open case says, else as an
// exhausted one left it while something of it is still open, else all.
func (cs *Cases) AccessOf(ctx context.Context, tx *sql.Tx, customer string) (campaign.Access, error) {
	c, err := cs.LatestOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return campaign.Full, nil
	}
	if err != nil {
		return "", err
	}
	return c.Access, nil
}

// Pauses answers every pause of a case, oldest first.
func (cs *Cases) Pauses(ctx context.Context, tx *sql.Tx, caseID string) ([]Pause, error) {
	return selectPauses(ctx, tx, `WHERE case_id = $1 ORDER BY since, id`, caseID)
}

// ActivePauses answers the pauses that hold a case now, oldest first.
func (cs *Cases) ActivePauses(ctx context.Context, tx *sql.Tx, caseID string) ([]Pause, error) {
	return selectPauses(ctx, tx, `WHERE case_id = $1 AND ended_at = 0 ORDER BY since, id`, caseID)
}

// Story answers what happened in a case, oldest first.
func (cs *Cases) Story(ctx context.Context, tx *sql.Tx, caseID string) ([]Entry, error) {
	rows, err := tx.QueryContext(ctx, `SELECT case_id, at, what, why, actor FROM case_log WHERE case_id = $1 ORDER BY at, id`, caseID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Entry
	for rows.Next() {
		var e Entry
		err = rows.Scan(&e.CaseID, &e.At, &e.What, &e.Why, &e.Actor)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// heardSince answers since when earlier contacts are read (unix seconds). Those within the policy's window bear on what may
// be said now; as much time again shows what had moved a message that is due now.
func (cs *Cases) heardSince(now time.Time) int64 { return now.Add(-2 * cs.policy.Window).Unix() }

// contacts answers when the customer was contacted, as far back as that bears on anything, leaving out the step of one
// notice.
func (cs *Cases) contacts(ctx context.Context, tx *sql.Tx, customer string, now time.Time, except outbox.Notice) ([]time.Time, error) {
	heard, err := outbox.Contacts(ctx, tx, customer, cs.heardSince(now), now.Unix())
	return Situation{heard: heard}.contactsBut(except), err
}

// classOf says why a case's invoices are unpaid: an open one that wants the customer's approval or a new card
// speaks for all, since only that can help; else the oldest open one.
func classOf(invoices []billing.Invoice) billing.Class {
	class := billing.ClassNone
	for _, i := range invoices {
		if !i.Open() {
			continue
		}
		c := i.Class()
		if c == billing.ClassAuthentication || c == billing.ClassExpired {
			return c
		}
		if class == billing.ClassNone {
			class = c
		}
	}
	return class
}

// Due answers the ids of up to limit open cases whose schedule wants to be looked at by now.
func (cs *Cases) Due(ctx context.Context, tx *sql.Tx, now int64, limit int) ([]string, error) {
	return database.Strings(ctx, tx, `
		SELECT id FROM cases WHERE status = 'open' AND next_step_at IS NOT NULL AND next_step_at <= $1 AND resting_since = 0
		ORDER BY next_step_at LIMIT $2`, now, limit)
}

// HoldAll holds the customers of some cases, in the order in which everybody takes them, for whoever goes on to each.
func (cs *Cases) HoldAll(ctx context.Context, tx *sql.Tx, cases []string) error {
	if len(cases) == 0 {
		return nil
	}
	marks, args := database.List(cases)
	customers, err := database.Strings(ctx, tx, `SELECT DISTINCT customer_id FROM cases WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return fmt.Errorf("find whose cases they are: %w", err)
	}
	slices.Sort(customers) // by the database's own order they might be held in another
	return database.HoldAll(ctx, tx, customers)
}

// NextDue answers the earliest instant at which a case, the end of a pause or a due date wants to be looked at.
func (cs *Cases) NextDue(ctx context.Context, tx *sql.Tx) (int64, bool, error) {
	var step, pause, byHand sql.NullInt64
	err := tx.QueryRowContext(ctx, `
		SELECT (SELECT min(next_step_at) FROM cases WHERE status = 'open' AND next_step_at IS NOT NULL AND resting_since = 0), (`+pauseEnds+`), (`+billing.PassesDue+`)`).
		Scan(&step, &pause, &byHand)
	if err != nil {
		return 0, false, err
	}
	next := earlier(step.Int64, earlier(pause.Int64, byHand.Int64))
	return next, next > 0, nil
}

// DayTurns reports whether there are ElapsedPauses or customers PastDue at now.
func (cs *Cases) DayTurns(ctx context.Context, tx *sql.Tx, now time.Time) (bool, error) {
	var pause, byHand sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT (`+pauseEnds+`), (`+billing.PassesDue+`)`).Scan(&pause, &byHand)
	at := earlier(pause.Int64, byHand.Int64)
	return at > 0 && at <= now.Unix(), err
}

// pauseEnds asks when the next pause ends by its day.
const pauseEnds = `SELECT min(until) FROM pauses WHERE ended_at = 0 AND until > 0 AND reason <> 'promise'`

// earlier answers the first of two instants, of which 0 is none.
func earlier(a, b int64) int64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// PastDue answers up to limit customers with invoices that were to be paid by hand, whose due date has passed and about which
// there is no case yet.
func (cs *Cases) PastDue(ctx context.Context, tx *sql.Tx, now time.Time, limit int) ([]string, error) {
	return billing.PastDue(ctx, tx, now.Unix(), limit)
}

// OpenPastDue opens the cases of customers whom PastDue answered.
func (cs *Cases) OpenPastDue(ctx context.Context, tx *sql.Tx, customers []string, now time.Time) error {
	for _, customer := range slices.Sorted(slices.Values(customers)) { // as they are held
		err := cs.Reconsider(ctx, tx, customer, now)
		if err != nil {
			return fmt.Errorf("open a case for %s: %w", customer, err)
		}
		err = billing.EnterCases(ctx, tx, customer)
		if err != nil {
			return fmt.Errorf("keep that %s has a case: %w", customer, err)
		}
	}
	return nil
}
