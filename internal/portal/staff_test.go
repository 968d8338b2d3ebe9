package portal_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sollecito/internal/staff"
)

// A colleague's whole way in over HTTP, with an app of their own, and the mails about their account over SMTP.
func TestAColleagueComesInByBothFactorsAndIsToldByMail(t *testing.T) {
	h := open(t)
	token, err := h.portal.Members.Add(t.Context(), "ines@lumen.example", "Ines Rossi", staff.Admin)
	if err != nil {
		t.Fatal(err)
	}
	const password = "violet trams hum at dawn"
	b := h.browser()
	b.post("/admin/enrol/"+token, url.Values{"password": {password}}).at("/admin/factor", 200)
	b.get("/admin/audit").at("/admin/factor", 200) // nothing but the way to the second factor
	secret := strings.ReplaceAll(b.text(".secret"), " ", "")
	code := func(ahead time.Duration) string {
		t.Helper()
		code, err := totp.GenerateCode(secret, time.Now().Add(ahead)) // the real clock's, whatever the business one says
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	b.post("/admin/factor", url.Values{"code": {code(-30 * time.Second)}}).at("/admin/factor/codes", 200)
	recovery := strings.Fields(b.page.Find(".codes li").First().Text())[0]
	b.get("/admin").at("/admin/factor/codes", 200) // not before they are kept
	b.post("/admin/factor/codes", url.Values{"kept": {"yes"}}).at("/admin", 200)

	other := h.browser()
	other.post("/admin/signin", url.Values{"email": {"ines@lumen.example"}, "password": {password}, "back": {"/admin/people"}}).at("/admin/signin/code", 200)
	other.post("/admin/signin/code", url.Values{"code": {recovery}, "back": {"/admin/people"}}).at("/admin/people", 200)

	h.settle()
	mails := h.mailsTo("ines@lumen.example")
	if len(mails) != 2 {
		t.Fatalf("%d mails, want one for the second factor and one for the new browser", len(mails))
	}
	seen := map[string]string{}
	for _, m := range mails {
		seen[m.Subject] = m.Text
		if strings.Contains(string(m.Raw), secret) || strings.Contains(string(m.Raw), recovery) {
			t.Error("a mail gives a secret away")
		}
	}
	for _, want := range []string{"Your second factor for Lumen Studio was set up or changed", "Sign-in to Lumen Studio from a new browser"} {
		if !strings.Contains(seen[want], "Hello Ines,") || !strings.Contains(seen[want], "From: 127.0.0.1") || !strings.Contains(seen[want], h.base+"/admin/account") {
			t.Errorf("%q says %q", want, seen[want])
		}
	}
	if log := h.log.String(); strings.Contains(log, secret) || strings.Contains(log, password) || strings.Contains(log, token) {
		t.Error("a secret stands in the log")
	}
	if !strings.Contains(h.log.String(), `msg="audit head" seq=`) {
		t.Error("the head of the audit log was not told")
	}
}
