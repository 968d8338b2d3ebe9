package main

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

// A real account is never imported among a demo's made-up customers.
func TestSyncKeepsAwayFromADemo(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"SOLLECITO_DATABASE_URL": databasetest.URL(t), "SOLLECITO_BASE_URL": "https://pay.lumen.example", "SOLLECITO_STRIPE_SECRET_KEY": "sk_test_1",
		"SOLLECITO_STRIPE_API_URL": "http://127.0.0.1:1", "SOLLECITO_STRIPE_EMAILS": "off", "SOLLECITO_TEST_RECIPIENT": "*",
	}
	db, err := database.Open(t.Context(), settings["SOLLECITO_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error { return database.SetSetting(t.Context(), tx, "demo", "1") })
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"sync"}, func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, nil, &out, &errs)
	if code != exitFault || !strings.Contains(errs.String(), "a demo's made-up customers") || out.Len() > 0 {
		t.Errorf("sync ends with %d: %s%s", code, out.String(), errs.String())
	}
}

// Each way in which a database cannot be opened is answered with what to do, by the commands and by the doctor alike, and
// never with the password.
func TestADatabaseThatCannotBeOpenedIsAnsweredWithTheMend(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	strange := filepath.Join(folder, "strange.db")
	err := os.WriteFile(strange, []byte("these are no rows at all"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for address, mend := range map[string]string{
		"sqlite:" + folder:                            "Name a file in it with SOLLECITO_DATABASE_URL",
		"sqlite:" + strange:                           "Something else is in that file: name the right one with SOLLECITO_DATABASE_URL",
		"postgres://ines:secret1@127.0.0.1:1/billing": "Start that server, or mend host and port in SOLLECITO_DATABASE_URL",
		"postgres://ines:secret1@x@127.0.0.1:y/z":     "Write SOLLECITO_DATABASE_URL so",
	} {
		settings := map[string]string{"SOLLECITO_DATABASE_URL": address}
		for _, command := range []string{"migrate", "doctor"} {
			var out, errs bytes.Buffer
			code := run(t.Context(), []string{command}, func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, nil, &out, &errs)
			said := out.String() + errs.String()
			if code != exitFault || !strings.Contains(said, mend) {
				t.Errorf("%s of %s ends with %d: %s", command, address, code, said)
			}
			if strings.Contains(said, "secret1") {
				t.Errorf("%s tells the password: %s", command, said)
			}
		}
	}
}

// full is a disk that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// An answer that could not be written is a failure, whatever the command did: the address at which a colleague sets a
// password, say, is told only once.
func TestAnAnswerThatIsLostIsAFailure(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"SOLLECITO_DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "sollecito.db"), "SOLLECITO_BASE_URL": "https://pay.example.com",
	}
	environ := func(name string) (string, bool) { v, ok := settings[name]; return v, ok }
	for _, line := range []string{
		"migrate", "staff add ines@lumen.example --role admin", "staff list", "audit verify", "sending stop", "campaign list", "events list", "version",
		"staff --help", "help",
	} {
		var errs bytes.Buffer
		code := run(t.Context(), strings.Fields(line), environ, nil, full{}, &errs)
		if code != exitFault || !strings.Contains(errs.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%s ends with %d: %s", line, code, &errs)
		}
	}
}

// What sync cannot make out of the settings that the cases wait by is told, not taken as off.
func TestSyncTellsFaultsOfTheContactPolicy(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SOLLECITO_REGULATED_CREDIT", "SOLLECITO_COLLECTOR_MODE", "SOLLECITO_CONTACT_HOLIDAYS"} {
		settings := map[string]string{
			"SOLLECITO_DATABASE_URL": databasetest.URL(t), "SOLLECITO_BASE_URL": "https://pay.lumen.example", "SOLLECITO_STRIPE_SECRET_KEY": "sk_test_1",
			"SOLLECITO_STRIPE_API_URL": "http://127.0.0.1:1", "SOLLECITO_STRIPE_EMAILS": "off", "SOLLECITO_TEST_RECIPIENT": "*", name: "On",
		}
		var errs bytes.Buffer
		code := run(t.Context(), []string{"sync"}, func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, nil, &bytes.Buffer{}, &errs)
		if code != exitFault || !strings.Contains(errs.String(), name+": must be on or off") {
			t.Errorf("sync ends with %d: %s", code, errs.String())
		}
	}
}
