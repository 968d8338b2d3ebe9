package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/inbound"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/stepup"
	"sollecito/internal/support"
	"sollecito/views/email"
)

// Letters writes a notice as the letter that goes out: in the reader's language, from what is stored at that
// moment, with a link of its own.
type Letters struct {
	Cases     *dunning.Cases
	Talks     *support.Conversations
	Catalog   *l10n.Catalog
	Addresses link.Addresses
	Merchant  email.Merchant
	From      mail.Address
	Inbound   inbound.Addresses // where bounces and replies of each letter go; none leaves them to From and support
	Language  string            // when nothing tells the customer's
	Zone      *time.Location    // the merchant's own, for letters to staff
	Codes     *stepup.Codes
	Collector bool         // reminders carry an opt-out notice and a one-click unsubscribe (RFC 8058)
	Signer    *mail.Signer // signs each letter (DKIM); nil leaves that to the mail server
	OnlyTo    string       // the one address all mail goes to in test mode, "" for the real ones

	forms forms
}

// Write composes the letter to the notice's recipient and fills in what the notice keeps of it: Message-ID, date and
// subject; the copy comes with Draft.Finish. say is what a reminder was decided by, who is the notice's customer. The links
// the letter carries are kept by issueAll, a mailed code at once. fault.NotFound when what the letter tells of is gone.
func (l *Letters) Write(ctx context.Context, tx *sql.Tx, n *outbox.Notice, say dunning.Say, who billing.Customer, now time.Time) (Draft, error) {
	if n.Kind == outbox.StaffAlert {
		return l.staffAlert(ctx, tx, n, now)
	}
	reader := l.readerOf(n.Kind, who)
	d := Draft{notice: n.ID, forms: &l.forms, signer: l.Signer}
	if carriesLink(n.Kind) {
		d.link = link.New{
			Token: link.NewToken(), Again: n.Attempts > 0,
			Link: link.Link{CustomerID: n.CustomerID, NoticeID: n.ID, Language: reader.Tag(), IssuedAt: now.Unix()},
		}
	}
	if n.Counts && l.Collector {
		d.stop = link.NewStop{Stop: link.Stop{CustomerID: n.CustomerID, NoticeID: n.ID}, Token: link.NewToken()}
	}
	var err error
	if n.Kind == outbox.Code {
		d.words, d.code, err = l.code(ctx, tx, n, who, reader)
	} else {
		d.words, err = l.compose(ctx, tx, n, say, who, reader, d.link.Token, now)
	}
	if err != nil {
		return Draft{}, err
	}
	d.words = l.withAddresses(d.words, n, d.link.Token, d.stop.Token)
	d.letter = l.envelope(n, mail.Address{Name: nameFor(n, who), Address: n.Recipient}, d.words.Subject, reader, l.Cases.Zone(who), now)
	d.letter.EnvelopeFrom = l.Inbound.For(inbound.Bounce, n.ID)
	switch n.Kind {
	case outbox.Reminder, outbox.Settled, outbox.Precaution, outbox.FinalAct:
		d.letter.Headers["List-Id"] = "<billing." + l.From.Domain() + ">" // what nobody asked for can be sorted by its reader
	}
	if d.stop.Token != "" {
		d.letter.Headers["List-Unsubscribe"] = "<" + l.Addresses.Stop(d.stop.Token) + ">"
		d.letter.Headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	}
	reply := l.Inbound.For(inbound.Reply, n.ID)
	if reply != "" {
		d.letter.ReplyTo.Address = reply
		d.hide, d.hidden = reply, l.Inbound.Hidden(cut) // whoever has it writes in the customer's name
	}
	switch n.Kind {
	case outbox.Reply:
		err = l.thread(ctx, tx, n, &d.letter)
	case outbox.StaffMessage:
		d.letter.ReplyTo = mail.Address{} // an answer by mail must not be lost, nor the message for want of a way to answer
		if mail.Sendable(who.Email) {
			d.letter.ReplyTo = mail.Address{Name: who.Name, Address: who.Email}
		}
	}
	return d, err
}

