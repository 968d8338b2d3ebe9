package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/intake"
	"sollecito/internal/link"
	"sollecito/internal/staff"
)

var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// expect checks a finding: its result, what it says, and that whatever is to be mended has a mend.
func expect(t *testing.T, f Finding, result Result, says string) {
	t.Helper()
	if f.Result != result || !strings.Contains(f.Says, says) {
		t.Errorf("%s: %q, want %s with %q", f.Result, f.Says, result, says)
	}
	if (f.Result == Warn || f.Result == Fail) && f.Mend == "" {
		t.Errorf("%q has no mend", f.Says)
	}
	if f.Result == OK && f.Mend != "" {
		t.Errorf("%q is well and yet mended by %q", f.Says, f.Mend)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	expect(t, clock(now, now.Add(20*time.Second)), OK, "within 20 seconds")
	expect(t, clock(now, now.Add(31*time.Second)), Warn, "31s ahead of Stripe")
	expect(t, clock(now, now.Add(-301*time.Second)), Fail, "5m1s behind Stripe")
	expect(t, clock(time.Time{}, now), Skipped, "no time to compare")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	expect(t, kind("rk_live_1", true), OK, "restricted key in live mode")
	expect(t, kind("sk_live_1", true), Warn, "may do everything")
	expect(t, kind("sk_test_1", false), OK, "test mode")
	for _, need := range gateway.Needs {
		want := Warn
		if need.Vital {
			want = Fail
		}
		expect(t, permission(need), want, need.Resource+": "+need.Level)
	}
	for _, c := range []struct {
		key, account string
		same         bool
	}{
		{"pk_test_51AbcdefghijkLM", "acct_1AbcdefghijkLM", true},
		{"pk_test_51XbcdefghijkLM", "acct_1AbcdefghijkLM", false},
		{"pk_test_old", "acct_1AbcdefghijkLM", true},
		{"pk_test_51AbcdefghijkLM", "", true},
	} {
		if sameAccount(c.key, c.account) != c.same {
			t.Errorf("%s and %s", c.key, c.account)
		}
	}
	r := account(gateway.Business{ID: "acct_1", Name: "Lumen"})
	expect(t, r[0], Fail, "may not charge yet")
}

func TestWebhookEndpoints(t *testing.T) {
	t.Parallel()
	const ours = "https://pay.example.com/webhooks/stripe"
	good := gateway.Endpoint{ID: "we_1", URL: ours, Enabled: true, Version: gateway.APIVersion}
	with := func(change func(*gateway.Endpoint)) gateway.Endpoint { e := good; change(&e); return e }
	for _, c := range []struct {
		name   string
		all    []gateway.Endpoint
		result Result
		says   string
	}{
		{"good", []gateway.Endpoint{{URL: "https://other.example/hook", Enabled: true}, good}, OK, "we_1 is enabled"},
		{"none", nil, Fail, "no endpoint"},
		{"disabled", []gateway.Endpoint{with(func(e *gateway.Endpoint) { e.Enabled = false })}, Fail, "disabled"},
		{"version", []gateway.Endpoint{with(func(e *gateway.Endpoint) { e.Version = "" })}, Warn, "the account's default version"},
		{"decisive", []gateway.Endpoint{with(func(e *gateway.Endpoint) { e.Missing = []string{"invoice.paid"} })}, Fail, "not close"},
		{"lesser", []gateway.Endpoint{with(func(e *gateway.Endpoint) { e.Missing = []string{"mandate.updated"} })}, Warn, "mandate.updated"},
		{"twice", []gateway.Endpoint{good, good}, Warn, "2 endpoints"},
	} {
		expect(t, webhook(c.all, ours)[0], c.result, c.says)
	}
	expect(t, webhook(nil, "http://127.0.0.1:8080/webhooks/stripe")[0], Warn, "could not reach this machine")
	for _, name := range decisive {
		if !strings.Contains(fmt.Sprint(gateway.ListenTo), name) {
			t.Errorf("%s is no event we listen to", name)
		}
	}
}

func TestWhoCalls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		a      link.Arrival
		result Result
		says   string
	}{
		{"direct", link.Arrival{Peer: "198.51.100.4", Client: "198.51.100.4", Forwarded: stranger}, OK, "nobody stands between"},
		{"proxy that tells, trusted", link.Arrival{Peer: "127.0.0.1", Client: "198.51.100.4", Forwarded: stranger + ", 198.51.100.4"}, OK, "as 198.51.100.4"},
		{"proxy that replaces, trusted", link.Arrival{Peer: "127.0.0.1", Client: "198.51.100.4", Forwarded: "198.51.100.4"}, OK, "as 198.51.100.4"},
		{"proxy that tells, not trusted", link.Arrival{Peer: "10.0.0.3", Client: "10.0.0.3", Forwarded: "198.51.100.4"}, Warn, "a proxy that is not trusted"},
		{"proxy that tells nothing", link.Arrival{Peer: "127.0.0.1", Client: "127.0.0.1"}, Warn, "does not tell who calls"},
		{"proxy that passes on, not trusted", link.Arrival{Peer: "127.0.0.1", Client: "127.0.0.1", Forwarded: stranger}, Warn, "does not tell who calls"},
		{"proxy that passes on, trusted", link.Arrival{Peer: "127.0.0.1", Client: stranger, Forwarded: stranger}, Fail, "strangers choose"},
		{"doctor beside the proxy", link.Arrival{Peer: "127.0.0.1", Client: stranger, Forwarded: stranger + ", 127.0.0.1"}, OK, "came from a trusted address"},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, caller(c.a, false), c.result, c.says) })
	}
	everybody := link.Arrival{Peer: "10.0.0.3", Client: stranger, Forwarded: stranger + ", 198.51.100.4"}
	expect(t, caller(everybody, true), Fail, "names strangers too")
	for network, believes := range map[string]bool{"0.0.0.0/0": true, "10.0.0.0/8": false, "::/0": false} {
		d := &Doctor{Config: &config.Config{Proxies: []netip.Prefix{netip.MustParsePrefix(network)}}}
		if d.believes(stranger) != believes {
			t.Errorf("with %s strangers are believed: %t", network, !believes)
		}
	}
	if f := caller(link.Arrival{Peer: "10.0.0.3", Client: "10.0.0.3", Forwarded: "198.51.100.4"}, false); f.Mend != "SOLLECITO_TRUSTED_PROXIES=10.0.0.3" {
		t.Errorf("mend: %s", f.Mend)
	}
}

