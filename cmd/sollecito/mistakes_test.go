package main

import (
	"bytes"
	"database/sql"
	"strings"
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
