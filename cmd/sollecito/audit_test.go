package main

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"sollecito/internal/database"
)

// Every way of tampering with the log, as its reader at the command line meets it.
func TestAuditVerifyNamesTheFirstEntryThatFails(t *testing.T) {
	for name, c := range map[string]struct{ deed, said string }{
		"nothing": {"", ""},
		"flipped": {`UPDATE audit SET hash = (CASE substr(hash, 1, 1) WHEN 'a' THEN 'b' ELSE 'a' END) || substr(hash, 2) WHERE seq = 2`, "at entry 2"},
		"changed": {`UPDATE audit SET role = 'admin' WHERE seq = 3`, "at entry 3"},
		"deleted": {`DELETE FROM audit WHERE seq = 2`, "at entry 2"},
		"swapped": {`UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); UPDATE audit SET seq = -seq WHERE seq < 0`, "at entry 2"},
	} {
		t.Run(name, func(t *testing.T) {
			file := "sqlite:" + filepath.Join(t.TempDir(), "sollecito.db")
			environ := func(name string) (string, bool) {
				value, ok := map[string]string{"SOLLECITO_DATABASE_URL": file, "SOLLECITO_BASE_URL": "https://pay.lumen.example"}[name]
				return value, ok
			}
			told := func(want int, args ...string) string {
				t.Helper()
				var out, errs bytes.Buffer
				if code := run(t.Context(), args, environ, nil, &out, &errs); code != want {
					t.Fatalf("%v ends with %d, want %d: %s%s", args, code, want, out.String(), errs.String())
				}
				return out.String() + errs.String()
			}
			for _, email := range []string{"a@lumen.example", "b@lumen.example", "c@lumen.example", "d@lumen.example"} {
				told(0, "staff", "add", email)
			}
			db, err := database.Open(t.Context(), file)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Do(t.Context(), func(tx *sql.Tx) error { // as somebody with the file in hand would
				_, err := tx.ExecContext(t.Context(), `DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; `+c.deed)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			err = db.Close()
			if err != nil {
				t.Fatal(err)
			}
			if c.said == "" {
				said := told(0, "audit", "verify")
				_, hash, _ := strings.Cut(strings.TrimSpace(said), "the last is ")
				told(0, "audit", "verify", "--head", hash+"@4")
				told(exitFault, "audit", "verify", "--head", hash+"@5")
				return
			}
			if said := told(exitFault, "audit", "verify"); !strings.Contains(said, c.said) {
				t.Errorf("it says %q, want %q", said, c.said)
			}
		})
	}
}
