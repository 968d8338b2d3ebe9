package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
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
// subject; the copy comes with Draft.Finish. A reminder tells of what say was decided by. who is its customer. The links it
// carries are kept by issueAll; only a code is kept at once. fault.NotFound when what it tells of is gone.
func (l *Letters) Write(ctx context.Context, tx *sql.Tx, n *outbox.Notice, say dunning.Say, who billing.Customer, now time.Time) (Draft, error) {
	if n.Kind == outbox.StaffAlert {
		return l.staffAlert(ctx, tx, n, now)
	}
	reader := l.Catalog.Match(append([]string{who.Language}, append(who.PreferredLocales, l.Language)...)...)
	if n.Kind == outbox.StaffMessage {
		reader = l.Catalog.Match(l.Language)
	}
	token, code := "", ""
	if carriesLink(n.Kind) {
		token = link.NewToken()
	}
	var letter email.Letter
	var err error
	if n.Kind == outbox.Code {
		letter, code, err = l.code(ctx, tx, n, who, reader)
	} else {
		letter, err = l.compose(ctx, tx, n, say, who, reader, token, now)
	}
	if err != nil {
		return Draft{}, err
	}
	stop := ""
	if n.Kind != outbox.StaffMessage && n.Kind != outbox.Genuine {
		letter = letter.WithCheck(l.Addresses.Genuine())
	}
	if n.Counts { // by our own will
		letter = letter.WithChoices(l.Addresses.Choices(token))
	}
	if n.Counts && l.Collector {
		stop = link.NewToken()
		letter = letter.WithStop(l.Addresses.Stop(stop))
	}
	if n.Dated == 0 {
		n.Dated = now.Unix()
	}
	_, domain, _ := strings.Cut(l.From.Address, "@")
	n.MessageID = n.ID + "@" + domain
	n.Subject = letter.Subject
	out := mail.Letter{
		From: l.From, To: mail.Address{Name: nameFor(n, who), Address: n.Recipient},
		ReplyTo:   mail.Address{Name: l.Merchant.Name, Address: l.Merchant.SupportEmail},
		Subject:   letter.Subject,
		MessageID: n.MessageID, Date: time.Unix(n.Dated, 0).In(l.Cases.Zone(who)), Language: reader.Tag(),
		Headers: map[string]string{"X-Entity-Ref-ID": n.ID},
	}
	switch n.Kind {
	case outbox.Reminder, outbox.Settled, outbox.Precaution, outbox.FinalAct:
		out.Headers["List-Id"] = "<billing." + domain + ">" // what nobody asked for can be sorted by its reader
	}
	out.EnvelopeFrom = l.Inbound.For(inbound.Bounce, n.ID)
	reply := l.Inbound.For(inbound.Reply, n.ID)
	if reply != "" {
		out.ReplyTo.Address = reply
	}
	if stop != "" {
		out.Headers["List-Unsubscribe"] = "<" + l.Addresses.Stop(stop) + ">"
		out.Headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	}
	if n.Kind == outbox.Reply {
		err = l.thread(ctx, tx, n, &out)
		if err != nil {
			return Draft{}, err
		}
	}
	if n.Kind == outbox.StaffMessage {
		out.ReplyTo = mail.Address{} // an answer by mail must not be lost, nor the message for want of a way to answer
		if mail.Sendable(who.Email) {
			out.ReplyTo = mail.Address{Name: who.Name, Address: who.Email}
		}
	}
	d := Draft{notice: n.ID, words: letter, letter: out, forms: &l.forms, signer: l.Signer, code: code, link: link.New{
		Token: token, Again: n.Attempts > 0, Link: link.Link{CustomerID: n.CustomerID, NoticeID: n.ID, Language: reader.Tag(), IssuedAt: now.Unix()},
	}}
	if reply != "" {
		d.hide, d.hidden = reply, l.Inbound.Hidden(cut) // whoever has it writes in the customer's name
	}
	if stop != "" {
		d.stop = link.NewStop{Stop: link.Stop{CustomerID: n.CustomerID, NoticeID: n.ID}, Token: stop}
	}
	return d, nil
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
