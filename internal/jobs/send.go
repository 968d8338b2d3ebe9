package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
)

// Sender hands queued e-mails to the mail server, over as many connections as the pool keeps.
type Sender struct {
	DB          *database.DB
	Cases       *dunning.Cases
	Intake      *intake.Intake
	Letters     *Letters
	Pool        *mail.Pool
	Connections int
	Now         func() time.Time // business time
	Real        func() time.Time // leases
	Log         *slog.Logger
	Observe     func(outcome string) // told of each try to hand over a mail, in one word; may be nil
}

const (
	sendLease   = 5 * time.Minute  // how long a claimed notice, or a dialogue, is left to its sender
	stripeWait  = 2 * time.Minute  // before Stripe is asked again when it does not answer
	smtpWait    = time.Minute      // before a mail server that cannot be reached is tried again
	dialogue    = 25 * time.Second // for one mail; less than a stop waits
	letterBatch = 8                // notices claimed per connection
)

// RunOnce hands over up to a batch of due e-mails. While sending is stopped it does nothing.
func (s *Sender) RunOnce(ctx context.Context) (int, error) {
	var claimed []outbox.Notice
	err := s.DB.Do(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err == nil && sending.Stopped {
			return s.Cases.StoppedNow(ctx, tx, s.Now(), s.Connections*letterBatch)
		}
		if err != nil {
			return err
		}
		claimed, err = outbox.Claim(ctx, tx, s.DB.SkipLocked(), s.Now().Unix(), s.Real().Unix(), s.Real().Add(sendLease).Unix(), s.Connections*letterBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	var down atomic.Bool // the mail server could not be reached: the rest of the batch waits
	var group errgroup.Group
	group.SetLimit(s.Connections)
	for _, n := range claimed {
		group.Go(func() error {
			if down.Load() || ctx.Err() != nil {
				return s.later(context.WithoutCancel(ctx), n.ID, s.Now().Add(smtpWait), n.Reason)
			}
			err := s.deliverOne(ctx, n)
			if errors.Is(err, errUnreachable) {
				down.Store(true)
				s.Log.WarnContext(ctx, "the mail server cannot be reached, mails wait", "err", err)
				return nil
			}
			if err == nil || ctx.Err() != nil {
				return err
			}
			s.Log.ErrorContext(ctx, "mail failed on our side", "notice", n.ID, "err", err)
			return s.stumble(context.WithoutCancel(ctx), n)
		})
	}
	err = group.Wait()
	if err != nil {
		return 0, err
	}
	return len(claimed), nil
}

// Next answers when the earliest waiting e-mail is due.
func (s *Sender) Next(ctx context.Context) (time.Time, bool, error) {
	var at int64
	var ok bool
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		at, ok, err = outbox.NextDue(ctx, tx)
		return err
	})
	return time.Unix(at, 0), ok, err
}

// deliverOne is deliver with a panic made an error: one letter that cannot be written must not end the others.
func (s *Sender) deliverOne(ctx context.Context, n outbox.Notice) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.deliver(ctx, n)
}

// stumbleWait is how long a notice waits after a failure of ours.
const stumbleWait = 10 * time.Minute

func (s *Sender) stumble(ctx context.Context, n outbox.Notice) error {
	return s.DB.Do(ctx, func(tx *sql.Tx) error {
		return outbox.Stumble(ctx, tx, n, s.Now().Add(stumbleWait).Unix(), s.Now().Unix())
	})
}

var errUnreachable = errors.New("the mail server cannot be reached")

// deliver takes one claimed notice to its end: checked once more, written, handed over, settled.
func (s *Sender) deliver(ctx context.Context, n outbox.Notice) error {
	wait, err := s.recheck(ctx, n)
	if err != nil {
		return err
	}
	if wait != "" {
		return s.putOff(ctx, n, s.Now().Add(stripeWait), wait)
	}
	conn, err := s.Pool.Acquire(ctx)
	if err != nil {
		s.observe("unreachable")
		putOff := s.putOff(context.WithoutCancel(ctx), n, s.Now().Add(smtpWait), string(dunning.ReasonServer))
		return errors.Join(fmt.Errorf("%w: %w", errUnreachable, err), putOff)
	}
	defer s.Pool.Release(conn)
	letter, go_, err := s.begin(ctx, &n)
	if err != nil || !go_ {
		return err
	}
	// From here the dialogue is finished and its outcome written down even while the program is stopping.
	ctx = context.WithoutCancel(ctx)
	sending, stop := context.WithTimeout(ctx, dialogue)
	defer stop()
	outcome := conn.Send(sending, letter)
	s.observe(wordFor(outcome))
	return s.conclude(ctx, n, outcome)
}

