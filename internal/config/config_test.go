package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sollecito/internal/config"
)

// whole is a complete environment.
func whole() map[string]string {
	return map[string]string{
		"SOLLECITO_BASE_URL": "https://pay.example.com", "SOLLECITO_STRIPE_SECRET_KEY": "sk_test_1", "SOLLECITO_STRIPE_PUBLISHABLE_KEY": "pk_test_1",
		"SOLLECITO_STRIPE_WEBHOOK_SECRET": "whsec_1, whsec_2", "SOLLECITO_STRIPE_EMAILS": "off", "SOLLECITO_SMTP_URL": "smtp://u:hunter2@mail.example.com:587",
		"SOLLECITO_MAIL_FROM": "Lumen <billing@example.com>", "SOLLECITO_MERCHANT_NAME": "Lumen", "SOLLECITO_MERCHANT_ADDRESS": "Milano",
		"SOLLECITO_SUPPORT_EMAIL": "help@example.com", "SOLLECITO_SESSION_KEY": strings.Repeat("k", 32), "SOLLECITO_TEST_RECIPIENT": "*",
	}
}

func read(t *testing.T, env map[string]string) (*config.Config, error) {
	t.Helper()
	c, err := config.Read(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, nil)
	if err != nil {
		return c, err
	}
	return c, c.Check()
}

func TestACompleteEnvironmentIsTaken(t *testing.T) {
	t.Parallel()
	c, err := read(t, whole())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.WebhookSecrets) != 2 || c.WebhookSecrets[1].Reveal() != "whsec_2" || c.From.Address != "billing@example.com" || c.Live {
		t.Errorf("%+v", c)
	}
}

