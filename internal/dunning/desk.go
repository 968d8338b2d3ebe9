package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/outbox"
)

// View is one question staff keep asking over all cases.
type View string

// The views.
const (
	ViewPerson    View = "person"    // a person has to look at it
	ViewOpen      View = "open"      // everything under way, resting or not
	ViewPaused    View = "paused"    // open and resting
	ViewRecovered View = "recovered" // paid
	ViewExhausted View = "exhausted" // no step is left
)

// Need is why a case wants a person, "" when it goes on by itself.
type Need string

// The needs, the most pressing first.
const (
	NeedAnswer      Need = "answer"      // the customer wrote and waits
	NeedCancel      Need = "cancel"      // they want to end their plan
	NeedDispute     Need = "dispute"     // their bank disputes a payment
	NeedLost        Need = "lost"        // their bank took a payment back for good; whether to ask for what is open is to be decided
	NeedConsent     Need = "consent"     // they withdrew their consent at the bank
	NeedConsequence Need = "consequence" // nobody is sure that the consequence was announced to them
	NeedFinal       Need = "final"       // the final act at Stripe waits for a decision
	NeedDecline     Need = "decline"     // a charge failed by a mistake of ours, or for a reason nobody has a rule for
	NeedAddress     Need = "address"     // there is no address that takes mail
	NeedFailed      Need = "failed"      // a mail could not be delivered
	NeedUncertain   Need = "uncertain"   // a mail may or may not have arrived
)

// Listed is a case as a list shows it.
type Listed struct {
	Case
	Who    billing.Customer
	Need   Need
	Held   contact.Reason // of NeedConsequence: why it waits, as Foresee tells it
	Pauses []PauseReason  // active, oldest first
	Class  billing.Class  // why the oldest open invoice of it is unpaid
	Owes   []billing.Money
	Next   *campaign.Step    // the step to be taken next, nil when none is left
	Number int               // of Next, counted from 1
	Walks  campaign.Campaign // its plan
}

// A list for staff looks across the nouns in one query: what waits in a conversation and what became of the mails
// decides whether a case needs a person.
const (
	talkWaits = `EXISTS (SELECT 1 FROM conversations t WHERE t.customer_id = c.customer_id AND t.status = 'waiting')`
	wantsOut  = `EXISTS (SELECT 1 FROM wishes w WHERE w.customer_id = c.customer_id AND w.status = 'open')`
	runs      = `EXISTS (SELECT 1 FROM disputes d WHERE d.customer_id = c.customer_id AND d.status IN (` + billing.RunningDisputes + `))`
	isLatest  = `NOT EXISTS (SELECT 1 FROM cases l WHERE l.customer_id = c.customer_id AND l.id <> c.id
		AND (l.opened_at > c.opened_at OR (l.opened_at = c.opened_at AND l.status = 'open')))`
	lastStory  = `(SELECT e.what FROM case_log e WHERE e.case_id = c.id ORDER BY e.at DESC, e.id DESC LIMIT 1)`
	lastWhy    = `coalesce((SELECT e.why FROM case_log e WHERE e.case_id = c.id ORDER BY e.at DESC, e.id DESC LIMIT 1), '')`
	finalWaits = `EXISTS (SELECT 1 FROM final_acts f WHERE f.case_id = c.id AND f.status = 'proposed')`
	noAddress  = `(u.email = '' OR EXISTS (SELECT 1 FROM suppressions s WHERE s.lifted_at = 0 AND s.spelled = lower(u.email)))`
	// A mail that went wrong is forgotten once a later one surely left.
	mailIs = `EXISTS (SELECT 1 FROM notices n WHERE n.case_id = c.id AND n.kind = 'reminder' AND n.channel = 'email' AND %s
		AND NOT EXISTS (SELECT 1 FROM notices o WHERE o.case_id = c.id AND o.kind = 'reminder' AND o.channel = 'email'
			AND o.status = 'sent' AND o.created_at > n.created_at))`
)

