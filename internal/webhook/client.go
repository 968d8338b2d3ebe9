package webhook

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	answerTime   = 15 * time.Second // for an endpoint to answer, from the look-up of its name on
	connectTime  = 8 * time.Second
	mostAnswer   = 4 << 10 // of an answer's body is read, and thrown away
	mostHeaders  = 32 << 10
	idleMost     = 8 // connections that stay open to a host
	idleTime     = 60 * time.Second
	ourUserAgent = "Sollecito-Webhooks/1"
)

// Client hands messages over by HTTP. It connects to no address that its networks refuse, whatever a name leads to; follows
// no redirect; and asks no proxy, behind which it could not tell.
type Client struct {
	secure, plain *http.Client
}

// NewClient makes a Client that may connect into the networks beside the public internet.
func NewClient(n Networks) *Client {
	return &Client{
		secure: clientTo(n.Allow),
		plain:  clientTo(func(at netip.Addr) bool { return at.Unmap().IsLoopback() && n.Allow(at) }),
	}
}

// errRefused is that a name leads where no endpoint may lie.
var errRefused = errors.New("the address is not on the public internet")

func clientTo(allow func(netip.Addr) bool) *http.Client {
	dialer := &net.Dialer{
		Timeout: connectTime,
		// Asked right before each connection is made, with the address that the name was found to have.
		Control: func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !allow(at.Addr()) {
				return errRefused
			}
			return nil
		},
	}
	return &http.Client{
		Timeout: answerTime,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: connectTime,
			MaxResponseHeaderBytes: mostHeaders, MaxIdleConnsPerHost: idleMost, IdleConnTimeout: idleTime,
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Outcome is what came of one try. Code is the answer's, 0 for none; Reason says in our words why it failed, "" when it did
// not.
type Outcome struct {
	Code   int
	Reason string
}

// Taken reports whether the endpoint has the message: it answered with one of the codes from 200 to 299.
func (o Outcome) Taken() bool { return o.Code >= 200 && o.Code <= 299 }

// Gone reports whether the endpoint wants nothing more.
func (o Outcome) Gone() bool { return o.Code == http.StatusGone }

// Post hands one message over. What the endpoint says beside its code is not kept.
func (c *Client) Post(ctx context.Context, address string, h Headers, body string) Outcome {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return Outcome{Reason: "Its address cannot be used."}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", ourUserAgent)
	req.Header.Set("webhook-id", h.ID)
	req.Header.Set("webhook-timestamp", h.Timestamp)
	req.Header.Set("webhook-signature", h.Signature)
	client := c.secure
	if req.URL.Scheme != "https" {
		client = c.plain
	}
	resp, err := client.Do(req)
	if err != nil {
		return Outcome{Reason: whyNot(err)}
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, mostAnswer)) // so that the connection can be used again
	o := Outcome{Code: resp.StatusCode}
	switch {
	case o.Taken():
	case o.Code >= 300 && o.Code <= 399:
		o.Reason = "It answered with a redirect, which is not followed."
	default:
		o.Reason = fmt.Sprintf("It answered %d.", o.Code)
	}
	return o
}

// whyNot says why there was no answer, without a word of the other side's.
func whyNot(err error) string {
	var named *net.DNSError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var other x509.HostnameError
	var timed *url.Error
	switch {
	case errors.Is(err, errRefused):
		return "Its name leads to an address that is not on the public internet."
	case errors.As(err, &named) && !named.IsTimeout:
		return "Its name was not found."
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &other):
		return "Its certificate is not trusted."
	case errors.As(err, &timed) && timed.Timeout():
		return fmt.Sprintf("It did not answer within %d seconds.", int(answerTime.Seconds()))
	}
	return "It could not be reached."
}