func TestEveryFaultIsOneLine(t *testing.T) {
	t.Parallel()
	_, err := read(t, map[string]string{})
	missing := strings.Split(err.Error(), "\n")
	if len(missing) != 11 {
		t.Errorf("%d lines for an empty environment:\n%v", len(missing), err)
	}
	tests := []struct{ name, value, says string }{
		{"BASE_URL", "http://pay.example.com", "https://"},
		{"BASE_URL", "https://pay.example.com/portal", "no path"},
		{"DATABASE_URL", "mysql://h/db", "sqlite:PATH"},
		{"DATABASE_URL", "sqlite::memory:", "name a file"},
		{"DATABASE_URL", "sqlite:file::memory:?cache=shared", "name a file"},
		{"MERCHANT_NAME", "Lumen\nBcc: x@example.com", "one line"},
		{"MERCHANT_NAME", "Lumen\u202eoidutS", "nobody sees"},
		{"MERCHANT_NAME", "Lu\u200cmen", "nobody sees"},
		{"MERCHANT_NAME", strings.Repeat("L", 101), "at most 100"},
		{"STRIPE_WEBHOOK_SECRET", "whsec_1,whsec_", "its beginning"},
		{"STRIPE_WEBHOOK_SECRET", "whsec_1,we_1SandboxEndpoint", "begins with whsec_"},
		{"STRIPE_API_URL", "http://127.0.0.1:12111/v1/", "must not end with /v1"},
		{"STRIPE_SECRET_KEY", "sk_live_1", "another mode"},
		{"STRIPE_SECRET_KEY", "nonsense", "sk_ or rk_"},
		{"STRIPE_EMAILS", "maybe", "on or off"},
		{"SMTP_URL", "http://mail", "SMTP_URL"},
		{"ERASED_YEARS", "-1", "from 0 to 100"},
		{"ERASED_YEARS", "ever", "from 0 to 100"},
		{"MAIL_FROM", "nobody", "must be an address"},
		{"MAIL_FROM", `Lumen <"a b"@example.com>`, "without quotation marks before its @"},
		{"SUPPORT_EMAIL", `"help"@example.com`, "without quotation marks"},
		{"SUPPORT_EMAIL", "Lumen <help@example.com>", "plain address"},
		{"SESSION_KEY", "short", "32 characters"},
		{"EMBED_SECRET", "short", "32 characters"},
		{"EMBED_ORIGINS", "app.example.com", "not an origin"},
		{"DEFAULT_ZONE", "Mars/Olympus", "tz database"},
		{"CONTACT_HOURS", "18-9", "FROM-TO"},
		{"CONTACT_DAYS", "caturday", "mon-fri"},
		{"CONTACT_CAP", "8", "from 1 to 7"},
		{"CONTACT_CAP", "0", "from 1 to 7"},
		{"CONTACT_HOLIDAYS", "maybe", "on or off"},
		{"COLLECTOR_MODE", "yes", "on or off"},
		{"REGULATED_CREDIT", "yes", "on or off"},
		{"TRUSTED_PROXIES", "everyone", "network"},
		{"LOG_FORMAT", "xml", "text or json"},
		{"LISTEN", "8080", "HOST:PORT"},
		{"TEST_RECIPIENT", "", "TEST_RECIPIENT"},
		{"STRIPE_API_URL", "not an address", "must be an address"},
		{"STRIPE_API_URL", "http://a;script-src", "letters, digits"},
		{"STRIPE_JS_URL", "https://*.example.com/v3/", "letters, digits"},
		{"STRIPE_SECRET_KEY", "sk_old1", "another mode"},
		{"BASE_URL", "https://pay.example.com//", "no path"},
		{"BASE_URL", "https://pay.example.com/#", "fragment"},
		{"BASE_URL", "https://pay.example.com?", "query"},
		{"BASE_URL", "https://:443", "must be an address"},
		{"LISTEN", "127.0.0.1:http", "0 to 65535"},
		{"LISTEN", "127.0.0.1:65536", "0 to 65535"},
		{"LISTEN", "127.0.0.1:", "0 to 65535"},
		{"METRICS_LISTEN", "9090", "HOST:PORT"},
		{"METRICS_LISTEN", "127.0.0.1:8080", "another address"},
		{"DEFAULT_LANGUAGE", "tlh", "one of "},
		{"DEFAULT_LANGUAGE", "italian", "one of "},
		{"EMBED_ORIGINS", "https://u@app.example.com", "not an origin"},
		{"EMBED_ORIGINS", "https://app.example.com/#", "not an origin"},
		{"LATE_INTEREST", "yes", "on or off"},
		{"INTEREST_RATES", "/nowhere/rates.yaml", "cannot be read"},
		{"INTEREST_RATES", "testdata/rates.yaml", "testdata/rates.yaml, line 4: IT, 2026-01-01: \"10,15\" is no rate"},
		{"DKIM_SELECTOR", "s2026", "SOLLECITO_DKIM_KEY: is missing"},
		{"DKIM_KEY", "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----", "SOLLECITO_DKIM_SELECTOR: is missing"},
		{"BRAND_COLOR", "teal", "as #14566b"},
		{"BRAND_NIGHT_PAPER", "#12", "as #14566b"},
		{"BRAND_LOGO", "/nowhere/logo.png", "cannot be read"},
		{"BRAND_LOGO", "../../static/favicon.svg", "must be a PNG"},
		{"INBOUND_ADDRESS", "mail@in.example.com", "{token}"},
		{"INBOUND_ADDRESS", "mail+{token}@in.example.com", "INBOUND_LISTEN"},
		{"INBOUND_LISTEN", "127.0.0.1:2525", "is missing"},
		{"INBOUND_IMAP_URL", "imaps://u:secret@h/INBOX", "is missing"},
		{"INBOUND_TLS_CERT", "cert.pem", "belong together"},
	}
	for _, tt := range tests {
		env := whole()
		env["SOLLECITO_"+tt.name] = tt.value
		_, err := read(t, env)
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s=%q: %v", tt.name, tt.value, err)
		}
	}
}

func TestSettingsThatAreNoneAreNamed(t *testing.T) {
	t.Parallel()
	got := config.Unknown([]string{
		"SOLLECITO_CONTACT_HOUR=9-18", "SOLLECITO_CONTACT_HOURS=9-18", "SOLLECITO_SESSION_KEY_FILE=/run/key", "SOLLECITO_BASEURL=https://pay.example.com",
		"SOLLECITO_TEST_REQUIRE=chromium", "HOME=/root", "SOLLECITO=1",
	})
	if strings.Join(got, " ") != "SOLLECITO_BASEURL SOLLECITO_CONTACT_HOUR" {
		t.Errorf("%q", got)
	}
}