// recheck makes sure that a reminder is decided by what Stripe said within ten minutes. It answers why the
// notice must wait, "" when it need not.
func (s *Sender) recheck(ctx context.Context, n outbox.Notice) (string, error) {
	if n.Kind != outbox.Reminder {
		return "", nil
	}
	fresh := false
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		fresh, err = s.Intake.Fresh(ctx, tx, n.CustomerID)
		return err
	})
	if err != nil || fresh {
		return "", err
	}
	err = s.Intake.Refresh(ctx, n.CustomerID)
	if fault.Is(err, fault.NotFound) {
		return "", s.DB.Do(ctx, func(tx *sql.Tx) error {
			return outbox.Settle(ctx, tx, n.ID, outbox.Failed, "Stripe no longer knows this customer.", s.Now().Unix())
		})
	}
	if fault.Is(err, fault.Unavailable) {
		s.Log.WarnContext(ctx, "reminder waits, Stripe could not be asked", "notice", n.ID, "err", err)
		return string(dunning.ReasonStripe), nil
	}
	return "", err
}

// begin decides, writes and marks the notice as being handed over in one transaction. go_ is false when it was
// settled or put off instead.
func (s *Sender) begin(ctx context.Context, n *outbox.Notice) (letter mail.Letter, go_ bool, err error) {
	now := s.Now()
	err = s.DB.Do(ctx, func(tx *sql.Tx) error {
		current, err := outbox.Find(ctx, tx, n.ID)
		if err != nil {
			return err
		}
		if current.Status != outbox.Queued {
			return nil
		}
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil {
			return err
		}
		if sending.Stopped {
			return outbox.Release(ctx, tx, n.ID)
		}
		// What comes back of this customer's mails and this mail are not decided at the same time.
		err = database.Hold(ctx, tx, current.CustomerID)
		if err != nil {
			return err
		}
		to, why, err := s.Letters.Recipient(ctx, tx, current)
		if err != nil {
			return err
		}
		if to == "" {
			return s.Cases.LeaveOut(ctx, tx, current, why, now)
		}
		current.Recipient = to
		say, err := s.Cases.StillWanted(ctx, tx, current, now)
		if err != nil {
			return err
		}
		if !say.Go && !say.Later.IsZero() {
			return s.Cases.PutOffNotice(ctx, tx, current, say.Why, say.Later, now)
		}
		if !say.Go {
			return outbox.Settle(ctx, tx, n.ID, outbox.Skipped, say.Skip, now.Unix())
		}
		letter, err = s.Letters.Write(ctx, tx, &current, now)
		if fault.Is(err, fault.NotFound) {
			return outbox.Settle(ctx, tx, n.ID, outbox.Skipped, "What it tells of no longer exists.", now.Unix())
		}
		if err != nil {
			return err
		}
		go_, err = outbox.Begin(ctx, tx, current, s.Real().Add(sendLease).Unix())
		current.Attempts++
		*n = current
		return err
	})
	if err != nil {
		return mail.Letter{}, false, fmt.Errorf("begin notice %s: %w", n.ID, err)
	}
	return letter, go_, nil
}

