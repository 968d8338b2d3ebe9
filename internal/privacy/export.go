package privacy

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Find answers the id of the customer whom what was typed means: a customer's id, of an erased one too, or the address on
// file of exactly one. fault.NotFound or fault.Conflict, with a sentence that says what to do, when it means nobody or
// several.
func Find(ctx context.Context, tx *sql.Tx, typed string) (string, error) {
	found, err := billing.CustomersByID(ctx, tx, []string{typed})
	if err != nil || len(found) == 1 {
		return typed, err
	}
	if !strings.Contains(typed, "@") {
		return "", fault.New(fault.NotFound, "There is no customer %s: say the id as Stripe has it (cus_…), or the address on file.", typed)
	}
	all, err := billing.CustomersByEmail(ctx, tx, typed)
	if err != nil {
		return "", err
	}
	switch len(all) {
	case 0:
		return "", fault.New(fault.NotFound, "No customer has the address %s on file.", typed)
	case 1:
		return all[0].ID, nil
	}
	var ids []string
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return "", fault.New(fault.Conflict, "Several customers have the address %s on file; say which by the id: %s.", typed, strings.Join(ids, ", "))
}

// Export writes everything that is kept of a customer as one JSON document, table by table in the order of the list. The
// same data gives the same bytes but for the moment of exporting. It is written while it is read: an error leaves half a
// document behind.
func Export(ctx context.Context, tx *sql.Tx, w io.Writer, customer string, now time.Time) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `{
"format": "sollecito customer export",
"version": 1,
"customer": %s,
"exported_at": %s,
"units": {"moments": "ISO 8601, UTC; null for never", "sums": "minor units of the currency beside them"},
"tables": {`, quoted(customer), quoted(now.UTC().Format(time.RFC3339)))
	first := true
	for _, t := range tables {
		if t.rule == nobodys {
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		fmt.Fprintf(out, "\n%s: [", quoted(t.name))
		count := 0
		err := t.each(ctx, tx, customer, func(row []byte) error {
			if count > 0 {
				out.WriteByte(',')
			}
			count++
			out.WriteString("\n  ")
			_, err := out.Write(row)
			return err
		})
		if err != nil {
			return fmt.Errorf("export %s: %w", t.name, err)
		}
		if count > 0 {
			out.WriteByte('\n')
		}
		out.WriteByte(']')
	}
	out.WriteString("\n}\n}\n")
	return out.Flush()
}

// each tells a customer's rows, each as a JSON object.
func (t table) each(ctx context.Context, tx *sql.Tx, customer string, tell func(row []byte) error) error {
	if t.name == "copies" {
		return eachMail(ctx, tx, t, customer, tell)
	}
	columns := t.told()
	rows, err := tx.QueryContext(ctx, `SELECT `+strings.Join(columns, ", ")+` FROM `+t.name+` WHERE `+t.whose+` ORDER BY `+t.order, customer)
	if err != nil {
		return err
	}
	defer rows.Close()
	moments, flags, into := strings.Fields(t.moment), strings.Fields(t.flag), make([]any, len(columns))
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		err = rows.Scan(into...)
		if err != nil {
			return err
		}
		var row bytes.Buffer
		for i, column := range columns {
			row.WriteString(map[bool]string{true: "{", false: ", "}[i == 0])
			told := jsonOf(values[i])
			switch {
			case slices.Contains(moments, column):
				told = momentOf(values[i])
			case slices.Contains(flags, column):
				told = flagOf(values[i])
			}
			fmt.Fprintf(&row, "%s: %s", quoted(column), told)
		}
		row.WriteByte('}')
		err = tell(row.Bytes())
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// told are the columns of a table that an export shows.
func (t table) told() []string {
	return strings.Fields(t.text + " " + t.number + " " + t.moment + " " + t.flag)
}

// eachMail tells the kept mails as they went: the pieces in which they are kept say little.
func eachMail(ctx context.Context, tx *sql.Tx, t table, customer string, tell func(row []byte) error) error {
	ids, err := database.Strings(ctx, tx, `SELECT notice_id FROM copies WHERE `+t.whose+` ORDER BY `+t.order, customer)
	if err != nil {
		return err
	}
	for _, id := range ids {
		mail, err := outbox.CopyOf(ctx, tx, id)
		if err != nil {
			return err
		}
		err = tell(fmt.Appendf(nil, `{"notice_id": %s, "mail": %s}`, quoted(id), quoted(mail)))
		if err != nil {
			return err
		}
	}
	return nil
}

// momentOf is an instant kept as unix seconds.
func momentOf(value any) string {
	at, _ := value.(int64)
	if at == 0 {
		return "null"
	}
	return quoted(time.Unix(at, 0).UTC().Format(time.RFC3339))
}

// flagOf is a yes or no; SQLite answers a number.
func flagOf(value any) string {
	number, isNumber := value.(int64)
	return fmt.Sprint(value == true || isNumber && number != 0)
}

func jsonOf(value any) string {
	switch v := value.(type) {
	case int64:
		return fmt.Sprint(v)
	case []byte:
		return quoted(string(v))
	case string:
		return quoted(v)
	}
	return "null"
}

// quoted is a text as JSON has it.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string can always be written
	return strings.TrimSuffix(b.String(), "\n")
}
