package dunning

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/outbox"
)

// Decision is one thing the engine decided about a case, and why. What became of a message after that stands in its notice,
// whose Reason is one of the reasons below where it is a single word.
type Decision struct {
	CaseID  string
	Step    string         // the campaign's key, "" when it is about the whole case
	Channel outbox.Channel // "" when it is about all channels of the step
	What    What
	Why     contact.Reason
	Details Details
	Since   int64 // when it was decided first, unix seconds
	At      int64 // and last
	Until   int64 // of PutOff: when it is looked at again, 0 when nobody can say
	Times   int64 // how often
}

// What is the kind of a decision.
type What string

const (
	Chosen     What = "chosen"      // the campaign of a new case
	Taken      What = "taken"       // a step, its messages with it
	PutOff     What = "put_off"     // its time had come, and it was not the time
	PassedOver What = "passed_over" // a step that is not for this case
)

// Details are what the sentence of a decision names.
type Details struct {
	Campaign string           `json:"campaign,omitempty"` // of Chosen: its title
	Version  int64            `json:"version,omitempty"`
	Variant  string           `json:"variant,omitempty"`
	Holdout  bool             `json:"holdout,omitempty"`
	Held     []string         `json:"held,omitempty"`   // of Chosen: the conditions that held, as the document names them
	Day      int              `json:"day,omitempty"`    // of Taken: the campaign's day
	Wanted   int64            `json:"wanted,omitempty"` // of Taken: when the campaign alone would have taken it
	Moved    []contact.Reason `json:"moved,omitempty"`  // of Taken: what moved it from there
	Words    string           `json:"words,omitempty"`  // of ReasonOther
}

// The reasons besides those that move a contact (policy.go). They are stored: a word once used keeps its meaning.
const (
	ReasonSegment    contact.Reason = "segment"       // the campaign's segment holds for the case
	ReasonLast       contact.Reason = "last_campaign" // no segment holds, so the last campaign serves
	ReasonAnnounced  contact.Reason = "announced"     // an announced date is never brought forward, nor closer than the least notice
	ReasonIf         contact.Reason = "if"            // the step's own condition does not hold
	ReasonEarlier    contact.Reason = "earlier_mail"  // a mail of an earlier step has not left yet
	ReasonPaying     contact.Reason = "paying"        // the customer pressed a button to pay just now
	ReasonRests      contact.Reason = "rests"         // the case rests
	ReasonStripe     contact.Reason = "stripe"        // Stripe could not be asked whether it is still owed
	ReasonStopped    contact.Reason = "stopped"       // all sending is stopped
	ReasonServer     contact.Reason = "mail_server"   // the mail server cannot be reached
	ReasonOther      contact.Reason = "other"         // Details.Words say it
	ReasonHoldout    contact.Reason = "holdout"       // the case is in the holdout
	ReasonNobody     contact.Reason = "no_address"    // there is no address on file
	ReasonBounces    contact.Reason = "no_mailbox"    // no address on file takes mail
	ReasonStripeMail contact.Reason = "stripe_mails"  // Stripe itself mails about it
	ReasonClosed     contact.Reason = "closed"        // the case closed before it went out
	ReasonNothing    contact.Reason = "nothing_owed"  // nothing is owed any more
	ReasonAgain      contact.Reason = "failed_again"  // something else failed, so all is not settled
	ReasonPerson     contact.Reason = "person"        // nobody is sure that it was announced
	ReasonUntold     contact.Reason = "untold"        // nothing announces it to the customer
	ReasonUnwanted   contact.Reason = "unwanted"      // the customer asked for no reminders
	ReasonManager    contact.Reason = "manager"       // a final act that a manager has to decide about
	ReasonExhausted  contact.Reason = "exhausted"     // no step is left
)

// IsReason reports whether a stored reason is one of our words. The others are sentences: what earlier versions kept, and
// what mail servers said.
func IsReason(stored string) bool {
	if stored == "" {
		return false
	}
	for _, r := range stored {
		if (r < 'a' || r > 'z') && r != '_' {
			return false
		}
	}
	return true
}

// holding answers what holds a step back: the last of the reasons for its time that is not simply the campaign's own time;
// false when there is none.
func holding(why []contact.Reason) (contact.Reason, bool) {
	for _, r := range slices.Backward(why) {
		if r != contact.ReasonStep && r != contact.ReasonOnce && r != contact.ReasonPast {
			return r, true
		}
	}
	return "", false
}

