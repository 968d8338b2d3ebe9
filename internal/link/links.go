package link

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Link opens one customer's pages for whoever holds its token. Each mail carries its own; several may be alive.
// Staff may revoke it. Instants are unix seconds.
type Link struct {
	ID         string
	CustomerID string
	NoticeID   string // the notice that carries it, "" for the banner's and for one to hand on
	InvoiceID  string // the one invoice it lets somebody else pay; "" opens the customer's pages
	Language   string
	IssuedAt   int64
	ExpiresAt  int64 // a short life in real time; 0 for the rule of Expiry
	SpentAt    int64
	RevokedAt  int64
}

// errDead is the one answer for every way a link can fail.
var errDead = fault.New(fault.NotFound, "This link no longer works.")

// New is a link that is about to be issued, with its token, which is kept nowhere.
type New struct {
	Link
	Token string
	Again bool // its notice was tried before: the earlier link, which never left, is forgotten
}

// Issue makes a link to the customer's pages and answers its token. A notice that is tried again gets a new token, and
// the earlier one, which never left, is forgotten.
func Issue(ctx context.Context, tx *sql.Tx, l Link) (string, error) {
	n := New{Link: l, Token: NewToken(), Again: l.NoticeID != ""}
	return n.Token, IssueAll(ctx, tx, []New{n})
}

// IssueAll is Issue for several links, whose tokens are made already.
func IssueAll(ctx context.Context, tx *sql.Tx, links []New) error {
	var again []string
	var args []any
	for _, l := range links {
		if l.Again {
			again = append(again, l.NoticeID)
		}
		args = append(args, database.NewID("link"), Hash(l.Token), l.CustomerID, l.NoticeID, l.Language, l.IssuedAt, l.ExpiresAt, l.InvoiceID)
	}
	if len(again) > 0 {
		marks, notices := database.List(again)
		_, err := tx.ExecContext(ctx, `DELETE FROM links WHERE notice_id IN (`+marks+`)`, notices...)
		if err != nil {
			return fmt.Errorf("forget earlier links: %w", err)
		}
	}
	if len(links) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO links (id, hash, customer_id, notice_id, language, issued_at, expires_at, spent_at, revoked_at, invoice_id)
		VALUES `+database.Rows(1, len(links), `($%d, $%d, $%d, $%d, $%d, $%d, $%d, 0, 0, $%d)`, 8), args...)
	if err != nil {
		return fmt.Errorf("issue links: %w", err)
	}
	return nil
}

// Copied is a token without what mail programs and people take along when they copy an address out of a sentence: a full
// stop, a bracket, a quotation mark, a space. None of them can stand in a token.
func Copied(token string) string {
	return strings.TrimRight(token, ".,;:!?)]}>'\"\u2019\u201d\u00bb\u00a0 \t\r\n")
}

// Find answers the link a token opens, or fault.NotFound, whatever is wrong with it. Whether it has expired by
// the rule of Expiry is for the caller to ask with Alive, who knows what is open.
func Find(ctx context.Context, tx *sql.Tx, token string) (Link, error) {
	return one(tx.QueryRowContext(ctx, `
		SELECT `+linkColumns+` FROM links l WHERE hash = $1`, Hash(token)))
}

// ByID answers a link by its id, or fault.NotFound.
func ByID(ctx context.Context, tx *sql.Tx, id string) (Link, error) {
	return one(tx.QueryRowContext(ctx, `
		SELECT `+linkColumns+` FROM links l WHERE id = $1`, id))
}

const linkColumns = `l.id, l.customer_id, l.notice_id, l.language, l.issued_at, l.expires_at, l.spent_at, l.revoked_at, l.invoice_id`

// into is where linkColumns are read to.
func (l *Link) into() []any {
	return []any{&l.ID, &l.CustomerID, &l.NoticeID, &l.Language, &l.IssuedAt, &l.ExpiresAt, &l.SpentAt, &l.RevokedAt, &l.InvoiceID}
}

func one(row *sql.Row) (Link, error) {
	var l Link
	err := row.Scan(l.into()...)
	if errors.Is(err, sql.ErrNoRows) {
		return Link{}, errDead
	}
	return l, err
}

// Alive reports whether the link works: due as in Expiry, now by the business clock, realNow for the short life
// of a banner's link.
func (l Link) Alive(due, now, realNow time.Time) bool {
	if l.RevokedAt > 0 {
		return false
	}
	if l.ExpiresAt > 0 {
		return l.SpentAt == 0 && realNow.Before(time.Unix(l.ExpiresAt, 0))
	}
	return now.Before(Expiry(time.Unix(l.IssuedAt, 0), due))
}

// Spend marks a link of short life as used; it opens no further session.
func Spend(ctx context.Context, tx *sql.Tx, id string, realNow time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE links SET spent_at = $1 WHERE id = $2 AND expires_at > 0 AND spent_at = 0`, realNow.Unix(), id)
	return err
}

// HandedOn answers the links with which others may pay the customer's invoices and that were not revoked, the newest
// first. Whether one has expired is to be asked with Alive.
func HandedOn(ctx context.Context, tx *sql.Tx, customer string) ([]Link, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT `+linkColumns+` FROM links l WHERE customer_id = $1 AND invoice_id <> '' AND revoked_at = 0 ORDER BY issued_at DESC, id LIMIT 50`, customer)
	if err != nil {
		return nil, fmt.Errorf("read links handed on: %w", err)
	}
	defer rows.Close()
	var all []Link
	for rows.Next() {
		var l Link
		err = rows.Scan(l.into()...)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// Revoke ends one link that a customer handed on, and the sessions it opened. Another's is left as it is.
func Revoke(ctx context.Context, tx *sql.Tx, customer, id string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE links SET revoked_at = $1 WHERE id = $2 AND customer_id = $3 AND invoice_id <> '' AND revoked_at = 0`, now.Unix(), id, customer)
	if err != nil {
		return fmt.Errorf("revoke link: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE customer_sessions SET ended_at = $1 WHERE link_id = $2 AND customer_id = $3 AND ended_at = 0
			AND link_id IN (SELECT id FROM links WHERE invoice_id <> '')`, now.Unix(), id, customer)
	return err
}

// RevokeAll ends every link of a customer and the sessions they opened.
func RevokeAll(ctx context.Context, tx *sql.Tx, customer string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE links SET revoked_at = $1 WHERE customer_id = $2 AND revoked_at = 0`, now.Unix(), customer)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE customer_sessions SET ended_at = $1 WHERE customer_id = $2 AND ended_at = 0`, now.Unix(), customer)
	return err
}
