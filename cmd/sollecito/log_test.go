package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sollecito/internal/config"
)

func TestTheLogHoldsNoSecrets(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := newLogger(&out, format, slog.LevelDebug)
		token := strings.Repeat("aB-_", 10) + "abc"
		log.Info("a key sk_live_abc123 in the message", "why", "client secret pi_1_secret_xyz9", "address", "https://pay.example.com/l/"+token+"?x=1",
			"smtp", "smtp://giulia:hunter2@mail.example.com:587", "err", errors.New("no card 4242 4242 4242 4242 for anneke.devries@waal.example"),
			"database", "postgres://u:hunter2@db/x", "token", token, "api-key", "k123456", "group", slog.GroupValue(slog.String("cookie", "c0okie"), slog.String("pan", "4000002760003184")),
			"secret", config.Secret("hunter2"), "nested", fmt.Errorf("wrapped: %w", errors.New("whsec_abcdef rk_test_abcdef /admin/enrol/"+token)))
		for _, secret := range []string{"sk_live_abc", "xyz9", token, "hunter2", "4242 4242", "4000002760003184", "anneke", "k123456", "c0okie", "whsec_abc", "rk_test_abc"} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s: %q is in %s", format, secret, &out)
			}
		}
		for _, kept := range []string{"a…@waal.example", "mail.example.com:587", "in the message"} {
			if !strings.Contains(out.String(), kept) {
				t.Errorf("%s: %q is lost in %s", format, kept, &out)
			}
		}
	}
}

// What chance brings is kept: ids, sums and instants are what a log is read for.
func TestTheLogKeepsWhatIsNoSecret(t *testing.T) {
	for _, text := range []string{
		"cus_Nffrfeu7JG4yqz in_1MtHbELkdIwHu7ixl4OzzPMv evt_1NG8Du2eZvKYlo2CUI79vXWy", "req_0123456789abcdef", "1234567890123", "2026-11-02T09:00:00Z",
		"POST /webhooks/stripe", "GET /l/{token}", "took 1.5s at 10:30", "http://127.0.0.1:8080/pay",
	} {
		if got := scrub(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestNobodyForgesALine(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		newLogger(&out, format, slog.LevelInfo).Info("request refused\r\nlevel=ERROR msg=forged", "why", "x\r\n{\"level\":\"ERROR\"}\u2028\x1b[31m", "key\nforged", "v")
		if n := strings.Count(strings.TrimSuffix(out.String(), "\n"), "\n"); n != 0 || strings.ContainsAny(out.String(), "\r\x1b") {
			t.Errorf("%s: %q", format, &out)
		}
	}
}

func TestTheLogSpeaksUTC(t *testing.T) {
	zone := time.Local
	t.Cleanup(func() { time.Local = zone })
	time.Local = time.FixedZone("far", 5*3600)
	var out bytes.Buffer
	newLogger(&out, "json", slog.LevelInfo).Info("x", "request", "req_1")
	var line struct{ Time, Request string }
	err := json.Unmarshal(out.Bytes(), &line)
	if err != nil || !strings.HasSuffix(line.Time, "Z") || line.Request != "req_1" {
		t.Errorf("%s: %v", &out, err)
	}
}
