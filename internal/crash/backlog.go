package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
)

// backlog owes reminders to customers of whom the sandbox knows nothing, so many at any time that every life is killed in
// the middle of a crowd of mails.
type backlog struct {
	address string
	least   int // mails that wait when a life begins
	made    int // customers so far
	cases   *dunning.Cases
}

func newBacklog(p plan) (*backlog, error) {
	policy := contact.DefaultPolicy()
	err := policy.ParseHours(contactHours)
	if err != nil {
		return nil, err
	}
	err = policy.ParseDays(contactDays)
	if err != nil {
		return nil, err
	}
	rules := dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: policy, Zone: time.UTC}
	return &backlog{address: p.Database, least: p.Backlog, cases: dunning.NewCases(rules)}, nil
}

// fill adds what is missing, while no portal lives.
func (b *backlog) fill(ctx context.Context) error {
	if b.least == 0 {
		return nil
	}
	db, err := database.Open(ctx, b.address)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Migrate(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	return db.Do(ctx, func(tx *sql.Tx) error {
		var waiting int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM notices WHERE status = 'queued' AND channel = 'email' AND due_at <= $1`, now.Unix()).Scan(&waiting)
		if err != nil {
			return err
		}
		for ; waiting < b.least; waiting++ {
			err = b.owe(ctx, tx, now)
			if err != nil {
				return fmt.Errorf("fill the backlog: %w", err)
			}
		}
		return nil
	})
}

// owe lets a renewal of one more customer fail on an expired card, whose first reminder is due at once.
func (b *backlog) owe(ctx context.Context, tx *sql.Tx, now time.Time) error {
	b.made++
	id := fmt.Sprintf("cus_backlog%06d", b.made)
	err := billing.Save(ctx, tx, billing.Account{
		Customer: billing.Customer{ID: id, Name: "Claire Martin", Email: id + "@customer.example", Country: "IE", DefaultMethod: "pm_" + id},
		Methods:  []billing.Method{{ID: "pm_" + id, CustomerID: id, Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 1, ExpYear: 2026, Fingerprint: id}},
		Invoices: []billing.Invoice{{
			ID: "in_" + id, CustomerID: id, Number: id, Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle",
			Currency: "eur", AmountDue: 2900, AmountRemaining: 2900, Description: "Studio plan", CreatedAt: now.Unix(), Attempted: true, AttemptCount: 1,
			FailedAt: now.Unix(), FirstFailed: 2900, MethodID: "pm_" + id, Decline: billing.Decline{Code: "expired_card", DeclineCode: "expired_card"},
		}},
	}, now.Unix())
	if err != nil {
		return err
	}
	err = b.cases.Reconsider(ctx, tx, id, now, "in_"+id)
	if err != nil {
		return err
	}
	c, err := b.cases.OpenOf(ctx, tx, id)
	if err != nil {
		return err
	}
	return b.cases.Advance(ctx, tx, c.ID, now)
}
