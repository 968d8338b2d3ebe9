package jobs

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/views/email"
)

// staffAlert writes to a member of staff about their own account. It carries no link that opens anything.
func (l *Letters) staffAlert(ctx context.Context, tx *sql.Tx, n *outbox.Notice, now time.Time) (Draft, error) {
	a, err := staff.FindAlert(ctx, tx, n.SubjectID)
	if err != nil {
		return Draft{}, err
	}
	reader := l.Catalog.Match(l.Language)
	letter := email.StaffAlert(reader, email.StaffAlertFacts{
		Merchant: l.Merchant, Name: a.Name, What: string(a.What), At: time.Unix(a.At, 0).In(l.Zone), IP: a.IP, Browser: browserOf(a),
		AccountURL: l.Addresses.To("/admin/account"),
	})
	to := mail.Address{Address: n.Recipient}
	if n.Recipient == a.Email {
		to.Name = a.Name
	}
	out := l.envelope(n, to, letter.Subject, reader, l.Zone, now)
	return Draft{notice: n.ID, words: letter, letter: out, forms: &l.forms, signer: l.Signer}, nil
}

// browserOf is the browser a happening came from, "" when it came from none.
func browserOf(a staff.Alert) string {
	if a.Agent == "" {
		return ""
	}
	return staff.BrowserOf(a.Agent)
}