func TestCertificatesDisksAndShapes(t *testing.T) {
	t.Parallel()
	expect(t, certificate("https", "h", now.Add(60*24*time.Hour), now), OK, "60 more days")
	expect(t, certificate("https", "h", now.Add(13*24*time.Hour), now), Warn, "13 more days")
	expect(t, certificate("https", "h", now.Add(-25*time.Hour), now), Fail, "expired")
	expect(t, space(50<<20), Fail, "50 MiB")
	expect(t, space(500<<20), Warn, "500 MiB")
	expect(t, space(5<<30), OK, "5 GiB")
	expect(t, shape(1, 2), Fail, "needs 2")
	expect(t, shape(3, 2), Fail, "newer release")
	expect(t, shape(2, 2), OK, "this release's shape")
}

func TestWhatTheDataTells(t *testing.T) {
	t.Parallel()
	r := inside{demo: true, sending: dunning.Switch{Stopped: true, Since: now, By: "command"}, parked: 2, lastEvent: now.Add(-30 * time.Hour).Unix()}.findings(now)
	expect(t, r[0], Fail, "demo's made-up customers")
	expect(t, r[1], Warn, "stopped since 2026-11-02T09:00:00Z by command")
	expect(t, r[2], Warn, "2 events")
	expect(t, r[3], Warn, "30 hours ago")
	r = inside{}.findings(now)
	expect(t, r[1], Warn, "delivered nothing yet")
	expect(t, r[2], Warn, "never compared")
	r = inside{reconciled: intake.Reconciled{RanAt: now.Add(-61 * time.Minute).Unix(), Missed: 3, MissedAt: now.Add(-23 * time.Hour).Unix()}}.reconcile(now)
	expect(t, r[0], Warn, "61 minutes ago")
	expect(t, r[1], Warn, "did not deliver 3 events")
	r = inside{reconciled: intake.Reconciled{RanAt: now.Add(-16 * time.Minute).Unix(), Missed: 3, MissedAt: now.Add(-25 * time.Hour).Unix()}}.reconcile(now)
	expect(t, r[0], OK, "last compared with Stripe at 2026-11-02T08:44:00Z")
	if len(r) != 1 {
		t.Errorf("what was missed the day before yesterday is still told: %v", r)
	}
	r = inside{lastEvent: now.Add(-time.Minute).Unix(), waiting: 3}.findings(now)
	expect(t, r[1], OK, "3 wait")
	expect(t, people(nil), Warn, "nobody can enter")
	expect(t, people([]staff.Member{{Role: staff.Agent, Enrolled: true, Factor: true}, {Role: staff.Admin}, {Role: staff.Admin, Enrolled: true, Factor: true, Disabled: true}}), Warn, "is an admin")
	expect(t, people([]staff.Member{{Role: staff.Admin, Enrolled: true, Factor: true}}), OK, "1 may enter")
}

func TestSettingsThatAreAllowedAndSeldomMeant(t *testing.T) {
	t.Parallel()
	expect(t, testMode("*"), Warn, "customers' own addresses")
	expect(t, testMode("me@lumen.it"), OK, "me@lumen.it")
	expect(t, contact("0-24", "mon-sun", 0, 24), Warn, "at night too")
	expect(t, contact("9-10", "mon", 9, 10), Warn, "wait for days")
	expect(t, contact("9-18", "mon-fri", 9, 18), OK, "9-18")
	expect(t, collector(9, 18, "https://pay.example.com"), Warn, "not a certificate")
	expect(t, collector(0, 24, "https://pay.example.com"), Warn, "before 8 or after 21")
	expect(t, collector(9, 18, "http://127.0.0.1:8080"), Warn, "https")
	expect(t, embed(0, nil), OK, "off")
	expect(t, embed(1, nil), Warn, "no origin")
	expect(t, embed(0, []string{"https://app.lumen.it"}), Warn, "no secret")
	expect(t, embed(1, []string{"http://app.lumen.it"}), Warn, "without encryption")
	expect(t, embed(1, []string{"http://127.0.0.1:3000"}), OK, "1 origins")
}

func TestAReportEndsInItsWorst(t *testing.T) {
	t.Parallel()
	r := Report{ok("a", "x"), warn("b", "m", "y"), skipped("c", "z")}
	if r.Failed() || r.Summary() != "1 ok, 1 to look at, 0 failed, 1 skipped" {
		t.Errorf("%v %s", r.Failed(), r.Summary())
	}
	r = append(r, fail("d", "one\ntwo", "broken: %s", errors.New("why")))
	var text, asJSON strings.Builder
	err := errors.Join(r.Print(&text), r.PrintJSON(&asJSON))
	if err != nil || !r.Failed() {
		t.Fatal(err)
	}
	for _, want := range []string{" 4. fail    d              broken: why\n", "mend: one\n", "mend: two\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &text)
		}
	}
	if !strings.Contains(asJSON.String(), `"ok": false`) || !strings.Contains(asJSON.String(), `"mend": "one\ntwo"`) {
		t.Error(asJSON.String())
	}
}