func restsFor(reason PauseReason) string {
	return `EXISTS (SELECT 1 FROM pauses p WHERE p.case_id = c.id AND p.ended_at = 0 AND p.reason = '` + string(reason) + `')`
}

// needWord is the SQL that answers a Need for the case c of the customer u.
func needWord() string {
	return `CASE
		WHEN ` + wantsOut + ` AND (c.status = 'open' OR ` + isLatest + `) THEN '` + string(NeedCancel) + `'
		WHEN ` + talkWaits + ` AND (c.status = 'open' OR ` + isLatest + `) THEN '` + string(NeedAnswer) + `'
		WHEN c.status <> 'open' THEN ''
		WHEN ` + restsFor(PauseDispute) + ` AND ` + runs + ` THEN '` + string(NeedDispute) + `'
		WHEN ` + restsFor(PauseDispute) + ` THEN '` + string(NeedLost) + `'
		WHEN ` + restsFor(PauseConsent) + ` THEN '` + string(NeedConsent) + `'
		WHEN ` + lastStory + ` = 'waits' THEN '` + string(NeedConsequence) + `'
		WHEN ` + finalWaits + ` THEN '` + string(NeedFinal) + `'
		WHEN c.puzzling THEN '` + string(NeedDecline) + `'
		WHEN ` + noAddress + ` AND ` + fmt.Sprintf(mailIs, `n.status = 'skipped' AND n.recipient = ''`) + ` THEN '` + string(NeedAddress) + `'
		WHEN ` + fmt.Sprintf(mailIs, `n.status = 'failed'`) + ` THEN '` + string(NeedFailed) + `'
		WHEN ` + fmt.Sprintf(mailIs, `n.status = 'uncertain'`) + ` THEN '` + string(NeedUncertain) + `'
		ELSE '' END`
}

// needing is the SQL of the ids of all cases for which needWord has a word. It says the same in fewer questions,
// since every staff page counts them: only open cases and those of customers who wait for an answer are looked at,
// however many have ended, and of an open case only what can be true of it.
func needing() string {
	return `SELECT c.id, c.opened_at FROM cases c JOIN customers u ON u.id = c.customer_id
		WHERE c.status = 'open' AND (
			(c.resting_since > 0 AND (` + restsFor(PauseDispute) + ` OR ` + restsFor(PauseConsent) + `))
			OR (c.step > 0 AND ` + lastStory + ` = 'waits')
			OR (c.step > 0 AND ` + fmt.Sprintf(mailIs, `(n.status IN ('failed', 'uncertain') OR (n.status = 'skipped' AND n.recipient = '' AND `+noAddress+`))`) + `))
	UNION
	SELECT c.id, c.opened_at FROM cases c WHERE c.status = 'open' AND c.puzzling
	UNION
	SELECT c.id, c.opened_at FROM final_acts f JOIN cases c ON c.id = f.case_id WHERE f.status = 'proposed' AND c.status = 'open'
	UNION
	SELECT c.id, c.opened_at FROM conversations t JOIN cases c ON c.customer_id = t.customer_id
		WHERE t.status = 'waiting' AND ` + isLatest + `
	UNION
	SELECT c.id, c.opened_at FROM wishes w JOIN cases c ON c.customer_id = w.customer_id
		WHERE w.status = 'open' AND ` + isLatest + `
`
}

