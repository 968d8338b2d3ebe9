package mail

import (
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"smtp://127.0.0.1:2525":                               "smtp://127.0.0.1:2525",
		"smtp://mail.example.com":                             "smtp://mail.example.com:587",
		"smtps://mail.example.com/":                           "smtps://mail.example.com:465",
		"smtp://[::1]:25?starttls=never":                      "smtp://[::1]:25?starttls=never",
		"smtp://a%40b.c:pa%2Fss%3Fw%23@h:25?starttls=require": "smtp://a%40b.c:[redacted]@h:25?starttls=require",
	} {
		server, err := Parse(address)
		if err != nil || server.String() != want {
			t.Errorf("Parse(%s) = %s, %v, want %s", address, server, err, want)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if printed := fmt.Sprintf(verb, server); strings.Contains(printed, "pa/ss") || strings.Contains(printed, "pa%2F") {
				t.Errorf("%s prints the password: %s", verb, printed)
			}
		}
	}
}

func TestParseRefusesWithoutRepeatingTheAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "mail.example.com:25", "http://secret@h", "smtp://", "smtp://:secret@h", "smtp://secret@h", "smtp://u:@h",
		"smtp://u:secret@h:0", "smtp://u:secret@h:70000", "smtp://u:secret@h:x", "smtp://u:secret@h/path", "smtp://u:secret@h#f",
		"smtp://u:1/secret@h", "smtp://u:1?secret@h", "smtp://u:1#secret@h", "smtp://u:s%zzsecret@h", "smtp://u:secret%0d%0a@h",
		"smtp://u:secret@h?starttls=secret", "smtp://u:secret@h?secret=1", "smtps://u:secret@h?starttls=require", "smtp://u:secret@h?%zz",
	} {
		_, err := Parse(address)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%s): %v", address, err)
		}
	}
}
