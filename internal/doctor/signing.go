package doctor

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"sollecito/internal/mail"
)

// signatures looks whether receivers find the keys letters are signed with, ours or the mail server's, and whether the
// signature speaks for the sender they see.
func (d *Doctor) signatures(ctx context.Context, domain string) Report {
	if !d.Config.Signer.On() {
		return Report{d.dkim(ctx, domain)}
	}
	var r Report
	for _, record := range d.Config.Signer.Records() {
		r = append(r, d.published(ctx, record))
	}
	return append(r, aligned(d.Config.Signer.Domain(), domain))
}

// published compares what DNS says of a key with the key.
func (d *Doctor) published(ctx context.Context, record mail.Record) Finding {
	const check = "dkim"
	publish := fmt.Sprintf("publish: %s. TXT \"%s\"", record.Name, record.Text)
	if len(record.Text) > 255 {
		publish += "\nA record is made of strings of at most 255 characters: cut it anywhere if your provider does not."
	}
	all, err := d.Resolver.LookupTXT(ctx, record.Name)
	if err != nil && !isAbsent(err) {
		return skipped(check, "DNS does not answer for %s", record.Name)
	}
	tags := map[string]string{}
	for part := range strings.SplitSeq(strings.Join(all, ""), ";") {
		tag, value, _ := strings.Cut(part, "=")
		tags[strings.ToLower(strings.TrimSpace(tag))] = strings.Join(strings.Fields(value), "")
	}
	key, there := tags["p"]
	switch {
	case !there:
		return fail(check, publish, "letters are signed, and no key is published at %s: receivers count that as a broken signature", record.Name)
	case len(all) > 1 && strings.Count(strings.Join(all, " "), "p=") > 1:
		return fail(check, "Keep one of them.", "%s has several keys; receivers then heed none", record.Name)
	case key == "":
		return fail(check, publish, "the key at %s was withdrawn (p= is empty)", record.Name)
	case !sameKey(key, record.Key):
		return fail(check, publish+"\nOr give SOLLECITO_DKIM_KEY the private key that belongs to what is published.", "the key published at %s is another than the one letters are signed with", record.Name)
	case strings.Contains(":"+tags["t"]+":", ":y:"):
		return warn(check, fmt.Sprintf("Take t=y out of %s once letters arrive with dkim=pass.", record.Name), "the key at %s is marked as a trial (t=y): receivers may treat letters as unsigned", record.Name)
	case record.Bits > 0 && record.Bits < 2048:
		return warn(check, "Make a new one under a new selector: openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048", "the key at %s is ours, and with %d bits shorter than receivers like", record.Name, record.Bits)
	}
	return ok(check, "the key at %s is the one letters are signed with", record.Name)
}

// sameKey compares keys by what they say, not by how base64 was cut.
func sameKey(published, ours string) bool {
	a, err := base64.StdEncoding.DecodeString(published)
	if err != nil {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(ours)
	return err == nil && string(a) == string(b)
}

// aligned says whether DMARC counts the signature: its domain and the sender's belong to one organisation (RFC 9989,
// relaxed alignment).
func aligned(signing, from string) Finding {
	const check = "dkim"
	if signing == from || organisation(signing) == organisation(from) {
		return ok(check, "signatures of %s align with the sender's domain %s", signing, from)
	}
	return warn(check, "Unset SOLLECITO_DKIM_DOMAIN to sign as "+from+".", "letters come from %s and are signed by %s, another organisation: DMARC does not count the signature", from, signing)
}

// organisation is the name somebody registered: lumen.it for mail.lumen.it.
func organisation(domain string) string {
	name, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return name
}
