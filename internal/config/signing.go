package config

import (
	"cmp"
	"strings"

	mailroom "sollecito/internal/mail"
)

// checkSigning reads in whose name and with which keys mails are signed.
func (c *Config) checkSigning(fault func(string, string, ...any)) {
	switch {
	case len(c.DKIMSelectors) == 0 && c.DKIMKey == "" && c.DKIMDomain == "":
		return
	case c.DKIMKey == "":
		fault("DKIM_KEY", "is missing: name the file of the private key with SOLLECITO_DKIM_KEY_FILE, or unset SOLLECITO_DKIM_SELECTOR and SOLLECITO_DKIM_DOMAIN")
		return
	case len(c.DKIMSelectors) == 0:
		fault("DKIM_SELECTOR", "is missing: name where the public key is published, as s2026 for s2026._domainkey.example.com")
		return
	}
	_, own, _ := strings.Cut(c.From.Address, "@")
	domain := cmp.Or(c.DKIMDomain, own)
	if domain == "" {
		return // SOLLECITO_MAIL_FROM is at fault
	}
	signer, err := mailroom.NewSigner(domain, c.DKIMSelectors, c.DKIMKey.Reveal())
	if err != nil {
		fault("DKIM_KEY", "no mail can be signed: %s", err)
		return
	}
	c.Signer = signer
}