// decide keeps a decision. The same again moves its last time.
func decide(ctx context.Context, tx *sql.Tx, d Decision) error {
	details, err := json.Marshal(d.Details)
	if err != nil {
		return fmt.Errorf("keep a decision about %s: %w", d.CaseID, err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO decisions (case_id, step, channel, what, reason, details, since, at, until, times)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 1)
		ON CONFLICT (case_id, step, channel, what, reason) DO UPDATE
		SET details = excluded.details, at = excluded.at, until = excluded.until, times = decisions.times + 1`,
		d.CaseID, d.Step, d.Channel, d.What, d.Why, string(details), d.At, d.Until)
	if err != nil {
		return fmt.Errorf("keep a decision about %s: %w", d.CaseID, err)
	}
	return nil
}

// Decisions answers what was decided about a case, in the order in which each was decided first.
func (cs *Cases) Decisions(ctx context.Context, tx *sql.Tx, caseID string) ([]Decision, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT case_id, step, channel, what, reason, details, since, at, until, times
		FROM decisions WHERE case_id = $1 ORDER BY since, what, step, channel, reason`, caseID)
	if err != nil {
		return nil, fmt.Errorf("read the decisions about %s: %w", caseID, err)
	}
	defer rows.Close()
	var all []Decision
	for rows.Next() {
		var d Decision
		var details string
		err = rows.Scan(&d.CaseID, &d.Step, &d.Channel, &d.What, &d.Why, &details, &d.Since, &d.At, &d.Until, &d.Times)
		if err != nil {
			return nil, fmt.Errorf("read the decisions about %s: %w", caseID, err)
		}
		err = json.Unmarshal([]byte(details), &d.Details)
		if err != nil {
			return nil, fmt.Errorf("read the decisions about %s: %w", caseID, err)
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// putOffStep keeps that the case's next step waits until the instant although its time had come.
func putOffStep(ctx context.Context, tx *sql.Tx, c Case, plan campaign.Campaign, why contact.Reason, until, now time.Time) error {
	step := ""
	if c.Step < len(plan.Steps) {
		step = plan.Steps[c.Step].Key
	}
	return decide(ctx, tx, Decision{CaseID: c.ID, Step: step, What: PutOff, Why: why, At: now.Unix(), Until: until.Unix()})
}

// PutOffNotice puts a notice that was about to leave, as it was claimed, back until the instant, and keeps why: one of
// our reasons, or a sentence. What is no reminder is put back alone.
func (cs *Cases) PutOffNotice(ctx context.Context, tx *sql.Tx, n outbox.Notice, why string, until, now time.Time) error {
	ours, err := outbox.PutOff(ctx, tx, n, until.Unix(), why)
	if err != nil || !ours || n.Kind != outbox.Reminder || n.CaseID == "" {
		return err
	}
	d := Decision{CaseID: n.CaseID, Step: n.Step, Channel: n.Channel, What: PutOff, Why: contact.Reason(why), At: now.Unix(), Until: until.Unix()}
	if !IsReason(why) {
		d.Why, d.Details.Words = ReasonOther, why
	}
	return decide(ctx, tx, d)
}

// StoppedNow keeps, for up to limit reminders whose time has come while all sending is stopped, that this is why they
// wait: once for each.
func (cs *Cases) StoppedNow(ctx context.Context, tx *sql.Tx, now time.Time, limit int) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO decisions (case_id, step, channel, what, reason, details, since, at, until, times)
		SELECT n.case_id, n.step, n.channel, 'put_off', 'stopped', '{}', $1, $1, 0, 1
		FROM notices n JOIN cases c ON c.id = n.case_id
		WHERE n.status = 'queued' AND n.channel = 'email' AND n.due_at <= $1 AND n.kind = 'reminder' AND n.subject_id = ''
			AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.case_id = n.case_id AND d.step = n.step
				AND d.channel = n.channel AND d.what = 'put_off' AND d.reason = 'stopped')
		ORDER BY n.due_at LIMIT $2
		ON CONFLICT (case_id, step, channel, what, reason) DO NOTHING`, now.Unix(), limit)
	if err != nil {
		return fmt.Errorf("keep that sending is stopped: %w", err)
	}
	return nil
}

// chose keeps which campaign a new case begins with and why.
func chose(ctx context.Context, tx *sql.Tx, c Case, plan campaign.Campaign, who campaign.Subject) error {
	d := Decision{
		CaseID: c.ID, What: Chosen, Why: ReasonSegment, At: c.OpenedAt,
		Details: Details{Campaign: plan.Title, Version: plan.Version, Variant: c.Variant, Holdout: c.Holdout, Held: plan.For.Conditions()},
	}
	if !plan.For.Matches(who) {
		d.Why, d.Details.Held = ReasonLast, nil
	}
	return decide(ctx, tx, d)
}

// took keeps that a step is taken now, what moved it from the time the campaign wanted, and which steps before it
// were passed over.
func took(ctx context.Context, tx *sql.Tx, c Case, in Situation, next Planned, now time.Time) error {
	err := passed(ctx, tx, c, in.Plan, next.Index, now)
	if err != nil {
		return err
	}
	d := Decision{
		CaseID: c.ID, Step: next.Step.Key, What: Taken, Why: next.Why[0], At: now.Unix(),
		Details: Details{Day: next.Step.DayOf(in.Class), Wanted: next.Wanted.Unix()},
	}
	comes := c.comes(in, next.Index)
	if comes.After(next.Wanted) {
		d.Details.Moved = append(d.Details.Moved, ReasonAnnounced)
	}
	opened := time.Unix(c.OpenedAt, 0)
	if comes.Before(opened) { // a time of the first day that had passed by then
		comes = opened
	}
	// Asked from then on: by now the rules that moved it have nothing against it any more.
	if len(in.Ways(next.Step)) > 0 {
		d.Details.Moved = append(d.Details.Moved, in.Policy.Slot(comes, in.Zones, in.Contacts).Why...)
	}
	return decide(ctx, tx, d)
}

// passed keeps that the steps from the case's next one to before the index upTo are not for it.
func passed(ctx context.Context, tx *sql.Tx, c Case, plan campaign.Campaign, upTo int, now time.Time) error {
	for i := c.Step; i < upTo; i++ {
		err := decide(ctx, tx, Decision{CaseID: c.ID, Step: plan.Steps[i].Key, What: PassedOver, Why: ReasonIf, At: now.Unix()})
		if err != nil {
			return err
		}
	}
	return nil
}
