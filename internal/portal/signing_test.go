package portal_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"sollecito/internal/config"
)

// The mails a mail server takes from the whole portal are signed in the sender's name; staff see the copy without.
func TestMailsAreSigned(t *testing.T) {
	t.Parallel()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, withInbound, func(c *config.Config) {
		c.DKIMSelectors, c.DKIMKey = []string{"s2026"}, config.Secret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	})
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser().get(linkIn(t, h.mailsTo("chiara@bellini.example")[0]))
	b.post("/pay/support", map[string][]string{"text": {"Is this yours?"}})
	h.settle()
	mails := h.catcher.Mails()
	if len(mails) != 2 { // to the customer, and to support
		t.Fatalf("%d mails", len(mails))
	}
	record := h.config.Signer.Records()[0]
	for _, m := range mails {
		found, err := dkim.VerifyWithOptions(bytes.NewReader(m.Raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			if name != "s2026._domainkey.lumen.example" {
				t.Errorf("the key is looked for at %s", name)
			}
			return []string{record.Text}, nil
		}})
		if err != nil || len(found) != 1 || found[0].Err != nil || found[0].Domain != "lumen.example" {
			t.Errorf("%s: %+v %v", m.Subject, found, err)
			continue
		}
		for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "Reply-To"} {
			if !strings.Contains(strings.ToLower(" "+strings.Join(found[0].HeaderKeys, " ")+" "), strings.ToLower(" "+name+" ")) {
				t.Errorf("%s is not signed: %v", name, found[0].HeaderKeys)
			}
		}
	}
}
