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

// What servers say in words of their own, in reports as they come: only what names the mailbox gives the address up at once.
func TestWhatAReportMeans(t *testing.T) {
	t.Parallel()
	for want, told := range map[outbox.BounceKind][][2]string{
		outbox.Hard: {
			{"550", "host mx.antispam.example [192.0.2.25]: 550 No such user here"},
			{"550", "<spfister@x.example>: User unknown"},
			{"550", "Requested action not taken: mailbox unavailable"},
			{"553", "Requested action not taken: mailbox name not allowed"},
			{"554", "delivery error: dd This user doesn't have a yahoo.com account (anneke@yahoo.com) [0]"},
			{"550", "SMTP error from remote mail server after end of data: host lsean.ezweb.ne.jp [192.0.2.25]: 550 : User unknown"},
			{"5.5.0", "550 5.5.0 Adresse destinataire invalide. Invalid recipient."},
			{"5.2.0", "550 Unknown user anneke@ntt.example.ne.jp"},
			{"5.1.0", "550 #5.1.0 Address rejected."},
			{"550", "550 Host unknown (Authoritative answer from name server)"},
			{"5.1.351", "Remote server returned unknown recipient or mailbox unavailable"},
			{"5.4.310", "DNS domain waal.example does not exist"},
			{"", "** Address not found ** Your message wasn't delivered because the address couldn't be found."},
			{"", "User some.name not listed: account has been disabled or discontinued [#102]."},
		},
		outbox.Soft: {
			{"", ""}, {"5.0.0", ""}, {"550", "Rejected"}, {"554", "Transaction failed"}, {"554", "Service currently unavailable"},
			{"5.0.0", "host mx.waal.example [192.0.2.25] retry timeout exceeded"},
			{"5.0.0", "all hosts for 'waal.example' have been failing for a long time"},
			{"5.0.0", "552 <anneke@waal.example>: Mailbox full"},
			{"5.4.316", "Message expired, connection refused"}, {"5.4.312", "Message expired, DNS query failed"}, {"5.4.14", "Hop count exceeded - possible mail loop"},
			{"5.2.1", "The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered"},
			{"5.2.121", "Recipient's per hour message receive limit exceeded"},
		},
		outbox.Blocked: {
			{"554", "SMTP error from remote mail server after initial connection: 554 mta1.comcast.net comcast 192.0.2.1 not accepted"},
			{"550", "SMTP error from remote mail server after MAIL FROM:<mail+b@in.lumen.example> SIZE=1024: 550 Unroutable sender address"},
			{"553", "SMTP error from remote mail server after end of data: 553 neko.example.com does not exist"},
			{"5.2.0", "SMTP error from remote server for TEXT command, host: smtp-in.orange.fr (192.0.2.65) reason: 550 5.2.0 Mail rejete."},
			{"550", "host r2.example.org[192.0.2.24] said: 550 no (in reply to end of DATA command)"},
			{"550", "Unauthenticated senders not allowed"}, {"554", "No PTR record found. Reverse DNS required"}, {"550", "Virus detected; content rejected"},
			{"5.6.9", "improper use of 8-bit data in message header"},
		},
	} {
		for _, said := range told {
			got := outbox.KindReported(said[0], said[1])
			if got != want {
				t.Errorf("%s %s: %s, want %s", said[0], said[1], got, want)
			}
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
