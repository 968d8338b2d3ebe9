package demo

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// byItsOwnName lets only those requests through that call the demo by a name of its own, as long as listener is
// bound to this machine alone. Otherwise any page a visitor has open elsewhere could point a name of its own at this
// machine (DNS rebinding), and its scripts would be of the demo's origin: staff, who read every mail. It guards what
// hands out links and sessions, the stage and the mailbox; the portal's own pages open to nobody without those. A
// demo that other machines can reach is called by names we cannot know, and was warned about.
func (d *Demo) byItsOwnName(listener net.Addr, inside http.Handler) http.Handler {
	at, isTCP := listener.(*net.TCPAddr)
	if !isTCP || !at.IP.IsLoopback() {
		return inside
	}
	ours := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}
	base, err := url.Parse(d.base)
	if err == nil {
		ours[base.Hostname()] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ours[hostOf(r)] || !handsOut(r.URL.Path) {
			inside.ServeHTTP(w, r)
			return
		}
		dress(w, r)
		d.tell(w, r, http.StatusMisdirectedRequest, "This machine is not called so: open "+d.base+"/demo")
	})
}

// handsOut reports whether a path gives away links, mails or a session to whoever asks.
func handsOut(path string) bool {
	return path == "/demo" || strings.HasPrefix(path, "/demo/") || strings.HasPrefix(path, "/inbox")
}

// hostOf is the name a request calls us by: no port, no brackets, lower case. A name that cannot be read is "".
func hostOf(r *http.Request) string {
	u := url.URL{Host: r.Host}
	host := u.Hostname()
	isBracketed := strings.HasPrefix(r.Host, "[")
	if strings.Contains(host, ":") != isBracketed {
		return ""
	}
	return strings.ToLower(host)
}
