package portal_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/config"
)

// everyRoute reads the routes out of web's own sources, so that none can be forgotten here.
func everyRoute(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../web/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	pattern := regexp.MustCompile(`"((?:GET|POST|PUT|PATCH|DELETE) /[^"]*)"`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range pattern.FindAllStringSubmatch(string(source), -1) {
			all = append(all, found[1])
		}
	}
	return append(all, "GET /brand/logo.png", "GET /embed/v1/state", "OPTIONS /embed/v1/state", "POST /embed/v1/link", "POST /embed/v1/events", "GET /nowhere", "DELETE /pay", "TRACE /pay")
}

var nonce = regexp.MustCompile(`'nonce-[A-Za-z0-9+/]{22}'`)

// The headers of every answer, whoever asks and however it turns out. Where an answer differs it is named below.
func TestEveryRouteHasItsHeaders(t *testing.T) {
	t.Parallel()
	const (
		plain = "default-src 'none'; script-src 'self' 'nonce-N'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
		pays  = "default-src 'none'; script-src 'self' 'nonce-N'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self' https://invoice.stripe.com https://pay.stripe.com https://payments.stripe.com; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
	)
	h := open(t, func(c *config.Config) {
		c.BaseURL, c.StripeAPI, c.StripeJS = "https://pay.lumen.example", "https://api.stripe.com", "https://js.stripe.com/v3/"
	})
	routes := everyRoute(t)
	if len(routes) < 100 {
		t.Fatalf("only %d routes were found", len(routes))
	}
	nonces := map[string]bool{}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		path = strings.ReplaceAll(regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "x"), "{$}", "")
		want := map[string]string{
			"Content-Security-Policy": plain, "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()", "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
			"Cross-Origin-Embedder-Policy": "", "Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "", "Server": "", "X-Powered-By": "",
		}
		switch {
		case path == "/pay" || strings.HasPrefix(path, "/pay/"):
			want["Content-Security-Policy"] = pays
		case path == "/embed/v1.js":
			want["Cache-Control"], want["Cross-Origin-Resource-Policy"] = "public, max-age=300", "cross-origin"
		case strings.HasPrefix(path, "/embed/v1/") && method != "OPTIONS":
			want["Cache-Control"] = "private, no-cache"
		}
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Origin", "https://evil.example")
		if method == "GET" {
			r.Header.Del("Origin")
		}
		r.Header.Set("X-Forwarded-Proto", "http") // nobody we know says so
		w := httptest.NewRecorder()
		h.portal.Web.ServeHTTP(w, r)
		if w.Code == http.StatusOK && (method == "TRACE" || method == "DELETE") || w.Code >= 500 && path != "/readyz" {
			t.Errorf("%s answers %d", route, w.Code)
		}
		for name, value := range want {
			got := nonce.ReplaceAllString(w.Header().Get(name), "'nonce-N'")
			if got != value {
				t.Errorf("%s (%d): %s is\n\t%q, want\n\t%q", route, w.Code, name, got, value)
			}
		}
		one := nonce.FindString(w.Header().Get("Content-Security-Policy"))
		if one == "" || nonces[one] {
			t.Errorf("%s: the nonce %q is none of its own", route, one)
		}
		nonces[one] = true
		kind := w.Header().Get("Content-Type")
		if w.Body.Len() > 0 && kind != "image/png" && kind != "image/svg+xml" && !strings.HasSuffix(kind, "; charset=utf-8") && !strings.HasPrefix(kind, "application/") {
			t.Errorf("%s: %d bytes of %q", route, w.Body.Len(), kind)
		}
	}
}