func TestMailComesInWhereItIsSaid(t *testing.T) {
	t.Parallel()
	env := whole()
	env["SOLLECITO_INBOUND_ADDRESS"], env["SOLLECITO_INBOUND_IMAP_URL"] = "pay+{token}@example.com", "imaps://pay%40example.com:hush@imap.example.com"
	c, err := read(t, env)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Inbound.On() || c.Inbound.Domain() != "example.com" || c.Mailbox.Address != "imap.example.com:993" || c.Mailbox.Folder != "INBOX" {
		t.Errorf("%+v", c.Mailbox)
	}
	var shown strings.Builder
	err = c.Print(&shown)
	if err != nil || strings.Contains(shown.String(), "hush") {
		t.Errorf("printed: %v\n%s", err, shown.String())
	}
}

func TestALiveKeyGoesToStripeAlone(t *testing.T) {
	t.Parallel()
	env := whole()
	env["SOLLECITO_STRIPE_SECRET_KEY"], env["SOLLECITO_STRIPE_PUBLISHABLE_KEY"] = "rk_live_1", "pk_live_1"
	delete(env, "SOLLECITO_TEST_RECIPIENT")
	_, err := read(t, env)
	if err != nil {
		t.Fatal(err)
	}
	env["SOLLECITO_STRIPE_API_URL"], env["SOLLECITO_STRIPE_JS_URL"] = "http://127.0.0.1:12111", "http://127.0.0.1:12111/v3/"
	_, err = read(t, env)
	if err == nil || strings.Count(err.Error(), "live key") != 2 {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	env := whole()
	file := filepath.Join(t.TempDir(), "key")
	err := os.WriteFile(file, []byte(strings.Repeat("f", 40)+"\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	delete(env, "SOLLECITO_SESSION_KEY")
	env["SOLLECITO_SESSION_KEY_FILE"] = file
	c, err := read(t, env)
	if err != nil {
		t.Fatal(err)
	}
	if c.SessionKey.Reveal() != strings.Repeat("f", 40) {
		t.Error("the secret was not read from its file")
	}
	var out bytes.Buffer
	err = c.Print(&out)
	if err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("config", "key", c.StripeKey, "all", c.WebhookSecrets)
	slog.New(slog.NewTextHandler(&out, nil)).Info("config", "key", c.StripeKey, "all", c.WebhookSecrets)
	fmt.Fprintf(&out, "%v %+v %#v %s", c, *c, c, c.Server)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%10.3s"} {
		fmt.Fprintf(&out, verb+"\n", c.StripeKey)
		fmt.Fprintf(&out, verb+"\n", c.WebhookSecrets)
		fmt.Fprintf(&out, verb+"\n", struct{ Key *config.Secret }{&c.StripeKey})
	}
	c.DatabaseURL = "postgres://u:hunter2@db.example.com/sollecito"
	err = c.Print(&out)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.NewEncoder(&out).Encode(c)
	for _, secret := range []string{"sk_test_1", "whsec_", "hunter2", "ffffff"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is printed", secret)
		}
	}
}

func TestTheTableNamesEverySetting(t *testing.T) {
	t.Parallel()
	var table bytes.Buffer
	err := config.Table(&table)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LISTEN", "BASE_URL", "DATABASE_URL", "STRIPE_SECRET_KEY", "SMTP_URL", "CONTACT_HOURS", "TRUSTED_PROXIES", "METRICS_LISTEN"} {
		if !strings.Contains(table.String(), "`SOLLECITO_"+name+"`") {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestOriginsAreThoseThatBrowsersSend(t *testing.T) {
	t.Parallel()
	env := whole()
	env["SOLLECITO_EMBED_ORIGINS"] = "https://App.Example.com:443/, http://localhost:80, https://app.example.com:8443, http://[::1]:443"
	env["SOLLECITO_DEFAULT_LANGUAGE"] = "IT"
	c, err := read(t, env)
	if err != nil {
		t.Fatal(err)
	}
	want := "https://app.example.com http://localhost https://app.example.com:8443 http://[::1]:443"
	if strings.Join(c.EmbedOrigins, " ") != want || c.DefaultLang != "it" {
		t.Errorf("origins %q, language %q", c.EmbedOrigins, c.DefaultLang)
	}
}

func TestAPasswordInAnAddressIsNotEchoed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"BASE_URL", "HOME_URL", "STRIPE_API_URL", "STRIPE_JS_URL", "EMBED_ORIGINS"} {
		for _, address := range []string{"https://u:hunter2@h;x/path", "https://u:hunter2@h:port", "u:hunter2@h", "ftp://u:hunter2@h", "//u:hunter2@h", "https:/u:hunter2@h"} {
			env := whole()
			env["SOLLECITO_"+name] = address
			c, err := read(t, env)
			var out bytes.Buffer
			printed := c.Print(&out)
			if printed != nil {
				t.Fatal(printed)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") || strings.Contains(out.String(), "hunter2") {
				t.Errorf("%s=%s: %v", name, address, err)
			}
		}
	}
}

// The documented table is made from the struct that is read, and no document speaks of a setting there is not.
func TestTheDocumentsKnowTheSettings(t *testing.T) {
	t.Parallel()
	var table bytes.Buffer
	err := config.Table(&table)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(written), table.String()) {
		t.Error("docs/settings.md is not today's: paste what `sollecito config --table` prints")
	}
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(documents, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`SOLLECITO_[A-Z_]+[A-Z]`).FindAllString(string(text), -1) {
			known := strings.Contains(table.String(), "`"+strings.TrimSuffix(name, "_FILE")+"`") || strings.HasPrefix(name, "SOLLECITO_TEST_") && name != "SOLLECITO_TEST_RECIPIENT" || name == "SOLLECITO_NAME"
			if !known {
				t.Errorf("%s speaks of %s, which there is not", filepath.Base(path), name)
			}
		}
	}
}

