package config

import (
	"net"
	"net/url"
	"strings"

	"sollecito/internal/l10n"
)

// webAddress reads an http or https address with a host, and answers false for anything else.
func webAddress(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return nil, false
	}
	return u, true
}

// bare reports whether an address is nothing but scheme and host, at most with a final slash. The text is looked at
// too, since an empty query or fragment leaves no trace in u and still spoils every link made from the text.
func bare(u *url.URL, text string) bool {
	return (u.Path == "" || u.Path == "/") && u.User == nil && !strings.ContainsAny(text, "?#")
}

// origin is what a browser sends as Origin from pages at a bare address: host in lower case, no default port.
func origin(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":")
	defaultPort := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(host, defaultPort)
}

// plainHost reports whether a host, with its port, may stand in a content security policy as it is: a ';' or a ','
// there would begin a rule of its own, and '*' would widen one.
func plainHost(host string) bool {
	for _, c := range []byte(host) {
		isLetter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		isDigit := '0' <= c && c <= '9'
		if !isLetter && !isDigit && !strings.ContainsRune(".-:[]", rune(c)) {
			return false
		}
	}
	return true
}

// redacted is an address as it may be shown: without the password that may stand before its host. What cannot be
// taken apart and might hold one is not shown at all.
func redacted(address string) string {
	named := strings.Contains(address, "password=")
	if !strings.Contains(address, "@") && !named || strings.HasPrefix(address, "sqlite:") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil || u.User == nil || named {
		return "(hidden: it may hold a password)"
	}
	return u.Redacted()
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkLanguage spells the default language as the catalogue does.
func (c *Config) checkLanguage(fault func(string, string, ...any)) {
	catalog, err := l10n.Load()
	if err != nil {
		fault("DEFAULT_LANGUAGE", "cannot be checked: %s", err)
		return
	}
	tag := catalog.Locale(c.DefaultLang).Tag()
	if strings.EqualFold(tag, c.DefaultLang) {
		c.DefaultLang = tag
		return
	}
	var spoken []string
	for _, l := range catalog.Locales() {
		spoken = append(spoken, l.Tag())
	}
	fault("DEFAULT_LANGUAGE", "must be a language there is, one of %s; got %q", strings.Join(spoken, ", "), c.DefaultLang)
}
