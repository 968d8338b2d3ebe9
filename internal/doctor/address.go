package doctor

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"sollecito/internal/link"
)

// stranger is an address of RFC 5737, which nobody has: a portal that takes the doctor for it believes whatever a
// caller writes into X-Forwarded-For.
const stranger = "203.0.113.77"

// address calls the portal where customers do.
func (d *Doctor) address(ctx context.Context) Report {
	const check = "address"
	if d.faulty("BASE_URL") {
		return Report{skipped(check, "SOLLECITO_BASE_URL must be mended first")}
	}
	base := strings.TrimSuffix(d.Config.BaseURL, "/")
	nonce := rand.Text()
	key := d.Config.SessionKey.Reveal()
	resp, body, err := d.get(ctx, base+"/healthz", map[string]string{
		link.DoctorNonce: nonce, link.DoctorProof: link.Proof(key, link.ProofOfDoctor, nonce), "X-Forwarded-For": stranger,
	})
	if err != nil {
		return Report{silent(base, err)}
	}
	var said struct {
		Status  string        `json:"status"`
		Arrival *link.Arrival `json:"arrival"`
	}
	err = json.Unmarshal(body, &said)
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return Report{fail(check, "Set SOLLECITO_BASE_URL to the address that answers by itself.", "%s leads on to %s", base, resp.Header.Get("Location"))}
	}
	if err != nil || resp.StatusCode != http.StatusOK || said.Status != "ok" {
		return Report{fail(check, "Let the reverse proxy pass "+base+" on to SOLLECITO_LISTEN ("+d.Config.Listen+"), and see that serve runs.",
			"something answers at %s (%s), but it is not this portal", base, resp.Status)}
	}
	if said.Arrival == nil || !link.Proves(said.Arrival.Proof, key, link.ProofOfPortal, nonce) {
		return Report{fail(check, "Run the doctor with the settings that serve has, SOLLECITO_SESSION_KEY above all, and see that the reverse proxy passes headers on.",
			"a portal answers at %s, but with another session key: it is another installation, or was started with other settings", base)}
	}
	r := Report{ok(check, "%s reaches this portal", base)}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" {
		return append(r, skipped("https", "%s is for trying out on this machine", base))
	}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		r = append(r, certificate("https", u.Hostname(), resp.TLS.PeerCertificates[0].NotAfter, d.Now()))
	}
	if resp.Header.Get("Strict-Transport-Security") == "" {
		r = append(r, warn("https", "Let the reverse proxy leave the portal's Strict-Transport-Security header as it is.", "the header that keeps browsers on https is lost on the way"))
	}
	return append(r, d.plain(ctx, u), caller(*said.Arrival, d.believes(stranger)))
}

func (d *Doctor) get(ctx context.Context, address string, header map[string]string) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := d.HTTP.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp, body, err
}

// silent says why nothing could be asked.
func silent(base string, err error) Finding {
	const check = "address"
	var unknown *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return fail(check, "Publish an address (A or AAAA) for it, or correct SOLLECITO_BASE_URL.", "the name of %s cannot be resolved", base)
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid):
		return fail(check, "Give the reverse proxy a certificate for this name.", "%s shows a certificate that browsers refuse", base)
	}
	return fail(check, "Start serve and the reverse proxy before it. If they run: some networks do not let a machine reach itself by its public address; run the doctor from outside then.",
		"nothing answers at %s", base)
}

// plain looks at what unencrypted callers meet.
func (d *Doctor) plain(ctx context.Context, u *url.URL) Finding {
	const check = "http"
	if u.Port() != "" {
		return skipped(check, "with a port of its own, %s has no unencrypted twin", u.Host)
	}
	resp, _, err := d.get(ctx, "http://"+u.Host+"/healthz", nil)
	if err != nil {
		return ok(check, "unencrypted calls are not answered")
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && strings.HasPrefix(resp.Header.Get("Location"), "https://") {
		return ok(check, "unencrypted calls are led to https")
	}
	return warn(check, "Let the reverse proxy answer http with a redirect to https.", "http://%s answers unencrypted calls (%s)", u.Host, resp.Status)
}

// believes reports whether an address is counted among the proxies whose X-Forwarded-For is believed.
func (d *Doctor) believes(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(d.Config.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// caller judges whom the portal took the doctor for, which is what its limits count by. anybody says that it believes
// strangers as it does proxies.
func caller(a link.Arrival, anybody bool) Finding {
	const check = "proxies"
	const ownHeader = "Let the reverse proxy set X-Forwarded-For itself: nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
	switch {
	case a.Forwarded == stranger && a.Client == stranger:
		return fail(check, ownHeader, "the proxy at %s passes on whatever a caller writes into X-Forwarded-For: strangers choose whom limits count them as", a.Peer)
	case a.Client == stranger && anybody:
		return fail(check, fmt.Sprintf("SOLLECITO_TRUSTED_PROXIES=%s", a.Peer), "SOLLECITO_TRUSTED_PROXIES names strangers too, not the proxy alone: whoever calls chooses whom limits count them as")
	case a.Forwarded == stranger && !private(a.Peer):
		return ok(check, "callers are seen at their own address, as %s; nobody stands between", a.Client)
	case a.Forwarded == stranger, a.Forwarded == "":
		return warn(check, ownHeader, "the proxy at %s does not tell who calls: all customers are counted as one", a.Peer)
	case a.Client == stranger:
		return ok(check, "the proxy at %s is trusted and tells who calls; the doctor's own call came from a trusted address (%s)", a.Peer, a.Forwarded)
	case a.Client == a.Peer:
		return warn(check, fmt.Sprintf("SOLLECITO_TRUSTED_PROXIES=%s", a.Peer), "everybody is taken for %s, which is a proxy that is not trusted: all customers are counted as one", a.Peer)
	}
	return ok(check, "callers are seen at their own address, as %s", a.Client)
}

func private(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast())
}
