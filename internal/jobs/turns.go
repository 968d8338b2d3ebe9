package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
)

// take writes the turns of several lines in one transaction. What they are decided by is read, and what is decided is
// kept, for all of them at once: a statement for each mail would cost more than the mail. It may be asked again for the
// same turns.
func (s *Sender) take(ctx context.Context, tx *sql.Tx, turns []*turn) error {
	// What comes back of a customer's mails and their next mail are not decided at the same time.
	err := database.HoldQuietly(ctx, tx, customersOf(turns)...)
	if err != nil {
		return err
	}
	now := s.Now() // after the wait for the others
	err = s.tellAll(ctx, tx, turns, now)
	if err != nil {
		return err
	}
	deciding, err := s.notBegun(ctx, tx, turns)
	if err != nil {
		return err
	}
	asking, err := s.waiting(ctx, tx, deciding)
	if err != nil {
		return err
	}
	going, asking, err := s.standing(ctx, tx, asking, now)
	if err != nil {
		return err
	}
	// Letters are drawn beside what is still to be said to the database.
	drawing := s.draw(ctx, len(asking))
	defer drawing.finish()
	decided, err := s.decide(ctx, tx, asking, now, drawing)
	if err != nil {
		return err
	}
	going = append(going, decided...)
	err = s.begin(ctx, tx, going, now)
	if err != nil {
		return err
	}
	err = drawing.finish()
	if err != nil {
		return err
	}
	return keepCopies(ctx, tx, going)
}

