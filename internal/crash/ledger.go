package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"sollecito/internal/database"
)

// ledger reads the portal's database from outside, while the portal is dead or as another program would.
type ledger struct{ address string }

// found is what stands in the database right after a kill.
type found struct {
	Sending int // mails whose dialogue may have been under way
	Broken  int // 1 when the database finds itself damaged
}

func (l ledger) see(ctx context.Context, look func(tx *sql.Tx) error) error {
	db, err := database.Open(ctx, l.address)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.See(ctx, look)
}

// afterKill looks before the next life begins. A life may have ended before it had made its tables.
func (l ledger) afterKill(ctx context.Context) (found, error) {
	var f found
	err := l.see(ctx, func(tx *sql.Tx) error {
		if strings.HasPrefix(l.address, "sqlite:") {
			var said string
			err := tx.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&said)
			if err != nil {
				return err
			}
			if said != "ok" {
				f.Broken = 1
			}
			var tables int
			err = tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name = 'notices'`).Scan(&tables)
			if err != nil || tables == 0 {
				return err
			}
		} else {
			var known bool
			err := tx.QueryRowContext(ctx, `SELECT to_regclass('notices') IS NOT NULL`).Scan(&known)
			if err != nil || !known {
				return err
			}
		}
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM notices WHERE status = 'sending'`).Scan(&f.Sending)
	})
	return f, err
}

// waitForRest waits until every event is dealt with, each of the customers has a case, and neither a mail nor a message to the app waits.
func (l ledger) waitForRest(ctx context.Context, customers int) error {
	deadline := time.Now().Add(restWithin)
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		var events, cases, mails, messages int
		err := l.see(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT
				(SELECT count(*) FROM events WHERE status = 'received'),
				(SELECT count(DISTINCT customer_id) FROM cases),
				(SELECT count(*) FROM notices WHERE channel = 'email' AND status IN ('queued', 'sending') AND due_at <= $1),
				(SELECT count(*) FROM webhook_deliveries WHERE status = 'pending')`,
				time.Now().Unix()).Scan(&events, &cases, &mails, &messages)
		})
		switch {
		case err != nil:
			return err
		case events == 0 && cases == customers && mails == 0 && messages == 0:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("not at rest after %s: %d events, %d mails and %d messages to the app wait, %d of %d customers have a case", restWithin, events, mails, messages, cases, customers)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}

// compare holds what the portal keeps against what everybody else remembers.
func (l ledger) compare(ctx context.Context, r *report, c *crowd, post *postOffice, app *merchantApp) error {
	return l.see(ctx, func(tx *sql.Tx) error {
		kept, err := texts(ctx, tx, `SELECT id FROM events`)
		if err != nil {
			return err
		}
		for id := range c.acknowledged {
			r.Acknowledged++
			if kept[id] == 0 {
				r.LostEvents++
			}
		}
		said, err := texts(ctx, tx, `SELECT body FROM messages`)
		if err != nil {
			return err
		}
		for text := range c.written {
			r.Written++
			switch said[text] {
			case 0:
				r.LostMessages++
			case 1:
			default:
				r.DoubleMessages++
			}
		}
		sent, err := texts(ctx, tx, `SELECT message_id FROM notices WHERE channel = 'email' AND status = 'sent'`)
		if err != nil {
			return err
		}
		unsure, err := texts(ctx, tx, `SELECT message_id FROM notices WHERE channel = 'email' AND status = 'uncertain'`)
		if err != nil {
			return err
		}
		r.Sent, r.Uncertain = len(sent), len(unsure)
		post.mu.Lock()
		defer post.mu.Unlock()
		for id, times := range post.delivered {
			r.Delivered++
			if times > 1 {
				r.DoubleMails++
			}
			if sent[id] == 0 && unsure[id] == 0 {
				r.UnknownMails++
			}
		}
		for id := range sent {
			if post.delivered[id] == 0 {
				r.LostMails++
			}
		}
		for id := range post.cut {
			r.Unanswered++
			if unsure[id] == 0 {
				r.TakenForSure++
			}
		}
		return app.compare(ctx, tx, r)
	})
}

// texts answers how often each text stands in the one column a query answers.
func texts(ctx context.Context, tx *sql.Tx, query string) (map[string]int, error) {
	all, err := database.Strings(ctx, tx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	counts := make(map[string]int, len(all))
	for _, text := range all {
		counts[text]++
	}
	return counts, nil
}
