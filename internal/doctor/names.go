package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// names looks at what DNS says of the sender's domain, by which receivers judge our letters, and at where answers go.
func (d *Doctor) names(ctx context.Context) Report {
	var r Report
	if d.faulty("MAIL_FROM") {
		r = append(r, skipped("dns", "SOLLECITO_MAIL_FROM must be mended first"))
	} else {
		domain := domainOf(d.Config.From.Address)
		if reserved(domain) {
			r = append(r, skipped("dns", "%s is a name for examples: nothing is published for it", domain))
		} else {
			r = append(r, d.spf(ctx, domain), d.dmarc(ctx, domain))
			r = append(r, d.signatures(ctx, domain)...)
		}
	}
	if d.faulty("SUPPORT_EMAIL") {
		return append(r, skipped("support email", "SOLLECITO_SUPPORT_EMAIL must be mended first"))
	}
	return append(r, d.answers(ctx, domainOf(d.Config.SupportEmail)))
}

func domainOf(address string) string {
	return strings.ToLower(strings.TrimSuffix(address[strings.LastIndex(address, "@")+1:], "."))
}

// reserved are the names of RFC 2606 and RFC 6761, which nobody can publish anything for.
func reserved(domain string) bool {
	for _, name := range []string{"example", "test", "invalid", "localhost", "example.com", "example.net", "example.org"} {
		if domain == name || strings.HasSuffix(domain, "."+name) {
			return true
		}
	}
	return false
}

// texts answers the TXT records of a name that begin with a version, none when there is no such name. An error means
// that DNS does not answer.
func (d *Doctor) texts(ctx context.Context, name, version string) ([]string, error) {
	all, err := d.Resolver.LookupTXT(ctx, name)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(text string) bool {
		first, _, _ := strings.Cut(strings.TrimSpace(text), ";")
		first, _, _ = strings.Cut(strings.TrimSpace(first), " ")
		return !strings.EqualFold(first, version)
	}), nil
}

func isAbsent(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}

// senders are mail providers by the end of their servers' names, and what their customers include in SPF.
var senders = map[string]string{
	"amazonaws.com": "include:amazonses.com", "sendgrid.net": "include:sendgrid.net", "mailgun.org": "include:mailgun.org",
	"gmail.com": "include:_spf.google.com", "google.com": "include:_spf.google.com", "office365.com": "include:spf.protection.outlook.com",
	"postmarkapp.com": "include:spf.mtasv.net", "brevo.com": "include:spf.brevo.com", "mailjet.com": "include:spf.mailjet.com", "zoho.com": "include:zohomail.com",
}

// mechanism is what lets the configured mail server send for a domain.
func mechanism(host string) string {
	for end, include := range senders {
		if strings.HasSuffix("."+host, "."+end) {
			return include
		}
	}
	return "a:" + host
}

const mostSPFLookups = 10 // RFC 7208, 4.6.4: a receiver that needs more refuses to judge

func (d *Doctor) spf(ctx context.Context, domain string) Finding {
	const check = "spf"
	found, err := d.texts(ctx, domain, "v=spf1")
	if err != nil {
		return skipped(check, "DNS does not answer for %s", domain)
	}
	publish := fmt.Sprintf(`publish: %s. TXT "v=spf1 %s -all"`, domain, mechanism(d.Config.Server.Host()))
	switch {
	case len(found) == 0:
		return warn(check, publish+"  (with everybody else who sends for it)", "%s publishes no SPF record: receivers cannot tell our letters from forged ones", domain)
	case len(found) > 1:
		return fail(check, "Join them into one record.", "%s publishes %d SPF records; receivers then heed none", domain, len(found))
	}
	lookups := d.lookups(ctx, found[0], 0)
	words := strings.Fields(strings.ToLower(found[0]))
	last := words[len(words)-1]
	switch {
	case lookups > mostSPFLookups:
		return fail(check, "Remove includes that nobody needs any more.", "the SPF record of %s takes more than %d DNS questions; receivers then heed none of it", domain, mostSPFLookups)
	case slices.Contains(words, "+all") || slices.Contains(words, "all"):
		return fail(check, "End it with -all or ~all.", "the SPF record of %s lets the whole world send in its name", domain)
	case last != "-all" && last != "~all" && !strings.HasPrefix(last, "redirect="):
		return warn(check, "End it with -all or ~all.", "the SPF record of %s does not say what becomes of everybody else: %s", domain, found[0])
	}
	return ok(check, "%s: %s (see that it covers %s)", domain, found[0], d.Config.Server.Host())
}

// lookups counts the DNS questions a record costs a receiver, those of what it includes too, and stops counting
// shortly past the limit.
func (d *Doctor) lookups(ctx context.Context, record string, so int) int {
	for word := range strings.FieldsSeq(strings.ToLower(record)) {
		word = strings.TrimLeft(word, "+-~?")
		name, follows := strings.CutPrefix(word, "include:")
		if !follows {
			name, follows = strings.CutPrefix(word, "redirect=")
		}
		kind, _, _ := strings.Cut(word, ":")
		kind, _, _ = strings.Cut(kind, "/")
		if follows || slices.Contains([]string{"a", "mx", "ptr", "exists"}, kind) {
			so++
		}
		if !follows || so > mostSPFLookups {
			continue
		}
		inner, err := d.texts(ctx, name, "v=spf1")
		if err == nil && len(inner) == 1 {
			so = d.lookups(ctx, inner[0], so)
		}
	}
	return so
}

