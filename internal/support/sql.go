package support

import (
	"context"
	"database/sql"
	"errors"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

const selectConversation = `SELECT id, customer_id, status, opened_at, updated_at FROM conversations`

// begin answers the customer's conversation, opening it when they never wrote before.
func begin(ctx context.Context, tx *sql.Tx, customer string, now int64) (Conversation, error) {
	c, err := one(tx.QueryRowContext(ctx, selectConversation+` WHERE customer_id = $1`, customer))
	if !fault.Is(err, fault.NotFound) {
		return c, err
	}
	c = Conversation{ID: database.NewID("conv"), CustomerID: customer, Status: Waiting, OpenedAt: now, UpdatedAt: now}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO conversations (id, customer_id, status, opened_at, updated_at) VALUES ($1, $2, $3, $4, $4)`,
		c.ID, c.CustomerID, c.Status, now)
	return c, err
}

func find(ctx context.Context, tx *sql.Tx, id string) (Conversation, error) {
	return one(tx.QueryRowContext(ctx, selectConversation+` WHERE id = $1`, id))
}

func one(row *sql.Row) (Conversation, error) {
	var c Conversation
	err := row.Scan(&c.ID, &c.CustomerID, &c.Status, &c.OpenedAt, &c.UpdatedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return Conversation{}, fault.New(fault.NotFound, "There is no such conversation.")
	}
	return c, err
}

// insertMessage keeps a message and says whose turn it is after it.
func insertMessage(ctx context.Context, tx *sql.Tx, m Message, turn ConversationStatus) error {
	attachments, err := packed(m.Attachments)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO messages (id, conversation_id, author, staff_id, name, body, at, sender, mail_id, attachments)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		m.ID, m.ConversationID, m.Author, m.StaffID, m.Name, m.Body, m.At, m.Sender, m.MailID, attachments)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE conversations SET status = $1, updated_at = $2 WHERE id = $3`, turn, m.At, m.ConversationID)
	return err
}

func messages(ctx context.Context, tx *sql.Tx, conversation string) ([]Message, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, conversation_id, author, staff_id, name, body, at, sender, mail_id, attachments FROM messages
		WHERE conversation_id = $1 ORDER BY at, id`, conversation)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Message
	for rows.Next() {
		m, err := scanMessage(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

func briefs(ctx context.Context, tx *sql.Tx, limit int) ([]Brief, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT c.id, c.customer_id, c.status, c.opened_at, c.updated_at,
			m.id, m.author, m.name, m.body, m.at
		FROM conversations c
		JOIN messages m ON m.id = (
			SELECT id FROM messages WHERE conversation_id = c.id ORDER BY at DESC, id DESC LIMIT 1)
		ORDER BY c.status <> 'waiting', CASE WHEN c.status = 'waiting' THEN c.updated_at ELSE -c.updated_at END
		LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Brief
	for rows.Next() {
		var b Brief
		err = rows.Scan(&b.ID, &b.CustomerID, &b.Status, &b.OpenedAt, &b.UpdatedAt,
			&b.Last.ID, &b.Last.Author, &b.Last.Name, &b.Last.Body, &b.Last.At)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// saidSince reports whether whoever says a message said these very words since the instant.
func saidSince(ctx context.Context, tx *sql.Tx, m Message, since int64) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) FROM messages WHERE conversation_id = $1 AND author = $2 AND staff_id = $3 AND body = $4 AND at >= $5`,
		m.ConversationID, m.Author, m.StaffID, m.Body, since).Scan(&n)
	return n > 0, err
}

func scanMessage(row interface{ Scan(...any) error }) (Message, error) {
	var m Message
	var attachments string
	err := row.Scan(&m.ID, &m.ConversationID, &m.Author, &m.StaffID, &m.Name, &m.Body, &m.At, &m.Sender, &m.MailID, &attachments)
	if err != nil {
		return Message{}, err
	}
	m.Attachments, err = unpacked(attachments)
	return m, err
}
