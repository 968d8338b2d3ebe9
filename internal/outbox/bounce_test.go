package outbox_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"sollecito/internal/outbox"
)

func TestWhatARefusalMeans(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code, words string
		want        outbox.BounceKind
	}{
		{"5.1.1", "user unknown", outbox.Hard},
		{"550", "No such user here", outbox.Hard},
		{"553", "mailbox name not allowed", outbox.Hard},
		{"5.0.0", "", outbox.Hard},
		{"5.2.1", "The email account is disabled", outbox.Hard},
		{"5.4.1", "Recipient address rejected: Access denied", outbox.Hard},
		{"5.1.10", "Null MX", outbox.Hard},
		{"5.2.2", "mailbox full", outbox.Soft},
		{"552", "mailbox full", outbox.Soft},
		{"550", "over quota", outbox.Soft},
		{"4.4.7", "delivery time expired", outbox.Soft},
		{"450", "try again", outbox.Soft},
		{"5.4.7", "expired", outbox.Soft},
		{"5.7.1", "user unknown", outbox.Blocked},
		{"5.7.26", "unauthenticated", outbox.Blocked},
		{"550", "Your message was rejected as spam", outbox.Blocked},
		{"554", "relay access denied", outbox.Blocked},
		{"5.1.8", "bad sender domain", outbox.Blocked},
		{"5.3.4", "message too big", outbox.Blocked},
		{"5.6.0", "content", outbox.Blocked},
		{"5.0.0", "listed on a blocklist", outbox.Blocked},
	}
	for _, tt := range tests {
		got := outbox.KindOf(tt.code, tt.words)
		if got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.code, tt.words, got, tt.want)
		}
	}
}

func FuzzNormal(f *testing.F) {
	f.Add("Anneke@WAAL.example.")
	f.Add("a@bücher.example")
	f.Add("@")
	f.Add("a@b@c")
	f.Fuzz(func(t *testing.T, address string) {
		once := outbox.Normal(address)
		if utf8.ValidString(address) && outbox.Normal(once) != once {
			t.Errorf("%q becomes %q, then %q", address, once, outbox.Normal(once))
		}
		if strings.Contains(address, "+tag@example.com") && !strings.Contains(once, "+tag@") {
			t.Errorf("%q lost its tag", address)
		}
	})
}

func TestNormal(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		" Anneke.de.Vries+bills@WAAL.example. ": "anneke.de.vries+bills@waal.example",
		"x@BÜCHER.example":                      "x@xn--bcher-kva.example",
		"nobody":                                "nobody",
	} {
		if got := outbox.Normal(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
