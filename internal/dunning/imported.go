package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// ReleasedPerDay is how many imported cases go back on their schedule a day: what an account gathered over months
// must not leave as one burst, for the sake of the mails' reputation and of those who answer the replies.
const ReleasedPerDay = 100

const restImported = `FROM cases c JOIN pauses p ON p.case_id = c.id AND p.ended_at = 0 AND p.reason = 'imported' WHERE c.status = 'open'`

// Imported counts the cases that rest as imported and what they owe, by currency, never added up.
func (cs *Cases) Imported(ctx context.Context, tx *sql.Tx) (resting int, owed []billing.Money, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) `+restImported).Scan(&resting)
	if err != nil {
		return 0, nil, fmt.Errorf("count imported cases: %w", err)
	}
	owed, err = sums(ctx, tx, `
		SELECT cast(sum(i.amount_remaining) AS bigint), i.currency
		FROM cases c JOIN pauses p ON p.case_id = c.id AND p.ended_at = 0 AND p.reason = 'imported'
			JOIN case_invoices m ON m.case_id = c.id AND m.left_at = 0 JOIN invoices i ON i.id = m.invoice_id
		WHERE c.status = 'open' AND i.status = 'open' AND i.amount_remaining > 0
		GROUP BY i.currency ORDER BY count(*) DESC, i.currency`)
	return resting, owed, err
}

// CountUnreleased answers how many imported cases nobody released yet.
func (cs *Cases) CountUnreleased(ctx context.Context, tx *sql.Tx) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) `+restImported+` AND p.until = 0`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count imported cases: %w", err)
	}
	return n, nil
}

// Unreleased answers the ids of up to limit imported cases nobody released yet, past the first offset, those with the
// least old debts first: they are likeliest to be paid. typed narrows them to customers with it in the name or the
// address; "" does not. A limit of 0 is none.
func (cs *Cases) Unreleased(ctx context.Context, tx *sql.Tx, typed string, limit, offset int) ([]string, error) {
	narrowed, args := billing.NameOrAddress("u", typed, 1)
	query := `
		SELECT c.id ` + restImported + ` AND p.until = 0 AND EXISTS (SELECT 1 FROM customers u WHERE u.id = c.customer_id AND ` + narrowed + `)
		ORDER BY (SELECT min(CASE WHEN i.collection_method = 'send_invoice' THEN i.due_at ELSE i.failed_at END)
			FROM case_invoices m JOIN invoices i ON i.id = m.invoice_id WHERE m.case_id = c.id AND m.left_at = 0) DESC, c.id`
	if limit > 0 {
		query += fmt.Sprintf(` LIMIT $%d OFFSET $%d`, len(args)+1, len(args)+2)
		args = append(args, limit, offset)
	}
	return database.Strings(ctx, tx, query, args...)
}

// Waiting is an imported case and what would come of its release.
type Waiting struct {
	Listed
	Since   int64     // unix seconds since when the oldest of its invoices is overdue
	From    time.Time // when it would go back on its schedule
	First   Planned
	Comes   bool           // whether First is one
	Channel outbox.Channel // how the first message would go out, "" for not at all
	Others  []PauseReason  // it rests for these too: releasing starts nothing yet
}

// ReleaseOf answers what would come of these cases if they were all released now, in the given order, which is also
// the order of their days: as many a day as ReleasedPerDay and what was released before leave room for. Days are those
// of the zone on which customers may be written to. Cases that nobody waits for any more are left out.
func (cs *Cases) ReleaseOf(ctx context.Context, tx *sql.Tx, ids []string, zone *time.Location, now time.Time) ([]Waiting, error) {
	var all []Waiting
	days := departures{cases: cs, zone: zone, now: now}
	for part := range slices.Chunk(ids, ReleasedPerDay) {
		found, err := cs.listed(ctx, tx, part)
		if err != nil {
			return nil, err
		}
		since, err := overdueSince(ctx, tx, part)
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			if l.Status != Open || !slices.Contains(l.Pauses, PauseImported) {
				continue
			}
			from, err := days.next(ctx, tx)
			if err != nil {
				return nil, err
			}
			w, err := cs.waiting(ctx, tx, l, from)
			if err != nil {
				return nil, err
			}
			w.Since = since[l.ID]
			all = append(all, w)
		}
	}
	return all, nil
}

