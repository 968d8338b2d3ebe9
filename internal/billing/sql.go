package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

func saveCustomer(ctx context.Context, tx *sql.Tx, c Customer, readAt int64) error {
	metadata := ""
	if len(c.Metadata) > 0 {
		text, err := json.Marshal(c.Metadata)
		if err != nil {
			return err
		}
		metadata = string(text)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO customers (id, name, email, preferred_locales, language, country, state, zone,
			default_method, deleted, livemode, created_at, synced_at, metadata, contacts)
		VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id) DO UPDATE SET
			name = excluded.name, email = excluded.email, preferred_locales = excluded.preferred_locales,
			country = excluded.country, state = excluded.state, zone = excluded.zone,
			default_method = excluded.default_method, deleted = excluded.deleted,
			livemode = excluded.livemode, synced_at = excluded.synced_at, metadata = excluded.metadata, contacts = excluded.contacts
		WHERE customers.erased_at = 0`,
		c.ID, c.Name, c.Email, strings.Join(c.PreferredLocales, ","), c.Country, c.State, c.Zone,
		c.DefaultMethod, c.Deleted, c.Livemode, c.CreatedAt, readAt, metadata, strings.Join(c.Contacts, ","))
	return err
}

const customerColumns = `id, name, email, preferred_locales, language, country, state, zone,
	default_method, deleted, livemode, created_at, synced_at, metadata, contacts, erased_at`

func selectCustomers(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Customer, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+customerColumns+` FROM customers `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Customer
	for rows.Next() {
		c, err := scanCustomer(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, rows.Err()
}

// scanCustomer reads a row of customerColumns, and what follows them into more.
func scanCustomer(row interface{ Scan(...any) error }, more ...any) (Customer, error) {
	var c Customer
	var locales, metadata, contacts string
	err := row.Scan(append([]any{&c.ID, &c.Name, &c.Email, &locales, &c.Language, &c.Country, &c.State, &c.Zone,
		&c.DefaultMethod, &c.Deleted, &c.Livemode, &c.CreatedAt, &c.SyncedAt, &metadata, &contacts, &c.ErasedAt}, more...)...)
	if err != nil {
		return Customer{}, err
	}
	if metadata != "" {
		err = json.Unmarshal([]byte(metadata), &c.Metadata)
		if err != nil {
			return Customer{}, fmt.Errorf("read what is kept of %s: %w", c.ID, err)
		}
	}
	if locales != "" {
		c.PreferredLocales = strings.Split(locales, ",")
	}
	if contacts != "" {
		c.Contacts = strings.Split(contacts, ",")
	}
	return c, nil
}

// saveMethod keeps a method. Another number or date than the stored one means that its bank renewed it.
func saveMethod(ctx context.Context, tx *sql.Tx, m Method, readAt int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO methods (id, customer_id, type, brand, last4, exp_month, exp_year, fingerprint, renewed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)
		ON CONFLICT (id) DO UPDATE SET
			renewed_at = CASE WHEN methods.last4 <> excluded.last4 OR methods.exp_month <> excluded.exp_month OR methods.exp_year <> excluded.exp_year
				THEN $9 ELSE methods.renewed_at END,
			brand = excluded.brand, last4 = excluded.last4, exp_month = excluded.exp_month,
			exp_year = excluded.exp_year, fingerprint = excluded.fingerprint`,
		m.ID, m.CustomerID, m.Type, m.Brand, m.Last4, m.ExpMonth, m.ExpYear, m.Fingerprint, readAt)
	return err
}

func selectMethods(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Method, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, customer_id, type, brand, last4, exp_month, exp_year, fingerprint, removed_at FROM methods `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read payment methods: %w", err)
	}
	defer rows.Close()
	var found []Method
	for rows.Next() {
		var m Method
		err = rows.Scan(&m.ID, &m.CustomerID, &m.Type, &m.Brand, &m.Last4, &m.ExpMonth, &m.ExpYear, &m.Fingerprint, &m.RemovedAt)
		if err != nil {
			return nil, fmt.Errorf("read payment methods: %w", err)
		}
		found = append(found, m)
	}
	return found, rows.Err()
}

func methodsByID(found []Method, err error) (map[string]Method, error) {
	all := make(map[string]Method, len(found))
	for _, m := range found {
		all[m.ID] = m
	}
	return all, err
}

func saveSubscription(ctx context.Context, tx *sql.Tx, s Subscription) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO subscriptions (id, customer_id, status, description, period, default_method,
			period_end, cancel_at, amount, currency, automatic, trial_missing, unseen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, true)
		ON CONFLICT (id) DO UPDATE SET
			status = excluded.status, description = excluded.description, period = excluded.period,
			default_method = excluded.default_method, period_end = excluded.period_end,
			cancel_at = excluded.cancel_at, amount = excluded.amount, currency = excluded.currency,
			automatic = excluded.automatic, trial_missing = excluded.trial_missing, unseen = true`,
		s.ID, s.CustomerID, s.Status, s.Description, s.Interval, s.DefaultMethod,
		s.PeriodEnd, s.CancelAt, s.Amount.Minor, s.Amount.Currency, s.Automatic, s.TrialMissing)
	return err
}