// conclude keeps what the mail server said, or that nobody knows.
func (s *Sender) conclude(ctx context.Context, n outbox.Notice, outcome error) error {
	now := s.Now()
	var refusal *mail.Refusal
	bounce, back := bounceOf(outcome, n, now)
	if back {
		s.Log.WarnContext(ctx, "mail refused for its address", "notice", n.ID, "kind", string(bounce.Kind), "err", outcome)
		return s.DB.Do(ctx, func(tx *sql.Tx) error {
			_, err := s.Cases.Bounced(ctx, tx, n, bounce, now)
			if err != nil {
				return err
			}
			return s.Cases.Left(ctx, tx, n, now)
		})
	}
	settle := func(status outbox.Status, reason string) error {
		if status != outbox.Sent {
			s.Log.WarnContext(ctx, "mail not surely delivered", "notice", n.ID, "status", string(status), "err", outcome)
		}
		return s.DB.Do(ctx, func(tx *sql.Tx) error {
			err := outbox.Settle(ctx, tx, n.ID, status, reason, now.Unix())
			if err != nil {
				return err
			}
			return s.Cases.Left(ctx, tx, n, now)
		})
	}
	switch {
	case outcome == nil:
		return settle(outbox.Sent, "")
	case errors.Is(outcome, mail.ErrUncertain):
		return settle(outbox.Uncertain, "The mail server did not answer after it had everything; it may or may not have arrived.")
	case errors.Is(outcome, mail.ErrUnsendable):
		return settle(outbox.Failed, "The letter cannot be sent: "+outcome.Error())
	case errors.As(outcome, &refusal) && !refusal.Temporary:
		return settle(outbox.Failed, "The mail server refused it: "+refusal.Error())
	case errors.As(outcome, &refusal) && overdue(n, now):
		return settle(outbox.Failed, "The mail server put it off for two days: "+refusal.Error())
	case errors.As(outcome, &refusal):
		return s.later(ctx, n.ID, now.Add(outbox.Backoff(n.Attempts)), "The mail server put it off: "+refusal.Error())
	}
	return s.later(ctx, n.ID, now.Add(outbox.Backoff(n.Attempts)), "The connection broke before the mail was handed over.")
}

// overdue reports whether the mail server has put a mail off for too long.
func overdue(n outbox.Notice, now time.Time) bool {
	return now.Unix()-n.Dated > int64(outbox.GiveUpAfter/time.Second)
}

// bounceOf answers what a refusal for good says of the address, and false when it says nothing: a refusal of the
// sender or of the whole letter is about us.
func bounceOf(outcome error, n outbox.Notice, now time.Time) (outbox.Bounce, bool) {
	var refusal *mail.Refusal
	if !errors.As(outcome, &refusal) || refusal.Temporary && !overdue(n, now) || n.Kind == outbox.StaffMessage {
		return outbox.Bounce{}, false
	}
	code := cmp.Or(refusal.Enhanced, strconv.Itoa(refusal.Code))
	kind := outbox.KindOf(code, refusal.Text)
	// After the letter itself only a status that names the mailbox is about the address.
	names := strings.HasPrefix(refusal.Enhanced, "5.1.") || strings.HasPrefix(refusal.Enhanced, "5.2.")
	if kind == outbox.Blocked || refusal.Place != "RCPT" && !names {
		return outbox.Bounce{}, false
	}
	return outbox.Bounce{Address: outbox.Normal(n.Recipient), Kind: kind, Code: code, Words: refusal.Text, At: now.Unix()}, true
}

func (s *Sender) later(ctx context.Context, id string, at time.Time, reason string) error {
	return s.DB.Do(ctx, func(tx *sql.Tx) error { return outbox.Later(ctx, tx, id, at.Unix(), reason) })
}

// putOff is later with the reason kept with the case.
func (s *Sender) putOff(ctx context.Context, n outbox.Notice, at time.Time, why string) error {
	return s.DB.Do(ctx, func(tx *sql.Tx) error { return s.Cases.PutOffNotice(ctx, tx, n, why, at, s.Now()) })
}

// Sweep marks as uncertain what a vanished sender left in the middle of a dialogue.
func (s *Sender) Sweep(ctx context.Context) (int, error) {
	return s.abandon(ctx, s.Real().Unix())
}

// AbandonAll marks as uncertain everything that is marked as being handed over, and takes back what was claimed:
// for the start of a program that is the only sender on its database, when whoever was sending is surely gone.
func (s *Sender) AbandonAll(ctx context.Context) (int, error) {
	err := s.DB.Do(ctx, func(tx *sql.Tx) error { return outbox.Reclaim(ctx, tx) })
	if err != nil {
		return 0, err
	}
	return s.abandon(ctx, s.Real().Add(2*sendLease).Unix())
}

func (s *Sender) abandon(ctx context.Context, before int64) (int, error) {
	var n int64
	err := s.DB.Do(ctx, func(tx *sql.Tx) error {
		var err error
		n, err = outbox.Abandon(ctx, tx, before, s.Now().Unix())
		return err
	})
	if n > 0 {
		s.Log.WarnContext(ctx, "mails with an unknown outcome", "count", n)
	}
	return int(n), err
}
