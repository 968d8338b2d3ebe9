package portal_test

import (
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sollecito/internal/config"
)

// The merchant's colours and logo are on pages, in mails and in the banner, all from our own address.
func TestThePortalWearsTheMerchantsBrand(t *testing.T) {
	t.Parallel()
	logo := filepath.Join(t.TempDir(), "logo.png")
	file, err := os.Create(logo)
	if err != nil {
		t.Fatal(err)
	}
	err = png.Encode(file, image.NewNRGBA(image.Rect(0, 0, 320, 80))) // wide, and nothing but see-through
	if err != nil {
		t.Fatal(err)
	}
	err = file.Close()
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, func(c *config.Config) { c.BrandLogo, c.BrandColor, c.BrandPaper = logo, "#7a1fa2", "#fffaf5" })
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	mails := h.mailsTo("chiara@bellini.example")
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	letter := mails[0].HTML
	for _, has := range []string{`bgcolor="#7a1fa2"`, `bgcolor="#fffaf5"`, `src="` + h.base + `/brand/logo.png" width="144" height="36" alt="Lumen Studio"`, "background:#ffffff", "Via Tortona 31"} {
		if !strings.Contains(letter, has) {
			t.Errorf("the mail has no %q", has)
		}
	}
	if strings.Contains(letter, "#14566b") {
		t.Error("the mail wears our own colour")
	}

	b := h.browser().get(linkIn(t, mails[0])).at("/pay", http.StatusOK)
	picture := b.page.Find(".masthead img.plate")
	if picture.AttrOr("width", "") != "128" || picture.AttrOr("height", "") != "32" || picture.AttrOr("alt", "") != "Lumen Studio" || strings.TrimSpace(b.text(".masthead .mark")) != "" {
		html, _ := b.page.Find(".masthead").Html()
		t.Errorf("masthead: %s", html)
	}
	if b.page.Find("[style], style").Length() > 0 {
		t.Error("the page has inline styles, which its policy forbids")
	}
	for address, want := range map[string]struct{ has, kind, origin string }{
		picture.AttrOr("src", ""): {"\x89PNG", "image/png", "same-origin"},
		"/brand/logo.png":         {"\x89PNG", "image/png", "cross-origin"},
		b.page.Find("link[rel=stylesheet]").AttrOr("href", ""): {"--brand: #7a1fa2;", "text/css; charset=utf-8", "same-origin"},
		b.page.Find("link[rel=icon]").AttrOr("href", ""):       {`fill="#7a1fa2"`, "image/svg+xml", "same-origin"},
		"/embed/v1.js": {"light-dark(#7a1fa2, ", "text/javascript; charset=utf-8", "cross-origin"},
	} {
		status, header, body := h.fetch(address)
		if status != http.StatusOK || !strings.Contains(body, want.has) || header.Get("Content-Type") != want.kind || header.Get("Cross-Origin-Resource-Policy") != want.origin {
			t.Errorf("%s: %d %v, %.80q", address, status, header, body)
		}
	}
	for _, w := range h.config.Brand.Warnings() {
		t.Errorf("warned of: %s", w)
	}
}

// Without a brand the name's first letter is the sign, and no mail speaks of a picture.
func TestWithoutALogoTheNameStandsForItself(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.browser().get("/").at("/", http.StatusOK)
	if !strings.HasSuffix(b.page.Find(".masthead img").AttrOr("src", ""), ".svg") || b.text(".masthead .mark") != "Lumen Studio" {
		t.Errorf("masthead: %s", b.text(".masthead"))
	}
	status, _, _ := h.fetch("/brand/logo.png")
	if status != http.StatusNotFound {
		t.Errorf("/brand/logo.png answers %d", status)
	}
	status, _, sign := h.fetch(b.page.Find(".masthead img").AttrOr("src", ""))
	if status != http.StatusOK || !strings.Contains(sign, ">L</text>") {
		t.Errorf("the sign: %d %s", status, sign)
	}
}

// fetch asks for an address as a browser does for what belongs to a page.
func (h *house) fetch(path string) (status int, header http.Header, body string) {
	h.t.Helper()
	resp, err := http.Get(h.base + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(content)
}
