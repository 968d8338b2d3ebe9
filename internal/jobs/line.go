package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
)

// line is one conversation with the mail server: it hands over one notice after the other. What became of one mail and
// the decision over the next are one word to the database, and the lines of a sender share its transactions: waiting
// for the disk twice a mail would cost more than the mail. At any moment at most one notice of a line is marked as
// being handed over.
type line struct {
	*Sender
	together *database.Group[*turn]
	last     *handed // the last mail, while the database does not know yet what became of it
}

// handed is a mail the server was told of, and what it said.
type handed struct {
	notice  outbox.Notice
	outcome error
	until   time.Time // real time at which its lease ends, and others may call it uncertain
	told    int       // how often the database was told; it may have kept what it answered with an error
}

// turn is what a line tells and asks the database at once. Nothing is asked when it has no next notice.
type turn struct {
	last *handed
	next *outbox.Notice
	read bool // its customer was read again from Stripe just now

	answer answer
	lease  time.Time // when it goes: how long it is left to this line
	draft  *Draft    // when it goes
	letter mail.Post // the same, drawn
}

// answer is what the database makes of the next notice.
type answer int

const (
	stays answer = iota // it goes nowhere now: settled, put off, given back or taken by somebody else
	goes                // it is marked as being handed over, and its letter is written
	stale               // what is stored of its customer is too old to decide by; nothing was changed
	again               // another notice of its customer is being begun, and counts once that is kept; nothing was changed
)

