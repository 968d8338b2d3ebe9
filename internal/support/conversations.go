package support

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Conversations answers what was said and takes in what is said next.
type Conversations struct {
	db      *database.DB
	cases   *dunning.Cases
	mailbox string // the merchant's address customers' messages are mailed to
	now     func() time.Time
}

// NewConversations makes the collection. mailbox is where staff read what customers write.
func NewConversations(db *database.DB, cases *dunning.Cases, mailbox string, now func() time.Time) *Conversations {
	return &Conversations{db: db, cases: cases, mailbox: mailbox, now: now}
}

// mostMessages is how many messages a customer may write within an hour.
const mostMessages = 12

// twice is the time within which the same words again are a second press of the button.
const twice = time.Minute

// Write keeps a customer's message: reminders rest until staff answer, and staff get it by mail. With claim the customer
// also says that a transfer is on its way, and reminders rest for some business days. The same words again within a
// minute are a second press and change nothing. fault.Invalid as Clean, fault.TooMany after many messages within an hour
// of real time.
func (cv *Conversations) Write(ctx context.Context, customer, text string, claim bool, realNow time.Time) error {
	text, err := Clean(text)
	if err != nil {
		return err
	}
	now := cv.now()
	return cv.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, customer)
		if err != nil {
			return err
		}
		c, err := begin(ctx, tx, customer, now.Unix())
		if err != nil {
			return err
		}
		m := Message{ConversationID: c.ID, Author: "customer", Body: text}
		again, err := saidSince(ctx, tx, m, now.Add(-twice).Unix())
		if err != nil || again {
			return err
		}
		err = countMessage(ctx, tx, customer, realNow)
		if err != nil {
			return err
		}
		return cv.take(ctx, tx, customer, m, claim, now)
	})
}

// Receive keeps what a customer wrote by mail, in the caller's transaction, as Write keeps what they write on the
// page. Nothing of it is refused for its form: what must not be kept is replaced by a word that says so. fault.TooMany
// after many messages within an hour of real time; it may be brought again later.
func (cv *Conversations) Receive(ctx context.Context, tx *sql.Tx, customer string, l Letter, realNow time.Time) error {
	now := cv.now()
	err := database.Hold(ctx, tx, customer)
	if err != nil {
		return err
	}
	c, err := begin(ctx, tx, customer, now.Unix())
	if err != nil {
		return err
	}
	err = countMessage(ctx, tx, customer, realNow)
	if err != nil {
		return err
	}
	return cv.take(ctx, tx, customer, Message{ConversationID: c.ID, Body: l.Body(), Attachments: l.named(), Sender: l.Sender, MailID: l.MailID}, false, now)
}

// countMessage counts one more message of a customer. It returns fault.TooMany after mostMessages within an hour of real
// time.
func countMessage(ctx context.Context, tx *sql.Tx, customer string, realNow time.Time) error {
	within, err := database.Within(ctx, tx, "message "+customer, time.Hour, mostMessages, realNow)
	if err != nil {
		return err
	}
	if !within {
		return fault.New(fault.TooMany, "Too many messages.")
	}
	return nil
}

// take keeps a customer's message, mails it to staff and lets the reminders rest.
func (cv *Conversations) take(ctx context.Context, tx *sql.Tx, customer string, m Message, claim bool, now time.Time) error {
	err := cv.keep(ctx, tx, customer, m, now)
	if err != nil {
		return err
	}
	return cv.rest(ctx, tx, customer, claim, now)
}

// keep keeps a customer's message and mails it to staff.
func (cv *Conversations) keep(ctx context.Context, tx *sql.Tx, customer string, m Message, now time.Time) error {
	m.ID, m.Author, m.At = database.NewID("msg"), "customer", now.Unix()
	err := insertMessage(ctx, tx, m, Waiting)
	if err != nil {
		return err
	}
	_, err = outbox.Queue(ctx, tx, outbox.Notice{
		Kind: outbox.StaffMessage, Channel: outbox.Email, CustomerID: customer, SubjectID: m.ID, Recipient: cv.mailbox,
	}, now.Unix())
	return err
}

// rest lets the reminders of a customer with an open case rest: until staff answer and, with claim, for the days a transfer
// may take.
func (cv *Conversations) rest(ctx context.Context, tx *sql.Tx, customer string, claim bool, now time.Time) error {
	open, err := cv.cases.OpenOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if claim {
		claim, err = cv.cases.MayClaim(ctx, tx, open)
		if err != nil {
			return err
		}
	}
	if claim {
		who, err := billing.FindCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		err = cv.cases.Claim(ctx, tx, open, who, now)
		if err != nil {
			return err
		}
	}
	return cv.cases.Pause(ctx, tx, open.ID, dunning.PauseConversation, "", "customer", time.Time{}, now)
}

// Speaker is the member of staff who answers.
type Speaker struct {
	ID, Name, Role, IP, Request string
}