// A key that cannot sign stops the start with one line, which shows nothing of the key.
func TestABadSigningKeyStopsTheStart(t *testing.T) {
	t.Parallel()
	env := whole()
	env["SOLLECITO_DKIM_SELECTOR"], env["SOLLECITO_DKIM_KEY"] = "s2026", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----"
	c, err := read(t, env)
	if err == nil || !strings.HasPrefix(err.Error(), "SOLLECITO_DKIM_KEY: no mail can be signed: the key cannot be read") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("%v", err)
	}
	if strings.Contains(err.Error(), "c2Vj") || strings.Contains(fmt.Sprint(c), "c2Vj") {
		t.Error("the key is shown")
	}
}

// Regulated credit narrows what else is set, and stays silent about it; where nothing is left, the start is refused.
func TestRegulatedCreditNarrowsTheContactPolicy(t *testing.T) {
	env := whole()
	env["SOLLECITO_REGULATED_CREDIT"] = "on"
	env["SOLLECITO_CONTACT_HOURS"], env["SOLLECITO_CONTACT_DAYS"] = "0-24", "mon-sun"
	env["SOLLECITO_CONTACT_CAP"], env["SOLLECITO_CONTACT_HOLIDAYS"] = "7", "off"
	c, err := read(t, env)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Policy
	if p.From != 8 || p.To != 20 || p.Days[time.Sunday] || !p.Days[time.Saturday] || p.Cap != 2 || p.Gap != 48*time.Hour || p.Almanac == nil {
		t.Errorf("%+v", p)
	}
	env["SOLLECITO_CONTACT_HOURS"] = "20-24"
	_, err = read(t, env)
	if err == nil || !strings.Contains(err.Error(), "SOLLECITO_REGULATED_CREDIT") || !strings.Contains(err.Error(), "within 8-20") {
		t.Error(err)
	}
}
