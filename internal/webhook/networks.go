package webhook

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"sollecito/internal/fault"
)

// Networks are those that endpoints may lie in although they are nobody's on the public internet: an installation names its
// own. Everything else that is not public is refused, so that nobody who may name an endpoint reaches what stands beside the
// portal.
type Networks []netip.Prefix

// notPublic are networks that lead to no host on the public internet, beside those that netip knows of, by IANA's
// special-purpose registries; and those that wrap another address, which may be any.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("fec0::/10"),
}

// Allow reports whether an endpoint may lie at the address.
func (n Networks) Allow(at netip.Addr) bool {
	at = at.Unmap().WithZone("")
	if !at.IsValid() {
		return false
	}
	within := func(p netip.Prefix) bool { return p.Contains(at) }
	if slices.ContainsFunc(n, within) {
		return true
	}
	return at.IsGlobalUnicast() && !at.IsPrivate() && !slices.ContainsFunc(notPublic, within)
}

// longestAddress is how many characters an endpoint's address may have.
const longestAddress = 500

// check answers an endpoint's address as it is kept, or fault.Invalid: https, or http to this machine itself where that is
// among the networks. Where its name leads is looked at each time a connection is made.
func (n Networks) check(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	u, err := url.Parse(typed)
	if err != nil || !plainName(u.Hostname()) || u.Opaque != "" || len(typed) > longestAddress {
		return "", fault.New(fault.Invalid, "Write the whole address, as https://app.example.com/webhooks/sollecito")
	}
	if u.User != nil || u.Fragment != "" {
		return "", fault.New(fault.Invalid, "An address with a name and password, or with a #, cannot be used: messages are signed instead")
	}
	literal, err := netip.ParseAddr(u.Hostname())
	isLiteral := err == nil
	here := u.Hostname() == "localhost" || isLiteral && literal.Unmap().IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && here) {
		return "", fault.New(fault.Invalid, "The address must begin with https://")
	}
	if here && !isLiteral {
		literal, isLiteral = netip.MustParseAddr("127.0.0.1"), true
	}
	if isLiteral && !n.Allow(literal) {
		return "", fault.New(fault.Invalid, "This address is not on the public internet. SOLLECITO_WEBHOOK_NETWORKS names networks that may be reached all the same")
	}
	return u.String(), nil
}

// plainName reports whether a host's name has nothing but letters, digits and what stands between them, or is an address.
func plainName(host string) bool {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_:", r)
	}
	return host != "" && !strings.ContainsFunc(host, odd)
}
