package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/inbound"
	"sollecito/internal/outbox"
	"sollecito/internal/reading"
	"sollecito/internal/support"
)

// Returns carries out what mails that came in ask for: a bounce or complaint stops mail to its address, a reply lands in
// the customer's conversation. The effect and the end of the incoming mail are one transaction, so it happens once.
type Returns struct {
	DB        *database.DB
	Cases     *dunning.Cases
	Talks     *support.Conversations
	Addresses inbound.Addresses
	Ours      []string // addresses of this installation: what they send must not come back in a circle
	Now, Real func() time.Time
	Log       *slog.Logger
}

const (
	returnBatch = 20
	returnWait  = 10 * time.Minute // before a mail that failed on our side is looked at again
)

// RunOnce deals with up to a batch of what came in.
func (r *Returns) RunOnce(ctx context.Context) (int, error) {
	var ids []string
	err := r.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = inbound.Waiting(ctx, tx, r.Real().Unix(), returnBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		err = r.one(ctx, id)
		if err == nil {
			continue
		}
		if passes(ctx, err) {
			return 0, err
		}
		wait, why := returnWait, "It failed on our side and is tried again."
		if fault.Is(err, fault.TooMany) {
			wait, why = time.Hour, "This customer has written often within the hour; it waits."
		}
		r.Log.ErrorContext(ctx, "a mail that came in waits", "arrival", id, "err", err)
		err = r.DB.Do(ctx, func(tx *sql.Tx) error { return inbound.Later(ctx, tx, id, why, r.Real().Add(wait).Unix()) })
		if err != nil {
			return 0, err
		}
	}
	return len(ids), ctx.Err()
}

func (r *Returns) one(ctx context.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return r.DB.Do(ctx, func(tx *sql.Tx) error {
		a, mine, err := inbound.Take(ctx, tx, id)
		if err != nil || !mine {
			return err
		}
		changed, err := r.effect(ctx, tx, &a)
		if err != nil {
			return err
		}
		if a.Outcome == cameForNobody {
			return inbound.Drop(ctx, tx, a.ID)
		}
		r.Log.InfoContext(ctx, "a mail came in", "arrival", a.ID, "notice", a.Tag.NoticeID, "outcome", a.Outcome, "changed", changed)
		return inbound.Settle(ctx, tx, a, changed, r.Now().Unix())
	})
}

// What a mail that came in turned out to be.
const (
	cameBounce     = "bounce"
	cameComplaint  = "complaint"
	cameReply      = "reply"
	cameAutomatic  = "automatic"
	cameUnreadable = "unreadable"
	cameForNobody  = "erased"   // of a customer who was erased
	cameStranger   = "stranger" // of a mail or an address it does not fit
	cameNothing    = "nothing"  // delayed, delivered, or known already
)

// erased reports whether a mail that came in answers one to a customer who was erased.
func (r *Returns) erased(ctx context.Context, tx *sql.Tx, notice string) (bool, error) {
	n, err := outbox.Find(ctx, tx, notice)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = billing.FindCustomer(ctx, tx, n.CustomerID)
	if billing.IsErased(err) {
		return true, nil
	}
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return false, err
}

// effect does what a mail means and fills in what it turned out to be. It answers whether anything changed.
func (r *Returns) effect(ctx context.Context, tx *sql.Tx, a *inbound.Arrival) (bool, error) {
	end := func(outcome, reason string) (bool, error) {
		a.Outcome, a.Reason = outcome, reason
		return false, nil
	}
	gone, err := r.erased(ctx, tx, a.Tag.NoticeID)
	if err != nil {
		return false, err
	}
	if gone { // before it is read, so that nothing of it is kept for being odd
		return end(cameForNobody, "")
	}
	m, err := reading.Read(a.Raw, a.Sender == "")
	if errors.Is(err, reading.ErrUnreadable) {
		return end(cameUnreadable, "A mail came that could not be read.")
	}
	if err != nil {
		return false, err
	}
	if a.Tag.Way == inbound.Complaint {
		for _, original := range m.Originals {
			tag, ours := r.Addresses.Check(original)
			if ours && tag.NoticeID != "" {
				a.Tag.NoticeID = tag.NoticeID
			}
		}
		if m.Kind != reading.Complaint || a.Tag.NoticeID == "" {
			return end(cameStranger, "It is no complaint about a mail of ours.")
		}
	}
	n, err := outbox.Find(ctx, tx, a.Tag.NoticeID)
	if fault.Is(err, fault.NotFound) {
		return end(cameStranger, "The mail it answers is no longer kept.")
	}
	if err != nil {
		return false, err
	}
	err = database.Hold(ctx, tx, n.CustomerID)
	if err != nil {
		return false, err
	}
	a.CustomerID = n.CustomerID
	_, err = billing.FindCustomer(ctx, tx, n.CustomerID)
	switch {
	case billing.IsErased(err):
		return end(cameForNobody, "")
	case err != nil && !fault.Is(err, fault.NotFound):
		return false, err
	case m.Kind == reading.Report:
		return r.report(ctx, tx, a, n, m)
	case m.Kind == reading.Complaint:
		return r.complaint(ctx, tx, a, n, m)
	case m.Kind == reading.Automatic, a.Tag.Way == inbound.Bounce, slices.Contains(r.Ours, outbox.Normal(m.From)), r.fromUs(m.From), r.fromUs(a.Sender):
		// People answer to Reply-To; what comes to the envelope's sender and is no report was written by a program.
		return end(cameAutomatic, "An automatic answer came. It was not put into the conversation, and nobody answers it.")
	}
	return r.written(ctx, tx, a, n, m)
}

