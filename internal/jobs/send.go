package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strconv"
	"strings"
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
	Now         func() time.Time    // business time
	Real        func() time.Time    // leases
	Pause       func(time.Duration) // between two tries to keep what became of a mail: time.Sleep
	Log         *slog.Logger
	Observe     func(outcome string) // told of each try to hand over a mail, in one word; may be nil

	rooms  rooms
	held   []outbox.Notice // claimed, and still to be let go of: the database was away
	stripe silence
}

const (
	sendLease   = 5 * time.Minute  // how long a claimed notice, or a dialogue, is left to its sender
	stripeWait  = 2 * time.Minute  // before Stripe is asked again when it does not answer
	smtpWait    = time.Minute      // before a mail server that cannot be reached is tried again
	stumbleWait = 10 * time.Minute // before a notice is tried again after a failure of ours
	dialogue    = 25 * time.Second // for one mail while the program is stopping; less than a stop waits
	longest     = 4 * time.Minute  // for one mail at any other time: some servers look at it long before they take it
	letterBatch = 32               // notices claimed per connection

	// A transaction costs little more for some mails than for one, so that lines gather for one: as many as this, and no
	// longer than this, since a mail server may be slow. Where the database has several writers, so many lines have one of
	// their own: it waits for its disk while others work.
	mailsTogether = 16
	gatherTime    = 2 * time.Millisecond
	linesAWriter  = 8

	// What became of a mail is told again after pauses that double; all of them together last as long as the lease.
	tellFirst = 50 * time.Millisecond
	tellLast  = 10 * time.Second
	tellMost  = 40
)

var errUnreachable = errors.New("the mail server cannot be reached")

// RunOnce hands over a batch of due e-mails, as many at the same time as there are connections, and also what comes due
// while one of them takes long. While sending is stopped it does nothing.
func (s *Sender) RunOnce(ctx context.Context) (int, error) {
	err := s.release(ctx, nil)
	if err != nil {
		return 0, err
	}
	claimed, err := s.claim(ctx)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	first := min(s.Connections, len(claimed)) // lines that have something to do at once
	supply := newSupply(s, first)
	go supply.run(ctx, claimed)
	groups := make([]*database.Group[*turn], min(max(first/linesAWriter, 1), s.DB.Writers()))
	for i := range groups {
		groups[i] = database.NewGroup(s.DB, s.take).Gather(min(first/len(groups), mailsTogether), gatherTime)
	}
	var group errgroup.Group
	lines := make([]*line, s.Connections)
	for i := range lines {
		l := &line{Sender: s, together: groups[i%len(groups)]}
		lines[i] = l
		group.Go(func() error { return l.work(ctx, supply) })
	}
	err = group.Wait()
	s.stripe.tell(ctx, s.Log, "reminders wait, Stripe could not be asked", "Stripe answers again, reminders that waited go on", s.Real())
	behind := supply.end()
	return supply.claimed, errors.Join(err, s.giveBack(ctx, lines, behind))
}