// deliver takes one claimed notice to its dialogue with the mail server: checked once more, written, marked, handed over.
// What became of it is told with the next one. errUnreachable when there is no conversation; the notice then waits.
func (l *line) deliver(ctx context.Context, n outbox.Notice) (err error) {
	defer func() {
		if p := recover(); p != nil { // one letter that cannot be written must not end the others
			err = l.stumble(ctx, n, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	conn, err := l.Pool.Acquire(ctx)
	if err != nil {
		return l.unreachable(ctx, n, err)
	}
	defer l.Pool.Release(conn)
	t, err := l.ask(ctx, &n, false)
	if err == nil && t.answer == stale {
		t, err = l.askAfterReading(ctx, &n)
	}
	if err != nil {
		return l.stumble(ctx, n, err)
	}
	if t.answer != goes {
		return nil
	}
	// From here the dialogue is finished and its outcome written down even while the program is stopping.
	sending, stop := context.WithTimeout(context.WithoutCancel(ctx), dialogue)
	defer stop()
	l.last = &handed{notice: n, outcome: mail.ErrUncertain, until: t.lease} // should it panic
	l.last.outcome = conn.Hand(sending, t.letter)
	l.observe(wordFor(l.last.outcome))
	return nil
}

func (l *line) unreachable(ctx context.Context, n outbox.Notice, why error) error {
	l.observe("unreachable")
	ctx = context.WithoutCancel(ctx)
	err := l.DB.Do(ctx, func(tx *sql.Tx) error {
		return l.Cases.PutOffNotice(ctx, tx, n, string(dunning.ReasonServer), l.Now().Add(smtpWait), l.Now())
	})
	return errors.Join(fmt.Errorf("%w: %w", errUnreachable, why), err)
}

// ask tells what became of the last mail and asks for the next; n is then as it was begun. It does not give up while
// the program is stopping: a notice marked as being handed over must be handed over.
func (l *line) ask(ctx context.Context, n *outbox.Notice, read bool) (*turn, error) {
	for {
		t := &turn{last: l.last, next: n, read: read}
		err := l.together.Keep(context.WithoutCancel(ctx), t)
		if err != nil {
			return nil, err
		}
		l.last = nil
		if t.answer != again {
			*n = *t.next
			return t, nil
		}
	}
}

// askAfterReading has the customer read again from Stripe and asks once more.
func (l *line) askAfterReading(ctx context.Context, n *outbox.Notice) (*turn, error) {
	wait, known, err := l.reread(ctx, *n)
	if err != nil {
		return nil, err
	}
	if known && wait == "" {
		return l.ask(ctx, n, true)
	}
	t := &turn{answer: stays}
	return t, l.DB.Do(ctx, func(tx *sql.Tx) error {
		if !known {
			return outbox.Settle(ctx, tx, n.ID, outbox.Failed, "Stripe no longer knows this customer.", l.Now().Unix())
		}
		return l.Cases.PutOffNotice(ctx, tx, *n, wait, l.Now().Add(stripeWait), l.Now())
	})
}

// conclude tells what became of the last mail when there is no next one. What the mail server said is known here alone,
// so it is told again and again, while the program is stopping too, until the notice's lease ends.
func (l *line) conclude(ctx context.Context) error {
	if l.last == nil {
		return nil
	}
	pause := tellFirst
	for range tellMost {
		err := l.together.Keep(context.WithoutCancel(ctx), &turn{last: l.last})
		if err == nil {
			l.last = nil
			return nil
		}
		l.Log.WarnContext(ctx, "what became of a mail is not kept yet", "notice", l.last.notice.ID, "err", err)
		if !l.Real().Add(pause).Before(l.last.until) {
			break
		}
		l.Pause(pause)
		pause = min(2*pause, tellLast)
	}
	return fmt.Errorf("what became of notice %s was not kept while it was ours", l.last.notice.ID)
}

// stumble puts a notice back after a failure of ours. What became of the mail before it is told first, by itself.
func (l *line) stumble(ctx context.Context, n outbox.Notice, why error) error {
	if ctx.Err() != nil {
		return errors.Join(why, l.conclude(ctx))
	}
	l.Log.ErrorContext(ctx, "mail failed on our side", "notice", n.ID, "err", why)
	err := l.conclude(ctx)
	if err != nil {
		return err
	}
	return l.DB.Do(ctx, func(tx *sql.Tx) error {
		return outbox.Stumble(ctx, tx, n, l.Now().Add(stumbleWait).Unix(), l.Now().Unix())
	})
}

// take writes the turns of several lines in one transaction. It may be asked again for the same turns.
func (s *Sender) take(ctx context.Context, tx *sql.Tx, turns []*turn) error {
	now := s.Now()
	// What comes back of a customer's mails and their next mail are not decided at the same time.
	for _, customer := range customersOf(turns) {
		err := database.Hold(ctx, tx, customer)
		if err != nil {
			return err
		}
	}
	for _, t := range turns {
		if t.last == nil {
			continue
		}
		err := s.tell(ctx, tx, t.last, now)
		if err != nil {
			return fmt.Errorf("conclude notice %s: %w", t.last.notice.ID, err)
		}
	}
	sending, err := dunning.SendingSwitch(ctx, tx)
	if err != nil {
		return err
	}
	beginning := map[string]bool{} // customers
	for _, t := range turns {
		t.answer, t.draft = stays, nil
		if t.next == nil {
			continue
		}
		if beginning[t.next.CustomerID] {
			t.answer = again
			continue
		}
		err := s.decide(ctx, tx, t, sending.Stopped, now)
		if err != nil {
			return fmt.Errorf("begin notice %s: %w", t.next.ID, err)
		}
		beginning[t.next.CustomerID] = t.draft != nil && t.next.CustomerID != ""
	}
	err = drawAll(ctx, turns)
	if err != nil {
		return err
	}
	for _, t := range turns {
		if t.draft == nil {
			continue
		}
		t.lease = s.Real().Add(sendLease)
		begun, err := outbox.Begin(ctx, tx, *t.next, t.lease.Unix())
		if err != nil {
			return err
		}
		t.next.Attempts++
		if begun {
			t.answer = goes
		}
	}
	return nil
}

// tell keeps what became of a mail, once: where it was told before, the notice may be in other hands by now.
func (s *Sender) tell(ctx context.Context, tx *sql.Tx, h *handed, now time.Time) error {
	h.told++
	if h.told > 1 {
		current, err := outbox.Find(ctx, tx, h.notice.ID)
		if err != nil || current.Status != outbox.Sending || current.Attempts != h.notice.Attempts {
			return err
		}
	}
	return s.conclude(ctx, tx, h.notice, h.outcome, now)
}

// drawAll draws the letters of some turns on all processors at once: whoever else wants to write waits for them.
func drawAll(ctx context.Context, turns []*turn) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range turns {
		if t.draft == nil {
			continue
		}
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				}
			}()
			t.letter, t.next.Copy, err = t.draft.Finish(ctx)
			return err
		})
	}
	return group.Wait()
}

// customersOf answers whom some turns are about, in the order in which they are held.
func customersOf(turns []*turn) []string {
	var all []string
	for _, t := range turns {
		if t.last != nil {
			all = append(all, t.last.notice.CustomerID)
		}
		if t.next != nil {
			all = append(all, t.next.CustomerID)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// decide answers one turn's question.
func (s *Sender) decide(ctx context.Context, tx *sql.Tx, t *turn, stopped bool, now time.Time) error {
	current, err := outbox.Find(ctx, tx, t.next.ID)
	if err != nil || current.Status != outbox.Queued {
		return err
	}
	if stopped {
		return outbox.Release(ctx, tx, current.ID)
	}
	if (current.Kind == outbox.Reminder || current.Kind == outbox.Precaution) && !t.read { // decided by what Stripe said within ten minutes
		fresh, err := s.Intake.Fresh(ctx, tx, current.CustomerID)
		if err != nil {
			return err
		}
		if !fresh {
			t.answer = stale
			return nil
		}
	}
	t.draft, err = s.begin(ctx, tx, &current, now)
	if t.draft != nil {
		t.next = &current
	}
	return err
}
