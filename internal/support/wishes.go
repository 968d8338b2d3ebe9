package support

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
)

// WishStatus says how a wish stands.
type WishStatus string

const (
	WishOpen      WishStatus = "open"      // staff are to see to it
	WishWithdrawn WishStatus = "withdrawn" // the customer stays after all
	WishDone      WishStatus = "done"      // staff have seen to it
)

// Wish is what a customer asked for that only a person does: to end their plan. It is kept in the transaction of the
// message that says so; reminders rest until staff have seen to it or the customer takes it back. Instants are unix
// seconds.
type Wish struct {
	ID         string
	CustomerID string
	Status     WishStatus
	MadeAt     int64
	EndedAt    int64
	EndedBy    string
}

// WishOf answers the customer's open wish to end their plan, or fault.NotFound.
func WishOf(ctx context.Context, tx *sql.Tx, customer string) (Wish, error) {
	all, err := selectWishes(ctx, tx, `WHERE customer_id = $1 AND status = 'open'`, customer)
	if err != nil {
		return Wish{}, err
	}
	if len(all) == 0 {
		return Wish{}, fault.New(fault.NotFound, "There is no such wish.")
	}
	return all[0], nil
}

// AnyWish asks whether a customer has an open wish; see billing.FindCustomerAnd.
const AnyWish = `FROM wishes WHERE customer_id = customers.id AND status = 'open'`

// Unanswered answers when a customer last wrote, or asked to end their plan, and nobody has seen to it yet (unix seconds); 0
// when they wait for nothing.
func Unanswered(ctx context.Context, tx *sql.Tx, customer string) (since int64, err error) {
	err = tx.QueryRowContext(ctx, `
		SELECT COALESCE(max(at), 0) FROM (
			SELECT updated_at AS at FROM conversations WHERE customer_id = $1 AND status = 'waiting'
			UNION ALL SELECT made_at FROM wishes WHERE customer_id = $1 AND status = 'open') AS asked`, customer).Scan(&since)
	if err != nil {
		return 0, fmt.Errorf("find what %s waits for: %w", customer, err)
	}
	return since, nil
}

// WishesOf answers all wishes of a customer, oldest first.
func WishesOf(ctx context.Context, tx *sql.Tx, customer string) ([]Wish, error) {
	return selectWishes(ctx, tx, `WHERE customer_id = $1 ORDER BY made_at, id`, customer)
}

func selectWishes(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Wish, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, customer_id, status, made_at, ended_at, ended_by FROM wishes `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read wishes: %w", err)
	}
	defer rows.Close()
	var all []Wish
	for rows.Next() {
		var w Wish
		err = rows.Scan(&w.ID, &w.CustomerID, &w.Status, &w.MadeAt, &w.EndedAt, &w.EndedBy)
		if err != nil {
			return nil, fmt.Errorf("read wishes: %w", err)
		}
		all = append(all, w)
	}
	return all, rows.Err()
}

// WishToCancel keeps that a customer wants to end their plan, with the words they said it in, as a message that waits
// for staff; reminders rest, and a day they had chosen to be charged on is taken back: who leaves wants no charge that
// comes by itself. Asking again while it is open changes nothing, so it never comes to a limit. fault.Invalid as Clean.
func (cv *Conversations) WishToCancel(ctx context.Context, customer, text string) error {
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
		res, err := tx.ExecContext(ctx, `
			INSERT INTO wishes (id, customer_id, kind, status, made_at, ended_at, ended_by) VALUES ($1, $2, 'cancel', 'open', $3, 0, '')
			ON CONFLICT (customer_id, kind) WHERE status = 'open' DO NOTHING`, database.NewID("wish"), customer, now.Unix())
		if err != nil {
			return fmt.Errorf("keep a wish: %w", err)
		}
		added, err := res.RowsAffected()
		if err != nil || added == 0 {
			return err
		}
		c, err := begin(ctx, tx, customer, now.Unix())
		if err != nil {
			return err
		}
		err = cv.take(ctx, tx, customer, Message{ConversationID: c.ID, Body: text}, false, now)
		if err != nil {
			return err
		}
		open, err := cv.cases.OpenOf(ctx, tx, customer)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return cv.cases.TakeBackCharge(ctx, tx, open, "They want to end their plan.", now)
	})
}

// StayAfterAll takes the customer's wish back; text is the message that says so. Reminders rest until staff answer.
// Without an open wish it changes nothing. fault.TooMany after many messages within an hour of real time, so that
// nobody goes to and fro for ever; asking to leave is never limited.
func (cv *Conversations) StayAfterAll(ctx context.Context, customer, text string, realNow time.Time) error {
	now := cv.now()
	return cv.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, customer)
		if err != nil {
			return err
		}
		ended, err := endWish(ctx, tx, customer, WishWithdrawn, "customer", now)
		if err != nil || !ended {
			return err
		}
		err = countMessage(ctx, tx, customer, realNow)
		if err != nil {
			return err
		}
		c, err := begin(ctx, tx, customer, now.Unix())
		if err != nil {
			return err
		}
		return cv.take(ctx, tx, customer, Message{ConversationID: c.ID, Body: text}, false, now)
	})
}

// SeenTo keeps that staff have seen to a customer's wish, at Stripe or by agreeing that they stay. Reminders go on by
// their schedule if something is still owed. fault.Conflict when there is no open wish.
func (cv *Conversations) SeenTo(ctx context.Context, customer string, by Speaker) error {
	now := cv.now()
	return cv.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, customer)
		if err != nil {
			return err
		}
		ended, err := endWish(ctx, tx, customer, WishDone, by.Name, now)
		if err != nil {
			return err
		}
		if !ended {
			return fault.New(fault.Conflict, "There is no open wish any more.")
		}
		open, err := cv.cases.OpenOf(ctx, tx, customer)
		if err == nil {
			err = cv.cases.Resume(ctx, tx, open.ID, by.Name, now, dunning.PauseConversation, dunning.PauseConsent)
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{
			At: now, Actor: by.ID, Role: by.Role, Action: "wish.done", Object: customer, Detail: "cancel", IP: by.IP, Request: by.Request,
		})
	})
}

func endWish(ctx context.Context, tx *sql.Tx, customer string, status WishStatus, by string, now time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, `
		UPDATE wishes SET status = $1, ended_at = $2, ended_by = $3 WHERE customer_id = $4 AND status = 'open'`, status, now.Unix(), by, customer)
	if err != nil {
		return false, fmt.Errorf("end a wish: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// Claim keeps that a customer says a transfer is on its way: reminders rest for some business days and go on by
// themselves; staff read it as a message and look for the money. text is what they added, or the plain sentence.
// fault.Invalid as Clean, fault.Conflict when it cannot be said again, fault.TooMany after many messages.
func (cv *Conversations) Claim(ctx context.Context, customer, text string, realNow time.Time) error {
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
		open, err := cv.cases.OpenOf(ctx, tx, customer)
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.Conflict, "There is nothing to pay any more.")
		}
		if err != nil {
			return err
		}
		may, err := cv.cases.MayClaim(ctx, tx, open)
		if err != nil {
			return err
		}
		if !may {
			return fault.New(fault.Conflict, "This was said before.")
		}
		c, err := begin(ctx, tx, customer, now.Unix())
		if err != nil {
			return err
		}
		err = countMessage(ctx, tx, customer, realNow)
		if err != nil {
			return err
		}
		err = cv.keep(ctx, tx, customer, Message{ConversationID: c.ID, Body: text}, now)
		if err != nil {
			return err
		}
		who, err := billing.FindCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		return cv.cases.Claim(ctx, tx, open, who, now)
	})
}