// Pages with Stripe's fields open just as far as Stripe's own documents ask, and no others do.
func TestOnlyPagesWithStripesFieldsOpenToStripe(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *config.Config) { c.StripeJS = "https://js.stripe.com/v3/" })
	customer := h.customer("Maison Okafor", "compta@okafor.example", "FR", "pm_card_visa")
	h.fail(customer, "authentication_required")
	link := linkIn(t, h.mailsTo("compta@okafor.example")[0])
	first, err := http.DefaultTransport.RoundTrip(httptest.NewRequest(http.MethodGet, link, nil))
	if err != nil {
		t.Fatal(err)
	}
	first.Body.Close()
	if first.StatusCode != http.StatusSeeOther || first.Header.Get("Referrer-Policy") != "no-referrer" || first.Header.Get("Location") != "/pay" {
		t.Errorf("the link's own address is a key, and is handed on: %d %v", first.StatusCode, first.Header)
	}
	b := h.browser().get(link).at("/pay", http.StatusOK)
	const (
		policy = "default-src 'none'; script-src 'self' 'nonce-N' https://js.stripe.com https://*.js.stripe.com; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self' API https://js.stripe.com; frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com; form-action 'self' API; " +
			"base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
		permissions = `camera=(), microphone=(), geolocation=(), usb=(), payment=(self "https://js.stripe.com" "https://hooks.stripe.com"), publickey-credentials-get=(self "https://js.stripe.com" "https://hooks.stripe.com")`
	)
	inventory, err := os.ReadFile("../../docs/scripts.md")
	if err != nil {
		t.Fatal(err)
	}
	guests, _, _, _, payer, _ := handedOn(t, func(c *config.Config) { c.StripeJS = "https://js.stripe.com/v3/" })
	for path, page := range map[string]struct {
		*house
		*browser
	}{"/pay/card": {h, b}, "/pay/approve": {h, b}, "/pay/invoice": {guests, payer}} {
		h, b := page.house, page.browser
		if strings.Count(string(inventory), "`"+path+"`") != 2 {
			t.Errorf("docs/scripts.md does not name %s as a page with Stripe's script and policy", path)
		}
		b.get(path).at(path, http.StatusOK)
		got := strings.ReplaceAll(nonce.ReplaceAllString(b.header.Get("Content-Security-Policy"), "'nonce-N'"), h.api.URL, "API")
		if got != policy {
			t.Errorf("%s: the policy is\n\t%s, want\n\t%s", path, got, policy)
		}
		if got := b.header.Get("Permissions-Policy"); got != permissions {
			t.Errorf("%s: permissions are %s", path, got)
		}
		if b.header.Get("Cross-Origin-Opener-Policy") != "same-origin-allow-popups" || b.header.Get("Cross-Origin-Embedder-Policy") != "" {
			t.Errorf("%s: the bank's dialogue cannot open: %v", path, b.header)
		}
		if b.header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s asks for TLS where there is none", path)
		}
		script := b.page.Find(`script[src="https://js.stripe.com/v3/"]`)
		if script.Length() != 1 || !strings.Contains(b.header.Get("Content-Security-Policy"), "'nonce-"+script.AttrOr("nonce", "none")+"'") {
			t.Errorf("%s: Stripe's script is not there by the policy's nonce", path)
		}
		if b.page.Find("script:not([src]), [style], [onclick], [onload]").Length() > 0 {
			t.Errorf("%s has script or style in line", path)
		}
		b.page.Find("main input").Each(func(_ int, in *goquery.Selection) {
			if in.AttrOr("type", "text") != "hidden" {
				t.Errorf("%s has a field of ours beside Stripe's: %s", path, in.AttrOr("name", ""))
			}
		})
	}
	for _, path := range []string{"/pay", "/pay/support", "/pay/choices", "/pay/promise", "/pay/cancel", "/"} {
		policy := b.get(path).header.Get("Content-Security-Policy")
		if b.status != http.StatusOK || strings.Contains(policy, "stripe") || strings.Contains(policy, "frame-src") || b.page.Find(`script[src*="stripe"]`).Length() > 0 {
			t.Errorf("%s (%d) opens to Stripe: %s", path, b.status, policy)
		}
	}
	payer.post("/pay/invoice", guests.types(payer, "pm_card_mastercard")).at("/pay/invoice", http.StatusOK)
	if policy := payer.header.Get("Content-Security-Policy"); payer.page.Find("form[data-card]").Length() > 0 || strings.Contains(policy, "stripe") {
		t.Errorf("once it is paid the guest's page opens to Stripe: %s", policy)
	}
}