// CountNeeding answers how many cases need a person.
func (cs *Cases) CountNeeding(ctx context.Context, tx *sql.Tx) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (`+needing()+`) AS needing`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count cases that need a person: %w", err)
	}
	return n, nil
}

// CountViews answers how many cases each view holds but ViewPerson, which CountNeeding counts.
func (cs *Cases) CountViews(ctx context.Context, tx *sql.Tx) (map[View]int, error) {
	counts := map[View]int{}
	rows, err := tx.QueryContext(ctx, `SELECT status, resting_since > 0, count(*) FROM cases GROUP BY status, resting_since > 0`)
	if err != nil {
		return nil, fmt.Errorf("count cases: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state Status
		var resting bool
		var n int
		err = rows.Scan(&state, &resting, &n)
		if err != nil {
			return nil, fmt.Errorf("count cases: %w", err)
		}
		switch state {
		case Open:
			counts[ViewOpen] += n
			if resting {
				counts[ViewPaused] += n
			}
		case Recovered:
			counts[ViewRecovered] += n
		case Exhausted:
			counts[ViewExhausted] += n
		}
	}
	return counts, rows.Err()
}

// ListView answers up to limit cases of a view past the first offset: what comes next first, what needs a person
// or rests the longest first, what ended last first. An unknown view is answered as ViewOpen.
func (cs *Cases) ListView(ctx context.Context, tx *sql.Tx, view View, limit, offset int) ([]Listed, error) {
	var query string
	switch view {
	case ViewPerson:
		query = `SELECT id FROM (` + needing() + `) AS needing ORDER BY opened_at, id`
	case ViewPaused:
		query = `SELECT id FROM cases WHERE status = 'open' AND resting_since > 0 ORDER BY resting_since, id`
	case ViewRecovered, ViewExhausted:
		query = `SELECT id FROM cases WHERE status = '` + string(view) + `' AND closed_at > 0 ORDER BY closed_at DESC, id`
	default:
		query = `SELECT id FROM cases WHERE status = 'open' ORDER BY next_step_at IS NULL, next_step_at, opened_at, id`
	}
	ids, err := database.Strings(ctx, tx, query+` LIMIT $1 OFFSET $2`, limit, offset)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return cs.listed(ctx, tx, ids)
}

// LatestByCustomer answers the newest case of each of these customers, by the customer's id. Customers who never
// had one are left out.
func (cs *Cases) LatestByCustomer(ctx context.Context, tx *sql.Tx, customers []string) (map[string]Listed, error) {
	all := make(map[string]Listed, len(customers))
	if len(customers) == 0 {
		return all, nil
	}
	marks, args := database.List(customers)
	ids, err := database.Strings(ctx, tx, `SELECT c.id FROM cases c WHERE c.customer_id IN (`+marks+`) AND `+isLatest, args...)
	if err != nil {
		return nil, fmt.Errorf("find latest cases: %w", err)
	}
	found, err := cs.listed(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for _, c := range found {
		all[c.CustomerID] = c
	}
	return all, nil
}

// listed reads cases with what a list shows of them, in the order of their ids. However many there are, it asks
// the same few questions.
func (cs *Cases) listed(ctx context.Context, tx *sql.Tx, ids []string) ([]Listed, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := database.List(ids)
	found, err := selectCases(ctx, tx, `WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	campaigns, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*Listed, len(found))
	var customers []string
	for _, c := range found {
		plan := c.Plan(campaigns)
		l := &Listed{Case: c, Walks: plan}
		if c.Status == Open && c.Step < len(plan.Steps) {
			l.Next, l.Number = &plan.Steps[c.Step], c.Step+1
		}
		byID[c.ID] = l
		customers = append(customers, c.CustomerID)
	}
	who, err := billing.CustomersByID(ctx, tx, customers)
	if err != nil {
		return nil, err
	}
	for _, l := range byID {
		l.Who = who[l.CustomerID]
	}
	err = addNeeds(ctx, tx, byID, marks, args)
	if err != nil {
		return nil, err
	}
	for _, l := range byID {
		// What waits is the consequence, though steps may stand before it that were not for the customer.
		steps := l.Walks.Steps
		for i := l.Step; i < len(steps) && l.Need == NeedConsequence; i++ {
			if steps[i].Consequence {
				l.Next, l.Number = &steps[i], i+1
				break
			}
		}
	}
	pauses, err := selectPauses(ctx, tx, `WHERE ended_at = 0 AND case_id IN (`+marks+`) ORDER BY since, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read pauses: %w", err)
	}
	for _, p := range pauses {
		byID[p.CaseID].Pauses = append(byID[p.CaseID].Pauses, p.Reason)
	}
	err = addMoney(ctx, tx, byID, marks, args, customers)
	if err != nil {
		return nil, err
	}
	var all []Listed
	for _, id := range ids {
		if byID[id] != nil {
			all = append(all, *byID[id])
		}
	}
	return all, nil
}

func addNeeds(ctx context.Context, tx *sql.Tx, byID map[string]*Listed, marks string, args []any) error {
	rows, err := tx.QueryContext(ctx, `
		SELECT c.id, `+needWord()+`, `+lastWhy+`
		FROM cases c JOIN customers u ON u.id = c.customer_id WHERE c.id IN (`+marks+`)`, args...)
	if err != nil {
		return fmt.Errorf("read needs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var need Need
		var why contact.Reason
		err = rows.Scan(&id, &need, &why)
		if err != nil {
			return fmt.Errorf("read needs: %w", err)
		}
		byID[id].Need = need
		if need == NeedConsequence {
			byID[id].Held = why
		}
	}
	return rows.Err()
}

// addMoney fills in what is open of each case's own invoices and why.
func addMoney(ctx context.Context, tx *sql.Tx, byID map[string]*Listed, marks string, args []any, customers []string) error {
	open, err := billing.OpenByCustomer(ctx, tx, customers)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT case_id, invoice_id FROM case_invoices WHERE left_at = 0 AND case_id IN (`+marks+`)`, args...)
	if err != nil {
		return fmt.Errorf("read invoices of cases: %w", err)
	}
	defer rows.Close()
	about := make(map[string][]string, len(byID))
	for rows.Next() {
		var id, invoice string
		err = rows.Scan(&id, &invoice)
		if err != nil {
			return fmt.Errorf("read invoices of cases: %w", err)
		}
		about[id] = append(about[id], invoice)
	}
	err = rows.Err()
	if err != nil {
		return fmt.Errorf("read invoices of cases: %w", err)
	}
	for id, l := range byID {
		var own []billing.Invoice
		var amounts []billing.Money
		for _, i := range open[l.CustomerID] {
			if slices.Contains(about[id], i.ID) {
				own = append(own, i)
				amounts = append(amounts, i.Remaining())
			}
		}
		l.Class, l.Owes = classOf(own), billing.Totals(amounts)
	}
	return nil
}

