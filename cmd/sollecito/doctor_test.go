package main

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"sollecito/internal/gateway"
	"sollecito/internal/sandbox"
)

func TestTheStartSaysWhatTheKeyLacks(t *testing.T) {
	stripe := sandbox.New(sandbox.Options{})
	t.Cleanup(stripe.Close)
	server := httptest.NewServer(stripe.Handler())
	t.Cleanup(server.Close)
	for _, c := range []struct {
		key   string
		lines int
		says  string
	}{
		{"rk_test_whole", 0, ""},
		{"sk_test_whole", 0, ""},
		{"sk_live_whole", 1, "a restricted one is enough"},
		{"rk_test_lacks_invoice_write-dispute_read", 2, `permission="Invoices: Write"`},
		{"rk_live_unknown", 1, "could not be tried"},
	} {
		var out bytes.Buffer
		client := gateway.New(gateway.Options{SecretKey: c.key, APIURL: server.URL, Rate: 1000})
		warnOfKey(t.Context(), client, c.key, newLogger(&out, "text", slog.LevelInfo))
		if strings.Count(out.String(), "\n") != c.lines || !strings.Contains(out.String(), c.says) || strings.Contains(out.String(), c.key) {
			t.Errorf("%s: %s", c.key, &out)
		}
	}
}
