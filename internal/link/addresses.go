package link

import (
	"net/url"
	"strings"
)

// Addresses makes the absolute addresses we print, always from the configured base, never from a request.
type Addresses struct {
	base string
}

// NewAddresses takes the configured base address, as "https://pay.example.com".
func NewAddresses(base string) Addresses { return Addresses{base: strings.TrimSuffix(base, "/")} }

// Base is the portal's own address without a final slash.
func (a Addresses) Base() string { return a.base }

// Secure reports whether the portal is reached over TLS.
func (a Addresses) Secure() bool { return strings.HasPrefix(a.base, "https://") }

// Host is the portal's host name, for Message-IDs.
func (a Addresses) Host() string {
	u, err := url.Parse(a.base)
	if err != nil || u.Hostname() == "" {
		return "localhost"
	}
	return u.Hostname()
}

// Link is the address that opens a customer's pages.
func (a Addresses) Link(token string) string { return a.base + "/l/" + token }

// Choices is the address that opens a customer's page of choices about our reminders.
func (a Addresses) Choices(token string) string { return a.Link(token) + "?to=choices" }

// Genuine is the page that tells how to know a mail of ours. It carries no secret.
func (a Addresses) Genuine() string { return a.base + "/pay/genuine" }

// Stop is the address with which a mail's reader stops reminders by mail.
func (a Addresses) Stop(token string) string { return a.base + "/pay/stop/" + token }

// To is an absolute address of one of our own paths.
func (a Addresses) To(path string) string { return a.base + path }

// Conversation is where staff answer a customer.
func (a Addresses) Conversation(id string) string {
	return a.base + "/admin/conversations/" + url.PathEscape(id)
}

// Webhook is where Stripe sends events.
func (a Addresses) Webhook() string { return a.base + "/webhooks/stripe" }

// Enrolment is the one-use address with which a member of staff sets a password.
func (a Addresses) Enrolment(token string) string { return a.base + "/admin/enrol/" + token }
