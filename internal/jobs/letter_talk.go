package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/support"
	"sollecito/views/email"
)

func (l *Letters) reply(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale, token string) (email.Letter, error) {
	answer, err := support.FindMessage(ctx, tx, n.SubjectID)
	if err != nil {
		return email.Letter{}, err
	}
	_, said, err := l.Talks.Find(ctx, tx, answer.ConversationID)
	if err != nil {
		return email.Letter{}, err
	}
	facts := email.ReplyFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), Staff: answer.Name, Text: answer.Body,
		LinkURL: l.Addresses.Link(token) + "?to=support",
	}
	for _, m := range said {
		switch {
		case m.At > answer.At || m.ID == answer.ID:
		case m.FromCustomer():
			facts.Question, facts.AskedOn = m.In(func(key string) string { return reader.Text(key) }), time.Unix(m.At, 0).In(l.Cases.Zone(who))
			for _, a := range m.Attachments {
				facts.NotKept = append(facts.NotKept, a.Name)
			}
		default:
			facts.NotKept = nil // an earlier answer has told of them
		}
	}
	return email.Reply(reader, facts), nil
}

func (l *Letters) staffMessage(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale) (email.Letter, error) {
	m, err := support.FindMessage(ctx, tx, n.SubjectID)
	if err != nil {
		return email.Letter{}, err
	}
	open, err := billing.Overdue(ctx, tx, who.ID, m.At)
	if err != nil {
		return email.Letter{}, err
	}
	var owes []billing.Money
	for _, i := range open {
		owes = append(owes, i.Remaining())
	}
	return email.StaffMessage(reader, email.StaffMessageFacts{
		Merchant: l.Merchant, CustomerName: who.Name, CustomerEmail: who.Email, Text: m.Body, At: time.Unix(m.At, 0).In(l.Zone),
		Owes: billing.Totals(owes), NotKept: told(m.Attachments), AdminURL: l.Addresses.Conversation(m.ConversationID),
	}), nil
}

// told names attachments as colleagues read them: "receipt.pdf (application/pdf, 32 KB)".
func told(attachments []support.Attachment) []string {
	var all []string
	for _, a := range attachments {
		all = append(all, a.String())
	}
	return all
}

// thread makes an answer follow the mails it answers, so that the customer's program shows them as one.
func (l *Letters) thread(ctx context.Context, tx *sql.Tx, n *outbox.Notice, out *mail.Letter) error {
	answer, err := support.FindMessage(ctx, tx, n.SubjectID)
	if err != nil {
		return err
	}
	_, said, err := l.Talks.Find(ctx, tx, answer.ConversationID)
	if err != nil {
		return err
	}
	notices, err := outbox.OfCustomer(ctx, tx, n.CustomerID)
	if err != nil {
		return err
	}
	mailed := map[string]string{}
	for _, other := range notices {
		if other.Kind == outbox.Reply && other.ID != n.ID {
			mailed[other.SubjectID] = other.MessageID
		}
	}
	for _, m := range said {
		if m.ID == answer.ID || m.At > answer.At {
			continue
		}
		id := cmp.Or(m.MailID, mailed[m.ID])
		if id == "" {
			continue
		}
		out.References = append(out.References, id)
		if m.FromCustomer() {
			out.InReplyTo = id
		}
	}
	return nil
}