// claim takes the next e-mails that are due, none while sending is stopped.
func (s *Sender) claim(ctx context.Context) (claimed []outbox.Notice, err error) {
	err = s.DB.Do(ctx, func(tx *sql.Tx) error {
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
	return claimed, err
}

// giveBack lets go of the claimed notices that were not begun: those of lines that got no connection or were given them too
// late, and behind, those no line took. When no line got a connection, the mail server is down and all wait for a while.
// When only some did, the server takes fewer connections than asked, and those it took carry on with the rest.
func (s *Sender) giveBack(ctx context.Context, lines []*line, behind []outbox.Notice) error {
	var parted []outbox.Notice
	var why error
	spoke := false
	for _, l := range lines {
		spoke, behind = spoke || l.spoke, append(behind, l.late...)
		if l.parted != nil {
			parted, why = append(parted, *l.parted), l.why
		}
	}
	all := append(parted, behind...)
	if len(all) == 0 {
		return nil
	}
	if ctx.Err() != nil { // which says nothing of the server
		why = nil
	}
	ctx = context.WithoutCancel(ctx)
	if why == nil || spoke {
		if why != nil {
			s.Log.InfoContext(ctx, "the mail server takes no further connection, those it took go on", "err", why)
		}
		return s.release(ctx, all)
	}
	s.Log.WarnContext(ctx, "the mail server cannot be reached, mails wait", "err", why)
	for range parted {
		s.observe("unreachable")
	}
	err := s.DB.Do(ctx, func(tx *sql.Tx) error { return s.waitForServer(ctx, tx, parted, behind) })
	if err != nil {
		s.held = append(s.held, all...)
	}
	return err
}

// release lets go of claimed notices, and of those that an earlier call could not let go of because the database was away:
// no notice should stay claimed until the end of its lease for that.
func (s *Sender) release(ctx context.Context, claimed []outbox.Notice) error {
	s.held = append(s.held, claimed...)
	if len(s.held) == 0 {
		return nil
	}
	err := s.DB.Do(ctx, func(tx *sql.Tx) error {
		for _, n := range s.held {
			err := outbox.Release(ctx, tx, n)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.held = nil
	}
	return err
}

// waitForServer puts notices off until the mail server may be back. Those that were tried get that as their reason, the
// others keep the one they have.
func (s *Sender) waitForServer(ctx context.Context, tx *sql.Tx, tried, others []outbox.Notice) error {
	now := s.Now()
	until := now.Add(smtpWait)
	for _, n := range tried {
		err := s.Cases.PutOffNotice(ctx, tx, n, string(dunning.ReasonServer), until, now)
		if err != nil {
			return err
		}
	}
	for _, n := range others {
		_, err := outbox.PutOff(ctx, tx, n, until.Unix(), n.Reason)
		if err != nil {
			return err
		}
	}
	return nil
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

// reread reads a customer again from Stripe. It answers why their notice must wait, "" when it need not, and false when
// Stripe knows them no longer.
func (s *Sender) reread(ctx context.Context, n outbox.Notice) (wait string, known bool, err error) {
	err = s.Intake.Refresh(ctx, n.CustomerID)
	if fault.Is(err, fault.Unavailable) {
		s.stripe.fails(n.ID, err, s.Real())
		return string(dunning.ReasonStripe), true, nil
	}
	if fault.Is(err, fault.NotFound) {
		s.stripe.answers()
		return "", false, nil
	}
	if err == nil {
		s.stripe.answers()
	}
	return "", true, err
}

// conclude keeps what the mail server said of a notice, or that nobody knows.
func (s *Sender) conclude(ctx context.Context, tx *sql.Tx, h *handed, now time.Time) error {
	n, outcome := h.notice, h.outcome
	var refusal *mail.Refusal
	bounce, back := bounceOf(outcome, n, now)
	if back {
		s.Log.WarnContext(ctx, "mail refused for its address", "notice", n.ID, "kind", string(bounce.Kind), "err", outcome)
		_, err := s.Cases.Bounced(ctx, tx, n, bounce, now)
		if err != nil {
			return err
		}
		return s.Cases.Left(ctx, tx, n, h.who, now)
	}
	settle := func(status outbox.Status, reason string) error {
		if status != outbox.Sent {
			s.Log.WarnContext(ctx, "mail not surely delivered", "notice", n.ID, "status", string(status), "err", outcome)
		}
		news, err := outbox.Conclude(ctx, tx, n, status, reason, now.Unix())
		if err != nil || !news {
			return err
		}
		return s.Cases.Left(ctx, tx, n, h.who, now)
	}
	later := func(reason string) error {
		return outbox.TryAgain(ctx, tx, n, now.Add(outbox.Backoff(n.Attempts)).Unix(), reason)
	}
	switch {
	case outcome == nil:
		return settle(outbox.Sent, "")
	case errors.Is(outcome, mail.ErrUncertain):
		return settle(outbox.Uncertain, "The mail server did not answer after it had everything; it may or may not have arrived.")
	case errors.Is(outcome, mail.ErrUnsendable):
		return settle(outbox.Failed, "The letter cannot be sent: "+outcome.Error())
	case errors.As(outcome, &refusal) && refusal.OfUs() && !overdue(n, now):
		s.Log.WarnContext(ctx, "the mail server does not take our mails, they wait", "notice", n.ID, "err", outcome)
		return later("The mail server does not take our mails: " + refusal.Error())
	case errors.As(outcome, &refusal) && !refusal.Temporary:
		return settle(outbox.Failed, "The mail server refused it: "+refusal.Error())
	case errors.As(outcome, &refusal) && overdue(n, now):
		return settle(outbox.Failed, "The mail server put it off for two days: "+refusal.Error())
	case errors.As(outcome, &refusal):
		return later("The mail server put it off: " + refusal.Error())
	case overdue(n, now):
		return settle(outbox.Failed, "The connection broke at each try for two days, before the mail was handed over.")
	}
	return later("The connection broke before the mail was handed over.")
}

// overdue reports whether a mail has been tried for too long: long since its first try, and often, because a mail may also
// have had to wait for hours in which it may go.
func overdue(n outbox.Notice, now time.Time) bool {
	const often = 10 // two days of Backoff are some thirty tries
	return n.Attempts >= often && now.Unix()-n.Dated > int64(outbox.GiveUpAfter/time.Second)
}

// foreignAddress is the status of an address with letters that the server on the way cannot spell (RFC 6531).
const foreignAddress = "5.6.7"

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
	if refusal.OfUs() {
		return outbox.Bounce{}, false
	}
	if refusal.Enhanced == foreignAddress {
		kind, names = outbox.Hard, true
	}
	if kind == outbox.Blocked || refusal.Place != "RCPT" && !names {
		return outbox.Bounce{}, false
	}
	return outbox.Bounce{Address: outbox.Normal(n.Recipient), Kind: kind, Code: code, Words: refusal.Text, At: now.Unix()}, true
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
