package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sollecito/internal/databasetest"
)

// A secret is rolled while the program runs: both are taken while both stand in the file, and one that was taken out is
// refused from the hang-up on. Settings with a fault change nothing.
func TestAHangUpLetsTheWebhooksSecretsBeReadAgain(t *testing.T) {
	t.Parallel()
	box := begin(t, nil, "sandbox", "--listen", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "secrets")
	env := []string{"SOLLECITO_STRIPE_WEBHOOK_SECRET_FILE=" + file, "SOLLECITO_LISTEN=127.0.0.1:0", "SOLLECITO_DATABASE_URL=" + databasetest.URL(t)}
	for range 17 {
		line, ok := <-box.lines
		if !ok {
			t.Fatalf("sandbox ended: %s", box.stderr)
		}
		name, _, _ := strings.Cut(line, "=")
		if name != "SOLLECITO_STRIPE_WEBHOOK_SECRET" && name != "SOLLECITO_LISTEN" && name != "SOLLECITO_DATABASE_URL" {
			env = append(env, line)
		}
	}
	const before, after = "whsec_before_before_before_before", "whsec_after_after_after_after_after"
	write := func(secrets string) {
		t.Helper()
		err := os.WriteFile(file, []byte(secrets), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	write(before)
	serve := begin(t, env, "serve")
	address, stands := "", false
	for !stands {
		line, ok := <-serve.lines
		if !ok {
			t.Fatalf("serve ended: %s", serve.stderr)
		}
		address, stands = strings.CutPrefix(line, "Sollecito listens on ")
	}
	sent := 0
	answer := func(secret string) int {
		t.Helper()
		sent++
		body := fmt.Sprintf(`{"id":"evt_%d","object":"event","type":"invoice.paid","api_version":"2023-10-16","created":%d,"livemode":false,`+
			`"data":{"object":{"id":"in_unknown","object":"invoice"}}}`, sent, time.Now().Unix())
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d.%s", time.Now().Unix(), body)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/webhooks/stripe", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%x", time.Now().Unix(), mac.Sum(nil)))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	hangUp := func(secrets string) {
		t.Helper()
		write(secrets)
		err := serve.cmd.Process.Signal(syscall.SIGHUP)
		if err != nil {
			t.Fatal(err)
		}
	}
	until := func(secret string, status int) {
		t.Helper()
		got := 0
		for end := time.Now().Add(30 * time.Second); got != status; got = answer(secret) {
			if time.Now().After(end) {
				t.Fatalf("a webhook signed with %s is answered %d, not %d", secret, got, status)
			}
		}
	}
	expect := func(secret string, status int) {
		t.Helper()
		got := answer(secret)
		if got != status {
			t.Errorf("a webhook signed with %s is answered %d, not %d", secret, got, status)
		}
	}
	expect(before, http.StatusOK)
	expect(after, http.StatusBadRequest)

	hangUp(before + "," + after)
	until(after, http.StatusOK)
	expect(before, http.StatusOK)

	hangUp(after)
	until(before, http.StatusBadRequest)
	expect(after, http.StatusOK)

	hangUp("sk_test_this_is_no_webhook_secret")
	expect(after, http.StatusOK)
	hangUp(before + "," + after)
	until(before, http.StatusOK)
	expect(after, http.StatusOK)
}
