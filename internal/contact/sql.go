package contact

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/database"
)

const choiceColumns = `customer_id, version, at, no_mail, no_app, hours_from, hours_to, source, words, actor`

// ChoicesOf answers what the customer decided about our reminders, the zero Choices when they never did.
func ChoicesOf(ctx context.Context, tx *sql.Tx, customer string) (Choices, error) {
	found, err := selectChoices(ctx, tx, `WHERE customer_id = $1 ORDER BY version DESC LIMIT 1`, customer)
	if err != nil || len(found) == 0 {
		return Choices{}, err
	}
	return found[0], nil
}

// AnyChoice asks whether a customer ever decided about our reminders; see billing.FindCustomerAnd.
const AnyChoice = `FROM contact_choices WHERE customer_id = customers.id`

// ChoicesBy answers ChoicesOf for several customers; those who never chose are left out.
func ChoicesBy(ctx context.Context, tx *sql.Tx, customers []string) (map[string]Choices, error) {
	marks, args := database.List(customers)
	found, err := selectChoices(ctx, tx, `WHERE customer_id IN (`+marks+`) ORDER BY version`, args...)
	if err != nil {
		return nil, err
	}
	all := make(map[string]Choices, len(found))
	for _, c := range found {
		all[c.CustomerID] = c // the newest comes last
	}
	return all, nil
}

// ChoicesMade answers every version of what the customer decided, oldest first.
func ChoicesMade(ctx context.Context, tx *sql.Tx, customer string) ([]Choices, error) {
	return selectChoices(ctx, tx, `WHERE customer_id = $1 ORDER BY version`, customer)
}

func selectChoices(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Choices, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+choiceColumns+` FROM contact_choices `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read contact choices: %w", err)
	}
	defer rows.Close()
	var all []Choices
	for rows.Next() {
		var c Choices
		err = rows.Scan(&c.CustomerID, &c.Version, &c.At, &c.NoMail, &c.NoApp, &c.Hours.From, &c.Hours.To, &c.Source, &c.Words, &c.Actor)
		if err != nil {
			return nil, fmt.Errorf("read contact choices: %w", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// Keep adds a version of what a customer decided.
func Keep(ctx context.Context, tx *sql.Tx, c Choices) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO contact_choices (`+choiceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.CustomerID, c.Version, c.At, c.NoMail, c.NoApp, c.Hours.From, c.Hours.To, c.Source, c.Words, c.Actor)
	if err != nil {
		return fmt.Errorf("keep contact choices: %w", err)
	}
	return nil
}