// Reply keeps staff's answer, mails it to the customer and lets the reminders go on by their schedule; the
// days since the customer wrote don't count. The same words by the same member within a minute are a second press and
// change nothing: the customer gets one mail. fault.NotFound, or fault.Invalid as Clean.
func (cv *Conversations) Reply(ctx context.Context, conversation, text string, by Speaker) error {
	text, err := Clean(text)
	if err != nil {
		return err
	}
	now := cv.now()
	return cv.db.Do(ctx, func(tx *sql.Tx) error {
		c, err := find(ctx, tx, conversation)
		if err != nil {
			return err
		}
		err = database.Hold(ctx, tx, c.CustomerID)
		if err != nil {
			return err
		}
		m := Message{ID: database.NewID("msg"), ConversationID: c.ID, Author: "staff", StaffID: by.ID, Name: by.Name, Body: text, At: now.Unix()}
		again, err := saidSince(ctx, tx, m, now.Add(-twice).Unix())
		if err != nil || again {
			return err
		}
		who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
		if err != nil {
			return err
		}
		err = insertMessage(ctx, tx, m, Answered)
		if err != nil {
			return err
		}
		err = mailReply(ctx, tx, who, m, now)
		if err != nil {
			return err
		}
		err = cv.goOn(ctx, tx, c.CustomerID, by, now)
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{
			At: now, Actor: by.ID, Role: by.Role, Action: "conversation.reply", Object: c.ID, Detail: m.ID, IP: by.IP, Request: by.Request,
		})
	})
}

// mailReply queues staff's answer for the customer, or keeps why it only shows on their page.
func mailReply(ctx context.Context, tx *sql.Tx, who billing.Customer, m Message, now time.Time) error {
	n := outbox.Notice{Kind: outbox.Reply, Channel: outbox.Email, CustomerID: who.ID, SubjectID: m.ID, Recipient: who.Email}
	suppression, suppressed, err := outbox.SuppressionOf(ctx, tx, who.Email)
	if err != nil {
		return err
	}
	switch {
	case who.Email == "":
		return outbox.Skip(ctx, tx, n, "There is no address on file; the answer shows on the customer's page.", now.Unix())
	case suppressed:
		return outbox.Skip(ctx, tx, n, "The answer shows on the customer's page; nothing is mailed to this address any more. "+suppression.Words, now.Unix())
	}
	_, err = outbox.Queue(ctx, tx, n, now.Unix())
	return err
}

// goOn ends the pause of an answered conversation. A customer who asked to end their plan is not reminded until staff have
// seen to that.
func (cv *Conversations) goOn(ctx context.Context, tx *sql.Tx, customer string, by Speaker, now time.Time) error {
	open, err := cv.cases.OpenOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = WishOf(ctx, tx, customer)
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return cv.cases.Resume(ctx, tx, open.ID, by.Name, now, dunning.PauseConversation)
}

// OfCustomer answers a customer's conversation and its messages, oldest first; fault.NotFound when they never wrote.
func (cv *Conversations) OfCustomer(ctx context.Context, tx *sql.Tx, customer string) (Conversation, []Message, error) {
	c, err := one(tx.QueryRowContext(ctx, selectConversation+` WHERE customer_id = $1`, customer))
	if err != nil {
		return Conversation{}, nil, err
	}
	m, err := messages(ctx, tx, c.ID)
	return c, m, err
}

// Find answers a conversation and its messages, oldest first, or fault.NotFound.
func (cv *Conversations) Find(ctx context.Context, tx *sql.Tx, id string) (Conversation, []Message, error) {
	c, err := find(ctx, tx, id)
	if err != nil {
		return Conversation{}, nil, err
	}
	m, err := messages(ctx, tx, id)
	return c, m, err
}

// Brief is a conversation as a list shows it: with its last message.
type Brief struct {
	Conversation
	Last Message
}

// List answers up to limit conversations, those waiting for staff first and the longest waiting of them first.
func (cv *Conversations) List(ctx context.Context, tx *sql.Tx, limit int) ([]Brief, error) {
	return briefs(ctx, tx, limit)
}

// CountWaiting answers how many customers wait for an answer.
func (cv *Conversations) CountWaiting(ctx context.Context, tx *sql.Tx) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM conversations WHERE status = 'waiting'`).Scan(&n)
	return n, err
}

// FindMessage answers one message, or fault.NotFound.
func FindMessage(ctx context.Context, tx *sql.Tx, id string) (Message, error) {
	m, err := scanMessage(tx.QueryRowContext(ctx, `
		SELECT id, conversation_id, author, staff_id, name, body, at, sender, mail_id, attachments FROM messages WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Message{}, fault.New(fault.NotFound, "There is no such message.")
	}
	if err != nil {
		return Message{}, fmt.Errorf("read message %s: %w", id, err)
	}
	return m, nil
}
