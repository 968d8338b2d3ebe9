package inbound

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sollecito/internal/database"
)

func addresses(t testing.TB, secret string) Addresses {
	t.Helper()
	a, err := NewAddresses("mail+{token}@In.Lumen.example", secret)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAddressesAreOursAlone(t *testing.T) {
	t.Parallel()
	a, other := addresses(t, strings.Repeat("k", 32)), addresses(t, strings.Repeat("o", 32))
	id := database.NewID("ntc")
	for _, way := range []Way{Bounce, Reply} {
		address := a.For(way, id)
		local, _, _ := strings.Cut(address, "@")
		if len(local) > 64 {
			t.Errorf("%s has a local part of %d bytes", address, len(local))
		}
		for _, spelled := range []string{address, strings.ToUpper(address), " " + address} {
			tag, ours := a.Check(spelled)
			if !ours || tag != (Tag{way, id}) {
				t.Errorf("%q: %+v, %v", spelled, tag, ours)
			}
		}
		_, ours := other.Check(address)
		if ours {
			t.Error("a token of another key is taken")
		}
	}
	swapped := strings.Replace(a.For(Bounce, id), "+b", "+r", 1)
	for _, forged := range []string{swapped, "", "mail+@in.lumen.example", "mail+b" + strings.Repeat("0", 42) + "@in.lumen.example", a.For(Bounce, id) + "x", "billing@lumen.example"} {
		tag, ours := a.Check(forged)
		if ours {
			t.Errorf("%q is taken as %+v", forged, tag)
		}
	}
	tag, ours := a.Check("MAIL+complaints@in.lumen.example")
	if !ours || tag.Way != Complaint || a.Complaints() != "mail+complaints@in.lumen.example" {
		t.Errorf("the address for complaints: %+v, %v", tag, ours)
	}
	if got := (Addresses{}).For(Bounce, id); got != "" {
		t.Errorf("without a pattern there is %q", got)
	}
	_, ours = Addresses{}.Check("complaints")
	if ours {
		t.Error("without a pattern an address is taken")
	}
}

func TestOneLetterOffIsNotOurs(t *testing.T) {
	t.Parallel()
	a := addresses(t, strings.Repeat("k", 32))
	address := a.For(Bounce, database.NewID("ntc"))
	at := strings.IndexByte(address, '@')
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(5, at-1).Draw(t, "place")
		c := rapid.SampledFrom([]byte("0123456789abcdefghijklmnopqrstuvw")).Draw(t, "letter")
		if address[i] == c {
			return
		}
		_, ours := a.Check(address[:i] + string(c) + address[i+1:])
		if ours {
			t.Fatalf("taken with %c at %d", c, i)
		}
	})
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"mail@in.example.com", "{token}+mail@in.example.com", "mail+{token}", "mail+{token}@", "a{token}@b{token}@c", strings.Repeat("m", 30) + "{token}@in.example.com", "ma il{token}@in.example.com"} {
		_, err := NewAddresses(pattern, "k")
		if err == nil {
			t.Errorf("%q is taken", pattern)
		}
	}
	for _, text := range []string{"", "http://a:b@c/INBOX", "imaps://host/INBOX", "imaps://", "imap://u:p@/x"} {
		_, err := ParseMailbox(text)
		if err == nil || strings.Contains(err.Error(), ":b@") {
			t.Errorf("%q: %v", text, err)
		}
	}
	m, err := ParseMailbox("imaps://billing%40example.com:p%2Fw@imap.example.com/")
	if err != nil || m != (Mailbox{Address: "imap.example.com:993", Host: "imap.example.com", User: "billing@example.com", Password: "p/w", Folder: "INBOX", TLS: true}) {
		t.Errorf("%+v, %v", m, err)
	}
}
