package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"sollecito/internal/mail"
)

// mail connects and signs in as for a letter, and sends none.
func (d *Doctor) mail(ctx context.Context) Report {
	const check = "mail server"
	if d.faulty("SMTP_URL") {
		return Report{skipped(check, "SOLLECITO_SMTP_URL must be mended first")}
	}
	base, err := url.Parse(d.Config.BaseURL)
	options := []mail.Option{mail.WithTimeouts(mail.Timeouts{Dial: 8 * time.Second, Command: 8 * time.Second, Probe: 4 * time.Second})}
	if err == nil && base.Hostname() != "" {
		options = append(options, mail.WithHello(base.Hostname()))
	}
	if d.Roots != nil {
		options = append(options, mail.WithRoots(d.Roots))
	}
	server := d.Config.Server
	seen, err := mail.NewPool(server, 1, options...).Probe(ctx)
	if err != nil {
		return Report{unreachable(server, err)}
	}
	return greeted(server, seen, d.Now())
}

// unreachable says in which step the mail server was lost, and what mends that step.
func unreachable(server mail.Server, err error) Finding {
	const check = "mail server"
	var refusal *mail.Refusal
	var unknown *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &refusal) && refusal.Place == "AUTH":
		return fail(check, "Correct user and password in SOLLECITO_SMTP_URL; percent-encode what is neither letter nor digit (@ is %40).",
			"%s refuses the login: %d %s", server.Host(), refusal.Code, refusal.Text)
	case errors.As(err, &refusal):
		return fail(check, "Ask whoever runs it whether this machine may send there.", "%s refuses us at %s: %d %s", server.Host(), refusal.Place, refusal.Code, refusal.Text)
	case errors.As(err, &unknown):
		return fail(check, "Correct the host in SOLLECITO_SMTP_URL.", "the name %s cannot be resolved", server.Host())
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid):
		return fail(check, "Name the host that its certificate is for in SOLLECITO_SMTP_URL, or have the certificate renewed.", "%s shows a certificate that is not to be trusted: %s", server.Host(), err)
	}
	return fail(check, "Check host and port in SOLLECITO_SMTP_URL (587 with smtp://, 465 with smtps://) and whether the firewall lets this machine out there.", "%s", err)
}

func greeted(server mail.Server, seen mail.Seen, now time.Time) Report {
	const check = "mail server"
	signed := "no login is asked for"
	if seen.SignedIn {
		signed = "the login is taken"
	}
	if !seen.Encrypted {
		if isLoopback(server.Host()) {
			return Report{ok(check, "%s answers on this machine, %s", server.Host(), signed)}
		}
		return Report{warn(check, "Use smtps:// or ?starttls=require in SOLLECITO_SMTP_URL.", "%s answers, %s, but mails and their links travel there unencrypted", server.Host(), signed)}
	}
	return Report{ok(check, "%s answers with TLS, %s", server.Host(), signed), certificate("mail server", server.Host(), seen.Expires, now)}
}

// certificate judges how long one is still good for; those that renew themselves do so a month before.
func certificate(check, host string, expires, now time.Time) Finding {
	left := int(expires.Sub(now).Hours() / 24)
	const mend = "See why it was not renewed."
	switch {
	case left < 0:
		return fail(check, mend, "the certificate of %s has expired", host)
	case left < 14:
		return warn(check, mend, "the certificate of %s is good for %d more days", host, left)
	}
	return ok(check, "the certificate of %s is good for %d more days", host, left)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}
