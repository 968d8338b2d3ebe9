package staff_test

import (
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
)

func TestConfirmingLastsFiveMinutes(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, token := h.complete(t, "ada@example.com", staff.Agent)
	fresh := func(want bool) {
		t.Helper()
		open, err := h.BySession(ctx, token)
		if err != nil || open.Fresh != want {
			t.Fatalf("fresh %v, %v, want %v", open.Fresh, err, want)
		}
	}
	h.later(5 * time.Minute)
	fresh(true)
	h.later(time.Second)
	fresh(false)
	_, err := h.NewCodes(ctx, token, desk)
	wantKind(t, err, fault.Conflict)
	_, err = h.StartFactor(ctx, token, "Lumen")
	wantKind(t, err, fault.Conflict)
	_, err = h.Confirm(ctx, token, "not the password at all", h.code(t, p), desk)
	wantKind(t, err, fault.Invalid)
	_, err = h.Confirm(ctx, token, passphrase, h.code(t, p), desk)
	wantKind(t, err, fault.TooMany)
	h.later(time.Second)
	_, err = h.Confirm(ctx, token, passphrase, "123456", desk)
	wantKind(t, err, fault.Invalid)
	h.later(time.Minute)
	entry, err := h.Confirm(ctx, token, passphrase, h.code(t, p), desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, token)
	wantKind(t, err, fault.SignedOut)
	token = entry.Token
	fresh(true)
}

func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, here := h.complete(t, "ada@example.com", staff.Agent)
	h.halfway(t, "ada@example.com", desk) // not in: not listed
	there, err := h.OpenSession(ctx, p.ID, staff.Caller{IP: "198.51.100.4", Agent: "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36"})
	if err != nil {
		t.Fatal(err)
	}
	third, err := h.OpenSession(ctx, p.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	q, _ := h.complete(t, "bob@example.com", staff.Agent)
	account, err := h.AccountOf(ctx, p.ID)
	if err != nil || len(account.Sessions) != 3 {
		t.Fatalf("%+v, %v", account, err)
	}
	open, err := h.BySession(ctx, there)
	if err != nil {
		t.Fatal(err)
	}
	// Nobody ends a colleague's session by its name.
	stranger, err := h.OpenSession(ctx, q.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	err = h.EndOwn(ctx, stranger, open.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, there)
	if err != nil {
		t.Errorf("a colleague ended the session: %v", err)
	}
	err = h.EndOwn(ctx, here, open.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, there)
	wantKind(t, err, fault.SignedOut)
	err = h.EndOwn(ctx, here, "", desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, third)
	wantKind(t, err, fault.SignedOut)
	_, err = h.BySession(ctx, here)
	if err != nil {
		t.Errorf("ending the others ended this one: %v", err)
	}
}

func TestBrowsersAreCalledByName(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0":                                                           "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0":        "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":            "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":            "Chrome on Android",
		"curl/8.5.0": "A browser we don't know", "": "A browser we don't know",
	} {
		if got := staff.BrowserOf(agent); got != want {
			t.Errorf("%q is called %q, want %q", agent, got, want)
		}
	}
}