func (r *Returns) fromUs(address string) bool {
	_, ours := r.Addresses.Check(address)
	return ours
}

// report takes in what became of a mail. Only what names the address the mail went to counts.
func (r *Returns) report(ctx context.Context, tx *sql.Tx, a *inbound.Arrival, n outbox.Notice, m reading.Mail) (bool, error) {
	a.Outcome, a.Reason = cameStranger, "A report came that names another address than this mail went to. Nothing follows from it."
	to := outbox.Normal(n.Recipient)
	for _, o := range m.Outcomes {
		if !slices.ContainsFunc(o.Recipients, func(s string) bool { return outbox.Normal(s) == to }) {
			continue
		}
		if o.Action != "failed" {
			a.Outcome, a.Reason = cameNothing, "A report came that says the mail is "+o.Action+". Nothing follows from it."
			continue
		}
		if n.Status != outbox.Sent && n.Status != outbox.Uncertain && n.Status != outbox.Sending && n.Status != outbox.Failed {
			return false, nil // it never left, so it cannot have come back
		}
		b := outbox.Bounce{Address: to, Kind: outbox.KindReported(o.Code, o.Words), Code: o.Code, Words: o.Words, At: r.Now().Unix()}
		if n.Kind == outbox.StaffMessage && b.Kind != outbox.Blocked {
			b.Kind = outbox.Blocked // the merchant's own mailbox is never given up
			r.Log.ErrorContext(ctx, "mail to the support address came back; customers' messages may not reach you", "words", o.Words)
		}
		news, err := r.Cases.Bounced(ctx, tx, n, b, r.Now())
		a.Outcome, a.Reason = cameBounce, b.Reason()
		return news, err
	}
	return false, nil
}

func (r *Returns) complaint(ctx context.Context, tx *sql.Tx, a *inbound.Arrival, n outbox.Notice, m reading.Mail) (bool, error) {
	to := outbox.Normal(n.Recipient)
	// Many services leave out who complained: the mail itself says whom it went to.
	for _, o := range m.Outcomes {
		if !slices.ContainsFunc(o.Recipients, func(s string) bool { return outbox.Normal(s) == to }) {
			a.Outcome, a.Reason = cameStranger, "A complaint came that names another address than this mail went to. Nothing follows from it."
			return false, nil
		}
	}
	if n.Kind == outbox.StaffMessage || n.Recipient == "" {
		a.Outcome, a.Reason = cameNothing, "A complaint about a mail to ourselves."
		return false, nil
	}
	b := outbox.Bounce{Address: to, Kind: outbox.Complaint, At: r.Now().Unix()}
	a.Outcome, a.Reason = cameComplaint, b.Reason()
	return r.Cases.Bounced(ctx, tx, n, b, r.Now())
}

func (r *Returns) written(ctx context.Context, tx *sql.Tx, a *inbound.Arrival, n outbox.Notice, m reading.Mail) (bool, error) {
	who, err := billing.FindCustomer(ctx, tx, n.CustomerID)
	if fault.Is(err, fault.NotFound) {
		a.Outcome, a.Reason = cameStranger, "The customer is no longer known."
		return false, nil
	}
	if err != nil {
		return false, err
	}
	letter := support.Letter{Text: m.Text, MailID: m.MessageID}
	for _, a := range m.Attachments {
		letter.Attachments = append(letter.Attachments, support.Attachment{Name: a.Name, Kind: a.Kind, Bytes: a.Bytes})
	}
	if outbox.Normal(m.From) != outbox.Normal(who.Email) {
		letter.Sender = m.From
	}
	a.Outcome, a.Reason = cameReply, ""
	if contact.AsksToStop(m.Text) {
		_, err = r.Cases.Choose(ctx, tx, who.ID, func(c contact.Choices) contact.Choices {
			c.NoMail, c.Source, c.Words, c.Actor = true, contact.FromReply, firstWords(m.Text), ""
			return c
		}, r.Now())
		if err != nil {
			return false, err
		}
		a.Reason = "It asks to stop; from now on no reminder is mailed."
	}
	return true, r.Talks.Receive(ctx, tx, who.ID, letter, r.Real())
}

// firstWords are what a reply began with, to be kept beside what it was taken for.
func firstWords(text string) string {
	const most = 200
	words := []rune(strings.Join(strings.Fields(text), " "))
	return string(words[:min(len(words), most)])
}