// saveInvoice overwrites what is stored unless that was read later or is final. failed_at and first_failed keep
// their first values.
func saveInvoice(ctx context.Context, tx *sql.Tx, i Invoice, readAt int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO invoices (id, customer_id, subscription_id, number, status, collection_method,
			billing_reason, currency, amount_due, amount_paid, amount_remaining, description,
			period_start, period_end, due_at, created_at, paid_at, paid_out_of_band,
			attempted, attempt_count, failed_at, first_failed, next_attempt_at, intent,
			intent_status, method_id, code, decline_code, advice_code, network_advice_code,
			network_decline_code, disputed, receipt_number, synced_at, own_method,
			takes, charged_at, refunded, refunded_at, credited)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			$21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40)
		ON CONFLICT (id) DO UPDATE SET
			number = excluded.number, status = excluded.status,
			amount_due = excluded.amount_due, amount_paid = excluded.amount_paid,
			amount_remaining = excluded.amount_remaining, description = excluded.description,
			period_start = excluded.period_start, period_end = excluded.period_end, due_at = excluded.due_at,
			paid_at = excluded.paid_at, paid_out_of_band = excluded.paid_out_of_band,
			attempted = excluded.attempted, attempt_count = excluded.attempt_count,
			failed_at = CASE WHEN invoices.failed_at > 0 THEN invoices.failed_at ELSE excluded.failed_at END,
			first_failed = CASE WHEN invoices.failed_at > 0 THEN invoices.first_failed ELSE excluded.first_failed END,
			next_attempt_at = excluded.next_attempt_at, intent = excluded.intent,
			intent_status = excluded.intent_status, method_id = excluded.method_id,
			code = excluded.code, decline_code = excluded.decline_code, advice_code = excluded.advice_code,
			network_advice_code = excluded.network_advice_code, network_decline_code = excluded.network_decline_code,
			disputed = excluded.disputed, receipt_number = excluded.receipt_number, synced_at = excluded.synced_at,
			own_method = excluded.own_method, takes = excluded.takes, charged_at = excluded.charged_at,
			refunded = excluded.refunded, refunded_at = excluded.refunded_at, credited = excluded.credited
		WHERE (invoices.synced_at <= excluded.synced_at OR excluded.status IN ('paid', 'void'))
			AND (invoices.status NOT IN ('paid', 'void') OR excluded.status = invoices.status)`,
		i.ID, i.CustomerID, i.SubscriptionID, i.Number, i.Status, i.CollectionMethod,
		i.BillingReason, i.Currency, i.AmountDue, i.AmountPaid, i.AmountRemaining, i.Description,
		i.PeriodStart, i.PeriodEnd, i.DueAt, i.CreatedAt, i.PaidAt, i.PaidOutOfBand,
		i.Attempted, i.AttemptCount, i.FailedAt, i.FirstFailed, i.NextAttemptAt, i.Intent,
		i.IntentStatus, i.MethodID, i.Decline.Code, i.Decline.DeclineCode, i.Decline.AdviceCode,
		i.Decline.NetworkAdviceCode, i.Decline.NetworkDeclineCode, i.Disputed, i.ReceiptNumber, readAt, i.OwnMethod,
		strings.Join(i.Takes, ","), i.ChargedAt, i.Refunded, i.RefundedAt, i.Credited)
	return err
}

func selectInvoices(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Invoice, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, customer_id, subscription_id, number, status, collection_method,
			billing_reason, currency, amount_due, amount_paid, amount_remaining, description,
			period_start, period_end, due_at, created_at, paid_at, paid_out_of_band,
			attempted, attempt_count, failed_at, first_failed, next_attempt_at, intent,
			intent_status, method_id, code, decline_code, advice_code, network_advice_code,
			network_decline_code, disputed, receipt_number, synced_at, own_method,
			takes, charged_at, refunded, refunded_at, credited,
			coalesce((SELECT m.renewed_at FROM methods m WHERE m.id = invoices.method_id), 0),
			EXISTS (SELECT 1 FROM methods m WHERE m.id = invoices.method_id AND m.guest)
		FROM invoices `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Invoice
	for rows.Next() {
		var i Invoice
		var takes string
		err = rows.Scan(&i.ID, &i.CustomerID, &i.SubscriptionID, &i.Number, &i.Status, &i.CollectionMethod,
			&i.BillingReason, &i.Currency, &i.AmountDue, &i.AmountPaid, &i.AmountRemaining, &i.Description,
			&i.PeriodStart, &i.PeriodEnd, &i.DueAt, &i.CreatedAt, &i.PaidAt, &i.PaidOutOfBand,
			&i.Attempted, &i.AttemptCount, &i.FailedAt, &i.FirstFailed, &i.NextAttemptAt, &i.Intent,
			&i.IntentStatus, &i.MethodID, &i.Decline.Code, &i.Decline.DeclineCode, &i.Decline.AdviceCode,
			&i.Decline.NetworkAdviceCode, &i.Decline.NetworkDeclineCode, &i.Disputed, &i.ReceiptNumber, &i.SyncedAt, &i.OwnMethod,
			&takes, &i.ChargedAt, &i.Refunded, &i.RefundedAt, &i.Credited, &i.MethodRenewedAt, &i.MethodIsGuests)
		if err != nil {
			return nil, err
		}
		if takes != "" {
			i.Takes = strings.Split(takes, ",")
		}
		found = append(found, i)
	}
	return found, rows.Err()
}