// decide answers the turns whose notice goes, its letter written and being drawn. The others are put off, left out or
// settled.
func (s *Sender) decide(ctx context.Context, tx *sql.Tx, asking []*turn, now time.Time, drawing *drawing) ([]*turn, error) {
	if len(asking) == 0 {
		return nil, nil
	}
	var ids []string
	for _, t := range asking {
		ids = append(ids, t.next.CustomerID)
	}
	who, err := billing.CustomersByID(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	asking, err = s.fresh(ctx, tx, asking, who)
	if err != nil {
		return nil, err
	}
	asking, err = s.addressed(ctx, tx, asking, who, now)
	if err != nil {
		return nil, err
	}
	return s.wanted(ctx, tx, asking, who, now, drawing)
}

// tellAll keeps what became of the last mails, each once: where it was told before, the notice may be in other hands by
// now.
func (s *Sender) tellAll(ctx context.Context, tx *sql.Tx, turns []*turn, now time.Time) error {
	var sent []*handed
	var notices []outbox.Notice
	for _, t := range turns {
		if t.last == nil {
			continue
		}
		t.last.told++
		if t.last.told == 1 && t.last.outcome == nil {
			sent, notices = append(sent, t.last), append(notices, t.last.notice)
			continue
		}
		err := s.tell(ctx, tx, t.last, now)
		if err != nil {
			return fmt.Errorf("conclude notice %s: %w", t.last.notice.ID, err)
		}
	}
	news, err := outbox.SentAll(ctx, tx, notices, now.Unix())
	if err != nil {
		return err
	}
	for _, h := range sent {
		if !news[h.notice.ID] {
			continue
		}
		err = s.Cases.Left(ctx, tx, h.notice, h.who, now)
		if err != nil {
			return fmt.Errorf("conclude notice %s: %w", h.notice.ID, err)
		}
	}
	return nil
}

func (s *Sender) tell(ctx context.Context, tx *sql.Tx, h *handed, now time.Time) error {
	if h.told > 1 {
		current, err := outbox.Find(ctx, tx, h.notice.ID)
		if err != nil || current.Attempts != h.notice.Attempts {
			return err
		}
		given := current.Status == outbox.Uncertain && !errors.Is(h.outcome, mail.ErrUncertain) // up by others
		if current.Status != outbox.Sending && !given {
			return nil
		}
	}
	return s.conclude(ctx, tx, h, now)
}

// notBegun answers the turns that are to be decided. The others were begun by an earlier commit whose answer was lost: what
// was decided then stands, and they go.
func (s *Sender) notBegun(ctx context.Context, tx *sql.Tx, turns []*turn) ([]*turn, error) {
	var before []outbox.Notice
	for _, t := range turns {
		if t.claim != nil && !t.lease.IsZero() {
			n := t.next
			n.LeaseUntil = t.lease.Unix()
			before = append(before, n)
		}
	}
	begun, err := outbox.Begun(ctx, tx, before)
	if err != nil || len(begun) == 0 {
		return turns, err
	}
	var deciding []*turn
	for _, t := range turns {
		if t.claim == nil || t.lease.IsZero() || !begun[t.claim.ID] {
			deciding = append(deciding, t)
			continue
		}
		t.answer = goes
	}
	return deciding, nil
}

// waiting answers the turns whose next notice still waits. One notice of a customer is decided at a time: the others
// count it only when it is kept.
func (s *Sender) waiting(ctx context.Context, tx *sql.Tx, turns []*turn) ([]*turn, error) {
	var claimed []outbox.Notice
	for _, t := range turns {
		t.answer, t.mailing = stays, mailing{}
		if t.claim != nil {
			claimed = append(claimed, t.claim.Notice)
		}
	}
	ours, err := outbox.StillClaimed(ctx, tx, claimed)
	if err != nil {
		return nil, err
	}
	sending, err := dunning.SendingSwitch(ctx, tx)
	if err != nil {
		return nil, err
	}
	var asking []*turn
	deciding := map[string]bool{} // customers
	for _, t := range turns {
		switch {
		case t.claim == nil || !ours[t.claim.ID]:
		case sending.Stopped:
			err = outbox.Release(ctx, tx, t.claim.Notice)
			if err != nil {
				return nil, err
			}
		case deciding[t.claim.CustomerID]:
			t.answer = again
		default:
			deciding[t.claim.CustomerID] = t.claim.CustomerID != ""
			t.next = t.claim.Notice
			asking = append(asking, t)
		}
	}
	return asking, nil
}

// fresh answers the turns that can be decided by what is stored: for reminders, by what Stripe said within ten minutes.
func (s *Sender) fresh(ctx context.Context, tx *sql.Tx, asking []*turn, who map[string]billing.Customer) ([]*turn, error) {
	rests := func(t *turn) bool { // on what Stripe says
		return (t.next.Kind == outbox.Reminder || t.next.Kind == outbox.Precaution) && !t.read
	}
	var customers []billing.Customer
	for _, t := range asking {
		if rests(t) {
			customers = append(customers, who[t.next.CustomerID])
		}
	}
	fresh, err := s.Intake.Fresh(ctx, tx, customers)
	if err != nil {
		return nil, err
	}
	var decidable []*turn
	for _, t := range asking {
		if rests(t) && !fresh[t.next.CustomerID] {
			t.answer = stale
			continue
		}
		decidable = append(decidable, t)
	}
	return decidable, nil
}

// addressed answers the turns whose notice has somebody to go to. The others are left out.
func (s *Sender) addressed(ctx context.Context, tx *sql.Tx, asking []*turn, who map[string]billing.Customer, now time.Time) ([]*turn, error) {
	recipients, err := s.Letters.Recipients(ctx, tx, noticesOf(asking), who, now)
	if err != nil {
		return nil, err
	}
	var addressed []*turn
	for _, t := range asking {
		r := recipients[t.next.ID]
		if r.To == "" {
			err = s.Cases.LeaveOut(ctx, tx, t.next, r.Why, now)
			if err != nil {
				return nil, fmt.Errorf("begin notice %s: %w", t.next.ID, err)
			}
			continue
		}
		t.next.Recipient = r.To
		addressed = append(addressed, t)
	}
	return addressed, nil
}

// wanted is decide where it is known whom the notices are about and where they go.
func (s *Sender) wanted(ctx context.Context, tx *sql.Tx, asking []*turn, who map[string]billing.Customer, now time.Time, drawing *drawing) ([]*turn, error) {
	says, err := s.Cases.WhichWanted(ctx, tx, noticesOf(asking), who, now)
	if err != nil {
		return nil, err
	}
	var going []*turn
	for _, t := range asking {
		say := says[t.next.ID]
		t.who, t.say = who[t.next.CustomerID], say
		switch {
		case say.Go:
			err = s.write(ctx, tx, t, say, now)
		case !say.Later.IsZero():
			err = s.Cases.PutOffNotice(ctx, tx, t.next, say.Why, say.Later, now)
		default:
			err = errors.Join(
				s.Cases.Follow(ctx, tx, t.next, say, now),
				outbox.Drop(ctx, tx, t.next, outbox.Skipped, say.Skip, now.Unix()),
			)
		}
		if err != nil {
			return nil, fmt.Errorf("begin notice %s: %w", t.next.ID, err)
		}
		if t.draft != nil {
			going = append(going, t)
			drawing.add(&t.mailing)
		}
	}
	return going, nil
}

func (s *Sender) write(ctx context.Context, tx *sql.Tx, t *turn, say dunning.Say, now time.Time) error {
	draft, err := s.Letters.Write(ctx, tx, &t.next, say, t.who, now)
	if fault.Is(err, fault.NotFound) {
		return outbox.Drop(ctx, tx, t.next, outbox.Skipped, "What it tells of no longer exists.", now.Unix())
	}
	t.draft = &draft
	return err
}

// begin marks the mails that go as being handed over, and keeps the links they carry and what goes with them.
func (s *Sender) begin(ctx context.Context, tx *sql.Tx, going []*turn, now time.Time) error {
	lease := s.Real().Add(sendLease)
	begun, err := outbox.BeginAll(ctx, tx, noticesOf(going), lease.Unix())
	if err != nil {
		return err
	}
	var drafts []*Draft
	for _, t := range going {
		t.lease = lease
		t.next.Attempts++
		if !begun[t.next.ID] {
			continue
		}
		t.answer = goes
		drafts = append(drafts, t.draft)
		err = s.Cases.Follow(ctx, tx, t.next, t.say, now)
		if err != nil {
			return fmt.Errorf("begin notice %s: %w", t.next.ID, err)
		}
	}
	return issueAll(ctx, tx, drafts, now)
}

// keepCopies keeps the copies of the mails that go.
func keepCopies(ctx context.Context, tx *sql.Tx, going []*turn) error {
	var copies []outbox.Copy
	for _, t := range going {
		if t.answer == goes {
			copies = append(copies, t.copy)
		}
	}
	return outbox.KeepCopies(ctx, tx, copies)
}

// customersOf answers whom some turns are about, in the order in which they are held.
func customersOf(turns []*turn) []string {
	var all []string
	for _, t := range turns {
		if t.last != nil && t.last.notice.CustomerID != "" {
			all = append(all, t.last.notice.CustomerID)
		}
		if t.claim != nil && t.claim.CustomerID != "" {
			all = append(all, t.claim.CustomerID)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func noticesOf(turns []*turn) []outbox.Notice {
	all := make([]outbox.Notice, len(turns))
	for i, t := range turns {
		all[i] = t.next
	}
	return all
}
