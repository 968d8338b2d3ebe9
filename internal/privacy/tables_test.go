package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
)

func open(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// schema answers every table of the database but the migrations' own, with each column's type: text, number or flag.
func schema(t *testing.T, db *database.DB) map[string]map[string]string {
	t.Helper()
	query := `SELECT m.name, c.name, lower(c.type) FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	if databasetest.OnPostgres() {
		query = `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'`
	}
	all := map[string]map[string]string{}
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(t.Context(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var table, column, kind string
			err = rows.Scan(&table, &column, &kind)
			if err != nil {
				return err
			}
			if table == "goose_db_version" {
				continue
			}
			if all[table] == nil {
				all[table] = map[string]string{}
			}
			all[table][column] = map[string]string{"text": "text", "bigint": "number", "boolean": "flag"}[kind]
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A table or a column that stands nowhere in the list, or stands there as something else, is forgotten by export and
// erase: whoever adds one says here what becomes of it.
func TestTheListNamesEveryColumnOfTheDatabase(t *testing.T) {
	t.Parallel()
	real := schema(t, open(t))
	if len(real) < 40 {
		t.Fatalf("the schema has %d tables only", len(real))
	}
	forgotten := unlisted(real, tables)
	for _, fault := range forgotten {
		t.Error(fault)
	}
	// The check itself: a new table, a new column, and one of another type are told.
	real["diaries"] = map[string]string{"page": "text"}
	real["customers"]["birthday"] = "text"
	real["cases"]["step"] = "text"
	faults := unlisted(real, tables)
	if len(faults) != len(forgotten)+3 {
		t.Errorf("of three more things that are forgotten it tells %q", faults)
	}
}

func unlisted(real map[string]map[string]string, list []table) []string {
	var faults []string
	listed := map[string]bool{}
	for _, t := range list {
		if listed[t.name] {
			faults = append(faults, t.name+" stands twice in the list")
		}
		listed[t.name] = true
		if real[t.name] == nil {
			faults = append(faults, t.name+" stands in the list and not in the database")
			continue
		}
		kinds := map[string]string{}
		for kind, columns := range map[string]string{"text": t.text, "number": t.number + " " + t.moment, "flag": t.flag, "": t.untold} {
			for _, column := range strings.Fields(columns) {
				if _, twice := kinds[column]; twice {
					faults = append(faults, t.name+"."+column+" stands twice in the list")
				}
				kinds[column] = kind
			}
		}
		for column, kind := range real[t.name] {
			as, known := kinds[column]
			switch {
			case !known:
				faults = append(faults, t.name+"."+column+" is not in the list: say whether it is told and what becomes of it")
			case as != "" && as != kind, as == "" && kind != "text" && t.rule != nobodys:
				faults = append(faults, t.name+"."+column+" is "+kind+" in the database and something else in the list")
			}
			delete(kinds, column)
		}
		for column := range kinds {
			faults = append(faults, t.name+"."+column+" is not in the database")
		}
		if t.rule != deleted && t.why == "" {
			faults = append(faults, t.name+" stays without a reason")
		}
	}
	for name := range real {
		if !listed[name] {
			faults = append(faults, name+" is not in the list: say what it holds of customers and what becomes of it")
		}
	}
	slices.Sort(faults)
	return faults
}

// planted are the values of columns that cannot be any word, by column or by table and column. Ids lead from row to row.
var planted = map[string]string{
	"case_id": "cases", "invoice_id": "invoices", "notice_id": "notices", "conversation_id": "conversations", "promise_id": "promises",
	"final_id": "final_acts", "link_id": "links", "form_id": "",
	"attempts.kind": "charge", "attempts.status": "paid", "events.status": "processed", "cases.status": "recovered", "cases.access": "full",
	"pauses.reason": "staff", "notices.channel": "email", "notices.status": "sent", "conversations.status": "closed", "messages.author": "customer",
	"promises.kind": "self", "promises.status": "kept", "wishes.kind": "cancel", "wishes.status": "done", "final_acts.act": "pause", "final_acts.status": "done",
	"final_targets.status": "done", "decisions.what": "taken", "removals.status": "done", "late_interest.status": "confirmed", "bounces.kind": "hard",
	"suppressions.reason": "hard", "arrivals.way": "reply", "arrivals.status": "processed", "contact_choices.source": "page",
	"customers.metadata": "", "webhook_deliveries.status": "delivered",
}

// markOf is a word that stands in one place of the database alone.
func markOf(customer string, t table, column string) string {
	return "mark." + customer + "." + t.name + "." + column + ";"
}

// long is the moment of everything planted, a week before now.
var long = now.AddDate(0, 0, -7)

// plant fills one row of each table with a customer, every free text of it marked.
func plant(ctx context.Context, tx *sql.Tx, customer string) error {
	for _, t := range tables {
		if t.rule == nobodys || t.name == "audit" {
			continue
		}
		var columns, marks []string
		var args []any
		add := func(column string, value any) {
			columns, args = append(columns, column), append(args, value)
			marks = append(marks, fmt.Sprintf("$%d", len(args)))
		}
		for _, column := range strings.Fields(t.text + " " + t.untold) {
			word, fixed := planted[t.name+"."+column]
			if !fixed {
				word, fixed = planted[column]
				if fixed && word != "" {
					word += "-" + customer
				}
			}
			switch {
			case t.name == "customers" && column == "id", column == "customer_id", column == "tryer":
				word = customer
			case t.name == "limits" && column == "name":
				word = "mark " + customer
			case column == "id":
				word = t.name + "-" + customer
			case !fixed:
				word = markOf(customer, t, column)
			}
			add(column, word)
		}
		for _, column := range strings.Fields(t.number + " " + t.moment) {
			value := long.Unix()
			if column == "erased_at" || t.name == "suppressions" && column == "lifted_at" {
				value = 0
			}
			add(column, value)
		}
		for _, column := range strings.Fields(t.flag) {
			add(column, false)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO `+t.name+` (`+strings.Join(columns, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, args...)
		if err != nil {
			return fmt.Errorf("plant %s: %w", t.name, err)
		}
	}
	for _, e := range []audit.Entry{{Action: "customer.viewed", Object: customer}, {Action: "case.paused", Object: "cases-" + customer, Detail: customer + " for a while"}} {
		e.At, e.Actor = long, "staff_1"
		err := audit.Append(ctx, tx, e)
		if err != nil {
			return err
		}
	}
	return nil
}

// dump is everything that the database holds, a line for each row.
func dump(t *testing.T, db *database.DB) []string {
	t.Helper()
	var all []string
	for name, columns := range schema(t, db) {
		sorted := slices.Sorted(maps.Keys(columns))
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			rows, err := tx.QueryContext(t.Context(), `SELECT `+strings.Join(sorted, ", ")+` FROM `+name)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				values, into := make([]any, len(sorted)), make([]any, len(sorted))
				for i := range values {
					into[i] = &values[i]
				}
				err = rows.Scan(into...)
				if err != nil {
					return err
				}
				all = append(all, name+" "+fmt.Sprint(values...))
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

func about(lines []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.Contains(line, word) })
}

func eraser(db *database.DB, now time.Time) *Eraser {
	clock := func() time.Time { return now }
	return &Eraser{DB: db, Cases: dunning.NewCases(dunning.Rules{}), Now: clock, Real: clock}
}

func do(t *testing.T, db *database.DB, work func(tx *sql.Tx) error) {
	t.Helper()
	err := db.Do(t.Context(), work)
	if err != nil {
		t.Fatal(err)
	}
}

func exported(t *testing.T, db *database.DB, customer string) string {
	t.Helper()
	var b strings.Builder
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		return Export(t.Context(), tx, &b, customer, time.Unix(1_800_000_000, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var now = time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)

// A row in every table, every text of it marked: the export tells each mark, erasing leaves those alone that the list
// keeps, and nobody else is touched.
func TestEveryMarkIsExportedAndNoneSurvivesErasing(t *testing.T) {
	t.Parallel()
	db := open(t)
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_ada") })
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_bob") })

	document := exported(t, db, "cus_ada")
	var told struct {
		Customer string
		Tables   map[string][]map[string]any
	}
	err := json.Unmarshal([]byte(document), &told)
	if err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	if document != exported(t, db, "cus_ada") {
		t.Error("the same data gives another document")
	}
	if told.Customer != "cus_ada" || strings.Contains(document, "cus_bob") {
		t.Error("the document tells of somebody else")
	}
	for _, list := range tables {
		if list.rule == nobodys {
			continue
		}
		if len(told.Tables[list.name]) == 0 {
			t.Errorf("the export tells nothing of %s", list.name)
		}
		for _, column := range strings.Fields(list.text) {
			mark := markOf("cus_ada", list, column)
			if !strings.Contains(document, mark) && len(about(dump(t, db), mark)) > 0 {
				t.Errorf("%s.%s is kept and not exported", list.name, column)
			}
		}
	}
	at := told.Tables["cases"][0]["opened_at"]
	if at != "2026-11-19T10:00:00Z" {
		t.Errorf("a moment is told as %v", at)
	}
	held, isFlag := told.Tables["cases"][0]["holdout"].(bool)
	if !isFlag || held {
		t.Error("a yes or no is told as something else")
	}
	for _, hidden := range []string{"links.hash", "customer_sessions.hash", "proofs.hash", "stop_tokens.hash", "messages.staff_id"} {
		if strings.Contains(document, "mark.cus_ada."+hidden) {
			t.Errorf("the export tells %s", hidden)
		}
	}

	before := dump(t, db)
	first, err := eraser(db, now).Erase(t.Context(), "cus_ada", "command")
	if err != nil || !first {
		t.Fatalf("erase answers %v, %v", first, err)
	}
	after := dump(t, db)
	if !slices.Equal(about(before, "cus_bob"), about(after, "cus_bob")) {
		t.Errorf("another customer was touched:\n%s\n%s", strings.Join(about(before, "cus_bob"), "\n"), strings.Join(about(after, "cus_bob"), "\n"))
	}
	for _, list := range tables {
		stays := strings.Fields(list.keeps)
		if list.rule == kept {
			stays = strings.Fields(list.text + " " + list.untold)
		}
		for _, column := range strings.Fields(list.text + " " + list.untold) {
			mark := markOf("cus_ada", list, column)
			was, is := len(about(before, mark)), len(about(after, mark))
			if is > 0 && !slices.Contains(stays, column) {
				t.Errorf("%s.%s survives", list.name, column)
			}
			if was > 0 && is == 0 && slices.Contains(stays, column) {
				t.Errorf("%s.%s is to stay and is gone", list.name, column)
			}
		}
		rows := len(slices.DeleteFunc(about(after, "cus_ada"), func(l string) bool { return !strings.HasPrefix(l, list.name+" ") }))
		if list.rule != apart && (rows > 0) != (list.rule == nameless || list.rule == kept) {
			t.Errorf("of %s, which is %s, %d rows stay", list.name, list.rule, rows)
		}
	}
	first, err = eraser(db, now.Add(time.Hour)).Erase(t.Context(), "cus_ada", "command")
	if err != nil || first {
		t.Errorf("erasing again answers %v, %v", first, err)
	}
	counts := func(line string) bool { return strings.HasPrefix(line, "holds ") } // which counts that it was looked at again
	if !slices.Equal(slices.DeleteFunc(after, counts), slices.DeleteFunc(dump(t, db), counts)) {
		t.Error("erasing again changes something")
	}
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		n, _, err := audit.Verify(t.Context(), tx)
		if err == nil && n != 5 {
			err = fmt.Errorf("%d entries", n)
		}
		return err
	})
	if err != nil {
		t.Errorf("the audit log after erasing: %v", err)
	}
}

// The document names every table as the list does.
func TestTheDocumentNamesEveryTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range tables {
		row := fmt.Sprintf("\n| `%s` | %s |", list.name, list.rule)
		if strings.Contains(string(text), row) == (list.rule == nobodys) {
			t.Errorf("docs/privacy.md and the list do not agree about %s, which is %s", list.name, list.rule)
		}
	}
}
