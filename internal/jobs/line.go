package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
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

	spoke  bool            // it had a connection
	parted *outbox.Notice  // what it held when it could have none, with which it ended
	why    error           // it could have none
	late   []outbox.Notice // what it came to so late that it is left to a later claim, or could not put back
}

// handed is a mail the server was told of, and what it said.
type handed struct {
	notice  outbox.Notice
	who     billing.Customer // whom it went to, as they were known then
	outcome error
	until   time.Time // real time at which its lease ends, and others may call it uncertain
	told    int       // how often the database was told; it may have kept what it answered with an error
}

// turn is what a line tells and asks the database at once.
type turn struct {
	last  *handed // nil when there is nothing to tell
	claim *claim  // the next notice; nil when there is none
	read  bool    // its customer was read again from Stripe just now

	answer  answer
	mailing           // when it goes
	lease   time.Time // how long it is then left to this line
}

// answer is what the database makes of the next notice.
type answer int

const (
	stays answer = iota // it goes nowhere now: settled, put off, given back or taken by somebody else
	goes                // it is marked as being handed over, and its letter is written
	stale               // what is stored of its customer is too old to decide by; nothing was changed
	again               // another notice of its customer is being begun, and counts once that is kept; nothing was changed
)

// work hands over what a supply passes on, until there is no more.
func (l *line) work(ctx context.Context, from *supply) error {
	for ctx.Err() == nil {
		n, more, err := l.next(ctx, from)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if ctx.Err() != nil || !l.Real().Before(time.Unix(n.LeaseUntil, 0).Add(-sendLease/2)) {
			l.late = append(l.late, n.Notice)
			from.finished()
			continue
		}
		err = l.deliver(ctx, n)
		from.finished()
		if errors.Is(err, errUnreachable) {
			l.parted, l.why = &n.Notice, err
			break
		}
		if err != nil {
			return err
		}
	}
	return l.conclude(ctx)
}

// next answers what the line does next, and false when there is nothing more. What became of its last mail is told with the
// next one; it does not wait for one that is long in coming.
func (l *line) next(ctx context.Context, from *supply) (claim, bool, error) {
	select {
	case n, more := <-from.waiting:
		return n, more, nil
	case <-ctx.Done():
		return claim{}, false, nil
	case <-time.After(tellFirst):
	}
	err := l.conclude(ctx)
	if err != nil {
		return claim{}, false, err
	}
	select {
	case n, more := <-from.waiting:
		return n, more, nil
	case <-ctx.Done():
		return claim{}, false, nil
	}
}

// deliver takes one claimed notice to its dialogue with the mail server: checked once more, written, marked, handed over.
// What became of it is told with the next one. errUnreachable when there is no conversation; nothing was done with the notice then.
func (l *line) deliver(ctx context.Context, n claim) (err error) {
	defer func() {
		if p := recover(); p != nil { // one letter that cannot be written must not end the others
			err = l.stumble(ctx, n.Notice, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	conn, err := l.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer l.Pool.Release(conn)
	l.spoke = true
	t, err := l.ask(ctx, n, false)
	if err == nil && t.answer == stale {
		t, err = l.askAfterReading(ctx, n.Notice)
	}
	if err != nil {
		return l.stumble(ctx, n.Notice, err)
	}
	if t.answer != goes {
		return nil
	}
	defer l.rooms.leave(t.letter)
	// From here the dialogue is finished and its outcome written down even while the program is stopping.
	sending, stop := finishing(ctx, min(longest, t.lease.Sub(l.Real())-tellLast)) // before others may call it uncertain
	defer stop()
	l.last = &handed{notice: t.next, who: t.who, outcome: mail.ErrUncertain, until: t.lease} // should it panic
	l.last.outcome = conn.Hand(sending, t.letter)
	l.observe(wordFor(l.last.outcome))
	return nil
}

// finishing answers a context for one dialogue of at most so long. It outlives ctx, but by no more than a stop waits:
// cutting a dialogue off while the server looks at the mail would leave nobody knowing whether it took it.
func finishing(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	sending, stop := context.WithTimeout(context.WithoutCancel(ctx), most)
	forget := context.AfterFunc(ctx, func() {
		hurry := time.NewTimer(dialogue)
		defer hurry.Stop()
		select {
		case <-hurry.C:
			stop()
		case <-sending.Done():
		}
	})
	return sending, func() {
		forget()
		stop()
	}
}

// ask tells what became of the last mail and asks for the next. It does not give up while
// the program is stopping: a notice marked as being handed over must be handed over.
func (l *line) ask(ctx context.Context, n claim, read bool) (*turn, error) {
	for {
		t := &turn{last: l.last, claim: &n, read: read}
		err := l.keep(context.WithoutCancel(ctx), t)
		if err != nil {
			return nil, err
		}
		l.last = nil
		if t.answer != again {
			return t, nil
		}
	}
}

// keep asks for a turn. If the decision was that a notice goes and only the commit failed, the commit may have succeeded
// all the same. The same turn is then asked again, as long as nobody else can have claimed the notice, and goes as it was
// begun.
func (l *line) keep(ctx context.Context, t *turn) error {
	pause := tellFirst
	for tries := 1; ; tries++ {
		err := l.together.Keep(ctx, t)
		if err == nil || tries == tellMost || t.lease.IsZero() || !l.Real().Add(pause+dialogue).Before(time.Unix(t.claim.LeaseUntil, 0)) {
			return err
		}
		l.Log.WarnContext(ctx, "nobody knows whether a mail was begun", "notice", t.claim.ID, "err", err)
		l.Pause(pause)
		pause = min(2*pause, tellLast)
	}
}

// askAfterReading has the customer read again from Stripe and asks once more.
func (l *line) askAfterReading(ctx context.Context, n outbox.Notice) (*turn, error) {
	wait, known, err := l.reread(ctx, n)
	if err != nil {
		return nil, err
	}
	if known && wait == "" {
		return l.ask(ctx, claim{Notice: n}, true)
	}
	t := &turn{answer: stays}
	return t, l.DB.Do(ctx, func(tx *sql.Tx) error {
		if !known {
			return outbox.Drop(ctx, tx, n, outbox.Failed, "Stripe no longer knows this customer.", l.Now().Unix())
		}
		return l.Cases.PutOffNotice(ctx, tx, n, wait, l.Now().Add(stripeWait), l.Now())
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

// stumble puts a notice back after a failure of ours. What became of the mail before it is told first, by itself. A database
// that was away is no failure with this notice: it goes on as soon as there is one, and that is not counted.
func (l *line) stumble(ctx context.Context, n outbox.Notice, why error) error {
	if ctx.Err() != nil {
		l.late = append(l.late, n)
		return errors.Join(why, l.conclude(ctx))
	}
	passing := away(why)
	if !passing {
		l.Log.ErrorContext(ctx, "mail failed on our side", "notice", n.ID, "err", why)
	}
	err := l.conclude(ctx)
	if passing || err != nil {
		l.late = append(l.late, n)
		return cmp.Or(err, why)
	}
	err = l.DB.Do(ctx, func(tx *sql.Tx) error {
		if database.InTheWay(why) { // which is not counted either
			_, err := outbox.PutOff(ctx, tx, n, l.Now().Add(restAfter(why, stumbleWait)).Unix(), n.Reason)
			return err
		}
		return outbox.Stumble(ctx, tx, n, l.Now().Add(stumbleWait).Unix(), l.Now().Unix())
	})
	if err != nil {
		l.late = append(l.late, n)
	}
	return err
}
