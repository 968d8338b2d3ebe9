package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// HistoryOf answers what bears on what a customer hears next: the notices of a case in the order they were decided, and
// among them those of the customer's other cases that were contacts. Their kept letters stay where they are.
func HistoryOf(ctx context.Context, tx *sql.Tx, customer, caseID string) ([]Notice, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, kind, channel, case_id, step, subject_id, status, counts, due_at, settled_at, dated
		FROM notices
		WHERE customer_id = $1 AND (case_id = $2 OR counts AND status IN ('sent', 'uncertain', 'sending'))
		ORDER BY created_at, id`, customer, caseID)
	if err != nil {
		return nil, fmt.Errorf("read what was said to %s: %w", customer, err)
	}
	defer rows.Close()
	var all []Notice
	for rows.Next() {
		n := Notice{CustomerID: customer}
		err = rows.Scan(&n.ID, &n.Kind, &n.Channel, &n.CaseID, &n.Step, &n.SubjectID, &n.Status, &n.Counts, &n.DueAt, &n.SettledAt, &n.Dated)
		if err != nil {
			return nil, fmt.Errorf("read what was said to %s: %w", customer, err)
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// ContactsIn is Contacts for who has read a customer's history. It tells in Go what ContactsOf tells in SQL: a page has the
// history in hand and saves a statement, and who sends mails wants the few contacts of many customers without reading what
// was ever said to them. A test holds both together.
func ContactsIn(history []Notice, since, now int64) []Contact {
	type of struct{ caseID, step, subject string }
	first := map[of]int64{}
	for _, n := range history {
		if !n.Counts || n.Status != Sent && n.Status != Uncertain && n.Status != Sending {
			continue
		}
		at := n.Dated
		switch {
		case n.Status == Sending:
			at = now
		case n.SettledAt > 0:
			at = n.SettledAt
		}
		said := of{n.CaseID, n.Step, n.SubjectID}
		earlier, known := first[said]
		if !known || at < earlier {
			first[said] = at
		}
	}
	var all []Contact
	for said, at := range first {
		if at >= since {
			all = append(all, Contact{At: at, CaseID: said.caseID, Step: said.step})
		}
	}
	slices.SortFunc(all, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.CaseID, b.CaseID), cmp.Compare(a.Step, b.Step))
	})
	return all
}
