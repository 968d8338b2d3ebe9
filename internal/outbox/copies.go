package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sollecito/internal/database"
)

// Copy is a mail as it went, its tokens cut out. What many mails share is kept once.
type Copy struct {
	NoticeID string
	FormID   string   // "" when it shares nothing
	Fixed    []string // the form's pieces, between its own
	Own      string   // its own pieces, one more than the form has, parted by Joint
}

// Joint parts the pieces where they are kept. It is a control character, which no header holds and no encoded body.
const Joint = "\x1f"

// KeepCopies keeps the copies of mails that are about to go, in the transaction that begins them. A mail that is tried again
// has another one.
func KeepCopies(ctx context.Context, tx *sql.Tx, copies []Copy) error {
	if len(copies) == 0 {
		return nil
	}
	var args []any
	forms := map[string][]string{}
	for _, c := range copies {
		args = append(args, c.NoticeID, c.FormID, c.Own)
		if c.FormID != "" {
			forms[c.FormID] = c.Fixed
		}
	}
	err := keepForms(ctx, tx, forms)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO copies (notice_id, form_id, own) VALUES `+database.Rows(1, len(copies), `($%d, $%d, $%d)`, 3)+`
		ON CONFLICT (notice_id) DO UPDATE SET form_id = excluded.form_id, own = excluded.own`, args...)
	if err != nil {
		return fmt.Errorf("keep copies: %w", err)
	}
	return nil
}

// keepForms keeps the forms that are not kept yet: few ever are not.
func keepForms(ctx context.Context, tx *sql.Tx, forms map[string][]string) error {
	var ids []string
	for id := range forms {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids) // as everybody does who keeps several at once
	marks, args := database.List(ids)
	known, err := database.Strings(ctx, tx, `SELECT id FROM copy_forms WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return fmt.Errorf("look for forms: %w", err)
	}
	for _, id := range ids {
		if slices.Contains(known, id) {
			continue
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO copy_forms (id, fixed) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, id, strings.Join(forms[id], Joint))
		if err != nil {
			return fmt.Errorf("keep a form: %w", err)
		}
	}
	return nil
}

// CopyOf answers the mail of a notice as it went, byte for byte but for the tokens cut out; "" when none is kept.
func CopyOf(ctx context.Context, tx *sql.Tx, notice string) (string, error) {
	var own, form, fixed string
	err := tx.QueryRowContext(ctx, `
		SELECT own, form_id, coalesce((SELECT fixed FROM copy_forms WHERE id = form_id), '')
		FROM copies WHERE notice_id = $1`, notice).Scan(&own, &form, &fixed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the copy of %s: %w", notice, err)
	}
	if form == "" {
		return own, nil
	}
	pieces, between := strings.Split(own, Joint), strings.Split(fixed, Joint)
	if len(pieces) != len(between)+1 {
		return "", fmt.Errorf("the copy of %s does not fit its form %s", notice, form)
	}
	var b strings.Builder
	for i, piece := range pieces {
		b.WriteString(piece)
		if i < len(between) {
			b.WriteString(between[i])
		}
	}
	return b.String(), nil
}
