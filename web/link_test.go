package web

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sollecito/internal/link"
)

// issue makes a link to a customer's pages.
func (h *house) issue(customer string) string {
	h.t.Helper()
	var token string
	h.do(func(tx *sql.Tx) (err error) {
		token, err = link.Issue(h.t.Context(), tx, link.Link{CustomerID: customer, Language: "en", IssuedAt: h.clock().Unix()})
		return err
	})
	return token
}

// An address copied out of a sentence opens the same pages; a token that lacks a letter or has one more does not.
func TestACopiedLinkOpens(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	token := h.issue("cus_1")
	for _, end := range []string{"", ".", ",", ")", "%3E", "%22", "%20", "%E2%80%9D", "/", ").", "?utm_source=mail", ".?to=choices", "?utm_campaign=%E9t%E9&x=%00"} {
		to := "/pay"
		if strings.Contains(end, "choices") {
			to = "/pay/choices"
		}
		h.visitor().ask("GET", "/l/"+token+end, nil).leadsTo(t, to)
	}
	for _, path := range []string{token[1:], token[:42], token + "a", token + "=", "(" + token, token + "/a", token + "//"} {
		a := h.visitor().ask("GET", "/l/"+path, nil)
		if a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusTemporaryRedirect || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}

// A place that guesses links is told to wait, and learns no more than before; a good link works there all the same, and
// another place is not concerned. Whose place it is is not said by a header of the guesser's own.
func TestLinksAreNotGuessed(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	token := h.issue("cus_1")
	guess := func(n int, from string) (int, string, string) {
		a := h.visitor().ask("GET", fmt.Sprintf("/l/%043d", n), nil, "X-Forwarded-For", from)
		return a.StatusCode, a.Header.Get("Retry-After"), words(a.document(t).Find("main"))
	}
	said := ""
	for n := range mostBadLinks {
		code, wait, page := guess(n, "192.0.2.7")
		if code != http.StatusNotFound || wait != "" {
			t.Fatalf("guess %d: %d", n, code)
		}
		said = page
	}
	code, wait, page := guess(mostBadLinks, "198.51.100.1, 192.0.2.7")
	if code != http.StatusTooManyRequests || wait == "" || page != said {
		t.Errorf("one guess more: %d, after %q: %s", code, wait, page)
	}
	h.visitor().ask("GET", "/l/"+token, nil, "X-Forwarded-For", "192.0.2.7").leadsTo(t, "/pay")
	for from, want := range map[string]int{
		"192.0.2.8": http.StatusNotFound, "192.0.2.8:4711": http.StatusNotFound, "[2001:db8::8]:4711": http.StatusNotFound,
		"192.0.2.7:4711": http.StatusTooManyRequests, "192.0.2.8, 192.0.2.7:4712": http.StatusTooManyRequests, // some proxies write ports
	} {
		if code, _, _ := guess(1, from); code != want {
			t.Errorf("from %s: %d, want %d", from, code, want)
		}
	}
	h.later(badLinksWithin)
	if code, _, _ := guess(1, "192.0.2.7"); code != http.StatusNotFound {
		t.Errorf("later: %d", code)
	}
}

// A session rests after half an hour, ends after a day however busy, and on Close at once; its cookie is the browser's
// alone, and new with each link.
func TestASessionEnds(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	token := h.issue("cus_1")
	reader := h.visitor()
	opened := reader.get("/l/" + token)
	cookie := opened.Header.Get("Set-Cookie")
	for _, want := range []string{"sollecito=", "Path=/", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) || strings.Contains(cookie, token) || len(cookie) > 4096 {
			t.Errorf("the cookie: %q", cookie)
		}
	}
	before := h.visitor()
	first := before.get("/l/" + token).Header.Get("Set-Cookie")
	if second := before.get("/l/" + token).Header.Get("Set-Cookie"); second == first {
		t.Error("a second opening goes on with the first one's session")
	}
	h.later(29 * time.Minute)
	reader.page("/pay/support")
	h.later(31 * time.Minute)
	if a := reader.get("/pay/support"); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("after half an hour's rest: %d", a.StatusCode)
	}
	reader.get("/l/" + token)
	for range 47 {
		h.later(30*time.Minute - time.Second)
		reader.page("/pay/support")
	}
	h.later(29 * time.Minute)
	reader.page("/pay/support")
	h.later(3 * time.Minute)
	if a := reader.get("/pay/support"); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("after a day: %d", a.StatusCode)
	}
	reader.get("/l/" + token)
	left := reader.post("/pay/leave")
	if !strings.Contains(left.Header.Get("Clear-Site-Data"), "storage") {
		t.Errorf("leaving clears %q", left.Header.Get("Clear-Site-Data"))
	}
	if a := reader.get("/pay"); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("after leaving: %d", a.StatusCode)
	}
	var living int
	h.do(func(tx *sql.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM customer_sessions WHERE ended_at = 0 AND seen_at > $1 AND created_at > $2`,
			h.clock().Add(-30*time.Minute).Unix(), h.clock().Add(-24*time.Hour).Unix()).Scan(&living)
	})
	if living != 0 {
		t.Errorf("%d sessions live on the server after leaving", living)
	}
}

// Over TLS the cookie is a __Host- one, by the configured address and whatever the headers say.
func TestTheCookieFollowsTheConfiguredAddress(t *testing.T) {
	for base, want := range map[string]string{"https://pay.lumen.example": "__Host-sollecito=", "http://pay.lumen.example": "sollecito="} {
		h := newHouse(t, func(o *Options) {
			o.Addresses = link.NewAddresses(base)
			o.Sessions = link.NewStore(o.DB, o.Addresses, strings.Repeat("k", 32), o.Real)
		})
		h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
		a := h.visitor().ask("GET", "/l/"+h.issue("cus_1"), nil, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example;proto=https")
		cookie := a.Header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, want) || strings.Contains(cookie, "Secure") != strings.HasPrefix(base, "https") || strings.Contains(cookie, "Domain") {
			t.Errorf("%s: %q", base, cookie)
		}
		if to := a.Header.Get("Location"); to != "/pay" {
			t.Errorf("%s leads to %q", base, to)
		}
	}
}

// Whatever a request says of where it went, what we print is the configured address.
func TestNoAddressComesFromARequest(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "expired_card")
	reader := h.visitor()
	reader.get("/l/" + h.issue("cus_1"))
	for _, path := range []string{"/pay/card", "/pay/support", "/pay/link", "/pay/genuine", "/l/unknown"} {
		req, err := http.NewRequest("GET", h.site.URL+path, nil)
		must(t, err)
		req.Host = "evil.example"
		for _, name := range []string{"X-Forwarded-Host", "X-Original-Host", "X-Host"} {
			req.Header.Set(name, "evil.example")
		}
		resp, err := reader.Do(req)
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		must(t, errors.Join(err, resp.Body.Close()))
		html := string(body)
		if strings.Contains(html, "evil.example") || strings.Contains(resp.Header.Get("Location"), "evil.example") {
			t.Errorf("%s tells of evil.example", path)
		}
	}
}

// A link's preview says who and that it is about billing, and no more.
func TestAPreviewTellsNothing(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	reader := h.visitor()
	reader.get("/l/" + h.issue("cus_1"))
	for _, path := range []string{"/pay/support", "/pay/link"} {
		d := reader.page(path)
		title, about := d.Find("meta[property='og:title']").AttrOr("content", ""), d.Find("meta[property='og:description']").AttrOr("content", "")
		if title != "Lumen Studio: billing" || about != "A private page about your plan." {
			t.Errorf("%s: %q, %q", path, title, about)
		}
	}
}

// The banner's link is not spent by whoever fetches it, but by the first press; the page it opened stays open.
func TestTheBannersLinkIsSpentByAPress(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	var token string
	h.do(func(tx *sql.Tx) (err error) {
		token, err = link.Issue(t.Context(), tx, link.Link{CustomerID: "cus_1", Language: "en", IssuedAt: h.clock().Unix(), ExpiresAt: h.clock().Add(10 * time.Minute).Unix()})
		return err
	})
	h.visitor().get("/l/"+token).leadsTo(t, "/pay")
	reader := h.visitor()
	reader.get("/l/"+token).leadsTo(t, "/pay")
	reader.post("/pay/language", "lang", "it", "back", "/pay/support").leadsTo(t, "/pay/support")
	if a := h.visitor().get("/l/" + token); a.StatusCode != http.StatusNotFound {
		t.Errorf("after a press it answers %d", a.StatusCode)
	}
	h.later(11 * time.Minute)
	reader.page("/pay/support")
}

// A form of ours leads nowhere else, whatever it carries.
func TestFormsLeadNowhereElse(t *testing.T) {
	h := newHouse(t)
	for _, back := range []string{"//evil.example", "https://evil.example/pay", `/\evil.example`, "javascript:alert(1)", "/pay/../../evil.example", "", "evil.example", "/%2e%2e//evil.example"} {
		h.visitor().post("/pay/language", "lang", "it", "back", back).leadsTo(t, "/pay")
	}
	h.visitor().post("/pay/language", "lang", "it", "back", "/pay/link?x=1").leadsTo(t, "/pay/link?x=1")
}
