package privacy

import (
	"archive/zip"
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
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
		err := t.each(ctx, tx, customer, func(row []cell) error {
			if count > 0 {
				out.WriteByte(',')
			}
			count++
			out.WriteString("\n  {")
			for i, c := range row {
				if i > 0 {
					out.WriteString(", ")
				}
				fmt.Fprintf(out, "%s: %s", quoted(t.columns()[i]), c.json())
			}
			return out.WriteByte('}')
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

// Archive writes everything that is kept of a customer as a ZIP file: the JSON document, which has everything as it is kept, and
// for a spreadsheet each table as CSV. Both are of one state of the data. An error leaves half a file behind.
func Archive(ctx context.Context, tx *sql.Tx, w io.Writer, customer string, now time.Time) error {
	archive := zip.NewWriter(w)
	part := func(name string) (io.Writer, error) {
		return archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now.UTC()})
	}
	document, err := part("export.json")
	if err != nil {
		return err
	}
	err = Export(ctx, tx, document, customer, now)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if t.rule == nobodys {
			continue
		}
		sheet, err := part("tables/" + t.name + ".csv")
		if err != nil {
			return err
		}
		err = t.sheet(ctx, tx, sheet, customer)
		if err != nil {
			return fmt.Errorf("export %s: %w", t.name, err)
		}
	}
	return archive.Close()
}

// byteOrderMark is how a spreadsheet on Windows knows that a file is UTF-8.
const byteOrderMark = "\uFEFF"

// sheet writes a customer's rows as CSV (RFC 4180), below the names of the columns.
func (t table) sheet(ctx context.Context, tx *sql.Tx, w io.Writer, customer string) error {
	_, err := io.WriteString(w, byteOrderMark)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	err = out.Write(t.columns())
	if err != nil {
		return err
	}
	err = t.each(ctx, tx, customer, func(row []cell) error {
		words := make([]string, len(row))
		for i, c := range row {
			words[i] = c.plain()
		}
		return out.Write(words)
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

// columns are the names of what each tells of a row.
func (t table) columns() []string {
	if t.name == "copies" {
		return []string{"notice_id", "mail"}
	}
	return t.told()
}

// each tells a customer's rows, a value for each of the columns.
func (t table) each(ctx context.Context, tx *sql.Tx, customer string, tell func(row []cell) error) error {
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
		row := make([]cell, len(columns))
		for i, column := range columns {
			row[i] = cellOf(values[i])
			switch {
			case slices.Contains(moments, column):
				row[i] = momentOf(values[i])
			case slices.Contains(flags, column):
				row[i] = flagOf(values[i])
			}
		}
		err = tell(row)
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
func eachMail(ctx context.Context, tx *sql.Tx, t table, customer string, tell func(row []cell) error) error {
	ids, err := database.Strings(ctx, tx, `SELECT notice_id FROM copies WHERE `+t.whose+` ORDER BY `+t.order, customer)
	if err != nil {
		return err
	}
	for _, id := range ids {
		mail, err := outbox.CopyOf(ctx, tx, id)
		if err != nil {
			return err
		}
		err = tell([]cell{{words: id, text: true}, {words: mail, text: true}})
		if err != nil {
			return err
		}
	}
	return nil
}

// cell is a value as it is told: text that somebody wrote or that we keep, or what JSON has words of its own for, "" for none.
type cell struct {
	words string
	text  bool
}

func (c cell) json() string {
	switch {
	case c.text:
		return quoted(c.words)
	case c.words == "":
		return "null"
	}
	return c.words
}

// formula finds what a spreadsheet takes for the beginning of a formula: one of four signs or of their full-width forms, behind
// whatever it cuts off or does not show. A program whose lists are cut at semicolons or tabs overlooks the quotes of a text that
// holds one, so a formula may begin behind those and on each line, too.
var formula = regexp.MustCompile(`(^|[;\t\r\n])([ \f\v\p{Z}\p{Cf}\x{115F}\x{1160}\x{2800}\x{3164}]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])`)

// plain is the value for a spreadsheet, which takes text that begins like a formula for one and would work it out: an
// apostrophe before it says that it is text.
func (c cell) plain() string {
	if !c.text || c.words == "" {
		return c.words
	}
	words := formula.ReplaceAllString(c.words, "$1'$2")
	if strings.ContainsRune("\t\r\n", rune(words[0])) {
		return "'" + words
	}
	return words
}

// momentOf is an instant kept as unix seconds.
func momentOf(value any) cell {
	at, _ := value.(int64)
	if at == 0 {
		return cell{}
	}
	return cell{words: time.Unix(at, 0).UTC().Format(time.RFC3339), text: true}
}

// flagOf is a yes or no; SQLite answers a number.
func flagOf(value any) cell {
	number, isNumber := value.(int64)
	return cell{words: fmt.Sprint(value == true || isNumber && number != 0)}
}

func cellOf(value any) cell {
	switch v := value.(type) {
	case int64:
		return cell{words: fmt.Sprint(v)}
	case []byte:
		return cell{words: string(v), text: true}
	case string:
		return cell{words: v, text: true}
	}
	return cell{}
}

// quoted is a text as JSON has it.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string can always be written
	return strings.TrimSuffix(b.String(), "\n")
}