// InRecovery answers what is open over all open cases, by currency, and of how many customers.
func (cs *Cases) InRecovery(ctx context.Context, tx *sql.Tx) (owed []billing.Money, customers int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM cases WHERE status = 'open'`).Scan(&customers)
	if err != nil {
		return nil, 0, fmt.Errorf("count open cases: %w", err)
	}
	owed, err = sums(ctx, tx, `
		SELECT cast(sum(i.amount_remaining) AS bigint), i.currency
		FROM cases c JOIN case_invoices m ON m.case_id = c.id AND m.left_at = 0 JOIN invoices i ON i.id = m.invoice_id
		WHERE c.status = 'open' AND i.status = 'open' AND i.amount_remaining > 0
		GROUP BY i.currency ORDER BY count(*) DESC, i.currency`)
	return owed, customers, err
}

// CameBack answers what was paid since the instant on invoices a case was about, by currency: what remained at
// the first failure, whichever way it was paid.
func (cs *Cases) CameBack(ctx context.Context, tx *sql.Tx, since time.Time) ([]billing.Money, error) {
	return sums(ctx, tx, `
		SELECT cast(sum(CASE WHEN i.first_failed > 0 THEN i.first_failed ELSE i.amount_due END) AS bigint), i.currency
		FROM invoices i
		WHERE i.status = 'paid' AND i.paid_at >= $1
			AND EXISTS (SELECT 1 FROM case_invoices m WHERE m.invoice_id = i.id AND m.left_at = 0)
		GROUP BY i.currency ORDER BY count(*) DESC, i.currency`, since.Unix())
}

func sums(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]billing.Money, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("add up: %w", err)
	}
	defer rows.Close()
	var all []billing.Money
	for rows.Next() {
		var m billing.Money
		err = rows.Scan(&m.Minor, &m.Currency)
		if err != nil {
			return nil, fmt.Errorf("add up: %w", err)
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// CountDue answers how many cases take a step by themselves by the instant, as far as is known now. One that waits for a
// person does not: its final act needs a decision, or nobody is sure that its consequence was announced.
func (cs *Cases) CountDue(ctx context.Context, tx *sql.Tx, by time.Time) (int, error) {
	plans, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return 0, err
	}
	places, err := placesDue(ctx, tx, by)
	if err != nil {
		return 0, err
	}
	due := 0
	for _, p := range places {
		plan := p.Plan(plans)
		switch next := p.Step; {
		case next < len(plan.Steps) && plan.Steps[next].Acts() && !cs.actsAlone:
			continue
		case next < len(plan.Steps) && plan.Steps[next].Consequence:
			p.cases, err = countAnnounced(ctx, tx, p, plan, by)
		}
		if err != nil {
			return 0, err
		}
		due += p.cases
	}
	return due, nil
}

// place is where in a campaign some cases stand.
type place struct {
	Case
	cases int
}

// dueBy is the SQL of the open cases that want to be looked at by $1.
const dueBy = `FROM cases c WHERE c.status = 'open' AND c.next_step_at <= $1`

// placesDue answers where the cases stand that want to be looked at by the instant, and how many at each place.
func placesDue(ctx context.Context, tx *sql.Tx, by time.Time) ([]place, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT c.campaign, c.campaign_version, c.variant, c.step, count(*) `+dueBy+`
		GROUP BY c.campaign, c.campaign_version, c.variant, c.step`, by.Unix())
	if err != nil {
		return nil, fmt.Errorf("count due cases: %w", err)
	}
	defer rows.Close()
	var all []place
	for rows.Next() {
		var p place
		err = rows.Scan(&p.Campaign, &p.CampaignVersion, &p.Variant, &p.Step, &p.cases)
		if err != nil {
			return nil, fmt.Errorf("count due cases: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// countAnnounced answers how many of the cases at a place whose next step is a consequence were surely told of it.
func countAnnounced(ctx context.Context, tx *sql.Tx, p place, plan campaign.Campaign, by time.Time) (int, error) {
	key, _ := plan.AnnouncedBy(p.Step)
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) `+dueBy+` AND c.campaign = $2 AND c.campaign_version = $3 AND c.variant = $4 AND c.step = $5
			AND EXISTS (SELECT 1 FROM notices n WHERE n.case_id = c.id AND n.kind = 'reminder' AND n.step = $6 AND n.status = 'sent')`,
		by.Unix(), p.Campaign, p.CampaignVersion, p.Variant, p.Step, key).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count due cases: %w", err)
	}
	return n, nil
}

// Held reports whether a consequence that is next waits for a person, since nobody is sure that it was announced.
// notices are those of the case.
func Held(in Situation, next Planned, notices []outbox.Notice) bool {
	return next.Step.Consequence && !announced(in.Plan, next.Index, notices)
}

// Day answers which day of the case it is at now in the customer's zone, 0 for the day it opened. Days that rested
// don't count, those of a pause under way neither.
func (c Case) Day(now time.Time, zone *time.Location) int {
	return max(0, contact.DaysBetween(time.Unix(c.OpenedAt, 0), now, zone)-c.RestedDays-c.Resting(now, zone))
}

// Resting answers how many days of the pause under way will not count if the case goes on now, 0 when it does not
// rest.
func (c Case) Resting(now time.Time, zone *time.Location) int {
	if c.RestingSince == 0 {
		return 0
	}
	return contact.DaysBetween(time.Unix(c.RestingSince, 0), now, zone)
}
