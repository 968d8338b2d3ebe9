package main

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

// Erasing gives up on what is under way, and is confirmed by the id alone.
func TestErasingIsConfirmedAndWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	address := databasetest.URL(t)
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mail := func(status string) {
		t.Helper()
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `
				INSERT INTO notices (id, kind, channel, customer_id, case_id, step, subject_id, recipient, status, reason, counts, attempts, created_at, due_at,
					lease_until, settled_at, message_id, dated, subject)
				VALUES ('ntc_1', 'reply', 'email', 'cus_ada', '', '', '', 'ada@example.com', $1, '', false, 0, 0, 0, 4000000000, 0, '', 0, '')
				ON CONFLICT (id) DO UPDATE SET status = excluded.status`, status)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		return billing.Save(t.Context(), tx, billing.Account{Customer: billing.Customer{ID: "cus_ada", Name: "Ada", Email: "ada@example.com"}}, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	erase := func(typed string, words ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		environ := func(name string) (string, bool) { return address, name == "SOLLECITO_DATABASE_URL" }
		code = run(t.Context(), append([]string{"customer", "erase", "cus_ada"}, words...), environ, strings.NewReader(typed), &o, &e)
		return code, o.String(), e.String()
	}
	mail("sending")
	code, out, errs := erase("", "--yes", "--wait", "1ms")
	if code != exitFault || out != "" || !strings.Contains(errs, "Waiting for a mail that is being handed to the mail server.") || !strings.Contains(errs, "nothing was erased") {
		t.Errorf("beside a mail on its way it ends with %d: %s%s", code, out, errs)
	}
	mail("sent")
	code, out, errs = erase("yes\n")
	if code != exitFault || !strings.Contains(errs, "that is not the id") {
		t.Errorf("confirmed with yes it ends with %d: %s%s", code, out, errs)
	}
	code, out, errs = erase("cus_ada\n")
	if code != 0 || !strings.Contains(out, "cus_ada is erased") || !strings.Contains(out, "Stripe was not touched") {
		t.Errorf("confirmed it ends with %d: %s%s", code, out, errs)
	}
	code, out, errs = erase("")
	if code != 0 || !strings.Contains(out, "cus_ada was already erased, on 2") || errs != "" {
		t.Errorf("the second time it ends with %d: %s%s", code, out, errs)
	}
}