func (d *Doctor) dmarc(ctx context.Context, domain string) Finding {
	const check = "dmarc"
	// What a parent publishes holds for the names below it, so that we walk up to it; a top-level name is nobody's.
	for name := domain; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		found, err := d.texts(ctx, "_dmarc."+name, "v=DMARC1")
		if err != nil {
			return skipped(check, "DNS does not answer for _dmarc.%s", name)
		}
		if len(found) > 1 {
			return fail(check, "Keep one of them.", "_dmarc.%s has %d DMARC records; receivers then heed none", name, len(found))
		}
		if len(found) == 1 {
			return policy(name, found[0])
		}
	}
	return warn(check, fmt.Sprintf(`publish: _dmarc.%s. TXT "v=DMARC1; p=none; rua=mailto:dmarc@%s"`, domain, domain),
		"%s publishes no DMARC record; large receivers ask for one", domain)
}

// withdrawn are tags that RFC 9989 took out of DMARC: who relies on them is not heard any more.
var withdrawn = []string{"pct", "rf", "ri"}

func policy(name, record string) Finding {
	const check = "dmarc"
	tags := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		tag, value, _ := strings.Cut(part, "=")
		tags[strings.ToLower(strings.TrimSpace(tag))] = strings.ToLower(strings.TrimSpace(value))
	}
	for _, tag := range withdrawn {
		if tags[tag] != "" {
			return warn(check, fmt.Sprintf("Take %s= out of _dmarc.%s; to try a policy out use t=y.", tag, name), "_dmarc.%s uses %s=, which RFC 9989 withdrew: receivers act as if it were not there", name, tag)
		}
	}
	switch tags["p"] {
	case "none":
		return ok(check, "_dmarc.%s watches only (p=none). Sender and envelope are of one domain, so SPF and DKIM align; p=quarantine can follow once the reports agree", name)
	case "quarantine", "reject":
		return ok(check, "_dmarc.%s says p=%s; sender and envelope are of one domain, so SPF and DKIM align", name, tags["p"])
	}
	return warn(check, fmt.Sprintf(`publish: _dmarc.%s. TXT "v=DMARC1; p=none; rua=mailto:dmarc@%s"`, name, name), "the DMARC record of %s has no policy (p=): %s", name, record)
}

// selectors are those that mail providers commonly tell their customers to publish; any other name is as good.
var selectors = []string{
	"default", "dkim", "mail", "smtp", "s1", "s2", "k1", "k2", "k3", "google", "selector1", "selector2", "pm", "mandrill", "mailjet", "zoho", "fm1", "protonmail",
}

func (d *Doctor) dkim(ctx context.Context, domain string) Finding {
	const check = "dkim"
	silent := 0
	for _, selector := range selectors {
		found, err := d.Resolver.LookupTXT(ctx, selector+"._domainkey."+domain)
		if err != nil && !isAbsent(err) {
			silent++
			if silent > 2 {
				return skipped(check, "DNS does not answer for %s", domain)
			}
			continue
		}
		if strings.Contains(strings.Join(found, ""), "p=") {
			return ok(check, "a key is published at %s._domainkey.%s; whether the mail server signs with it shows in a letter's headers (dkim=pass)", selector, domain)
		}
	}
	return skipped(check, "no key under the usual names below _domainkey.%s. Its name is known only to the mail server, which signs for us: "+
		"send yourself a mail and look for dkim=pass in its headers; without it, publish what your mail provider tells you", domain)
}

// answers looks whether mail to support can arrive.
func (d *Doctor) answers(ctx context.Context, domain string) Finding {
	const check, mend = "support email", "Correct SOLLECITO_SUPPORT_EMAIL: customers' messages are mailed there."
	if reserved(domain) {
		return skipped(check, "%s is a name for examples: it receives nothing", domain)
	}
	found, err := d.Resolver.LookupMX(ctx, domain)
	if err != nil && !isAbsent(err) {
		return skipped(check, "DNS does not answer for %s", domain)
	}
	if len(found) == 1 && (found[0].Host == "." || found[0].Host == "") {
		return fail(check, mend, "%s says that it receives no mail", domain)
	}
	if len(found) > 0 {
		return ok(check, "%s receives mail at %s", domain, strings.TrimSuffix(found[0].Host, "."))
	}
	_, err = d.Resolver.LookupHost(ctx, domain)
	switch {
	case isAbsent(err):
		return fail(check, mend, "%s does not exist", domain)
	case err != nil:
		return skipped(check, "DNS does not answer for %s", domain)
	}
	return warn(check, "Publish an MX record for "+domain+".", "%s has no MX record; mail goes to its web address, where seldom anybody takes it", domain)
}