// readerOf answers the language a letter of a kind is written in: the customer's, or the merchant's for staff.
func (l *Letters) readerOf(kind outbox.Kind, who billing.Customer) *l10n.Locale {
	if kind == outbox.StaffMessage {
		return l.Catalog.Match(l.Language)
	}
	return l.Catalog.Match(append([]string{who.Language}, append(who.PreferredLocales, l.Language)...)...)
}

// withAddresses adds the addresses at the foot of a letter: how to check that it is ours and, where we write by our own
// will, where to choose what we send or to stop it. No stop token leaves the last one out.
func (l *Letters) withAddresses(words email.Letter, n *outbox.Notice, token, stop string) email.Letter {
	if n.Kind != outbox.StaffMessage && n.Kind != outbox.Genuine {
		words = words.WithCheck(l.Addresses.Genuine())
	}
	if n.Counts {
		words = words.WithChoices(l.Addresses.Choices(token))
	}
	if stop != "" {
		words = words.WithStop(l.Addresses.Stop(stop))
	}
	return words
}

// envelope is the mail around a letter's words, dated in the zone. It fills in what the notice keeps of it; a notice that
// was tried before keeps its first date, so that both tries are the same mail.
func (l *Letters) envelope(n *outbox.Notice, to mail.Address, subject string, reader *l10n.Locale, zone *time.Location, now time.Time) mail.Letter {
	if n.Dated == 0 {
		n.Dated = now.Unix()
	}
	n.MessageID, n.Subject = n.ID+"@"+l.From.Domain(), subject
	return mail.Letter{
		From: l.From, To: to, ReplyTo: mail.Address{Name: l.Merchant.Name, Address: l.Merchant.SupportEmail},
		Subject: subject, MessageID: n.MessageID, Date: time.Unix(n.Dated, 0).In(zone), Language: reader.Tag(),
		Headers: map[string]string{"X-Entity-Ref-ID": n.ID},
	}
}

// carriesLink reports whether letters of a kind carry a link of their own. Those to staff don't, nor does one with a code,
// since whoever finds it in a mailbox must not have both, nor one that tells which mails to trust.
func carriesLink(kind outbox.Kind) bool {
	return kind != outbox.StaffMessage && kind != outbox.Code && kind != outbox.Genuine
}

func (l *Letters) compose(ctx context.Context, tx *sql.Tx, n *outbox.Notice, say dunning.Say, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	zone := l.Cases.Zone(who)
	switch n.Kind {
	case outbox.Reminder:
		return l.reminder(ctx, tx, n, say, who, reader, token, now)
	case outbox.Settled:
		return l.settled(ctx, tx, n, who, reader, token, now)
	case outbox.Precaution:
		return l.precaution(ctx, tx, who, reader, token, now)
	case outbox.FinalAct:
		return l.finalAct(ctx, tx, n, who, reader, token)
	case outbox.FreshLink:
		return email.FreshLink(reader, email.FreshLinkFacts{
			Merchant: l.Merchant, FirstName: who.FirstName(), LinkURL: l.Addresses.Link(token),
			Until: link.Expiry(now, now).In(zone),
		}), nil
	case outbox.Promised:
		return l.promised(ctx, tx, n, who, reader, token, now)
	case outbox.Genuine:
		return l.genuine(ctx, tx, who, reader, now)
	case outbox.MethodGone:
		return l.methodGone(ctx, tx, n, who, reader, token)
	case outbox.Reply:
		return l.reply(ctx, tx, n, who, reader, token)
	case outbox.StaffMessage:
		return l.staffMessage(ctx, tx, n, who, reader)
	}
	return email.Letter{}, fmt.Errorf("no letter for a notice of kind %q", n.Kind)
}

// nameFor is the name beside the recipient's address: none where the address is not the customer's own.
func nameFor(n *outbox.Notice, who billing.Customer) string {
	if n.Recipient != who.Email {
		return ""
	}
	return who.Name
}