// waiting foresees what comes of a case that is released at the instant.
func (cs *Cases) waiting(ctx context.Context, tx *sql.Tx, l Listed, from time.Time) (Waiting, error) {
	w := Waiting{Listed: l, From: from}
	for _, reason := range l.Pauses {
		if reason != PauseImported {
			w.Others = append(w.Others, reason)
		}
	}
	in, err := cs.SituationOf(ctx, tx, l.Case, from)
	if err != nil {
		return Waiting{}, err
	}
	c := l.Case
	c.RestedDays += c.Resting(from, in.Zones[0])
	c.RestingSince = 0
	for _, p := range c.Ahead(in) {
		if len(p.Step.Channels) == 0 {
			continue
		}
		w.First, w.Comes = p, true
		ways := in.Ways(p.Step)
		switch {
		case slices.Contains(ways, outbox.Email) && len(l.Who.Addresses()) > 0:
			w.Channel = outbox.Email
		case slices.Contains(ways, outbox.App):
			w.Channel = outbox.App
		}
		break
	}
	return w, nil
}

// overdueSince answers by case since when the oldest of its open invoices is overdue, in unix seconds.
func overdueSince(ctx context.Context, tx *sql.Tx, ids []string) (map[string]int64, error) {
	marks, args := database.List(ids)
	rows, err := tx.QueryContext(ctx, `
		SELECT m.case_id, min(CASE WHEN i.collection_method = 'send_invoice' THEN i.due_at ELSE i.failed_at END)
		FROM case_invoices m JOIN invoices i ON i.id = m.invoice_id
		WHERE m.left_at = 0 AND i.status = 'open' AND m.case_id IN (`+marks+`) GROUP BY m.case_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read since when cases are overdue: %w", err)
	}
	defer rows.Close()
	all := make(map[string]int64, len(ids))
	for rows.Next() {
		var id string
		var at int64
		err = rows.Scan(&id, &at)
		if err != nil {
			return nil, fmt.Errorf("read since when cases are overdue: %w", err)
		}
		all[id] = at
	}
	return all, rows.Err()
}

// departures hands out the days on which cases go back on their schedule.
type departures struct {
	cases *Cases
	zone  *time.Location
	now   time.Time
	from  time.Time // the day being filled; zero before the first
	room  int       // how many it still takes
}

func (d *departures) next(ctx context.Context, tx *sql.Tx) (time.Time, error) {
	for d.room <= 0 {
		after := d.now
		if !d.from.IsZero() {
			after = midnight(d.from.In(d.zone), 1)
		}
		allowed := d.cases.policy.NextAllowed(after, []*time.Location{d.zone})
		day := midnight(allowed.In(d.zone), 0)
		var taken int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM pauses WHERE reason = 'imported' AND until >= $1 AND until < $2`,
			day.Unix(), midnight(day, 1).Unix()).Scan(&taken)
		if err != nil {
			return time.Time{}, fmt.Errorf("count what was released for a day: %w", err)
		}
		d.from, d.room = day, ReleasedPerDay-taken
		if day.Before(d.now) {
			d.from = d.now
		}
	}
	d.room--
	return d.from, nil
}

// midnight is the beginning of the local day so many days later.
func midnight(at time.Time, later int) time.Time {
	return contact.At(at.Year(), at.Month(), at.Day()+later, 0, 0, at.Location())
}

// Release lets an imported case go back on its schedule from the instant on: now, or a later day when many are
// released at once. It answers whether it did; a case that no longer waits, or that somebody released already, stays
// as it is. fault.NotFound when there is no such case.
func (cs *Cases) Release(ctx context.Context, tx *sql.Tx, caseID, actor string, from, now time.Time) (bool, error) {
	_, err := cs.held(ctx, tx, caseID)
	if err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `
		UPDATE pauses SET until = $1, actor = $2
		WHERE case_id = $3 AND reason = 'imported' AND ended_at = 0 AND until = 0
			AND EXISTS (SELECT 1 FROM cases WHERE id = $3 AND status = 'open')`, from.Unix(), actor, caseID)
	if err != nil {
		return false, fmt.Errorf("release case %s: %w", caseID, err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	if from.After(now) {
		why := "Released; reminders go on from " + from.Format("2 January 2006") + "."
		return true, writeLog(ctx, tx, Entry{CaseID: caseID, At: now.Unix(), What: "released", Why: why, Actor: actor})
	}
	err = cs.Resume(ctx, tx, caseID, actor, now, PauseImported)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}
